"""Codes in words: texts, hints and icons in the reader's language. words/problems.py has the sentences of problems.

The texts of reasons, steps and warnings come from the probe's catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils.translation import get_language, gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from registries.domain.access import EVERYWHERE, Role
from registries.domain.query import Filter, Group, Member
from registries.domain.registry import Provider, RegistrySecret, VerifyStatus
from registries.probe import catalogue, remarks, validity
from registries.probe.image import ImageResult
from registries.probe.reason import ImageReason, Reason
from registries.probe.text import Text as Sentence
from registries.verification.history import SCHEDULED, NotTested, Tested
from registries.words.language import Text, comma
from registries.words.problems import problem_text


@dataclass(frozen=True, slots=True)
class Label:
    """A text with a colour and an icon. `kind` is ok, bad, warn, idle or busy; `icon` is the name of a lucide icon."""

    text: Text
    kind: str = ""
    icon: str = ""
    hint: Text = ""


GOOD, WARN, BAD = ("ok", "circle-check"), ("warn", "triangle-alert"), ("bad", "circle-x")
IDLE, BUSY, KEY = ("idle", "circle-dashed"), ("busy", "loader-circle"), ("bad", "key-round")
"""Kinds with their usual icons."""

STATUSES = {
    VerifyStatus.SUCCESS: Label(_("Connected"), *GOOD),
    VerifyStatus.FAILED: Label(pgettext_lazy("state", "Failed"), *BAD),
    VerifyStatus.UNTESTED: Label(_("Not tested"), *IDLE),
}
UNPROVEN = Label(_("Connected"), *WARN, _("Password unverified"))
EXPIRES_SOON = Label(_("Expires soon"), "warn", "calendar-clock")
TESTING = Label(_("Testing…"), *BUSY)

STATES = {
    "new": STATUSES[VerifyStatus.UNTESTED],
    "ok": STATUSES[VerifyStatus.SUCCESS],
    "suspect": Label(_("Failed once"), *WARN),
    "failing": STATUSES[VerifyStatus.FAILED],
    "recovering": Label(_("Connected once"), *WARN),
    "flapping": Label(_("Unstable"), *WARN),
}
"""By the schedule's state."""

ADDRESS_NOT_VALID = Label(_("Address not valid"), *WARN)
"""Red is for failed tests, which the strip counts."""
BEING_DELETED = Label(_("Being deleted"), "warn", "trash-2")

ALL = Label(_("All"), "all", "layers")
FILTERS = {
    Filter.SUCCESS: STATUSES[VerifyStatus.SUCCESS],
    Filter.FAILED: STATUSES[VerifyStatus.FAILED],
    Filter.UNTESTED: STATUSES[VerifyStatus.UNTESTED],
    Filter.UNPROVEN: Label(UNPROVEN.hint, *WARN, _("Connected, but any password is accepted")),
    Filter.STALE: Label(_("Out of date"), "idle", "history", _("Tested more than a week ago")),
    Filter.EXPIRING: replace(
        EXPIRES_SOON, hint=_("The credential or a certificate expires within 30 days, or has expired")
    ),
}

GROUPS = {
    Group.CAUSE: _("By cause"),
    Group.HOST: _("By host"),
    Group.CREDENTIAL: _("By credential"),
}

GROUPS_OF_ONE = {
    Group.CAUSE: _("Causes with one registry"),
    Group.HOST: _("Hosts with one registry"),
    Group.CREDENTIAL: _("Credentials with one registry"),
}

PROVIDERS = {
    Provider.HARBOR: Label("Harbor", icon="harbor"),
    Provider.DOCKERHUB: Label("Docker Hub", icon="dockerhub"),
    Provider.ALIYUN: Label(_("Aliyun ACR"), icon="aliyun"),
    Provider.OTHER: Label(_("Other registry"), icon="other"),
}

ROLES = {
    Role.VIEWER: _("view"),
    Role.OPERATOR: _("view, test and edit"),
    Role.ADMIN: _("view, test, edit, add and delete"),
}

FIELDS = {
    "name": _("Name"),
    "display_name": _("Display name"),
    "namespace": _("Namespace"),
    "description": _("Description"),
    "domain": _("Address"),
    "username": _("User name"),
    "password": _("Password"),
    "provider": _("Provider"),
    "role": _("Role"),
    "tls": _("Certificate"),
    "ca_bundle": _("CA certificate"),
    "namespaces": _("Namespaces"),
    "expires": _("Valid until"),
    "owner": _("Owner"),
    "support_contact": _("Support contact"),
    "expires_at": _("Credential expires on"),
    "probe_image": _("Probe image"),
    "image": _("Image reference"),
    "starts_at": _("Starts"),
    "ends_at": _("Ends"),
    "last_day": _("Last day"),
    "reason": _("Reason"),
}

_SHORT: dict[str, Text] = {
    "token_service_unreachable": _("Token service unreachable"),
    "rate_limited": _("Rate limited"),
}
"""Texts for reasons whose message needs a value of the test."""


def _said(texts: Mapping[Any, Sentence], code: str, otherwise: str = "") -> str:
    """What a table of the catalogue says of a code, in the reader's language."""
    text = texts.get(code)
    return text.of(get_language()) if text else otherwise


def reason(code: str) -> str:
    """The message of a reason code without the values of a test; "" for an unknown code."""
    return str(_SHORT[code]) if code in _SHORT else _said(catalogue.MESSAGES, code)


def failure(registry: RegistrySecret) -> str:
    """Why the stored verdict is a failure: the reason, with the day on which the certificate expired; without a code,
    the message of another client."""
    verdict, text = registry.verification, ""
    if verdict.reason == Reason.TLS_EXPIRED:
        text = validity.message(validity.expired_at(registry.certificate_ends, verdict.at), get_language())
    return text or reason(verdict.reason) or verdict.message


def group(member: Member) -> str:
    """What the registries of a group share: a cause or status, a host, or "user @ host"."""
    if member.group is Group.CREDENTIAL:
        host, _space, username = member.value.partition(" ")
        return f"{username} @ {host}"
    if member.group is Group.HOST:
        return member.value
    statuses = {it.value: str(label.text) for it, label in STATUSES.items()}
    return reason(member.value) or statuses.get(member.value, member.value)


def reason_hint(code: str) -> str:
    return _said(catalogue.HINTS, code)


def stage(name: str) -> str:
    return _said(remarks.STEPS, name, name)


def warning(code: str) -> str:
    return _said(remarks.WARNINGS, code, code)


def outcome_text(outcome: Tested) -> str:
    return (
        problem_text(outcome.problem) if isinstance(outcome, NotTested) else outcome.message(get_language())
    )


def image_trouble(image: ImageResult) -> str:
    """In short, why a probe image is not good for all nodes; "" if it is."""
    if image.reason is ImageReason.FAILED:
        return gettext("Probe image not checked")
    if not image.ok:
        return gettext("Probe image cannot be pulled")
    return "" if all(it.covered for it in image.nodes) else gettext("Probe image lacks a platform")


def outcome_hint(outcome: Tested, first: str = "") -> str:
    """What to do next. `first` replaces the general hint of the reason."""
    return "" if isinstance(outcome, NotTested) else outcome.hint(get_language(), first)


def status(registry: RegistrySecret, today: date | None = None) -> Label:
    """The state of a registry. With `today`, a working credential that expires soon is a state of its own."""
    if registry.deleting:
        return BEING_DELETED
    if registry.address_problem:
        return ADDRESS_NOT_VALID
    if registry.verification.unproven:
        return UNPROVEN
    if today and registry.verification.status is VerifyStatus.SUCCESS and registry.expires_soon(today):
        return EXPIRES_SOON
    return STATUSES[registry.verification.status]


def obstacle(registry: RegistrySecret) -> str:
    """Why a registry cannot be used, and what to do; "" for most."""
    if registry.deleting and registry.finalizers:
        text = gettext(
            "Finalizers hold the registry: %(finalizers)s. It is deleted once their controllers have removed them."
        )
        return text % {"finalizers": comma().join(registry.finalizers)}
    if registry.deleting:
        return gettext("The cluster deletes the registry in a moment.")
    if not registry.address_problem:
        return ""
    text = gettext("%(problem)s. Enter the address again with “Correct and create again”.")
    problem = _placed(_short(registry.address_problem), registry.address_problem_at)
    return text % {"problem": problem}


def short_obstacle(registry: RegistrySecret) -> str:
    """The same for a row of a list: why, and not what to do."""
    held = len(registry.finalizers)
    if registry.deleting and held:
        return ngettext("Waiting for %(n)d finalizer", "Waiting for %(n)d finalizers", held) % {"n": held}
    if registry.deleting or not registry.address_problem:
        return obstacle(registry)
    return _short(registry.address_problem)


def _short(code: str) -> str:
    """What is wrong with an address that is not shown, without what to do: nobody can remove a part of it."""
    return address_problem(code).replace("；", ";").partition(";")[0]


def address_problem(code: str, place: int = 0) -> str:
    """What is wrong with an address, and at which character. The wrong part itself is not shown: it may be a
    password."""
    return _placed(_said(remarks.ADDRESS_PROBLEMS, code, code).format(part="…"), place)


def _placed(problem: str, place: int) -> str:
    if not place:
        return problem
    return gettext("%(problem)s (character %(place)s)") % {"problem": problem, "place": place}


def verdict(outcome: Tested) -> Label:
    """The status after this outcome."""
    if isinstance(outcome, NotTested) or not outcome.ok:
        return STATUSES[VerifyStatus.FAILED]
    return STATUSES[VerifyStatus.SUCCESS] if outcome.proven else UNPROVEN


def person(name: str) -> str:
    """Who tested: a user name, or the console by itself."""
    return gettext("scheduled check") if name == SCHEDULED else name


def role_scope(namespace: str) -> str:
    return gettext("All namespaces") if namespace == EVERYWHERE else namespace
