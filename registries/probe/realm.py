"""Where a registry sends its visitors for a token, and whether the password may follow. Imports challenge.py,
endpoint.py, address_guard.py and session.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from .address_guard import first_refused, first_refused_for_realm
from .challenge import Challenge
from .endpoint import Endpoint, EndpointError, parse_endpoint
from .fault import Fault
from .reason import Reason
from .session import ProbeSession

_BROKEN = frozenset({Reason.BAD_CHALLENGE, Reason.REALM_INSECURE, Reason.REALM_BLOCKED})


@dataclass(frozen=True, slots=True)
class Realm:
    """A judged token service; `service` is what it wants to be told, None if the challenge named none."""

    endpoint: Endpoint
    service: str | None


def choose_realm(
    session: ProbeSession, challenges: Sequence[Challenge], *, password_sent: bool = False
) -> Realm | None:
    """The first acceptable Bearer realm; None if there is none but Basic is offered (connection-test.md,
    "Challenges": a broken Bearer falls back to Basic). Otherwise the Fault that tells why: BAD_CHALLENGE,
    REALM_INSECURE, REALM_BLOCKED, UNSUPPORTED_AUTH. `password_sent`: the registry has seen the password already."""
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
        raise Fault(Reason.BAD_CHALLENGE) from None
    if password_sent and session.scrubber.reveals(f"{endpoint.url} {service}"):
        # A registry that has seen the password could have it looked up as a host name, or logged as a URL.
        raise Fault(Reason.BAD_CHALLENGE)
    session.token_host = endpoint.netloc
    if endpoint.scheme == "http" and session.base.scheme == "https":
        raise Fault(Reason.REALM_INSECURE, endpoint.url)
    _guard(session, endpoint)
    return Realm(endpoint, service)


def _guard(session: ProbeSession, endpoint: Endpoint) -> None:
    """The registry's own host was judged already, and stands where the registry stands."""
    if endpoint.host == session.base.host:
        return
    try:
        addresses = session.transport.resolve(endpoint.host, endpoint.port)
    except Fault as fault:
        raise unreachable(endpoint, fault) from None
    registry = session.transport.address_class_of(session.base.host)
    if first_refused_for_realm(addresses, registry, session.policy) is not None:
        raise Fault(Reason.REALM_BLOCKED, endpoint.url)


def guard_registry(session: ProbeSession) -> None:
    """Look the registry up, once, and refuse it if one of its addresses is refused: a name that answers
    with an allowed and a refused address is how rebinding starts."""
    addresses = session.transport.resolve(session.base.host, session.base.port)
    if first_refused(addresses, session.policy) is not None:
        raise Fault(Reason.BLOCKED_ADDRESS)


def unreachable(endpoint: Endpoint, fault: Fault) -> Fault:
    """A Fault of the network as one of the token service, with what lies beneath as its cause."""
    cause = fault.reason if fault.tls else fault.cause or fault.reason
    return Fault(
        Reason.TOKEN_SERVICE_UNREACHABLE,
        fault.said,
        cause=cause,
        params={"host": endpoint.netloc},
        tls=fault.tls,
    )


def _schemes(challenges: Sequence[Challenge]) -> str:
    return ", ".join(challenge.scheme for challenge in challenges)
