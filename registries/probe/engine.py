"""The connection test from end to end (connection-test.md). Imports every other part; nothing of the
project."""

import logging
from collections.abc import Sequence

from .address import Address, AddressError, parse_address
from .answer import Answer
from .challenge import Challenge, parse_challenges
from .credentials import Credentials, CredentialsError, check_credentials, has_outer_space
from .endpoint import Endpoint, EndpointError, parse_endpoint
from .fault import Fault
from .policy import Policy
from .realm import Realm, choose_realm, judge_registry
from .reason import Reason
from .result import Result
from .scrubber import Scrubber
from .statuses import REDIRECTS, is_registry_path, refusal, status_fault
from .stranger import bearer_success, open_success
from .token import TokenService
from .trace import Trace
from .transport import Transport
from .visit import Visit

DEFAULT_POLICY = Policy()
_MOST_REDIRECTS = 3

logger = logging.getLogger(__name__)


def probe(address: str, username: str, password: str, policy: Policy = DEFAULT_POLICY) -> Result:
    """Test whether these credentials open this registry. Blocks for at most policy.total_timeout
    seconds, never raises for what an operator typed or a server did, may be called from many threads at
    once, and keeps nothing between calls but what policy.memory is told."""
    trace = Trace()
    try:
        parsed = parse_address(address)
        check_credentials(username, password)
    except AddressError as error:
        params = {"part": error.part} if error.part else {}
        fault = Fault(Reason.INVALID_DOMAIN, cause=error.problem, params=params)
        return _early(fault, trace)
    except CredentialsError as error:
        return _early(Fault(Reason.INVALID_CREDENTIALS_FORMAT, cause=error.problem), trace)
    if parsed.plain_http and not policy.allow_plain_http:
        return _early(Fault(Reason.PLAIN_HTTP_FORBIDDEN), trace, parsed)
    return _visit(parsed, Credentials(username, password), policy, trace)


def _visit(address: Address, credentials: Credentials, policy: Policy, trace: Trace) -> Result:
    base = parse_endpoint(f"{address.registry_url}/v2/")
    scrubber = Scrubber(credentials.username, credentials.password)
    with Transport(policy, trace, address.canonical) as transport:
        visit = Visit(base, credentials, policy, transport, trace, scrubber, [*address.warnings])
        try:
            reason = _examine(visit)
            fault = None
        except Fault as error:
            reason, fault = error.reason, error
        except Exception as error:  # noqa: BLE001 - the contract: a result, never an exception
            # Neither its message nor its traceback: either may hold what a server echoed.
            logger.error("connection test failed by %s, which is a defect", type(error).__name__)
            reason = Reason.UNEXPECTED_RESPONSE
            fault = Fault(reason, cause=type(error).__name__)
        return _result(visit, reason, fault)


def _examine(visit: Visit) -> Reason:
    if visit.base.scheme == "https":
        visit.transport.trust()
    judge_registry(visit)
    answer = _ping(visit)
    if answer.status == 200:
        return _open_registry(visit)
    realm = choose_realm(visit, _challenges(answer))
    return _by_basic(visit) if realm is None else _by_token(visit, realm)


def _ping(visit: Visit) -> Answer:
    """`GET /v2/` without credentials, redirects followed by hand within the rules; a registry-like 200
    or a 401, or the Fault for anything else."""
    with visit.step("ping"):
        for _ in range(_MOST_REDIRECTS + 1):
            answer = visit.get()
            if answer.status not in REDIRECTS or answer.header("location") is None:
                break
            visit.base = _redirected(visit, answer)
        if answer.is_registry_like or answer.status == 401:
            return answer
        raise status_fault(answer)


def _redirected(visit: Visit, answer: Answer) -> Endpoint:
    """Where a redirect may lead: to a /v2/ of the same origin, or of the same host over https instead of
    http."""
    try:
        target = visit.base.resolve(answer.header("location") or "")
    except EndpointError:
        raise Fault(Reason.REDIRECT_BLOCKED, answer) from None
    shown = f"HTTP {answer.status}: {target.scheme}://{target.netloc}{target.path}"
    if not is_registry_path(target.path):
        raise Fault(Reason.NOT_A_REGISTRY, shown)
    upgrade = target.host == visit.base.host and (visit.base.scheme, target.scheme) == ("http", "https")
    if target.origin != visit.base.origin and not upgrade:
        raise Fault(Reason.REDIRECT_BLOCKED, shown)
    if upgrade:
        visit.warnings.append("redirected_to_https")
    return target


def _by_basic(visit: Visit) -> Reason:
    """A registry that asked for Basic and said no to nobody: its 200 proves the password."""
    with visit.step("confirm"):
        answer = visit.get(visit.credentials.basic)
        if not answer.is_registry_like:
            raise refusal(answer) if answer.status in (401, 403) else status_fault(answer)
    return Reason.OK


def _open_registry(visit: Visit) -> Reason:
    """A registry that opens to anybody may still refuse a wrong password, or ask for a token once it
    sees one."""
    with visit.step("confirm"):
        answer = visit.get(visit.credentials.basic)
        if answer.status == 401 and any(c.scheme == "bearer" for c in _challenges(answer)):
            realm = choose_realm(visit, _challenges(answer), told=True)
        elif answer.is_registry_like:
            realm = None
        else:
            raise refusal(answer) if answer.status in (401, 403) else status_fault(answer)
        if answer.status == 401 and realm is None:
            raise refusal(answer)  # the Basic that it offers has just failed
    return open_success(visit) if realm is None else _by_token(visit, realm)


def _by_token(visit: Visit, realm: Realm) -> Reason:
    service = TokenService(visit, realm)
    with visit.trace.step("token", service.host):
        token = service.exchange(visit.credentials)
    with visit.step("confirm"):
        answer = visit.get(f"Bearer {token}")
        scope = _missing_scope(answer)
    if scope is not None:
        answer = _with_scope(visit, service, scope, answer)
    elif answer.status == 401:
        raise Fault(Reason.TOKEN_REJECTED, answer)
    if not answer.is_registry_like:
        raise refusal(answer) if answer.status == 403 else status_fault(answer)
    return bearer_success(visit, service)


def _with_scope(visit: Visit, service: TokenService, scope: str, answer: Answer) -> Answer:
    """One new token with the scope that the registry misses, one retry. A scope that echoes a secret
    would carry it into a URL."""
    if not scope or visit.scrubber.reveals(scope):
        raise Fault(Reason.ACCESS_DENIED, answer)
    with visit.trace.step("token", service.host):
        token = service.exchange(visit.credentials, scope)
    with visit.step("confirm"):
        retried = visit.get(f"Bearer {token}")
        if retried.status == 401:
            raise Fault(Reason.ACCESS_DENIED, retried)
    return retried


def _missing_scope(answer: Answer) -> str | None:
    """The scope of an insufficient_scope challenge (RFC 6750, 3.1), '' if it names none, None if it is
    not one."""
    if answer.status not in (401, 403):
        return None
    for challenge in _challenges(answer):
        if challenge.parameters.get("error") == "insufficient_scope":
            return challenge.parameters.get("scope", "")
    return None


def _challenges(answer: Answer) -> Sequence[Challenge]:
    return parse_challenges(answer.lines("www-authenticate"))


def _early(fault: Fault, trace: Trace, address: Address | None = None) -> Result:
    """The result of a test that never reached the network."""
    return Result(
        reason=fault.reason,
        cause=fault.cause,
        params=fault.params,
        registry_host=address.canonical if address else None,
        warnings=address.warnings if address else (),
        duration_ms=trace.milliseconds,
    )


def _result(visit: Visit, reason: Reason, fault: Fault | None) -> Result:
    scrubber = visit.scrubber
    warnings = [*visit.warnings]
    if fault:
        visit.trace.fail("tls", visit.base.netloc)  # before the first step, certificates are read
    if visit.transport.unverified:
        warnings.append("tls_not_verified")
    if fault and fault.tls and visit.transport.nodes_skip_verification:
        warnings.append("nodes_skip_verification")
    if not reason.ok and has_outer_space(visit.credentials.password):
        warnings.append("password_outer_space")
    return Result(
        reason=reason,
        params=fault.params if fault else {},
        detail=_detail(scrubber, fault.said) if fault else "",
        cause=fault.cause if fault else None,
        retry_after=fault.retry_after if fault else None,
        registry_host=visit.base.netloc,
        token_host=visit.token_host,
        steps=visit.trace.steps,
        duration_ms=visit.trace.milliseconds,
        requests=visit.transport.requests,
        connections=visit.transport.connections,
        warnings=tuple(dict.fromkeys(warnings)),
        tls=fault.tls.scrubbed(scrubber) if fault and fault.tls else None,
        quoted=fault is not None and isinstance(fault.said, Answer),
    )


def _detail(scrubber: Scrubber, said: str | Answer) -> str:
    return scrubber.detail(said.summary(scrubber.scrub) if isinstance(said, Answer) else said)
