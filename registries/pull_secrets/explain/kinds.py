"""The values of an explanation, and the key of `auths` that was probably meant for an image."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from registries.domain.registry import Key
from registries.pull_secrets.matching import DEFAULT_DOMAIN, first_keys, matches, split_domain

_HUB = frozenset(
    {"docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com"}
)
KEY_MAX = 255


class Near(StrEnum):
    SPACE = "space"
    SCHEME = "scheme"
    CASE = "case"
    IMAGE_CASE = "image_case"
    """The image has a host in capital letters, and the key has not."""
    VERSION = "version"
    """It ends with `/v1` or `/v2` without a slash."""
    PORT = "port"
    PATH = "path"
    PATTERN = "pattern"
    """`*` does not stand for the host: it covers exactly one label."""
    HUB = "hub"
    """A name of Docker Hub that image names do not have."""


def nearest_key(keys: Iterable[str], image: str) -> tuple[str, Near] | None:
    """The nearest key of those that do not match, and what is wrong with it. None if all are for other hosts."""
    first = (key for key, _ in first_keys((key, None) for key in keys if len(key) <= KEY_MAX))
    found = ((key, near) for key in first if (near := _near(key, image)))
    order = list(Near)
    return min(found, key=lambda it: (order.index(it[1]), it[0]), default=None)


def _near(key: str, image: str) -> Near | None:
    host = split_domain(image)[0]
    place = key.strip().lower()
    schemes = 0
    while place.startswith(("https://", "http://")):
        place, schemes = place.partition("://")[2], schemes + 1
    authority, slash, path = place.partition("/")
    authority = authority.rpartition("@")[2]
    if authority != host.lower():
        return _other_host(authority, host)
    for near, changed in (
        (Near.SPACE, key.strip()),
        (Near.SCHEME, f"{authority}{slash}{path}" if schemes > 1 else key),
        (Near.CASE, key.lower()),
    ):
        if changed != key and matches([changed], image):
            return near
    if host != host.lower() and matches([key], image.replace(host, host.lower(), 1)):
        return Near.IMAGE_CASE
    return Near.VERSION if path in ("v1", "v2") else Near.PATH


def _other_host(authority: str, host: str) -> Near | None:
    if host == DEFAULT_DOMAIN:
        return Near.HUB if authority in _HUB else None
    if "*" in authority:
        labels = authority.replace("*", "").strip(".").partition(":")[0]
        return Near.PATTERN if labels and _bare(host).endswith(labels) else None
    return Near.PORT if _bare(authority) == _bare(host) else None


def _bare(authority: str) -> str:
    """The host without its port."""
    host, colon, port = authority.lower().rpartition(":")
    return host if colon and port.isdigit() else authority.lower()


class Fault(StrEnum):
    """What the message of a container runtime is about."""

    CREDENTIAL = "credential"
    """The registry or its token service does not accept the credential, or got none."""
    DENIED = "denied"
    """No right to the repository, or there is no such repository: registries do not tell the two apart."""
    BROKEN_SECRET = "broken_secret"  # noqa: S105
    IMAGE_MISSING = "image_missing"
    PLATFORM_MISSING = "platform_missing"
    NOT_AN_IMAGE = "not_an_image"
    """A Helm chart or another artifact, or an image in a format that runtimes do not read."""
    NODE_SPACE = "node_space"
    """The disk of the node is full."""
    CERTIFICATE = "certificate"
    PLAIN_HTTP = "plain_http"
    NETWORK = "network"
    RATE_LIMIT = "rate_limit"
    NODE_LIMIT = "node_limit"
    """The kubelet pulls too many images at once."""
    SERVER = "server"
    NOT_A_REGISTRY = "not_a_registry"
    INVALID_NAME = "invalid_name"
    NEVER_PULLED = "never_pulled"
    """imagePullPolicy is Never, and the node does not have the image."""
    SIGNATURE = "signature"
    UNKNOWN = "unknown"
    """The message does not have the cause: kubelets before 1.32 only say that they wait."""


class Code(StrEnum):
    """An explanation. Faults that are not about credentials are explanations themselves."""

    NO_SECRET = "no_secret"  # noqa: S105
    SECRET_MISSING = "secret_missing"  # noqa: S105
    SECRET_TYPE = "secret_type"  # noqa: S105
    SECRET_BROKEN = "secret_broken"  # noqa: S105
    SECRET_UNREAD = "secret_unread"  # noqa: S105
    """The console or the person may not read the content of a Secret."""
    NO_MATCH = "no_match"
    CREDENTIAL_BAD = "credential_bad"
    """The test of the registry fails as well."""
    CREDENTIAL_GOOD = "credential_good"
    """The test of the registry succeeds."""
    CREDENTIAL_UNTESTED = "credential_untested"
    CREDENTIAL_OLD = "credential_old"
    """The test of the registry is old."""
    CREDENTIAL_UNPROVEN = "credential_unproven"
    """The test of the registry did not need the password."""
    CREDENTIAL_FOREIGN = "credential_foreign"
    """The Secret belongs to no registry of the console."""
    MIRROR = "mirror"
    """A mirror refuses, not the registry of the image."""
    DENIED = "denied"
    IMAGE_MISSING = "image_missing"
    PLATFORM_MISSING = "platform_missing"
    NOT_AN_IMAGE = "not_an_image"
    NODE_SPACE = "node_space"
    CERTIFICATE = "certificate"
    PLAIN_HTTP = "plain_http"
    NETWORK = "network"
    RATE_LIMIT = "rate_limit"
    NODE_LIMIT = "node_limit"
    SERVER = "server"
    NOT_A_REGISTRY = "not_a_registry"
    INVALID_NAME = "invalid_name"
    NEVER_PULLED = "never_pulled"
    SIGNATURE = "signature"
    UNKNOWN = "unknown"


class SecretState(StrEnum):
    """How a kubelet reads one Secret of a pod."""

    READABLE = "readable"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    """Kubelets ignore it."""
    BROKEN = "broken"
    """Kubelets then pull nothing for the pod, public images neither."""
    UNREAD = "unread"
    """It exists or not: its content is unknown here."""


class Flaw(StrEnum):
    """Why kubelets cannot read a Secret."""

    JSON = "json"
    AUTHS = "auths"
    """`auths` is no object."""
    HEADERS = "headers"
    """A value of `HttpHeaders` is no text."""
    ENTRY = "entry"
    """An entry is no object, or one of its values no text."""
    BASE64 = "base64"
    """`auth` of an entry is not base64."""
    COLON = "colon"
    """`auth` of an entry is not base64 of user:password."""


@dataclass(frozen=True, slots=True)
class PodSecret:
    """A Secret that a pod names. `keys` are the keys of its `auths`, and `users` the user name of each, if it was read;
    it has nothing else of their content. A broken one has its `flaw`, and the key of the entry with it, if it is in
    one."""

    name: str
    state: SecretState
    keys: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    flaw: Flaw | None = None
    flawed: str = ""
    cut: bool = False
    """Whether it has further keys, which are not compared."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A container that waits for its image. `message` is as the kubelet wrote it, cut to MESSAGE_MAX."""

    container: str
    image: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`secret` is the Secret in question, and `registry` its registry, or one for the host of the image. `key` is the
    key of `auths` that is nearest to the image, and `near` what is wrong with it; for a broken Secret, the key of the
    entry with the `flaw`. `mirror` is the host that refused, if it is not the host of the image."""

    code: Code
    host: str
    secret: str = ""
    key: str = ""
    near: Near | None = None
    flaw: Flaw | None = None
    registry: Key | None = None
    mirror: str = ""
    certain: bool = True
    """False where the message does not have the cause, or keys are left out: the explanation is then only the most
    likely one."""
    cut: bool = False
    """Whether the Secrets have keys that were not compared."""
