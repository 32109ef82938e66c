"""The connection test from start to end (connection-test.md)."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from registries.addresses import Address, AddressError, parse_address

from .answer import REDIRECTS, Answer
from .challenge import Challenge, parse_challenges
from .credentials import Credentials, CredentialsError, check_credentials, has_invisible, has_outer_space
from .endpoint import Endpoint, EndpointError, parse_endpoint
from .fault import Fault
from .image import ImageQuery, ImageResult
from .negative_control import confirm_bearer, confirm_open
from .node_view import look_as_node, read_as_node
from .policy import Policy
from .pull import look_at_image
from .realm import USUAL, Realm, choose_realm, guard_registry
from .reason import ImageReason, Reason
from .result import Result
from .scrubber import Scrubber
from .session import MOST_REDIRECTS, ProbeSession
from .statuses import is_registry_path, refusal, status_fault
from .token import TokenService
from .trace import Trace
from .transport import Transport

DEFAULT_POLICY = Policy()

logger = logging.getLogger(__name__)


def probe(
    address: str,
    username: str,
    password: str,
    policy: Policy = DEFAULT_POLICY,
    *images: ImageQuery,
) -> Result:
    """Tests whether these credentials work at this registry; after a success, whether they can pull `images`.

    The result has the answers about those that were looked at. Put one that decides first.

    Takes at most policy.total_timeout seconds. Never raises because of an operator's input or a server's response.
    Any number of threads may call it at once. It keeps no state except in policy.memory.
    """
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
    return _probe(parsed, Credentials(username, password), policy, trace, images)


def _probe(
    address: Address, credentials: Credentials, policy: Policy, trace: Trace, images: Sequence[ImageQuery]
) -> Result:
    base = parse_endpoint(f"{address.registry_url}/v2/")
    scrubber = Scrubber(credentials.username, credentials.password)
    with Transport(policy, trace, address.canonical) as transport:
        session = ProbeSession(base, credentials, policy, transport, trace, scrubber, [*address.warnings])
        try:
            reason = _examine(session)
            fault = None
        except Fault as error:
            reason, fault = error.reason, error
        except Exception as error:  # noqa: BLE001 - probe() returns a result, it never raises
            # Message and traceback are not logged: they may hold text from a server.
            logger.error("connection test failed by %s, which is a defect", type(error).__name__)
            reason = Reason.UNEXPECTED_RESPONSE
            fault = Fault(reason, cause=type(error).__name__)
        reason, looks = _look_at_images(session, reason, images)
        return replace(
            _result(session, reason, fault),
            image=looks[-1][1] if looks else None,
            images=tuple(image for query, image in looks if not query.decides),
        )


def _look_at_images(
    session: ProbeSession, reason: Reason, images: Sequence[ImageQuery]
) -> tuple[Reason, list[tuple[ImageQuery, ImageResult]]]:
    """Looks at images after a log-in that succeeded, until the registry asks for a pause. Returns the reason of the
    test after them as well."""
    looks: list[tuple[ImageQuery, ImageResult]] = []
    for query in images:
        if not reason.ok or (looks and looks[-1][1].reason is ImageReason.RATE_LIMITED):
            break
        if not (query.decides and reason is Reason.OK):
            image = look_at_image(session, query, proven=reason is Reason.OK)
            reason = _after_image(reason, image, decides=query.decides)
            looks.append((query, image))
    return reason, looks


def _after_image(reason: Reason, image: ImageResult, *, decides: bool) -> Reason:
    if image.proves:
        return Reason.OK
    return Reason.PROBE_IMAGE_DENIED if decides and image.reason is ImageReason.DENIED else reason


def _examine(session: ProbeSession) -> Reason:
    if session.base.scheme == "https":
        session.transport.trust()
    guard_registry(session)
    answer = ping(session)
    if answer.status == 200:
        return _open_registry(session)
    realm = choose_realm(session, _challenges(answer))
    reason = _by_basic(session) if realm is None else _by_token(session, realm)
    read_as_node(session, answer.lines("www-authenticate"))
    return reason


def ping(session: ProbeSession) -> Answer:
    """`GET /v2/` without credentials; follows allowed redirects. Returns a registry-like 200 or a 401, raises a
    Fault for anything else."""
    with session.step("ping"):
        for _ in range(MOST_REDIRECTS + 1):
            answer = session.get()
            if answer.status not in REDIRECTS or answer.header("location") is None:
                break
            session.base = _redirected(session, answer)
        if answer.status == 401:
            return answer
        if answer.is_registry_like and (answer.has_version or _knows_manifests(session)):
            return answer
        raise status_fault(answer)


def _knows_manifests(session: ProbeSession) -> bool:
    """Whether an unknown manifest is refused as registries do. Any service may answer 200 with nothing or `{}`."""
    answer = session.transport.send("GET", session.base.no_manifest)
    return bool(answer.error_codes if answer.status == 404 else answer.status == 401 and _challenges(answer))


def _redirected(session: ProbeSession, answer: Answer) -> Endpoint:
    """The target of a redirect. Allowed are a /v2/ of the same origin, and the same host with https instead of
    http."""
    try:
        target = session.base.resolve(answer.header("location") or "")
    except EndpointError:
        raise Fault(Reason.REDIRECT_BLOCKED, answer) from None
    shown = f"HTTP {answer.status}"  # the target is a text that the server chose
    if not is_registry_path(target.path):
        raise Fault(Reason.NOT_A_REGISTRY, shown)
    if session.scrubber.reveals(target.url, f"{USUAL} {session.base.url}"):
        raise Fault(Reason.REDIRECT_BLOCKED, shown)  # the password would stand in a URL
    upgrade = target.host == session.base.host and (session.base.scheme, target.scheme) == ("http", "https")
    if target.origin != session.base.origin and not upgrade:
        raise Fault(Reason.REDIRECT_BLOCKED, shown)
    if upgrade:
        usual = (session.base.port, target.port) == (80, 443)
        session.moved = session.moved or not (usual or session.base.port == target.port)
        session.warnings.append("redirected_to_https")
    return target


def _by_basic(session: ProbeSession) -> Reason:
    """Basic authentication. The registry answered 401 without credentials, so a 200 proves the password."""
    with session.step("confirm"):
        answer = session.get(session.credentials.basic)
        if not answer.is_registry_like:
            raise (
                refusal(answer, session.credentials) if answer.status in (401, 403) else status_fault(answer)
            )
    return Reason.OK


def _open_registry(session: ProbeSession) -> Reason:
    """A registry that answered 200 without credentials. It may still refuse a wrong password, or ask for a token
    once it gets one."""
    with session.step("confirm"):
        answer = session.get(session.credentials.basic)
        if answer.status == 401 and any(c.scheme == "bearer" for c in _challenges(answer)):
            realm = choose_realm(session, _challenges(answer), password_sent=True)
        elif answer.is_registry_like:
            realm = None
        else:
            raise (
                refusal(answer, session.credentials) if answer.status in (401, 403) else status_fault(answer)
            )
        if answer.status == 401 and realm is None:
            raise refusal(answer, session.credentials)  # it offers Basic, which has just failed
    return confirm_open(session) if realm is None else _by_token(session, realm)


def _by_token(session: ProbeSession, realm: Realm) -> Reason:
    service = TokenService(session, realm)
    session.realm = realm
    with session.trace.step("token", service.host):
        token = service.exchange(session.credentials)
    with session.step("confirm"):
        answer = session.get(f"Bearer {token}")
        scope = _missing_scope(answer)
    if scope is not None:
        answer = _with_scope(session, service, scope, answer)
    elif answer.status == 401:
        raise Fault(Reason.TOKEN_REJECTED, answer)
    if not answer.is_registry_like:
        raise refusal(answer, session.credentials) if answer.status == 403 else status_fault(answer)
    reason = confirm_bearer(session, service)
    look_as_node(session, service)
    return reason


def _with_scope(session: ProbeSession, service: TokenService, scope: str, answer: Answer) -> Answer:
    """Gets one new token with the missing scope and tries once more. A scope that contains a secret is refused: it
    would put the secret into a URL."""
    if not scope or session.scrubber.reveals(scope):
        raise Fault(Reason.ACCESS_DENIED, answer)
    with session.trace.step("token", service.host):
        token = service.exchange(session.credentials, scope)
    with session.step("confirm"):
        retried = session.get(f"Bearer {token}")
        if retried.status == 401:
            raise Fault(Reason.ACCESS_DENIED, retried)
    return retried


def _missing_scope(answer: Answer) -> str | None:
    """The scope of an insufficient_scope challenge (RFC 6750, 3.1). '' if the challenge names none, None if it is
    another challenge."""
    if answer.status not in (401, 403):
        return None
    for challenge in _challenges(answer):
        if challenge.parameters.get("error") == "insufficient_scope":
            return challenge.parameters.get("scope", "")
    return None


def _challenges(answer: Answer) -> Sequence[Challenge]:
    return parse_challenges(answer.lines("www-authenticate"))


def _early(fault: Fault, trace: Trace, address: Address | None = None) -> Result:
    """The result of a probe that sent nothing."""
    return Result(
        reason=fault.reason,
        cause=fault.cause,
        params=fault.params,
        registry_host=address.canonical if address else None,
        warnings=address.warnings if address else (),
        duration_ms=trace.milliseconds,
    )


def _result(session: ProbeSession, reason: Reason, fault: Fault | None) -> Result:
    scrubber = session.scrubber
    warnings = [*session.warnings]
    if fault:
        session.trace.fail("tls", session.base.netloc)  # without a step: reading the CA failed
    if session.transport.unverified:
        warnings.append("tls_not_verified")
    nodes = session.transport.nodes
    if fault and fault.tls and nodes.skips_verification:
        warnings.append("nodes_skip_verification")
    if nodes.has_mirrors:
        warnings.append("nodes_have_mirrors")
    if not reason.ok and has_outer_space(session.credentials.password):
        warnings.append("password_outer_space")
    if not reason.ok and has_invisible(session.credentials.password):
        warnings.append("password_invisible")
    return Result(
        reason=reason,
        params=fault.params if fault else {"node_status": session.node_status} if session.node else {},
        detail=_detail(scrubber, fault.said) if fault else "",
        cause=fault.cause if fault else None,
        retry_after=fault.retry_after if fault else None,
        registry_host=session.base.netloc,
        token_host=session.token_host,
        steps=tuple(
            replace(step, host="") if step.host in session.unjudged else step for step in session.trace.steps
        ),
        duration_ms=session.trace.milliseconds,
        requests=session.transport.requests,
        connections=session.transport.connections,
        warnings=tuple(dict.fromkeys(warnings)),
        node=session.node if fault is None else None,
        certificate_ends=session.transport.certificate_ends,
        credential_ends=session.credentials.ends,
        tls=fault.tls.scrubbed(scrubber) if fault and fault.tls else None,
        quoted=fault is not None and isinstance(fault.said, Answer),
    )


def _detail(scrubber: Scrubber, said: str | Answer) -> str:
    return scrubber.detail(said.summary(scrubber.scrub) if isinstance(said, Answer) else said)
