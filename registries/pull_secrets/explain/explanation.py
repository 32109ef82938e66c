"""From a waiting container, its Secrets and the registries to one explanation."""

from collections.abc import Collection, Sequence
from datetime import datetime

from registries.domain.registry import Key, RegistrySecret, VerifyStatus
from registries.pull_secrets.images import auths_keys, image_hosts
from registries.pull_secrets.matching import DEFAULT_DOMAIN, image_name, lookup, split_domain

from .kinds import Code, Explanation, Fault, PodSecret, SecretState, Waiting
from .messages import answering_host, fault_of
from .nearest import nearest_key

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
    if fault not in _ABOUT_CREDENTIALS:
        code = Code.UNKNOWN if fault is Fault.BROKEN_SECRET else Code(fault)
        return Explanation(code, host, registry=here.key if here else None)
    mirror = _mirror(waiting.message, host)
    if mirror and fault is Fault.CREDENTIAL:
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
        registry = _registry(tried[0], registries)
        if registry is not None and host not in image_hosts(registry.address):
            registry = None  # somebody else's Secret of that name
        code = _judged(fault, registry, now)
        owner = registry.key if registry else key if code is Code.CREDENTIAL_FOREIGN else None
        return Explanation(code, host, secret=tried[0].name, registry=owner, certain=certain)
    for state, code in _WITHOUT_MATCH.items():
        found = next((it for it in secrets if it.state is state), None)
        if found is not None:
            return Explanation(code, host, secret=found.name, registry=key, certain=certain)
    return _not_matching(image, host, secrets, registries, key, certain=certain)


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
    if near is None:
        return Explanation(Code.NO_MATCH, host, secret=secrets[0].name, registry=registry, certain=certain)
    secret = next(it for it in secrets if near[0] in it.keys)
    mistyped = _registry(secret, registries)
    if registry is None and mistyped and near[0] in auths_keys(mistyped.address):
        registry = mistyped.key
    return Explanation(
        Code.NO_MATCH, host, secret=secret.name, key=near[0], near=near[1], registry=registry, certain=certain
    )


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
    proven = verification.status is VerifyStatus.SUCCESS and not verification.unproven
    return Code.CREDENTIAL_GOOD if proven and not verification.is_stale(now) else Code.CREDENTIAL_OLD


def _registry(secret: PodSecret, registries: Collection[RegistrySecret]) -> RegistrySecret | None:
    """The registry whose pull secret it is: both have one name."""
    return next((it for it in registries if it.name == secret.name), None)


def _mirror(message: str, host: str) -> str:
    """The host that refused, if it is not the registry of the image."""
    answered = answering_host(message)
    hub = host == DEFAULT_DOMAIN and answered in _HUB_SERVERS
    return "" if not answered or hub or answered == host else answered
