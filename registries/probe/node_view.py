"""What a node does otherwise: with a challenge, and in its token request.

containerd and docker read one challenge from a header line, and only values that are quoted or have no sign of a URL
(docker/auth/parse.go; distribution, authchallenge.go). The test reads what a careless server means.

With a Basic and a Bearer line, the test and containerd answer Bearer. docker answers Basic, and CRI-O the first line
(distribution, auth/session.go; containers/image, docker_client.go).

containerd sends a credential by POST first. It sends GET only after 400, 401, 404 and 405, and it reads only
`access_token` in the answer to a POST (containerd 1.6 to 2.0: docker/authorizer.go, docker/auth/fetch.go).
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum

from .answer import Answer
from .endpoint import EndpointError, parse_endpoint
from .fault import Fault
from .realm import Realm
from .session import ProbeSession
from .token import TokenService

_FALLS_BACK = frozenset({400, 401, 404, 405})
_UNKNOWN = frozenset({301, 302, 303, 408, 425, 429})
"""A client goes on with a GET after the first three: what comes of it is not asked here. The others may pass."""
_LONGEST = 16_384
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_SCHEME = re.compile(rf"{_WORD}+")
_PARAMETER = re.compile(rf'[ \t\r\n]*({_WORD}+)=(?:"((?:[^"\\]|\\.)*)"|({_WORD}*))[ \t\r\n]*(,?)', re.DOTALL)


class NodeView(StrEnum):
    """Why some nodes fail though this test got a token. The values are stored and are part of the API."""

    CHALLENGE = "challenge_not_read"
    BASIC_REFUSED = "basic_refused"
    POST_REFUSED = "token_post_refused"
    NO_ACCESS_TOKEN = "token_post_without_access_token"  # noqa: S105 - a code, not a secret


def read_as_node(session: ProbeSession, lines: Sequence[str]) -> None:
    """Sets session.node after a success, if nodes do not find what the test used in the challenges, or use another one
    in vain."""
    found = [_challenge(line[:_LONGEST]) for line in lines]
    bearers = [parameters for scheme, parameters in found if scheme == "bearer"]
    realm: Realm | None = None
    if bearers:  # it is preferred, also to a Basic before it
        with suppress(EndpointError):
            realm = Realm(parse_endpoint(bearers[0].get("realm", "")), bearers[0].get("service"))
    readable = bool(realm) if bearers else any(scheme == "basic" for scheme, _ in found)
    if not readable or realm != session.realm:
        session.node = NodeView.CHALLENGE
    elif realm and session.node is None and any(scheme == "basic" for scheme, _ in found):
        _compare_basic(session, realm)


def _compare_basic(session: ProbeSession, realm: Realm) -> None:
    """Sets session.node if the registry offers Basic beside Bearer and does not accept it. A password that went to a
    token service elsewhere is not sent to the registry: then it is a warning that nothing was proven."""
    if realm.endpoint.origin != session.base.origin:
        session.warnings.append("basic_not_tested")
        return
    with session.step("confirm"), suppress(Fault):
        session.node = None if _accepts_basic(session) else NodeView.BASIC_REFUSED


def _accepts_basic(session: ProbeSession) -> bool:
    """Whether the registry accepts the credential by Basic at /v2/ or where manifests are. Costs one request or
    two."""
    session.transport.allow(2)
    return any(
        session.send("GET", it, session.credentials.basic).status != 401
        for it in (session.base, session.base.no_manifest)
    )


def _challenge(line: str) -> tuple[str, dict[str, str]]:
    """The scheme of a header line and its parameters, up to the first sign that nodes do not expect."""
    scheme, parameters = _SCHEME.match(line), dict[str, str]()
    at = scheme.end() if scheme else len(line)
    while found := _PARAMETER.match(line, at):
        value = re.sub(r"\\(.)", r"\1", found[2] or "", flags=re.DOTALL) or found[3]
        if not value:
            break
        parameters[found[1].lower()] = value
        at = found.end()
        if not found[4]:
            break
    return scheme[0].lower() if scheme else "", parameters


def look_as_node(session: ProbeSession, service: TokenService) -> None:
    """Sets session.node after a success. Costs one request, which sends a password that has just been accepted.

    A token service in the memory that agreed within a day is not asked again.
    """
    memory, key = session.policy.memory, _key(service)
    answer = service.posted
    if answer is None:
        if session.credentials.is_identity_token or (memory is not None and memory.checks_credentials(key)):
            return
        with session.trace.step("token", service.host):
            answer = _posted(session, service)
    if answer is None or answer.status in _UNKNOWN:
        return
    session.node = _judged(answer)
    session.node_status = answer.status
    if memory is not None and session.node is None:
        memory.remember(key)


def _posted(session: ProbeSession, service: TokenService) -> Answer | None:
    try:
        return service.post(session.credentials, service.scope)
    except Fault:
        return None


def _judged(answer: Answer) -> NodeView | None:
    if answer.status in _FALLS_BACK:
        return None
    if not 200 <= answer.status < 400:
        return NodeView.POST_REFUSED
    document = answer.document
    token = document.get("access_token") if isinstance(document, dict) else None
    return None if token and isinstance(token, str) else NodeView.NO_ACCESS_TOKEN


def _key(service: TokenService) -> tuple[str, str, str]:
    """A key of its own in the RealmMemory."""
    registry, realm, name = service.key
    return registry, f"POST {realm}", name
