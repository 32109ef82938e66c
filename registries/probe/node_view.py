"""The token request of containerd on a node, where its result differs from that of docker and podman.

containerd sends a credential by POST first. It sends GET only after 400, 401, 404 and 405, and it reads only
`access_token` in the answer to a POST (containerd 1.6 to 2.0: docker/authorizer.go, docker/auth/fetch.go).
"""

from enum import StrEnum

from .answer import Answer
from .fault import Fault
from .session import ProbeSession
from .token import TokenService

_FALLS_BACK = frozenset({400, 401, 404, 405})
_PASSING = frozenset({408, 425, 429})


class NodeView(StrEnum):
    """Why nodes with containerd fail though this test got a token. The values are stored and are part of the API."""

    POST_REFUSED = "token_post_refused"
    NO_ACCESS_TOKEN = "token_post_without_access_token"  # noqa: S105 - a code, not a secret


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
    if answer is None or answer.status in _PASSING:
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
