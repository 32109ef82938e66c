"""Problems with a credential for a log-in to the cluster, in words."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registries.domain.errors import Cause, Problem
from registries.words.language import Text

TEXTS: dict[Problem, Text] = {
    Problem.TOKEN_MALFORMED: _(
        "This is no token: there are spaces or other characters in it. Paste the token alone."
    ),
    Problem.PROOF_EXPIRED: _(
        "This credential has expired. Get a new one, for example with: kubectl create token"
    ),
    Problem.KUBECONFIG_MALFORMED: _(
        "This is no kubeconfig. One is YAML, with clusters, users and contexts in it, and at most 128 KiB."
    ),
    Problem.KUBECONFIG_CONTEXT: _(
        "The current context of this kubeconfig leads nowhere. Choose one: kubectl config use-context"
    ),
    Problem.KUBECONFIG_PLUGIN: _(
        "This kubeconfig gets its credential from a program on your computer, and no program is run here. "
        "Let it give you a token and paste that."
    ),
    Problem.KUBECONFIG_FILE: _(
        "This kubeconfig names files on your computer, and no file is read here. Put their content into it: "
        "kubectl config view --minify --flatten --raw"
    ),
    Problem.KUBECONFIG_BASIC: _(
        "This kubeconfig logs in with a user name and password. Use a token or a client certificate."
    ),
    Problem.KUBECONFIG_IMPERSONATION: _(
        "This kubeconfig acts as somebody else, which the console does not do. Use a credential of your own."
    ),
    Problem.KUBECONFIG_CERTIFICATE: _(
        "The client certificate in this kubeconfig is damaged, or its key is encrypted or another one's."
    ),
    Problem.KUBECONFIG_EMPTY: _("There is neither a token nor a client certificate in this kubeconfig."),
    Problem.PROOF_REFUSED: _(
        "The cluster does not accept this credential: it is wrong, has expired or was revoked. Get a new one."
    ),
}


def credential_text(cause: Cause) -> str:
    """What is wrong and what to do. Of the typed text, only the host of another server is repeated."""
    if cause.problem is Problem.KUBECONFIG_ELSEWHERE:
        return gettext(
            "This kubeconfig is for another API server (%(host)s). The console asks its own only, so nothing was "
            "sent. Take the kubeconfig of this cluster, or paste a token of it."
        ) % {"host": cause.part or "?"}
    return str(TEXTS[cause.problem])
