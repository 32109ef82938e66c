"""The cause in the words of kubelets, containerd, Docker and CRI-O."""

import re

from .kinds import Fault

MESSAGE_MAX = 4096
"""Characters of a message that are read. Kubelets cut theirs shorter."""
REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_BY_REASON = {
    "InvalidImageName": Fault.INVALID_NAME,
    "ErrImageNeverPull": Fault.NEVER_PULLED,
    "SignatureValidationFailed": Fault.SIGNATURE,
}
_WORDS = (
    (
        Fault.BROKEN_SECRET,
        r"unable to parse auth field|illegal base64 data|unexpected end of JSON input|cannot unmarshal ",
    ),
    (Fault.NODE_LIMIT, r"pull QPS exceeded"),
    (
        Fault.PLATFORM_MISSING,
        r"no match for platform|no matching manifest for \S|no image found in (?:image index|manifest list)",
    ),
    (Fault.CERTIFICATE, r"x509: |tls: (?:failed to verify|bad certificate|unknown certificate)"),
    (Fault.PLAIN_HTTP, r"server gave HTTP response to HTTPS client"),
    (Fault.RATE_LIMIT, r"\b429 Too Many Requests|\btoomanyrequests(?:: |$)|pull rate limit"),
    (
        Fault.DENIED,
        r"insufficient_scope|pull access denied|requested access to the resource is denied|\bdenied: "
        r"|unauthorized to access repository|\b403 Forbidden|invalid status code from registry 403",
    ),
    (
        Fault.CREDENTIAL,
        r"\b401 Unauthorized|no basic auth credentials|\bunauthorized: |invalid username/password"
        r"|unexpected status\b[^\r\n]{0,512}?: 401\b|authentication required",
    ),
    (Fault.NOT_A_REGISTRY, r"unexpected media type text/html|invalid character '<'"),
    (
        Fault.IMAGE_MISSING,
        r"manifest unknown|name unknown|: not found|\b404 Not Found|manifest for \S+ not found",
    ),
    (
        Fault.NETWORK,
        r"dial tcp|no such host|connection (?:refused|reset)|i/o timeout|handshake timeout|no route to host"
        r"|network is unreachable|deadline exceeded|pinging container registry|Client\.Timeout|: EOF\b",
    ),
    (
        Fault.SERVER,
        r"\b50[0-4] (?:Internal|Not Impl|Bad Gate|Service Un|Gateway)|: unexpected status[^\r\n]{0,512}?: 50[0-4]\b",
    ),
)
_FAULTS = [(fault, re.compile(words, re.IGNORECASE)) for fault, words in _WORDS]
_BROKEN = _FAULTS[0][1]
_ANSWERED_BY = re.compile(r"(?:pulling from host |(?:HEAD|GET) request to https?://)([^\s/\"]{1,255})")


def is_pull_reason(reason: str) -> bool:
    """Whether the reason of a waiting container is about its image. Since Kubernetes 1.36, the error about a broken
    Secret is the reason itself."""
    return reason in REASONS or bool(_BROKEN.search(reason[:MESSAGE_MAX]))


def fault_of(image: str, reason: str, message: str) -> Fault:
    """The cause in a reason and a message. A name in the image is no cause."""
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    text = message[:MESSAGE_MAX] if reason in REASONS else f"{reason[:MESSAGE_MAX]} {message[:MESSAGE_MAX]}"
    text = text.replace(image, "") if image else text
    return next((fault for fault, words in _FAULTS if words.search(text)), Fault.UNKNOWN)


def answering_host(message: str) -> str:
    """host[:port] of the server that refused a manifest; "" if the message does not have it. It is the host of a mirror
    if containerd asked one."""
    found = _ANSWERED_BY.search(message[:MESSAGE_MAX])
    return found[1] if found else ""
