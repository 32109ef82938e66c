"""From the API server's word on a person to an Access: of those with a session (cluster_sessions.py) and of those who
show a token with each request (cluster_tokens.py).
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from hashlib import sha256
from types import MappingProxyType

from registries.cluster.connection import Connection
from registries.cluster.reviews import held_by, may, may_get
from registries.domain.access import Access, Permission, Role
from registries.domain.errors import ConsoleError, Forbidden, Problem, Unavailable

REVIEWS_FORBIDDEN = Problem.REVIEWS_FORBIDDEN
"""The problem when the API server does not answer what somebody may do, though it knows them."""
AWAY_KEPT = 3600.0
"""Seconds for which what was last known is shown while the API server is away. Nothing can be written then."""
SETTLING = 30.0
"""Seconds for which a server that answers no questions is not believed: when it has just started, it knows no roles."""
REVIEWS_AT_ONCE = 8
"""Of all people of this process together."""
METRICS = "/metrics"
NAME = 150
"""Characters of a name that are kept; longer ones end in a digest of the whole."""


def asked(connection: Connection, person: str, namespaces: Collection[str], threads: Executor) -> Access:
    """What the person of this connection may do. Unavailable: `session_ended` when the credential is not taken."""
    with _reviewing(person):
        held = held_by(connection, namespaces, threads)
    return Access(
        person=person,
        everywhere=held.everywhere,
        namespaces=MappingProxyType(dict(held.namespaces)),
        administers=held.everywhere >= Role.ADMIN.permissions - {Permission.TEST},
    )


def asked_in(namespace: str, permission: Permission) -> Callable[..., Access]:
    """Like `asked`, for a request that names one namespace and takes one permission there: two questions at most.

    A test takes EDIT here. The API server itself decides whether it may read the password: that is read as the person.
    """
    needed = Permission.EDIT if permission is Permission.TEST else permission

    def ask(connection: Connection, person: str, namespaces: Collection[str], threads: Executor) -> Access:
        held: set[Permission] = set()
        with _reviewing(person):
            if may(connection, Permission.SEE, namespace):
                held.add(Permission.SEE)
                if needed is not Permission.SEE and may(connection, needed, namespace):
                    held |= {needed, permission}
        found = {namespace: frozenset(held)} if held else {}
        return Access(person=person, namespaces=MappingProxyType(found))

    return ask


def asked_for_metrics(
    connection: Connection, person: str, namespaces: Collection[str], threads: Executor
) -> Access:
    """What may be told of registries to who reads /metrics; Forbidden for who may not read it.

    To see it takes `get` on the address, as with the cluster's own parts; every registry is in it for `get` on
    registrysecrets/metrics, as with a kubelet's nodes/metrics: whoever may `list` registries can read passwords with
    kubectl, and a Prometheus had better not. Without it, those that may be listed.
    """
    with _reviewing(person):
        if not may_get(connection, METRICS):
            raise Forbidden(METRICS)
        if may(connection, "get", "", "metrics"):
            return Access(person=person, everywhere=frozenset({Permission.SEE}))
    return asked(connection, person, namespaces, threads).looking_only


def kept(error: ConsoleError) -> float:
    """For how many seconds what was last heard of somebody counts when this was the answer."""
    return {Problem.SESSION_ENDED: float("-inf"), REVIEWS_FORBIDDEN: SETTLING}.get(error.code, AWAY_KEPT)


def short(name: str) -> str:
    """What belongs to somebody is found by this name: two that differ must not become one."""
    if len(name) <= NAME:
        return name
    digest = sha256(name.encode()).hexdigest()[:16]
    return f"{name[: NAME - len(digest) - 1]}~{digest}"


@contextmanager
def _reviewing(person: str) -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        problem = {
            Problem.CLUSTER_TOKEN: Problem.SESSION_ENDED,
            Problem.CLUSTER_FORBIDDEN: REVIEWS_FORBIDDEN,
        }.get(error.code, error.problem)
        raise Unavailable(person, problem, passing=error.passing) from None
