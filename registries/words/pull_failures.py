"""Why a pod cannot pull, in words: a title, the reason, and the next step."""

from django.utils.translation import gettext_lazy as _

from registries.domain.shown import shown_words
from registries.pull_secrets.explain import Code, Explanation, Flaw, Near
from registries.words.labels import BAD, IDLE, KEY, WARN, Label
from registries.words.language import Text
from registries.words.names import named

NAME_MAX = 255
LATER = ("warn", "history")
LABELS: dict[Code, Label] = {
    Code.NO_SECRET: Label(
        _("No pull secret"), *KEY, _("%(host)s needs a credential, and these pods name no pull secret.")
    ),
    Code.SECRET_MISSING: Label(
        _("Pull secret missing"), *KEY, _("The pods name the Secret %(secret)s, which does not exist.")
    ),
    Code.SECRET_TYPE: Label(
        _("Wrong Secret type"),
        *KEY,
        _("Nodes ignore the Secret %(secret)s: its type is not `kubernetes.io/dockerconfigjson`."),
    ),
    Code.SECRET_BROKEN: Label(
        _("Pull secret cannot be read"),
        *KEY,
        _(
            "Nodes cannot read the Secret %(secret)s. These pods cannot pull any image, not even a public one."
        ),
    ),
    Code.SECRET_UNREAD: Label(
        _("Pull secret not checked"),
        "warn",
        "key-round",
        _(
            "%(host)s does not accept the credential. The console cannot read the keys of the Secret %(secret)s."
        ),
    ),
    Code.NO_MATCH: Label(
        _("No matching credential"), *KEY, _("No pull secret of these pods has a credential for %(host)s.")
    ),
    Code.CREDENTIAL_BAD: Label(
        _("Credential does not work"),
        *BAD,
        _("The pods use the pull secret %(secret)s. The last test of its registry failed, too."),
    ),
    Code.CREDENTIAL_GOOD: Label(
        _("Refused only on the node"),
        *WARN,
        _(
            "The node was refused with the pull secret %(secret)s, but the last test of its registry "
            "succeeded. The password may have changed since, or the node reaches another server. Test"
            " the connection of its registry to find out."
        ),
    ),
    Code.CREDENTIAL_UNTESTED: Label(
        _("Credential not tested"),
        *WARN,
        _(
            "The node was refused with the pull secret %(secret)s. Its registry has no test result yet. "
            "Test the connection in the console."
        ),
    ),
    Code.CREDENTIAL_OLD: Label(
        _("Credential not tested lately"),
        *WARN,
        _(
            "The node was refused with the pull secret %(secret)s. The last test of its registry is "
            "more than a week old. Test the connection in the console."
        ),
    ),
    Code.CREDENTIAL_UNPROVEN: Label(
        _("Password not checked"),
        *WARN,
        _(
            "The node was refused with the pull secret %(secret)s. The last test of its registry did "
            "not check the password. Test the connection in the console."
        ),
    ),
    Code.CREDENTIAL_FOREIGN: Label(
        _("Credential refused"),
        *BAD,
        _(
            "%(host)s refuses the credential in the Secret %(secret)s. It belongs to no registry of this console."
        ),
    ),
    Code.MIRROR: Label(
        _("Refused by a mirror"),
        "warn",
        "layers",
        _("The mirror %(mirror)s refused, not %(host)s. Nodes send it the credential of %(host)s."),
    ),
    Code.DENIED: Label(
        _("No permission for the repository"),
        "bad",
        "lock",
        _(
            "%(host)s refuses this repository: the account has no permission to pull it, or it does not exist."
        ),
    ),
    Code.IMAGE_MISSING: Label(
        _("Image not found"),
        "bad",
        "search",
        _("%(host)s has no such image or tag. The credential is not the cause."),
    ),
    Code.PLATFORM_MISSING: Label(
        _("No image for this platform"),
        "bad",
        "layers",
        _("The image does not exist for the architecture of the node."),
    ),
    Code.NOT_AN_IMAGE: Label(
        _("Not a container image"),
        "bad",
        "layers",
        _(
            "%(host)s has this tag, but nodes cannot run what it is: a Helm chart or another artifact, or an image in"
            " an old format."
        ),
    ),
    Code.NODE_SPACE: Label(
        _("No space on the node"),
        "bad",
        "triangle-alert",
        _("The disk of the node is full. Remove images and files there, or use another node."),
    ),
    Code.CERTIFICATE: Label(
        _("Certificate not trusted"),
        *BAD,
        _(
            "The node does not trust the certificate of %(host)s. Install the CA on the node, too: a "
            "custom CA in the console does not reach the nodes."
        ),
    ),
    Code.PLAIN_HTTP: Label(
        _("Plain HTTP"),
        "bad",
        "globe",
        _("%(host)s answers plain HTTP, and the node uses HTTPS. Allow HTTP in its container runtime."),
    ),
    Code.NETWORK: Label(
        _("Not reachable"),
        "bad",
        "plug-zap",
        _(
            "The node cannot reach %(host)s. Check name resolution, routing, the firewall and the proxy of the node."
        ),
    ),
    Code.RATE_LIMIT: Label(
        _("Rate limit"), *LATER, _("%(host)s limits the number of pulls. The node tries again by itself.")
    ),
    Code.NODE_LIMIT: Label(
        _("Too many pulls on the node"),
        *LATER,
        _("The node limits its own pulls, and tries again by itself."),
    ),
    Code.SERVER: Label(
        _("Registry error"),
        "bad",
        "triangle-alert",
        _("%(host)s answers with a server error. The node tries again by itself."),
    ),
    Code.NOT_A_REGISTRY: Label(
        _("Not a registry"),
        "bad",
        "globe",
        _("%(host)s answers with a web page, for example of a login or of a proxy."),
    ),
    Code.INVALID_NAME: Label(
        _("Invalid image name"), *BAD, _("Nodes cannot read this image name. Correct it in the workload.")
    ),
    Code.NEVER_PULLED: Label(
        _("Image is never pulled"),
        *BAD,
        _("The node does not have the image, and `imagePullPolicy` is `Never`."),
    ),
    Code.SIGNATURE: Label(_("Signature refused"), *BAD, _("The node refuses the signature of the image.")),
    Code.UNKNOWN: Label(
        _("Cause unknown"),
        *IDLE,
        _("The node does not report a known cause. The events of the pod may have more."),
    ),
}

NEAR: dict[Near, Text] = {
    Near.SPACE: _("The key %(key)s has a space or a line break at an end."),
    Near.SCHEME: _("The key %(key)s has `https://` or `http://` twice."),
    Near.CASE: _("The key %(key)s has capital letters. Nodes compare names exactly."),
    Near.IMAGE_CASE: _(
        "The key %(key)s is in small letters, and the image is not. Correct the name of the image."
    ),
    Near.VERSION: _(
        "The key %(key)s ends without a slash: nodes read `/v1` and `/v2` there as the name of a repository."
    ),
    Near.PORT: _("The key %(key)s has another port. Nodes compare ports as text, even the default port 443."),
    Near.PATH: _("The key %(key)s is for another path."),
    Near.PATTERN: _(
        "The key %(key)s does not cover this host: `*` stands for exactly one part between dots."
    ),
    Near.HUB: _("The key %(key)s is a name of Docker Hub that nodes do not use. The name is `docker.io`."),
}

FLAWS: dict[Flaw, Text] = {
    Flaw.JSON: _("The content of the Secret is not valid JSON."),
    Flaw.AUTHS: _("The field `auths` is not a map of registries."),
    Flaw.HEADERS: _("The field `HttpHeaders` is not a map of texts."),
    Flaw.ENTRY: _("The entry %(key)s has a value that is not text."),
    Flaw.BASE64: _("The field `auth` of the entry %(key)s is not base64."),
    Flaw.COLON: _("The field `auth` of the entry %(key)s is not base64 of `user:password`: it has no colon."),
}

NEXT: dict[Code, Text] = {
    Code.IMAGE_MISSING: _("Correct the name or tag of the image in the workload, or push the image first."),
    Code.PLATFORM_MISSING: _(
        "Build and push the image for this architecture, too, or keep the pods off these nodes: `nodeSelector`"
        " with `kubernetes.io/arch`."
    ),
    Code.NOT_AN_IMAGE: _("Name a container image in the workload instead."),
    Code.NEVER_PULLED: _(
        "Set `imagePullPolicy` to `IfNotPresent` in the workload, or load the image onto the node."
    ),
    Code.SIGNATURE: _("Sign the image, or change the signature policy of the node."),
}
"""What to do about an image that no credential helps."""

CUT = _(
    "Not all keys were compared: the console reads 1,000 keys of a Secret, and 64 KiB of the keys of a pod."
)


def reason(explanation: Explanation) -> str:
    """The reason in one or two sentences for a page. Hosts and keys are typed by anybody, and are cleaned."""
    typed = {"host": explanation.host, "secret": explanation.secret, "mirror": explanation.mirror}
    if explanation.code is not Code.MIRROR and explanation.mirror:
        typed["host"] = explanation.mirror  # it is the one that fails
    typed["key"] = explanation.key.rpartition("@")[2]
    names = {name: shown_words(text, NAME_MAX) for name, text in typed.items()}
    texts = [LABELS[explanation.code].hint]
    if explanation.near is not None:
        texts.append(NEAR[explanation.near])
    if explanation.flaw is not None:
        texts.append(FLAWS[explanation.flaw])
    if explanation.cut:
        texts.append(CUT)
    return named(names, *texts)
