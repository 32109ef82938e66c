"""Problems with a credential for a log-in to the cluster, in words."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registries.domain.errors import Cause, Problem
from registries.words.language import Text

TEXTS: dict[Problem, Text] = {
    Problem.TOKEN_MALFORMED: _(
        "This is not a token: it contains spaces or other invalid characters. Paste only the token."
    ),
    Problem.PROOF_EXPIRED: _(
        "This credential has expired. Get a new one, for example with: kubectl create token NAME -n NAMESPACE"
    ),
    Problem.KUBECONFIG_MALFORMED: _(
        "This is not a kubeconfig, or it has more than 128 KiB. Use the whole output of: kubectl config view "
        "--minify --flatten --raw"
    ),
    Problem.KUBECONFIG_CONTEXT: _(
        "The current context of this kubeconfig is invalid. Set one: kubectl config use-context"
    ),
    Problem.KUBECONFIG_PLUGIN: _(
        "This kubeconfig gets its credential from a program on your computer, which the "
        "console does not run. Get a token from that program and paste it."
    ),
    Problem.KUBECONFIG_FILE: _(
        "This kubeconfig refers to files on your computer, which the console cannot read. "
        "Embed them: kubectl config view --minify --flatten --raw"
    ),
    Problem.KUBECONFIG_BASIC: _(
        "This kubeconfig uses a user name and a password. Use a token or a client certificate."
    ),
    Problem.KUBECONFIG_IMPERSONATION: _(
        "This kubeconfig impersonates another user, which the console does not support. Use "
        "your own credential."
    ),
    Problem.KUBECONFIG_CERTIFICATE: _(
        "The client certificate in this kubeconfig is damaged, or its key is encrypted or does not match."
    ),
    Problem.KUBECONFIG_EMPTY: _("This kubeconfig contains no token and no client certificate."),
    Problem.PROOF_REFUSED: _(
        "The cluster does not accept this credential: it is wrong, has expired or was revoked. Get a new one."
    ),
}


def credential_text(cause: Cause) -> str:
    """What is wrong and what to do. Of the typed text, only the host of another server is repeated."""
    if cause.problem is Problem.KUBECONFIG_ELSEWHERE:
        return gettext(
            "This kubeconfig is for another API server (%(host)s). The console only uses its own, "
            "so nothing was sent. Use the kubeconfig of this cluster, or paste a token of this "
            "cluster."
        ) % {"host": cause.part or "?"}
    if cause.problem is Problem.CREDENTIAL_INVISIBLE:
        return gettext(
            "The text contains an invisible character (%(character)s), which a chat or a web page adds. Copy it "
            "from the terminal or the file again."
        ) % {"character": cause.part}
    return str(TEXTS[cause.problem])
