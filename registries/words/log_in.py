"""What is wrong with a credential that somebody logs in to the cluster with, in words. Its codes are proof.py's.

Imports the errors. labels.py has all other words.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registries.domain.errors import Cause

_PROBLEMS: dict[str, Promise] = {
    "token_malformed": _(
        "This is no token: there are spaces or other characters in it. Paste the token alone."
    ),
    "proof_expired": _("This credential has expired. Get a new one, for example with: kubectl create token"),
    "kubeconfig_malformed": _(
        "This is no kubeconfig. One is YAML, with clusters, users and contexts in it, and at most 128 KiB."
    ),
    "kubeconfig_context": _(
        "The current context of this kubeconfig leads nowhere. Choose one: kubectl config use-context"
    ),
    "kubeconfig_plugin": _(
        "This kubeconfig gets its credential from a program on your computer, and no program is run here. "
        "Let it give you a token and paste that."
    ),
    "kubeconfig_file": _(
        "This kubeconfig names files on your computer, and no file is read here. Put their content into it: "
        "kubectl config view --minify --flatten --raw"
    ),
    "kubeconfig_basic": _(
        "This kubeconfig logs in with a user name and password. Use a token or a client certificate."
    ),
    "kubeconfig_impersonation": _(
        "This kubeconfig acts as somebody else, which the console does not do. Use a credential of your own."
    ),
    "kubeconfig_certificate": _(
        "The client certificate in this kubeconfig is damaged, or its key is encrypted or another one's."
    ),
    "kubeconfig_empty": _("There is neither a token nor a client certificate in this kubeconfig."),
    "proof_refused": _(
        "The cluster does not accept this credential: it is wrong, has expired or was revoked. Get a new one."
    ),
}


def proof_text(cause: Cause) -> str:
    """What it is and what to do. Of what was typed only the host of another server is repeated."""
    if cause.problem == "kubeconfig_elsewhere":
        return gettext(
            "This kubeconfig is for another API server (%(host)s). The console asks its own only, so nothing was "
            "sent. Take the kubeconfig of this cluster, or paste a token of it."
        ) % {"host": cause.part or "?"}
    return str(_PROBLEMS[cause.problem])
