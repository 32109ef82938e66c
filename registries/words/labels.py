"""Codes to words: everything that is stored or raised as a code gets its text, hint and icon here, in the
reader's language. Reasons and address problems come from the probe's own catalogue.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from registries.domain.access import EVERYWHERE, Role
from registries.domain.errors import Cause, ConsoleError, LeftAlone
from registries.domain.query import Filter
from registries.domain.registry import Provider, RegistrySecret, VerifyStatus
from registries.probe import Reason, catalogue
from registries.verification.outcome import Outcome

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Label:
    """`kind` picks the colour (ok, bad, warn, idle, busy); `icon` is the name of a lucide icon."""

    text: Text
    kind: str = ""
    icon: str = ""
    hint: Text = ""


STATUSES = {
    VerifyStatus.SUCCESS: Label(_("Connected"), "ok", "circle-check"),
    VerifyStatus.FAILED: Label(_("Connection failed"), "bad", "circle-x"),
    VerifyStatus.UNTESTED: Label(_("Not tested"), "idle", "circle-dashed"),
}
UNPROVEN = Label(_("Connected"), "warn", "triangle-alert", _("Password not checked"))
TESTING = Label(_("Testing…"), "busy", "loader-circle")

ALL = Label(_("All"), "all", "layers")
FILTERS = {
    Filter.SUCCESS: STATUSES[VerifyStatus.SUCCESS],
    Filter.FAILED: STATUSES[VerifyStatus.FAILED],
    Filter.UNTESTED: STATUSES[VerifyStatus.UNTESTED],
    Filter.UNPROVEN: Label(
        _("Not checked"), "warn", "triangle-alert", _("Connected, but open to any password")
    ),
    Filter.STALE: Label(_("Out of date"), "idle", "history", _("Tested more than a week ago")),
}

PROVIDERS = {
    Provider.HARBOR: Label("Harbor", icon="harbor"),
    Provider.DOCKERHUB: Label("Docker Hub", icon="dockerhub"),
    Provider.ALIYUN: Label(_("Aliyun ACR"), icon="aliyun"),
    Provider.OTHER: Label(_("Other registry"), icon="other"),
}

ACTIONS = {
    "create": _("Added"),
    "edit": _("Edited"),
    "delete": _("Deleted"),
    "test": _("Tested"),
    "try": _("Tested before saving"),
    "see": _("Looked at"),
    "login": _("Logged in"),
    "logout": _("Logged out"),
    "account": _("Account"),
    "grant": _("Role"),
    "namespace": _("Namespace"),
    "token": _("Access token"),
    "bind": _("Bound to the default service account"),
    "unbind": _("Unbound from the default service account"),
}

OUTCOMES = {
    "ok": _("Done"),
    "Forbidden": _("Refused: role missing"),
    "NotFound": _("Refused: not visible"),
    "failed": _("Failed"),
    "refused": _("Refused: a rule of the cluster"),
    "uncertain": _("Not answered: may have been done"),
    "locked": _("Refused: locked"),
    "Unauthorized": _("Refused: not valid"),
    "revoked": _("Ended by the cluster"),
}

ROLES = {
    Role.VIEWER: _("sees"),
    Role.OPERATOR: _("sees, tests and edits"),
    Role.ADMIN: _("sees, tests, edits, adds and deletes"),
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
}

_PROBLEMS: dict[tuple[str, str], Text] = {
    ("name", "characters"): _("Use lower-case letters, digits and hyphens only."),
    ("name", "ends"): _("Begin and end with a letter or a digit."),
    ("name", "too_long"): _("Use at most 253 characters."),
    ("name", "taken"): _("This name is taken in this namespace. Choose another one."),
    ("namespace", "characters"): _("Use lower-case letters, digits and hyphens only."),
    ("namespace", "ends"): _("Begin and end with a letter or a digit."),
    ("namespace", "too_long"): _("Use at most 63 characters."),
    ("namespace", "taken"): _("This namespace exists already."),
    ("namespace", "unknown"): _("This namespace does not exist, or you hold no role in it."),
    ("namespace", "forbidden"): _("Adding a registry here takes the role image-admin."),
    ("username", "taken"): _("There is such an account already."),
    ("username", "account_name"): _("Use letters, digits and @ . + - _ only, at most 150."),
    ("password", "password_too_short"): _("Use at least 8 characters."),
    ("password", "password_too_common"): _(
        "This password is on every list of common ones. Choose another one."
    ),
    ("password", "password_too_similar"): _(
        "This password is too much like the user name. Choose another one."
    ),
    ("namespaces", "unknown"): _("This namespace does not exist, or you hold no role in it."),
    ("expires", "expiry"): _("Choose a day from today on, at most a year from now."),
    ("name", "too_long_here"): _("Use at most 64 characters."),
    ("name", "too_many"): _("You have 50 tokens. Revoke one that is no longer used."),
    ("role", "unknown"): _("Choose one of the roles."),
    ("provider", "unknown"): _("Choose one of the providers."),
    ("tls", "unknown"): _("Choose one of the three."),
    ("tls", "tls_without_https"): _(
        "http:// has no certificate. Remove http://, or choose the system's trust."
    ),
    ("ca_bundle", "ca_empty"): _("Paste a PEM certificate: it begins with -----BEGIN CERTIFICATE-----."),
    ("ca_bundle", "ca_unreadable"): _("This certificate is damaged. Copy it again, whole."),
    ("ca_bundle", "ca_private_key"): _("There is a private key in it. Paste the certificate only."),
    ("ca_bundle", "ca_too_many"): _("Use at most 20 certificates."),
}
_ANY_FIELD: dict[str, Text] = {
    "control_character": _("Remove the invisible control characters."),
    "direction_mark": _("Remove the invisible marks that change the direction of writing."),
    "holds_password": _("Remove the password: everybody who sees the registry sees this text."),
}


_SHORT: dict[str, Text] = {
    "token_service_unreachable": _("Token service unreachable"),
    "rate_limited": _("Rate limited"),
}
"""Reasons whose message holds a value of one test, as they read without it."""


def language() -> str:
    """The probe's catalogue speaks `zh` and `en`."""
    return "zh" if (get_language() or "").startswith("zh") else "en"


def reason(code: str) -> str:
    """The message of a reason code by itself, without the values of one test; "" for an unknown code."""
    if code in _SHORT:
        return str(_SHORT[code])
    return catalogue.MESSAGES[Reason(code)].of(language()) if code in list(Reason) else ""


def reason_hint(code: str) -> str:
    return catalogue.HINTS[Reason(code)].of(language()) if code in list(Reason) else ""


def stage(name: str) -> str:
    text = catalogue.STEPS.get(name)
    return text.of(language()) if text else name


def test_cause(code: str) -> str:
    """What lies beneath a reason, where that is a code with a text of its own; else nothing."""
    text = catalogue.CAUSES.get(code)
    return text.of(language()) if text else reason(code)


def warning(code: str) -> str:
    text = catalogue.WARNINGS.get(code)
    return text.of(language()) if text else code


def outcome_text(outcome: Outcome) -> str:
    return problem_text(outcome.problem) if outcome.problem else outcome.message(language())


def outcome_hint(outcome: Outcome) -> str:
    return "" if outcome.problem else outcome.hint(language())


def status(registry: RegistrySecret) -> Label:
    if registry.verification.unproven:
        return UNPROVEN
    return STATUSES[registry.verification.status]


def verdict(outcome: Outcome) -> Label:
    """The status that an outcome amounts to."""
    if not outcome.ok:
        return STATUSES[VerifyStatus.FAILED]
    return STATUSES[VerifyStatus.SUCCESS] if outcome.proven else UNPROVEN


def cause_text(cause: Cause) -> str:
    """What is wrong with one field and what to do about it."""
    if cause.problem == "required":
        return gettext("Fill in this field.")
    specific = _PROBLEMS.get((cause.field, cause.problem))
    if specific is not None:
        return str(specific)
    if cause.problem == "too_long" and cause.limit is not None:
        return gettext("Use at most %(limit)s characters.") % {"limit": f"{cause.limit:,}"}
    problems = {**catalogue.ADDRESS_PROBLEMS, **catalogue.CREDENTIAL_PROBLEMS}
    if cause.field in ("domain", "username", "password") and cause.problem in problems:
        return problems[cause.problem].of(language()).format(part=cause.part)
    return str(_ANY_FIELD.get(cause.problem) or problem_text(cause.problem))


def error_text(error: ConsoleError) -> str:
    """One sentence for an error that belongs to no field: what happened and what to do."""
    if isinstance(error, LeftAlone):
        outcome = Outcome.left_alone(error.retry_after)
        return f"{outcome_text(outcome)}{'。' if language() == 'zh' else '. '}{test_cause(outcome.cause)}"
    if error.reason == "Forbidden" and error.problem not in _ERRORS:
        role = getattr(error, "role", "")
        return gettext("This takes the role %(role)s.") % {"role": role}
    return problem_text(error.problem if error.problem in _ERRORS else error.reason)


_ERRORS: dict[str, Text] = {
    "session_ended": _(
        "Your session is over: you logged out, or the cluster no longer accepts your credential. Log in again."
    ),
    "reviews_forbidden": _(
        "The cluster does not say what you may do here. Try again in a moment; if it stays so, log in again."
    ),
    "tokenreviews_forbidden": _(
        "The console may not ask the cluster whose token this is. Let its administrator run: manage.py crd --apply"
    ),
    "certificate_unusable": _("This client certificate is too weak to be used here. Use a token."),
    "NotFound": _("It does not exist, or you hold no role in its namespace."),
    "gone": _("It was deleted meanwhile."),
    "recreated": _("It was deleted and created again meanwhile. The new one was not touched."),
    "changed": _("Somebody changed it meanwhile."),
    "not_empty": _("There are still registries in this namespace. Delete them first."),
    "last_administrator": _("Somebody must be left who is image-admin everywhere. Nothing was changed."),
    "already_running": _("This has been started already."),
    "run_under_way": _("A test of several registries is under way already. Wait for it, or cancel it."),
    "under_way": _("It was being tested already."),
    "left_alone": _("Left alone: the registry refused this user name a moment ago."),
    "registry_busy": _("Other tests of this registry take long. Test again in a moment."),
    "interrupted": _("The test was interrupted. Test again."),
    "key_missing": _(
        "The key that sealed this password is missing. Restore the key file of the data folder."
    ),
    "seal_broken": _(
        "The stored password belongs to another address and was not used. Delete and add it again."
    ),
    "cluster_away": _(
        "The cluster's API server cannot be reached. Check that it runs, and its address in the kubeconfig."
    ),
    "cluster_timeout": _("The cluster's API server does not answer in time. Try again in a moment."),
    "cluster_uncertain": _(
        "The cluster's API server did not answer, and it may have been done. Look before you repeat it."
    ),
    "cluster_certificate": _(
        "The certificate of the cluster's API server is not trusted. Check the authority in the kubeconfig."
    ),
    "cluster_token": _("The cluster does not accept the console's token. Renew the one in the kubeconfig."),
    "cluster_forbidden": _(
        "The console's account may not do this on the cluster. Bind it to the cluster role registry-console."
    ),
    "installation_forbidden": _(
        "This kubeconfig may not install it: that takes one of a cluster administrator, in KUBECONFIG."
    ),
    "crd_missing": _(
        "The cluster does not know registries yet. Let its administrator run: manage.py crd --apply"
    ),
    "cluster_refused": _("The cluster refused this. Ask its administrator which rules are in force."),
    "quota_exceeded": _(
        "The quota of this namespace on the cluster is used up. Delete what is no longer used, or ask the cluster's"
        " administrator for more."
    ),
    "cluster_failed": _("The cluster's API server failed. Try again in a moment; its own log says why."),
    "cluster_unconfigured": _("There are no usable credentials for the cluster. Check KUBECONFIG."),
    "terminating": _("This namespace is being deleted. Choose another one."),
    "no_service_account": _(
        "This namespace has no default service account yet. The cluster makes it in a moment; try again."
    ),
    "serviceaccounts_forbidden": _(
        "You may not change service accounts of this namespace on the cluster: that takes `get` and `patch`"
        " on serviceaccounts, as its role edit holds."
    ),
    "no_pull_secrets": _("This console keeps no pull secrets (CONSOLE_PULL_SECRETS)."),
    "pull_secret_foreign": _(
        "The Secret of this name is somebody else's, so no service account was bound to it."
    ),
    "namespaces_elsewhere": _("Namespaces are created and deleted on the cluster, for example with kubectl."),
    "Forbidden": _("The role for it was missing."),
    "TooManyRequests": _("Too many requests. Wait a little."),
    "ServiceUnavailable": _("The store does not answer. Try again in a moment."),
}


def problem_text(code: str) -> str:
    return str(_ERRORS.get(code, _("Something went wrong.")))


def role_scope(namespace: str) -> str:
    return gettext("All namespaces") if namespace == EVERYWHERE else namespace


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the one unit that matters."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return gettext("just now")
    minutes = seconds // 60
    if minutes < 60:
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 24:
        return ngettext("%(n)d hour ago", "%(n)d hours ago", hours) % {"n": hours}
    days = hours // 24
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}


def duration(milliseconds: float) -> str:
    """With a unit: 12 ms, 1.4 s."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
