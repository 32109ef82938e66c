"""The cause in the words of kubelets, containerd, Docker and CRI-O."""

import re

from registries.pull_secrets.matching import image_name

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
_STATUS = (
    r"(?:\bstatus\b(?:(?!\bstatus\b)[^\r\n]){0,512}?: "
    r"|\bstatus code from registry |\bStatusCode: |\bparsing HTTP )"
)
"""What precedes an HTTP status. Its reason phrase is the server's, or none. The last `status` before it counts, so a
text of many takes no longer."""
_ALONE = r"(?=: |[\s\"]*$)"
_BROKEN = (
    r"unable to parse auth field|illegal base64 data"
    r"|\A(?:(?!rpc error: ).)*?(?:unexpected end of JSON input|cannot unmarshal )"
)
"""JSON that a runtime cannot read comes from the registry: the error is an answer of the runtime to the kubelet."""
_WORDS = (
    (Fault.SIGNATURE, r"\bSignatureValidationFailed: |because the signature validation failed"),
    (Fault.NODE_LIMIT, r"pull QPS exceeded"),
    (
        Fault.PLATFORM_MISSING,
        r"no match for platform|no matching manifest for \S|no image found in (?:image index|manifest list)",
    ),
    (Fault.CERTIFICATE, r"x509: |tls: (?:failed to verify|bad certificate|unknown certificate)"),
    (Fault.PLAIN_HTTP, r"server gave HTTP response to HTTPS client"),
    (
        Fault.RATE_LIMIT,
        rf"{_STATUS}429\b|\b429 Too Many Requests|\btoomanyrequests{_ALONE}|pull rate limit|too many requests",
    ),
    (
        Fault.DENIED,
        r"insufficient_scope|pull access denied|requested access to the resource is denied"
        rf"|(?<!permission )\bdenied{_ALONE}|unauthorized to access repository|\b403 Forbidden|{_STATUS}403\b",
    ),
    (
        Fault.CREDENTIAL,
        r"\b401 Unauthorized|no basic auth credentials|invalid username/password|authentication required"
        rf"|\bunauthorized{_ALONE}|{_STATUS}401\b",
    ),
    (
        Fault.NOT_A_REGISTRY,
        r"unexpected media type text/html|invalid character '<'|unmarshalling content: |decode token response: "
        r"|parsing manifest for image: |parsing HTTP 200 |reports content size of zero"
        r"|\A(?>.*?rpc error: ).*(?:unexpected end of JSON input|cannot unmarshal )",
    ),
    (Fault.BROKEN_SECRET, _BROKEN),
    (
        Fault.IMAGE_MISSING,
        r"manifest unknown|name unknown|: not found|\b404 Not Found"
        rf"|\b(?:artifact|manifest for|repository|project) (?:\S+ )?not found|{_STATUS}404\b",
    ),
    (Fault.SERVER, rf"\b50[0-4] (?:Internal|Not Impl|Bad Gate|Service Un|Gateway)|{_STATUS}50[0-4]\b"),
    (
        Fault.NETWORK,
        r"dial tcp|no such host|connection (?:refused|reset)|i/o timeout|handshake (?:timeout|failure)"
        r"|no route to host|network is unreachable|deadline exceeded|pinging container registry|Client\.Timeout"
        r"|because the registry is unavailable"
        rf"|\bEOF{_ALONE}",
    ),
)
_FAULTS = [(fault, re.compile(words, re.IGNORECASE | re.DOTALL)) for fault, words in _WORDS]
_ANSWERED_BY = re.compile(r"(?:pulling from host |(?:HEAD|GET) request to https?://)([^\s/\"]{1,255})")


def is_pull_reason(reason: str) -> bool:
    """Whether the reason of a waiting container is about its image. Since Kubernetes 1.36, the error about a broken
    Secret is the reason itself."""
    return reason in REASONS or bool(re.search(_BROKEN, reason[:MESSAGE_MAX], re.IGNORECASE | re.DOTALL))


def fault_of(image: str, reason: str, message: str) -> Fault:
    """The cause in a reason and a message. A word in the name of the image is no cause."""
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    text = message[:MESSAGE_MAX] if reason in REASONS else f"{reason[:MESSAGE_MAX]} {message[:MESSAGE_MAX]}"
    text = _without_names(image, text)
    return next((fault for fault, words in _FAULTS if words.search(text)), Fault.UNKNOWN)


def _without_names(image: str, text: str) -> str:
    """A text without the image in the forms in which runtimes repeat it: whole, without tag, and as a path. A name of
    one part is a word like any other, so it counts between quotes only."""
    name = image_name(image) or ""
    tag = image[image.rfind("/") + 1 :].partition("@")[0].partition(":")[2]
    path = name.partition("/")[2]
    names = {image, f"{name}:{tag or 'latest'}", name, path, f"{path.removeprefix('library/')}:{tag}"}
    for it in sorted(names, key=len, reverse=True):
        text = text.replace(it, "…") if "/" in it else text.replace(f'"{it}"', "…")
    return text


def answering_host(message: str) -> str:
    """host[:port] of the server that refused a manifest; "" if the message does not have it. It is the host of a mirror
    if containerd asked one."""
    found = _ANSWERED_BY.search(message[:MESSAGE_MAX])
    return found[1] if found else ""
