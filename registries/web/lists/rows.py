"""The values of rows for the templates."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from registries.domain.access import Access
from registries.domain.registry import RegistrySecret
from registries.probe import LEAVE_ALONE, Reason
from registries.verification.history import Check
from registries.web.lists.watched import Seen
from registries.web.responses import details_url
from registries.words import labels
from registries.words.actions import offered, offered_for_many
from registries.words.labels import Label

NOTHING_SEEN = Seen()
REFUSED = LEAVE_ALONE - {Reason.RATE_LIMITED}
ROWS_KEPT = 1_000
"""Of up to 5 KiB each."""
_rows: dict[Hashable, tuple[RegistrySecret, SafeString]] = {}
"""By the registry's id() and all that a row shows besides. A registry never changes, and its id() is its own as long as
the entry holds it."""


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
    def refused(self) -> bool:
        """Whether the registry refused the credential in the last test."""
        return not self.testing and self.registry.verification.reason in REFUSED

    @property
    def may_test(self) -> bool:
        return "test" in self.can.split()


def row_of(
    registry: RegistrySecret,
    access: Access,
    check: Check | None,
    now: datetime | None = None,
    seen: Seen = NOTHING_SEEN,
) -> Row:
    now = now or datetime.now(UTC)
    verification = registry.verification
    today = timezone.localdate(now)
    label = labels.TESTING if check else labels.status(registry, today)
    return Row(
        registry=registry,
        label=label,
        provider=labels.PROVIDERS[registry.provider],
        reason="" if check else labels.obstacle(registry) or _short_reason(registry, today),
        obstacle=labels.obstacle(registry),
        ago=_failing_for(seen.since, now)
        if seen.since
        else labels.ago(verification.at, now)
        if verification.at
        else "",
        seen=seen,
        stale=verification.is_stale(now),
        testing=check is not None,
        delay=poll_delay(check.started_at, now) if check else "",
        can=abilities(access, registry.namespace, deleting=registry.deleting),
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
        namespace, verification, check = (
            registry.key.namespace,
            registry.verification,
            checks.get(registry.uid),
        )
        if namespace not in can:
            can[namespace] = abilities(access, namespace)
        seen = watched.get(registry.uid, NOTHING_SEEN)
        if seen.since:
            age: object = _failing_for(seen.since, now)
        else:
            age = labels.age(verification.at, now) if verification.at else None
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
    return _("failing for %(span)s") % {"span": labels.span(now - since)}


def abilities(access: Access, namespace: str, *, deleting: bool = False) -> str:
    """The names of the actions that a person may take in a namespace, for the scripts."""
    return " ".join(action.name for action in offered(access, namespace, deleting=deleting))


def poll_delay(started_at: datetime, now: datetime) -> str:
    """The delay of the next poll: short at first, since most tests take less than a second."""
    waited = (now - started_at).total_seconds()
    return "300ms" if waited < 2 else "1s"


def _short_reason(registry: RegistrySecret, today: date) -> str:
    """The reason of the failure in the reader's language; without a code, the stored message of another client.

    For a working registry, what expires first, if that is soon.
    """
    verification = registry.verification
    if verification.unproven:
        return str(labels.UNPROVEN.hint)
    if verification.status.value != "failed":
        return labels.next_expiry(registry, today)
    return labels.reason(verification.reason) or verification.message
