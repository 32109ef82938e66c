"""From a waiting container, its Secrets and the registries to one explanation; the cause in the words of kubelets,
containerd, Docker and CRI-O.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from registries.domain.registry import Key, RegistrySecret, VerifyStatus
from registries.pull_secrets.images import auths_keys, image_hosts
from registries.pull_secrets.matching import DEFAULT_DOMAIN, all_fit, image_name, lookup, split_domain

from .kinds import Code, Explanation, Fault, PodSecret, SecretState, Waiting, nearest_key

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
    (Fault.NODE_SPACE, r"no space left on device|disk quota exceeded"),
    (
        Fault.PLATFORM_MISSING,
        r"no match for platform|no matching manifest for \S|no image found in (?:image index|manifest list)",
    ),
    (
        Fault.NOT_AN_IMAGE,
        r"could not fetch content descriptor \S+ \((?!text/html)\S*\) from remote"
        r"|(?:unexpected|unsupported) media type (?!text/html)\S|unsupported image-specific operation on artifact"
        r"|mismatched image rootfs and manifest layers|missing signature key|: no signatures\s*$"
        r"|missing or empty Content-Type header|Target\.MediaType must be set|no FSLayers in manifest"
        r"|schema 1 image manifests|unsupported schema version",
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
        r"\b401 Unauthorized|no basic auth credentials|invalid username/password"
        r"|(?<!Proxy )authentication required"
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
        r"|because the registry is unavailable|Proxy Authentication Required"
        rf"|\bEOF{_ALONE}",
    ),
)
_FAULTS = [(fault, re.compile(words, re.IGNORECASE | re.DOTALL)) for fault, words in _WORDS]
_ANSWERED_BY = re.compile(
    r"(?:pulling from host |(?:HEAD|GET) request to https?://|\b(?:Head|Get) \"https?://(?=[^\s\"/]{1,255}/v2/))"
    r"([^\s/\"]{1,255})"
)


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
    """host[:port] of the server that did not give a manifest; "" if the message does not have it. It is the host of a
    mirror if containerd asked one."""
    found = _ANSWERED_BY.search(message[:MESSAGE_MAX])
    return found[1] if found else ""


_ABOUT_CREDENTIALS = frozenset({Fault.CREDENTIAL, Fault.DENIED, Fault.UNKNOWN})
_HUB_SERVERS = frozenset({"registry-1.docker.io", "index.docker.io", "auth.docker.io"})
_WITHOUT_MATCH = {
    SecretState.MISSING: Code.SECRET_MISSING,
    SecretState.WRONG_TYPE: Code.SECRET_TYPE,
    SecretState.UNREAD: Code.SECRET_UNREAD,
}
"""What a Secret without usable keys means, in the order of certainty."""


def explain(
    waiting: Waiting, secrets: Sequence[PodSecret], registries: Collection[RegistrySecret], now: datetime
) -> Explanation:
    """Why a container waits. `secrets` are those that its pod names, in their order; `registries` are those of its
    namespace."""
    host = split_domain(waiting.image)[0]
    fault = fault_of(waiting.image, waiting.reason, waiting.message)
    if image_name(waiting.image) is None or fault is Fault.INVALID_NAME:
        return Explanation(Code.INVALID_NAME, host)
    broken = _broken(fault, secrets)
    here = next((it for it in registries if host in image_hosts(it.address)), None)
    if broken is not None:
        owner = _registry(broken, registries) or here
        return Explanation(
            Code.SECRET_BROKEN,
            host,
            secret=broken.name,
            key=broken.flawed,
            flaw=broken.flaw,
            registry=owner.key if owner else None,
        )
    mirror = _mirror(waiting.message, host)
    if fault not in _ABOUT_CREDENTIALS:
        code = Code.UNKNOWN if fault is Fault.BROKEN_SECRET else Code(fault)
        return Explanation(code, host, registry=here.key if here else None, mirror=mirror)
    if mirror and fault is not Fault.UNKNOWN:
        return Explanation(Code.MIRROR, host, mirror=mirror, registry=here.key if here else None)
    return _about_secrets(fault, waiting.image, host, secrets, registries, here, now)


def _broken(fault: Fault, secrets: Sequence[PodSecret]) -> PodSecret | None:
    """The Secret that stops every pull of its pod. One that was not read may be it, if the message says so."""
    found = next((it for it in secrets if it.state is SecretState.BROKEN), None)
    if found is None and fault is Fault.BROKEN_SECRET:
        unread = [it for it in secrets if it.state is SecretState.UNREAD]
        found = unread[0] if len(unread) == 1 else None
    return found


def _about_secrets(
    fault: Fault,
    image: str,
    host: str,
    secrets: Sequence[PodSecret],
    registries: Collection[RegistrySecret],
    here: RegistrySecret | None,
    now: datetime,
) -> Explanation:
    certain = fault is not Fault.UNKNOWN
    key = here.key if here else None
    if not secrets:
        code = Code.NO_SECRET if certain or here else Code.UNKNOWN
        return Explanation(code, host, registry=key, certain=certain)
    tried = lookup([dict.fromkeys(it.keys, it) for it in secrets], image)
    if tried:
        secret, registry = _refused(tried, host, registries)
        code = _judged(fault, registry, now)
        owner = registry.key if registry else key if code is Code.CREDENTIAL_FOREIGN else None
        return Explanation(code, host, secret=secret.name, registry=owner, certain=certain)
    for state, code in _WITHOUT_MATCH.items():
        found = next((it for it in secrets if it.state is state), None)
        if found is not None:
            return Explanation(code, host, secret=found.name, registry=key, certain=certain)
    return _not_matching(image, host, secrets, registries, key, certain=certain)


def _refused(
    tried: Sequence[PodSecret], host: str, registries: Collection[RegistrySecret]
) -> tuple[PodSecret, RegistrySecret | None]:
    """The Secret that is explained, with its registry. A kubelet tries all of them, so the first one of a registry
    counts: a new password there is enough. A Secret with the name of a registry for another host is somebody
    else's."""
    owned = ((it, registry) for it in tried if (registry := _registry(it, registries)))
    return next((it for it in owned if host in image_hosts(it[1].address)), (tried[0], None))


def _not_matching(
    image: str,
    host: str,
    secrets: Sequence[PodSecret],
    registries: Collection[RegistrySecret],
    registry: Key | None,
    *,
    certain: bool,
) -> Explanation:
    near = nearest_key((key for it in secrets for key in it.keys), image)
    cut = any(it.cut for it in secrets) or not all_fit(key for it in secrets for key in it.keys)
    found = Explanation(
        Code.NO_MATCH,
        host,
        secret=secrets[0].name,
        registry=registry,
        certain=certain and not cut,
        cut=cut,
    )
    if near is None:
        return found
    secret = next(it for it in secrets if near[0] in it.keys)
    mistyped = _registry(secret, registries)
    if registry is None and mistyped and near[0] in auths_keys(mistyped.address):
        registry = mistyped.key
    return replace(found, secret=secret.name, key=near[0], near=near[1], registry=registry)


def _judged(fault: Fault, registry: RegistrySecret | None, now: datetime) -> Code:
    """What the last test of the registry says of a credential that was tried."""
    if registry is not None and registry.verification.status is VerifyStatus.FAILED:
        return Code.CREDENTIAL_BAD
    if fault is Fault.DENIED:
        return Code.DENIED
    if fault is Fault.UNKNOWN:
        return Code.UNKNOWN
    if registry is None:
        return Code.CREDENTIAL_FOREIGN
    verification = registry.verification
    if verification.status is not VerifyStatus.SUCCESS:
        return Code.CREDENTIAL_UNTESTED
    if verification.is_stale(now):
        return Code.CREDENTIAL_OLD
    return Code.CREDENTIAL_UNPROVEN if verification.unproven else Code.CREDENTIAL_GOOD


def _registry(secret: PodSecret, registries: Collection[RegistrySecret]) -> RegistrySecret | None:
    """The registry whose pull secret it is: both have one name."""
    return next((it for it in registries if it.name == secret.name), None)


def _mirror(message: str, host: str) -> str:
    """The host that refused, if it is not the registry of the image."""
    answered = answering_host(message)
    hub = host == DEFAULT_DOMAIN and answered in _HUB_SERVERS
    return "" if not answered or hub or answered.lower() == host.lower() else answered
