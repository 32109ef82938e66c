"""The rows of registries for the templates, and what they show."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString  # noqa: TID251
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from registries.domain.access import Access
from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.probe.reason import Reason
from registries.probe.schedule import REFUSED
from registries.schedule import recent as schedule
from registries.schedule import silences
from registries.verification.history import Check
from registries.web.lists import certificate_times, probe_images
from registries.web.lists.last_days import in_numbers, months_of, not_counted, paths, until_now
from registries.web.registry_actions import abilities, offered_for_many
from registries.web.responses import details_url
from registries.words import labels, times
from registries.words.labels import Label

ROWS_KEPT = 1_000
"""Of up to 5 KiB each."""
_rows: dict[Hashable, tuple[RegistrySecret, SafeString]] = {}
"""By the registry's id() and all that a row shows besides. A registry never changes, and its id() is its own as long as
the entry holds it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a row of the list shows of the scheduled checks: since when the registry fails, and its last 30 days as the
    three paths of a drawing, 3 units a day. `text` says the days in numbers; "" without a test. `silenced`: until when
    messages wait. `image`: what is wrong with the probe image. `certificate`: what is wrong with its time."""

    since: datetime | None = None
    good: str = ""
    unproven: str = ""
    bad: str = ""
    text: str = ""
    silenced: datetime | None = None
    image: str = ""
    certificate: str = ""


NOTHING_SEEN = Seen()


@dataclass(frozen=True, slots=True)
class Row:
    registry: RegistrySecret
    label: Label
    provider: Label
    reason: str
    obstacle: str
    """Why the registry cannot be used, if so: its address, or its deletion."""
    ago: str
    stale: bool
    testing: bool
    delay: str
    can: str
    """What this person may do with it, as the menu wants it: "test edit delete"."""
    seen: Seen
    selectable: bool
    """Whether this person may act on several registries anywhere."""

    @property
    def url(self) -> str:
        return details_url(self.registry.key)

    @property
    def warns(self) -> bool:
        """Whether the reason is one to take care, beside a good status."""
        return bool(self.reason) and self.reason == self.seen.image

    @property
    def refused(self) -> bool:
        """Whether the registry refused the credential in the last test."""
        return not self.testing and self.registry.verification.reason in REFUSED

    @property
    def may_test(self) -> bool:
        return "test" in self.can.split()


def row_of(
    registry: RegistrySecret, access: Access, check: Check | None, now: datetime, seen: Seen = NOTHING_SEEN
) -> Row:
    verification = registry.verification
    today = timezone.localdate(now)
    label = labels.TESTING if check else labels.status(registry, today)
    return Row(
        registry=registry,
        label=label,
        provider=labels.PROVIDERS[registry.provider],
        reason="" if check else labels.short_obstacle(registry) or _short_reason(registry, seen, today),
        obstacle=labels.obstacle(registry),
        ago=_failing_for(seen.since, now) if seen.since else times.ago(verification.at, now),
        seen=seen,
        stale=verification.is_stale(now),
        testing=check is not None,
        delay=poll_delay(check.started_at, now) if check else "",
        can=abilities(access, registry.namespace, registry),
        selectable=bool(offered_for_many(access)),
    )


def rows_html(
    registries: Iterable[RegistrySecret],
    access: Access,
    checks: Mapping[str, Check],
    now: datetime,
    watched: Mapping[str, Seen],
) -> list[SafeString]:
    """The HTML of each row of these registries. `checks` are the running tests, `watched` what was seen, by uid."""
    language, can, rows = get_language(), dict[str, str](), list[SafeString]()
    selectable = bool(offered_for_many(access))
    for registry in registries:
        namespace, verification = registry.key.namespace, registry.verification
        check, seen = checks.get(registry.uid), watched.get(registry.uid, NOTHING_SEEN)
        if namespace not in can:
            can[namespace] = abilities(access, namespace)
        if seen.since:
            age: object = _failing_for(seen.since, now)
        else:
            age = times.age(verification.at, now) if verification.at else None
        delay = poll_delay(check.started_at, now) if check else ""
        shown = (
            id(registry),
            can[namespace],
            selectable,
            delay,
            age,
            seen,
            verification.is_stale(now),
            registry.endings and timezone.localdate(now),
            language,
        )
        kept = _rows.get(shown)
        if kept is None:
            row = row_of(registry, access, check, now, seen)
            kept = registry, render_to_string("lists/_row.html", {"row": row})
            if len(_rows) >= ROWS_KEPT:
                _rows.clear()
            _rows[shown] = kept
        rows.append(kept[1])
    return rows


def _failing_for(since: datetime, now: datetime) -> str:
    return _("failing for %(span)s") % {"span": times.span(now - since)}


def poll_delay(started_at: datetime, now: datetime) -> str:
    """The delay of the next poll: short at first, since most tests take less than a second."""
    waited = (now - started_at).total_seconds()
    return "300ms" if waited < 2 else "1s"


def _short_reason(registry: RegistrySecret, seen: Seen, today: date) -> str:
    """The reason of the failure in the reader's language; without a code, the stored message of another client.

    For a working registry, what expires first, if that is soon.
    """
    verification = registry.verification
    if seen.image:
        return seen.image
    if verification.unproven:
        return str(labels.UNPROVEN.hint)
    if verification.status.value != "failed":
        return times.next_expiry(registry, today)
    if verification.reason == Reason.RATE_LIMITED:
        return _("Rate limited, credentials not checked")
    return seen.certificate or labels.failure(registry)


def of_rows(registries: Iterable[RegistrySecret], now: datetime) -> dict[str, Seen]:
    """By uid, for those that were tested or are silenced. At most five queries."""
    registries = list(registries)
    silenced = silences.ends(registries, now)
    tested = [it for it in registries if it.verification.at]
    failed = [it.uid for it in tested if it.verification.status is VerifyStatus.FAILED]
    since = schedule.failing_since(failed)
    months = months_of(tested, now)
    images = probe_images.troubles(tested)
    validity = certificate_times.reasons(tested)
    uncounted = {it.uid: not_counted(it) for it in tested}
    return {
        uid: Seen(
            since.get(uid),
            *paths(month),
            " · ".join(filter(None, (in_numbers(month), month and uncounted.get(uid)))),
            silenced.get(uid),
            images.get(uid, ""),
            validity.get(uid, ""),
        )
        for uid in since.keys() | months.keys() | silenced.keys() | images.keys() | validity.keys()
        for month in (until_now(months.get(uid, ""), since.get(uid), now),)
    }
