"""Problems in words: what happened and what to do, in the reader's language.

Each `Problem` has a sentence here, in words/causes.py, in words/log_in.py, in api/status.py or in the probe's
catalogue; a test checks it.
"""

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from registries.domain.access import EVERYWHERE
from registries.domain.errors import (
    ConsoleError,
    Forbidden,
    LeftAlone,
    Problem,
    TooManyRequests,
)
from registries.probe import Reason, Result, remarks
from registries.words.language import Text

TEXTS: dict[Problem, Text] = {
    Problem.SESSION_ENDED: _(
        "Your session has ended: you logged out, or the cluster no longer accepts your "
        "credential. Log in again."
    ),
    Problem.REVIEWS_FORBIDDEN: _(
        "The cluster does not return your permissions. Try again in a moment. If the problem "
        "persists, log in again."
    ),
    Problem.TOKENREVIEWS_FORBIDDEN: _(
        "The console has no permission to look up the owner of this token. Ask the cluster's administrator to bind "
        "the cluster role registry-console-token-reviews to the console's service account."
    ),
    Problem.CERTIFICATE_UNUSABLE: _("This client certificate is too weak to be used here. Use a token."),
    Problem.NOT_FOUND: _("The object does not exist, or you have no role in its namespace."),
    Problem.GONE: _("This registry was deleted in the meantime."),
    Problem.RECREATED: _(
        "The registry was deleted and created again in the meantime. The new one was not changed."
    ),
    Problem.BEING_DELETED: _("The registry is being deleted. It can no longer be tested or edited."),
    Problem.CHANGED: _("Someone else changed this in the meantime. Look at the new values, then try again."),
    Problem.NOT_EMPTY: _("There are still registries in this namespace. Delete them first."),
    Problem.NAMESPACE_FULL: _(
        "This namespace is full. Delete registries that are no longer used, or ask the console's administrator for "
        "a higher CONSOLE_NAMESPACE_REGISTRIES or CONSOLE_NAMESPACE_MIB."
    ),
    Problem.NO_UNDO: _(
        "This deletion cannot be undone any more: it was undone, its time is over, or its passwords are deleted."
    ),
    Problem.UNDO_TAKEN: _(
        "Another registry uses this name now, so nothing was restored. Delete that registry first, then undo in the"
        " audit log."
    ),
    Problem.COPY_PRESENT: _("The same registry is already there."),
    Problem.NAME_TAKEN: _("Another registry in that namespace has this name. It was not changed."),
    Problem.SOURCE_UNUSABLE: _(
        "The address or certificate of this registry is not valid, so it cannot be copied."
    ),
    Problem.NO_LABELS: _("Labels of namespaces exist on a cluster only. Choose the namespaces by name."),
    Problem.KEPT_IN_STEP: _(
        "A rule keeps copies of this registry in sync. Choose whether to keep or delete them."
    ),
    Problem.LAST_ADMINISTRATOR: _(
        "This is the last account with image-admin in all namespaces. Assign this role to another account first. "
        "Nothing was changed."
    ),
    Problem.ALREADY_RUNNING: _("This has already been started."),
    Problem.RUN_UNDER_WAY: _("A test run is already in progress. Wait until it finishes, or cancel it."),
    Problem.UNDER_WAY: _("A test was already running."),
    Problem.LEFT_ALONE: _("Skipped: the registry refused this user name a moment ago."),
    Problem.REGISTRY_BUSY: _("Other tests of this registry are still running. Test again in a moment."),
    Problem.HASHING: _("Too many people are logging in or changing a password. Try again in a few seconds."),
    Problem.TOO_MANY_AT_ONCE: _(
        "You have sent too many requests at the same time. Wait a few seconds, and then send fewer at once."
    ),
    Problem.INTERRUPTED: _("The test was interrupted. Test again."),
    Problem.KEY_MISSING: _(
        "The key that sealed this password is missing. Restore the key file of the data folder."
    ),
    Problem.SEAL_BROKEN: _(
        "The stored password belongs to another address and was not used. Delete the registry "
        "and add it again."
    ),
    Problem.CLUSTER_AWAY: _(
        "The cluster's API server cannot be reached. Check that it is running, and that its address in the "
        "kubeconfig is correct."
    ),
    Problem.CLUSTER_TIMEOUT: _("The cluster's API server does not answer in time. Try again in a moment."),
    Problem.CLUSTER_UNCERTAIN: _(
        "The cluster's API server did not answer. The change may have been made: check before you retry."
    ),
    Problem.CLUSTER_CERTIFICATE: _(
        "The certificate of the cluster's API server is not trusted. Check the authority in the kubeconfig."
    ),
    Problem.CLUSTER_TOKEN: _(
        "The cluster does not accept the console's token. Renew the one in the kubeconfig."
    ),
    Problem.CLUSTER_FORBIDDEN: _(
        "The console's account has no permission for this on the cluster. Bind it to the "
        "cluster role registry-console."
    ),
    Problem.INSTALLATION_FORBIDDEN: _(
        "This kubeconfig has no permission to install it. Set KUBECONFIG to the kubeconfig of "
        "a cluster administrator."
    ),
    Problem.CRD_MISSING: _(
        "The cluster has no resource definition for registries. Ask its administrator to run: "
        "manage.py crd --apply"
    ),
    Problem.PASSWORD_FIXED: _(
        "The cluster's resource definition for registries is an older one that allows no new password. Ask its "
        "administrator to run: manage.py crd --apply"
    ),
    Problem.CLUSTER_REFUSED: _("The cluster refused this. Ask its administrator which rules are in force."),
    Problem.QUOTA_EXCEEDED: _(
        "The quota of this namespace on the cluster is used up. Delete unused resources, or "
        "ask the cluster's administrator for more."
    ),
    Problem.CLUSTER_FAILED: _(
        "The cluster's API server failed. Try again in a moment; its own log says why."
    ),
    Problem.CLUSTER_UNCONFIGURED: _("There are no usable credentials for the cluster. Check KUBECONFIG."),
    Problem.TERMINATING: _("This namespace is being deleted. Choose another one."),
    Problem.NO_SERVICE_ACCOUNT: _(
        "This namespace has no default service account yet. The cluster creates it in a moment; try again."
    ),
    Problem.SERVICEACCOUNTS_FORBIDDEN: _(
        "You have no permission to change service accounts of this namespace on the cluster. "
        "It requires get and patch on serviceaccounts, for example the role edit."
    ),
    Problem.IMAGE_NAME: _("This is not a valid image reference. Write host/project/name:tag."),
    Problem.IMAGE_ELSEWHERE: _("Nodes pull this image from another registry."),
    Problem.WORKLOADS_FORBIDDEN: _(
        "You have no permission to restart this workload on the cluster. It requires patch on deployments and"
        " daemonsets, or delete on pods, for example the role edit."
    ),
    Problem.PODS_FORBIDDEN: _(
        "You have no permission to create, list and delete pods in this namespace on the cluster. The cluster role "
        "image-prober has it."
    ),
    Problem.NO_PULL_SECRETS: _(
        "This console keeps no pull secrets. It needs a cluster (CONSOLE_STORE=kubernetes) and CONSOLE_PULL_SECRETS=1."
    ),
    Problem.PULL_SECRET_FOREIGN: _(
        "The Secret with this name was not created by the console, so no service account was bound to it."
    ),
    Problem.NAMESPACES_ELSEWHERE: _(
        "Namespaces are created and deleted on the cluster, for example with kubectl."
    ),
    Problem.SILENCE_TIME: _(
        "Choose an end after the start and after now, at most 30 days later; for a weekly window at most 6 days."
    ),
    Problem.SILENCE_DAY: _("Choose a last day between today and one year from now."),
    Problem.CHANNEL_TAKEN: _("A channel with this name already exists here."),
    Problem.TOO_MANY_CHANNELS: _("There are 50 channels here. Delete one that is no longer used."),
    Problem.CHANNEL_URL: _(
        "Enter a whole URL, such as https://example.com/hook, without user name and password."
    ),
    Problem.CHANNEL_HTTP: _(
        "Enter an https:// URL. Plain HTTP requires the setting CONSOLE_NOTIFY_PLAIN_HTTP=1 of the console."
    ),
    Problem.CHANNEL_SECRET: _("Use ASCII characters without spaces."),
    Problem.WEBHOOK_SECRET: _("Enter whsec_ and base64 of 24 to 64 bytes."),
    Problem.MIRROR_ITSELF: _("A registry cannot be its own mirror. Enter the host of the mirror."),
    Problem.MIRROR_PATH: _("Enter the host without a path: Docker and the files here take none."),
    Problem.MIRROR_SCHEME: _(
        "This upstream is in the list with the other of http:// and https://. Nodes know one of the two: delete its"
        " mirrors first."
    ),
    Problem.RECIPIENTS: _("Enter at most 20 e-mail addresses, separated by commas."),
    Problem.DATE: _("Enter a date as YYYY-MM-DD."),
    Problem.FORBIDDEN: _("The required role was missing. An administrator can assign it."),
    Problem.TOO_MANY_REQUESTS: _("Too many requests. Try again in a moment."),
    Problem.UNAVAILABLE: _("The store does not answer. Try again in a moment."),
    Problem.CONTROL_CHARACTER: _("Remove the invisible control characters."),
    Problem.DIRECTION_MARK: _("Remove the invisible marks that change the direction of writing."),
    Problem.HOLDS_PASSWORD: _("Remove the password: everyone who can see the registry can read this text."),
    Problem.REQUIRED: _("This field is required."),
    Problem.EMPTY: _("This field is required."),
    Problem.PASSWORD_REFUSED: _(
        "The test with this password did not connect, so nothing was changed. Call verify with it for the reason."
    ),
    Problem.PASSWORD_AGAIN: _(
        "Enter the password again: the stored one is not sent to another server, or without verification."
    ),
    Problem.PASSWORD_WEAK: _("Choose another password."),
    Problem.NOT_CANCELLABLE: _("A deletion run cannot be cancelled."),
    Problem.FAILED: _("Something went wrong. The log of the console says why."),
    Problem.ROLLED_BACK: _("The registry has its old password back."),
    Problem.SKIPPED: _("Not changed."),
    Problem.PASSWORD_FORGOTTEN: _(
        "The passwords of this change are not kept any more: it ended, or it waited for more than a day."
    ),
    Problem.FIRST_LIST: _("The registries of the cluster are still loading. Try again in a moment."),
    Problem.NAMESPACE_MISSING: _("The console's own namespace does not exist on the cluster. Create it."),
    Problem.INTERNAL_ERROR: _("Something went wrong. The log of the console says why."),
    Problem.ALREADY_EXISTS: _("An object with this name already exists."),
    Problem.CONFLICT: _("Someone else changed this in the meantime. Look at the new values, then try again."),
    Problem.INVALID: _("The input is not valid. Correct it and submit it again."),
}


def problem_text(code: str) -> str:
    """The sentence of a problem; a general one for a code that an older version may have stored."""
    return str(TEXTS.get(code, TEXTS[Problem.INTERNAL_ERROR]))  # type: ignore[call-overload]


def error_text(error: ConsoleError) -> str:
    """One sentence for an error that belongs to no field: what happened and what to do."""
    if isinstance(error, LeftAlone):
        result = Result(Reason.RATE_LIMITED, {"n": error.retry_after}, cause="left_alone")
        stop = "。" if (get_language() or "").startswith("zh") else ". "
        return f"{result.message(get_language())}{stop}{remarks.CAUSES['left_alone'].of(get_language())}"
    if isinstance(error, TooManyRequests) and error.problem is None:
        return gettext("Too many requests. Try again in %(seconds)s s.") % {"seconds": error.retry_after}
    if isinstance(error, Forbidden) and error.role:
        text = gettext("This requires the role %(role)s. An administrator can assign it.")
        if error.subject == EVERYWHERE:
            text = gettext(
                "This requires the role %(role)s in all namespaces. An administrator can assign it."
            )
        return text % {"role": error.role}
    return problem_text(error.code)
