"""The token service that a registry names, and whether the password may be sent there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from registries.addresses import is_ip, netloc

from .address_guard import AddressClass, classify, first_refused, first_refused_for_realm
from .challenge import Challenge
from .endpoint import Endpoint, EndpointError, parse_endpoint
from .fault import Fault
from .realm_hosts import belongs, is_named
from .reason import Reason
from .scrubber import MASK
from .session import ProbeSession

# Parts of usual realms and services. A password that is one of them tells nothing there.
USUAL = (
    "https://registry-1.docker.io auth.docker.io/token registry.docker.io harbor-registry /service/token /jwt/auth "
    "container_registry /v2/auth /v2/token /oauth2/token dockerauth dockyard /swr/auth/v2/registry/auth/ artifactory "
    "aliyuncs tencent localhost gitlab github internal example"
)
_SCHEMES = frozenset(
    {"basic", "bearer", "concealed", "digest", "dpop", "gnap", "hoba", "mutual", "negotiate", "ntlm", "oauth"}
    | {"aws4-hmac-sha256", "privatetoken", "scram-sha-1", "scram-sha-256", "vapid"}
)
# All before the last @: a password that is not encoded may contain any character.
_USER_INFO = re.compile(r"(?<=://).*@|^(?!\w+://).*@", re.DOTALL)
_MOST_SHOWN = 2_048
_BROKEN = frozenset({Reason.BAD_CHALLENGE, Reason.REALM_INSECURE, Reason.REALM_BLOCKED})


@dataclass(frozen=True, slots=True)
class Realm:
    """A token service that the address guard allows. `service` is the parameter for the token request, None if the
    challenge has none."""

    endpoint: Endpoint
    service: str | None


def choose_realm(
    session: ProbeSession, challenges: Sequence[Challenge], *, password_sent: bool = False
) -> Realm | None:
    """The first acceptable Bearer realm. None if there is none and Basic is offered: a broken Bearer challenge
    falls back to Basic (connection-test.md, "Challenges"). Otherwise a Fault: BAD_CHALLENGE, REALM_INSECURE,
    REALM_BLOCKED or UNSUPPORTED_AUTH.

    `password_sent` says that the registry already knows the password.
    """
    if not challenges:
        raise Fault(Reason.BAD_CHALLENGE)
    broken: Fault | None = None
    for challenge in challenges:
        if challenge.scheme == "bearer":
            try:
                return _accepted(session, challenge, password_sent)
            except Fault as fault:
                if fault.reason not in _BROKEN:
                    raise
                broken = broken or fault
    if any(challenge.scheme == "basic" for challenge in challenges):
        session.token_host = None
        return None
    raise broken or Fault(Reason.UNSUPPORTED_AUTH, _schemes(challenges))


def _accepted(session: ProbeSession, challenge: Challenge, password_sent: bool) -> Realm:
    service = challenge.parameters.get("service") or None
    try:
        endpoint = parse_endpoint(challenge.parameters.get("realm", ""))
    except EndpointError:
        # A registry that knows the password may repeat it, and a quote in it would end the realm: half a password is
        # not masked.
        raise Fault(Reason.BAD_CHALLENGE, "" if password_sent else _as_sent(challenge)) from None
    # A registry may know the password, from this test or an earlier one. It could leak it through a DNS name.
    known = "" if password_sent else f"{USUAL} {session.base.url}"
    if session.scrubber.reveals(f"{endpoint.url} {service}", known):
        raise Fault(Reason.BAD_CHALLENGE)
    if endpoint.host == session.base.host:
        session.token_host = endpoint.netloc
    if endpoint.scheme == "http" and session.base.scheme == "https":
        raise Fault(Reason.REALM_INSECURE, "realm: http://…")  # the rest is a text that the server chose
    _guard(session, endpoint)
    session.token_host = endpoint.netloc
    return Realm(endpoint, service)


def _as_sent(challenge: Challenge) -> str:
    """The realm that cannot be used, for the detail; without its user info, which may be a password of the registry's
    own. A long one takes long to clean, and is not shown."""
    realm = challenge.parameters.get("realm", "")
    if not realm or len(realm) > _MOST_SHOWN:
        return "Bearer"
    return f"realm: {_USER_INFO.sub(f'{MASK}@', realm)}"


def _guard(session: ProbeSession, endpoint: Endpoint) -> None:
    """Checks the host of a token service and all its addresses. The registry's own host was checked before."""
    host, base, transport = endpoint.host, session.base, session.transport
    if host == base.host:
        return
    at = netloc(host, endpoint.port)
    session.unjudged.add(at)
    try:
        addresses = transport.resolve(host, endpoint.port)
    except Fault as fault:
        raise unreachable(None, fault) from None
    if first_refused(addresses, session.policy) is not None:
        raise Fault(Reason.REALM_BLOCKED)
    if wrong := host_fault(session, host, endpoint.port, addresses):
        raise wrong
    session.unjudged.discard(at)


def host_fault(session: ProbeSession, host: str, port: int, addresses: Sequence[str]) -> Fault | None:
    """Why a host that the registry names may not be contacted: one on the inside must belong to the registry. None if
    it may."""
    base, transport = session.base, session.transport
    if host == base.host:
        return None
    if first_refused_for_realm(addresses, transport.address_class_of(base.host), session.policy) is not None:
        return Fault(Reason.REALM_BLOCKED, cause="realm_inside")
    public = bool(addresses) and all(classify(ip) is AddressClass.PUBLIC for ip in addresses)
    if (is_ip(host) or not public) and not (
        is_named(host, port, session.policy)
        or host == transport.peer_of(base.host)
        or belongs(host, base.host)
    ):
        return Fault(Reason.REALM_BLOCKED, cause="realm_elsewhere")
    return None


def guard_registry(session: ProbeSession) -> None:
    """Resolves the registry once and refuses it if any of its addresses is refused. A DNS rebinding attack starts
    with a name that has an allowed and a refused address."""
    addresses = session.transport.resolve(session.base.host, session.base.port)
    if first_refused(addresses, session.policy) is not None:
        raise Fault(Reason.BLOCKED_ADDRESS)


def unreachable(endpoint: Endpoint | None, fault: Fault) -> Fault:
    """Turns a network Fault into one of the token service, with the network reason as its cause. `endpoint` is None
    if its address was not judged: then it is not named."""
    cause = fault.reason if fault.tls else fault.cause or fault.reason
    return Fault(
        Reason.TOKEN_SERVICE_UNREACHABLE,
        fault.said,
        cause=cause,
        params={"host": endpoint.netloc} if endpoint else {},
        tls=fault.tls,
    )


def _schemes(challenges: Sequence[Challenge]) -> str:
    """The registered schemes; of others a server could choose the name."""
    named = (challenge.scheme if challenge.scheme in _SCHEMES else "…" for challenge in challenges)
    return ", ".join(dict.fromkeys(named))
