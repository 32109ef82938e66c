"""The values of rows, cards and verdicts for the templates."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from registries.domain.access import Access
from registries.domain.registry import RegistrySecret
from registries.probe import LEAVE_ALONE, Reason, Result, Step
from registries.probe.certificate import CertificateFacts, ServerCertificates
from registries.verification.history import Check
from registries.verification.outcome import NotTested, Tested
from registries.web.lists.images import ImageView, image_view
from registries.web.lists.watched import Seen
from registries.web.responses import details_url
from registries.words import hints, labels
from registries.words.actions import offered, offered_for_many
from registries.words.labels import Label

NOTHING_SEEN = Seen()
REFUSED = LEAVE_ALONE - {Reason.RATE_LIMITED}
NAMES_SHOWN = 8
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """The text and details of one test's outcome."""

    kind: str
    icon: str
    title: str
    message: str
    hint: str
    at: datetime | None
    ago: str
    stale: bool
    detail: str = ""
    cause: str = ""
    stages: tuple["StageView", ...] = ()
    before: str = ""
    """What an earlier success says about a failure."""
    duration: str = ""
    person: str = ""
    token_host: str = ""
    quoted: bool = False
    certificate: "Shown | None" = None
    warnings: tuple[str, ...] = ()
    node: str = ""
    """Why nodes fail though the test succeeds."""
    image: ImageView | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """The certificates that a server showed, and the CA to trust, if there is one."""

    leaf: CertificateFacts
    self_signed: bool
    names: tuple[str, ...]
    more: int
    """The number of names that are not shown."""
    above: tuple[CertificateFacts, ...]
    """The other certificates that were sent with the leaf, each once."""
    ca_pem: str
    authority: CertificateFacts | None

    @classmethod
    def of(cls, shown: ServerCertificates, host: str) -> "Shown":
        """`host` is host[:port] of the server: the name for it comes first, if the certificate has one."""
        return cls(
            leaf=shown.leaf,
            self_signed=shown.self_signed,
            names=tuple(sorted(shown.names, key=lambda name: not _covers(name, host)))[:NAMES_SHOWN],
            more=max(0, len(shown.names) - NAMES_SHOWN),
            above=_others(shown),
            ca_pem=shown.ca_pem or "",
            authority=shown.ca if shown.ca_pem else None,
        )

    @property
    def authority_is_above(self) -> bool:
        """Whether the CA to trust is one of the certificates that are shown."""
        shown = (self.leaf, *self.above)
        return self.authority is not None and self.authority.fingerprint in {it.fingerprint for it in shown}


def _others(shown: ServerCertificates) -> tuple[CertificateFacts, ...]:
    others = {it.fingerprint: it for it in shown.chain[1:] if it.fingerprint != shown.leaf.fingerprint}
    return tuple(others.values())


def _covers(name: str, host: str) -> bool:
    """Whether a name in a certificate, *.example.com say, is that of host[:port]."""
    wanted, name = host.partition(":")[0], name.lower()
    return name == wanted or (name.startswith("*.") and name[2:] == wanted.partition(".")[2])


@dataclass(frozen=True, slots=True)
class StageView:
    name: str
    title: str
    duration: str
    ok: bool


def stage_views(steps: tuple[Step, ...]) -> tuple[StageView, ...]:
    """The stages, each once: a stage of several requests has their time together, and fails with any of them."""
    times, passed = dict[str, float](), dict[str, bool]()
    for it in steps:
        times[it.name] = times.get(it.name, 0.0) + it.milliseconds
        passed[it.name] = passed.get(it.name, True) and it.ok
    return tuple(
        StageView(name, labels.stage(name), labels.duration(spent), passed[name])
        for name, spent in times.items()
    )


def verdict_of(
    outcome: Tested,
    *,
    first: str = "",
    at: datetime | None = None,
    person: str = "",
    stale: bool = False,
    now: datetime | None = None,
) -> Verdict:
    """The verdict of a test that has ended. `first` is the provider's own next step."""
    label = labels.verdict(outcome)
    verdict = Verdict(
        kind=label.kind,
        icon=label.icon,
        title=str(label.text),
        message=labels.outcome_text(outcome),
        hint=labels.outcome_hint(outcome, first),
        at=at,
        ago=labels.ago(at, now or datetime.now(UTC)) if at else "",
        stale=stale,
        person=labels.person(person),
    )
    return verdict if isinstance(outcome, NotTested) else _with_details(verdict, outcome)


def _with_details(verdict: Verdict, result: Result) -> Verdict:
    duration = round(result.duration_ms)
    return replace(
        verdict,
        detail=result.detail,
        cause=labels.test_cause(result.cause or ""),
        stages=stage_views(result.steps),
        duration=labels.duration(duration) if duration else "",
        token_host=(result.token_host or "") if result.token_host != result.registry_host else "",
        quoted=result.quoted,
        node=result.node_message(get_language()),
        image=image_view(result.image) if result.image else None,
        warnings=tuple(labels.warning(it) for it in result.warnings if not it.startswith("password_")),
        certificate=Shown.of(result.tls, result.registry_host or "") if result.tls else None,
    )


def verdict_of_stored(
    registry: RegistrySecret, recent: Sequence[Check], now: datetime | None = None
) -> Verdict | None:
    """The last verdict: status and message of the resource, and details from the history if they are stored.

    `recent` are the tests of the registry that have a verdict, newest first.
    """
    now = now or datetime.now(UTC)
    verification, last = registry.verification, recent[0] if recent else None
    if verification.at is None and verification.status.value == "untested":
        return None
    stale = verification.is_stale(now)
    account = registry.provider, registry.username
    first = hints.next_step(verification.reason, *account)
    if last and isinstance(last.outcome, Result) and last.outcome.reason == verification.reason:
        verdict = verdict_of(
            last.outcome, first=first, at=verification.at, person=last.person, stale=stale, now=now
        )
    else:
        label = labels.status(registry)
        verdict = Verdict(
            kind=label.kind,
            icon=label.icon,
            title=str(label.text),
            message=labels.reason(verification.reason) or verification.message,
            hint=first or labels.reason_hint(verification.reason),
            at=verification.at,
            ago=labels.ago(verification.at, now) if verification.at else "",
            stale=stale,
        )
    good = next((it for it in recent if isinstance(it.outcome, Result) and it.outcome.ok), None)
    if good is None or verification.status.value != "failed":
        return verdict
    text = hints.last_connected(verification.reason, *account, labels.ago(good.started_at, now))
    return replace(verdict, before=text)
