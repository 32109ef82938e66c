"""The values of verdicts for the templates: the text and details of a test's outcome, and of its image."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from registries.domain.registry import RegistrySecret
from registries.probe import Reason, Result, Step
from registries.probe.certificate import CertificateFacts, ServerCertificates
from registries.probe.image import ImageResult, NodePlatform, PlatformSize, PullQuota
from registries.verification.history import Check, NotTested, Tested
from registries.words import labels, providers, times

NAMES_SHOWN = 8
CAUTIONS = frozenset({"tls_not_verified", "nodes_have_mirrors", "old_password_refused"})
"""Warnings of a test that ask for care. The other ones inform."""
ELSEWHERE = frozenset(
    {
        Reason.NETWORK_UNREACHABLE,
        Reason.TIMEOUT,
        Reason.CONNECTION_RESET,
        Reason.PROXY_ERROR,
        Reason.TLS_EXPIRED,
        Reason.TOKEN_SERVICE_UNREACHABLE,
        Reason.TOKEN_SERVICE_ERROR,
        Reason.RATE_LIMITED,
        Reason.SERVER_ERROR,
    }
)
"""Failures whose cause is at the server or on the way to it: other values of the registry do not help."""


@dataclass(frozen=True, slots=True)
class ImageView:
    """The answer about one image. `platforms` are (name, size and time); `nodes` are (text, whether covered)."""

    name: str
    kind: str
    icon: str
    message: str
    hint: str
    note: str
    platforms: tuple[tuple[str, str, str], ...]
    """Name, size, and the time of a pull where it takes a minute or more."""
    nodes: tuple[tuple[str, bool], ...]
    pulls: str
    rate: str = ""
    """The speed of the connection that the times are for."""


def image_view(result: ImageResult) -> ImageView:
    whole = result.ok and all(it.covered for it in result.nodes)
    kind = "ok" if whole else "warn" if result.ok else "bad"
    platforms = tuple((it.name, _size(it), _pull_time(it)) for it in result.platforms)
    timed = any(it[2] for it in platforms)
    return ImageView(
        name=result.image,
        kind=kind,
        icon={"ok": "circle-check", "warn": "triangle-alert", "bad": "circle-x"}[kind],
        message=result.message(get_language()),
        hint=result.hint(get_language()),
        note=result.note_text(get_language()),
        platforms=platforms,
        nodes=tuple((_nodes(it), it.covered) for it in result.nodes),
        pulls=_pulls(result.quota) if result.quota else "",
        rate=_("Pull times at %(rate)s Mbit/s") % {"rate": f"{settings.UPLINK:g}"} if timed else "",
    )


def _nodes(platform: NodePlatform) -> str:
    text = ngettext("%(n)d node %(name)s", "%(n)d nodes %(name)s", platform.count)
    return text % {"n": platform.count, "name": platform.name}


def _size(platform: PlatformSize) -> str:
    if platform.size is None:
        return _("size unknown")
    unit, name = next((it for it in ((1e9, "GB"), (1e6, "MB")) if platform.size >= it[0]), (1e3, "kB"))
    return f"{platform.size / unit:.1f} {name}"


def _pull_time(platform: PlatformSize) -> str:
    minutes = platform.minutes(settings.UPLINK)
    return _("about %(n)d min") % {"n": round(minutes)} if minutes and minutes >= 1 else ""


def _pulls(quota: PullQuota) -> str:
    values = {"left": quota.remaining, "limit": quota.limit, "hours": round(quota.seconds / 3600)}
    return _("%(left)d of %(limit)d pulls left (limit per %(hours)d h)") % values


@dataclass(frozen=True, slots=True)
class Verdict:
    """The text and details of one test's outcome."""

    kind: str
    icon: str
    title: str
    message: str
    hint: str
    at: datetime | None = None
    ago: str = ""
    stale: bool = False
    detail: str = ""
    cause: str = ""
    stages: tuple["StageView", ...] = ()
    before: str = ""
    """What an earlier success says about a failure."""
    correctable: bool = True
    """Whether other values of the registry can help against a failure."""
    duration: str = ""
    person: str = ""
    token_host: str = ""
    quoted: bool = False
    certificate: "Shown | None" = None
    warnings: tuple[labels.Label, ...] = ()
    node: str = ""
    """Why nodes fail though the test succeeds."""
    image: ImageView | None = None

    @property
    def whole(self) -> str:
        """The message, if it begins with the title: "Connected, but …"; else ""."""
        return self.message if self.message.startswith(self.title) and self.message != self.title else ""


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
    misnamed: bool = False
    """No name covers the host."""

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
            misnamed=not any(_covers(name, host) for name in shown.names),
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
    proves: bool = True
    """False for a confirmation that went through and proved nothing: the registry accepts every password."""


def stage_views(steps: tuple[Step, ...], *, verified: bool = True) -> tuple[StageView, ...]:
    """The stages, each once: a stage of several requests has their time together, and fails with any of them.

    `verified`: whether the test proved the password.
    """
    lengths, passed = dict[str, float](), dict[str, bool]()
    for it in steps:
        lengths[it.name] = lengths.get(it.name, 0.0) + it.milliseconds
        passed[it.name] = passed.get(it.name, True) and it.ok
    return tuple(
        StageView(
            name, labels.stage(name), times.duration(spent), passed[name], verified or name != "confirm"
        )
        for name, spent in lengths.items()
    )


def verdict_of(outcome: Tested, first: str = "") -> Verdict:
    """The verdict of a test that has ended. `first` is the provider's own next step."""
    label = labels.verdict(outcome)
    verdict = Verdict(
        kind=label.kind,
        icon=label.icon,
        title=str(label.text),
        message=labels.outcome_text(outcome),
        hint=labels.outcome_hint(outcome, first),
    )
    return verdict if isinstance(outcome, NotTested) else _with_details(verdict, outcome)


def _with_details(verdict: Verdict, result: Result) -> Verdict:
    duration = round(result.duration_ms)
    return replace(
        verdict,
        detail=result.detail,
        cause=result.cause_message(get_language()),
        stages=stage_views(result.steps, verified=result.reason is not Reason.OK_UNVERIFIED),
        duration=times.duration(duration) if duration else "",
        token_host=(result.token_host or "") if result.token_host != result.registry_host else "",
        quoted=result.quoted,
        node=result.node_message(get_language()),
        image=image_view(result.image) if result.image else None,
        warnings=tuple(_remark(it) for it in result.warnings if not it.startswith("password_")),
        certificate=Shown.of(result.tls, result.registry_host or "") if result.tls else None,
    )


def _remark(code: str) -> labels.Label:
    """A warning of a test with its icon."""
    return labels.Label(labels.warning(code), *(labels.WARN if code in CAUTIONS else ("idle", "info")))


def verdict_of_stored(registry: RegistrySecret, recent: Sequence[Check], now: datetime) -> Verdict | None:
    """The last verdict: status and message of the resource, and details from the history if they are stored.

    `recent` are the tests of the registry that have a verdict, newest first.
    """
    verification, last = registry.verification, recent[0] if recent else None
    if verification.at is None and verification.status.value == "untested":
        return None
    account = registry.provider, registry.username
    first = providers.next_step(verification.reason, providers.account_kind(*account))
    if last and isinstance(last.outcome, Result) and last.outcome.reason == verification.reason:
        verdict = replace(verdict_of(last.outcome, first), person=labels.person(last.person))
    else:
        label = labels.status(registry)
        verdict = Verdict(
            kind=label.kind,
            icon=label.icon,
            title=str(label.text),
            message=labels.failure(registry),
            hint=first or labels.reason_hint(verification.reason),
        )
    ago, stale = times.ago(verification.at, now), verification.is_stale(now)
    correctable = verification.reason not in ELSEWHERE
    verdict = replace(verdict, at=verification.at, ago=ago, stale=stale, correctable=correctable)
    good = next((it for it in recent if isinstance(it.outcome, Result) and it.outcome.ok), None)
    if good is None or verification.status.value != "failed":
        return verdict
    text = providers.last_connected(verification.reason, *account, times.ago(good.started_at, now))
    return replace(verdict, before=text)
