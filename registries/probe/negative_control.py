"""The negative control: whether a success proves the password, found out by asking without credentials and as a
random user (connection-test.md, "Proof"). The real user name is never sent with a wrong password: that can lock the
account."""

import secrets

from .answer import Answer
from .credentials import IDENTITY_TOKEN_USER, Credentials
from .fault import Fault
from .reason import Reason
from .session import ProbeSession
from .token import TokenService

_REFUSALS = frozenset(
    {
        Reason.BAD_CREDENTIALS,
        Reason.CREDENTIALS_EXPIRED,
        Reason.PAT_REQUIRED,
        Reason.ACCESS_DENIED,
        # The real user has just got a token, so an answer without one is a refusal.
        Reason.TOKEN_INVALID_RESPONSE,
    }
)
_INCONCLUSIVE = frozenset({404, 405, 407, 408, 425})


def confirm_bearer(session: ProbeSession, service: TokenService) -> Reason:
    """OK if the token service refuses a random user, or if an anonymous token does not open the registry; else
    OK_UNVERIFIED. A realm in the memory is not asked again."""
    memory = session.policy.memory
    if memory is not None and memory.checks_credentials(service.key):
        return Reason.OK
    with session.step("confirm"):
        reason = _anonymous_control(session, service) or _random_user_control(session, service)
    if memory is not None and reason is Reason.OK:
        memory.remember(service.key)
    return reason


def confirm_open(session: ProbeSession) -> Reason:
    """For a registry that answers 200 without credentials: OK only if it refuses a random user."""
    if not session.policy.negative_control:
        return Reason.OK_UNVERIFIED
    with session.step("confirm"):
        try:
            answer = session.get(random_credentials().basic)
        except Fault:
            return Reason.OK_UNVERIFIED
        return Reason.OK if answer.status in (401, 403) else Reason.OK_UNVERIFIED


def random_credentials(*, identity_token: bool = False) -> Credentials:
    """Credentials that no account has."""
    username = IDENTITY_TOKEN_USER if identity_token else f"probe-{secrets.token_hex(8)}"
    return Credentials(username, secrets.token_urlsafe(24))


def _anonymous_control(session: ProbeSession, service: TokenService) -> Reason | None:
    """OK if a request without credentials gets no token, or a token that does not open the registry. None if this
    decides nothing."""
    if not service.uses_get:
        return None  # anonymous tokens exist only with the GET of the token specification
    try:
        token = service.anonymous()
    except Fault as fault:
        return Reason.OK if _is_refusal(fault) else None
    try:
        answer = session.get(f"Bearer {token}")
    except Fault:
        return None
    return Reason.OK if _is_closed(answer) else None


def _random_user_control(session: ProbeSession, service: TokenService) -> Reason:
    """The negative control at the token service."""
    if not session.policy.negative_control:
        return Reason.OK_UNVERIFIED
    try:
        service.exchange(random_credentials(identity_token=session.credentials.is_identity_token))
    except Fault as fault:
        return Reason.OK if _is_refusal(fault) else Reason.OK_UNVERIFIED
    return Reason.OK_UNVERIFIED


def _is_closed(answer: Answer) -> bool:
    return answer.status in (401, 403)


def _is_refusal(fault: Fault) -> bool:
    """Whether the token service clearly refused. A failure of the network, the server or the method is no refusal."""
    status = fault.params.get("status")
    definite = isinstance(status, int) and 400 <= status < 500 and status not in _INCONCLUSIVE
    return fault.reason in _REFUSALS or definite
