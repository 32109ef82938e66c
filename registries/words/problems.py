"""Problems in words: what happened and what to do, in the reader's language.

Each `Problem` has a sentence here, in words/log_in.py, in api/status.py or in the probe's catalogue; a test checks it.
"""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registries.domain.errors import Cause, ConsoleError, Forbidden, LeftAlone, Problem
from registries.probe import Reason, Result, catalogue
from registries.words.language import Text, language

TEXTS: dict[Problem, Text] = {
    Problem.SESSION_ENDED: _(
        "Your session is over: you logged out, or the cluster no longer accepts your credential. Log in again."
    ),
    Problem.REVIEWS_FORBIDDEN: _(
        "The cluster does not say what you may do here. Try again in a moment; if it stays so, log in again."
    ),
    Problem.TOKENREVIEWS_FORBIDDEN: _(
        "The console may not ask the cluster whose token this is. Let its administrator run: manage.py crd --apply"
    ),
    Problem.CERTIFICATE_UNUSABLE: _("This client certificate is too weak to be used here. Use a token."),
    Problem.NOT_FOUND: _("It does not exist, or you hold no role in its namespace."),
    Problem.GONE: _("It was deleted meanwhile."),
    Problem.RECREATED: _("It was deleted and created again meanwhile. The new one was not touched."),
    Problem.CHANGED: _("Somebody changed it meanwhile."),
    Problem.NOT_EMPTY: _("There are still registries in this namespace. Delete them first."),
    Problem.LAST_ADMINISTRATOR: _(
        "Somebody must be left who is image-admin everywhere. Nothing was changed."
    ),
    Problem.ALREADY_RUNNING: _("This has been started already."),
    Problem.RUN_UNDER_WAY: _("A test of several registries is under way already. Wait for it, or cancel it."),
    Problem.UNDER_WAY: _("It was being tested already."),
    Problem.LEFT_ALONE: _("Left alone: the registry refused this user name a moment ago."),
    Problem.REGISTRY_BUSY: _("Other tests of this registry take long. Test again in a moment."),
    Problem.INTERRUPTED: _("The test was interrupted. Test again."),
    Problem.KEY_MISSING: _(
        "The key that sealed this password is missing. Restore the key file of the data folder."
    ),
    Problem.SEAL_BROKEN: _(
        "The stored password belongs to another address and was not used. Delete and add it again."
    ),
    Problem.CLUSTER_AWAY: _(
        "The cluster's API server cannot be reached. Check that it runs, and its address in the kubeconfig."
    ),
    Problem.CLUSTER_TIMEOUT: _("The cluster's API server does not answer in time. Try again in a moment."),
    Problem.CLUSTER_UNCERTAIN: _(
        "The cluster's API server did not answer, and it may have been done. Look before you repeat it."
    ),
    Problem.CLUSTER_CERTIFICATE: _(
        "The certificate of the cluster's API server is not trusted. Check the authority in the kubeconfig."
    ),
    Problem.CLUSTER_TOKEN: _(
        "The cluster does not accept the console's token. Renew the one in the kubeconfig."
    ),
    Problem.CLUSTER_FORBIDDEN: _(
        "The console's account may not do this on the cluster. Bind it to the cluster role registry-console."
    ),
    Problem.INSTALLATION_FORBIDDEN: _(
        "This kubeconfig may not install it: that takes one of a cluster administrator, in KUBECONFIG."
    ),
    Problem.CRD_MISSING: _(
        "The cluster does not know registries yet. Let its administrator run: manage.py crd --apply"
    ),
    Problem.CLUSTER_REFUSED: _("The cluster refused this. Ask its administrator which rules are in force."),
    Problem.QUOTA_EXCEEDED: _(
        "The quota of this namespace on the cluster is used up. Delete what is no longer used, or ask the cluster's"
        " administrator for more."
    ),
    Problem.CLUSTER_FAILED: _(
        "The cluster's API server failed. Try again in a moment; its own log says why."
    ),
    Problem.CLUSTER_UNCONFIGURED: _("There are no usable credentials for the cluster. Check KUBECONFIG."),
    Problem.TERMINATING: _("This namespace is being deleted. Choose another one."),
    Problem.NO_SERVICE_ACCOUNT: _(
        "This namespace has no default service account yet. The cluster makes it in a moment; try again."
    ),
    Problem.SERVICEACCOUNTS_FORBIDDEN: _(
        "You may not change service accounts of this namespace on the cluster: that takes `get` and `patch`"
        " on serviceaccounts, as its role edit holds."
    ),
    Problem.NO_PULL_SECRETS: _("This console keeps no pull secrets (CONSOLE_PULL_SECRETS)."),
    Problem.PULL_SECRET_FOREIGN: _(
        "The Secret of this name is somebody else's, so no service account was bound to it."
    ),
    Problem.NAMESPACES_ELSEWHERE: _(
        "Namespaces are created and deleted on the cluster, for example with kubectl."
    ),
    Problem.FORBIDDEN: _("The role for it was missing."),
    Problem.TOO_MANY_REQUESTS: _("Too many requests. Wait a little."),
    Problem.UNAVAILABLE: _("The store does not answer. Try again in a moment."),
    Problem.CONTROL_CHARACTER: _("Remove the invisible control characters."),
    Problem.DIRECTION_MARK: _("Remove the invisible marks that change the direction of writing."),
    Problem.HOLDS_PASSWORD: _("Remove the password: everybody who sees the registry sees this text."),
    Problem.REQUIRED: _("Fill in this field."),
    Problem.EMPTY: _("Fill in this field."),
    Problem.PASSWORD_WEAK: _("Choose another password."),
    Problem.NOT_CANCELLABLE: _("A run that deletes cannot be cancelled."),
    Problem.FAILED: _("Something went wrong."),
    Problem.FIRST_LIST: _(
        "The registries of the cluster are being read for the first time. Try again in a moment."
    ),
    Problem.NAMESPACE_MISSING: _("The console's own namespace does not exist on the cluster. Create it."),
    Problem.INTERNAL_ERROR: _("Something went wrong."),
    Problem.ALREADY_EXISTS: _("There is one of this name already."),
    Problem.CONFLICT: _("Somebody changed it meanwhile."),
    Problem.INVALID: _("What was sent is not valid. Correct it and send it again."),
}

FIELD_TEXTS: dict[tuple[str, Problem], Text] = {
    ("name", Problem.CHARACTERS): _("Use lower-case letters, digits and hyphens only."),
    ("name", Problem.ENDS): _("Begin and end with a letter or a digit."),
    ("name", Problem.TOO_LONG): _("Use at most 253 characters."),
    ("name", Problem.TAKEN): _("This name is taken in this namespace. Choose another one."),
    ("namespace", Problem.CHARACTERS): _("Use lower-case letters, digits and hyphens only."),
    ("namespace", Problem.ENDS): _("Begin and end with a letter or a digit."),
    ("namespace", Problem.TOO_LONG): _("Use at most 63 characters."),
    ("namespace", Problem.TAKEN): _("This namespace exists already."),
    ("namespace", Problem.UNKNOWN): _("This namespace does not exist, or you hold no role in it."),
    ("namespace", Problem.FORBIDDEN_HERE): _("Adding a registry here takes the role image-admin."),
    ("username", Problem.TAKEN): _("There is such an account already."),
    ("username", Problem.ACCOUNT_NAME): _("Use letters, digits and @ . + - _ only, at most 150."),
    ("password", Problem.PASSWORD_TOO_SHORT): _("Use at least 8 characters."),
    ("password", Problem.PASSWORD_TOO_COMMON): _(
        "This password is on every list of common ones. Choose another one."
    ),
    ("password", Problem.PASSWORD_TOO_SIMILAR): _(
        "This password is too much like the user name. Choose another one."
    ),
    ("namespaces", Problem.UNKNOWN): _("This namespace does not exist, or you hold no role in it."),
    ("expires", Problem.EXPIRY): _("Choose a day from today on, at most a year from now."),
    ("name", Problem.TOO_LONG_HERE): _("Use at most 64 characters."),
    ("name", Problem.TOO_MANY): _("You have 50 tokens. Revoke one that is no longer used."),
    ("role", Problem.UNKNOWN): _("Choose one of the roles."),
    ("provider", Problem.UNKNOWN): _("Choose one of the providers."),
    ("tls", Problem.UNKNOWN): _("Choose one of the three."),
    ("tls", Problem.TLS_WITHOUT_HTTPS): _(
        "http:// has no certificate. Remove http://, or choose the system's trust."
    ),
    ("ca_bundle", Problem.CA_EMPTY): _(
        "Paste a PEM certificate: it begins with -----BEGIN CERTIFICATE-----."
    ),
    ("ca_bundle", Problem.CA_UNREADABLE): _("This certificate is damaged. Copy it again, whole."),
    ("ca_bundle", Problem.CA_PRIVATE_KEY): _("There is a private key in it. Paste the certificate only."),
    ("ca_bundle", Problem.CA_TOO_MANY): _("Use at most 20 certificates."),
}
"""The sentence of a problem with one field, where that needs one of its own."""


def problem_text(code: str) -> str:
    """The sentence of a problem; a general one for a code that an older version may have stored."""
    return str(TEXTS.get(code, TEXTS[Problem.INTERNAL_ERROR]))  # type: ignore[call-overload]


def cause_text(cause: Cause) -> str:
    """What is wrong with one field and what to do about it."""
    specific = FIELD_TEXTS.get((cause.field, cause.problem))
    if specific is not None:
        return str(specific)
    if cause.problem is Problem.TOO_LONG and cause.limit is not None:
        return gettext("Use at most %(limit)s characters.") % {"limit": f"{cause.limit:,}"}
    if cause.problem is not Problem.REQUIRED and cause.field in ("domain", "username", "password"):
        catalogued = {**catalogue.ADDRESS_PROBLEMS, **catalogue.CREDENTIAL_PROBLEMS}.get(cause.problem)
        if catalogued is not None:
            return catalogued.of(language()).format(part=cause.part)
    return problem_text(cause.problem)


def error_text(error: ConsoleError) -> str:
    """One sentence for an error that belongs to no field: what happened and what to do."""
    if isinstance(error, LeftAlone):
        result = Result(Reason.RATE_LIMITED, {"n": error.retry_after}, cause="left_alone")
        stop = "。" if language() == "zh" else ". "
        return f"{result.message(language())}{stop}{catalogue.CAUSES['left_alone'].of(language())}"
    if isinstance(error, Forbidden) and error.role:
        return gettext("This takes the role %(role)s.") % {"role": error.role}
    return problem_text(error.code)
