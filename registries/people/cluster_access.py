"""Builds an Access from the API server's access reviews, for cluster sessions and cluster bearer tokens."""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from hashlib import sha256
from types import MappingProxyType

from registries.cluster.connection import Connection
from registries.cluster.personal import Identity
from registries.cluster.reviews import held_by, may, may_get
from registries.domain.access import Access, Permission, Role
from registries.domain.errors import ConsoleError, Forbidden, Problem, Unavailable

REVIEWS_FORBIDDEN = Problem.REVIEWS_FORBIDDEN
"""The API server accepts the credential but refuses access reviews."""
AWAY_KEPT = 3600.0
"""Seconds to use the last known access while the API server is away. Writes fail during this time."""
SETTLING = 30.0
"""Seconds to use the last known access after REVIEWS_FORBIDDEN. A restarted API server knows no roles at first."""
REVIEWS_AT_ONCE = 8
"""Parallel access reviews of this process."""
METRICS = "/metrics"
Namespaces = Callable[[], Collection[str]]
"""Returns all existing namespaces."""
NAME = 150
"""Maximum length of a stored name. A longer name ends in a digest of the whole name."""


def asked(connection: Connection, person: str, namespaces: Namespaces, threads: Executor) -> Access:
    """The access of the connection's person. Unavailable; `session_ended` if the credential is rejected."""
    existing = namespaces()
    with _reviewing(person):
        held = held_by(connection, existing, threads)
    return Access(
        person=person,
        everywhere=held.everywhere,
        namespaces=MappingProxyType(dict(held.namespaces)),
        administers=held.everywhere >= Role.ADMIN.permissions - {Permission.TEST},
    )


def asked_in(namespace: str, *permissions: Permission) -> Callable[..., Access]:
    """Like `asked`, for a request that names one namespace and takes these permissions there.

    A test takes EDIT here. The API server itself decides whether it may read the password: that is read as the person.
    """

    def ask(connection: Connection, person: str, namespaces: Namespaces, threads: Executor) -> Access:
        held: set[Permission] = set()
        with _reviewing(person):
            if may(connection, Permission.SEE, namespace):
                held.add(Permission.SEE)
                for permission in permissions:
                    needed = Permission.EDIT if permission is Permission.TEST else permission
                    if needed in held or may(connection, needed, namespace):
                        held |= {needed, permission}
        found = {namespace: frozenset(held)} if held else {}
        return Access(person=person, namespaces=MappingProxyType(found))

    return ask


def asked_for_metrics(
    connection: Connection, person: str, namespaces: Namespaces, threads: Executor
) -> Access:
    """The access for /metrics. Raises Forbidden without the permission to `get` the path /metrics.

    `get` on registrysecrets/metrics shows every registry. Otherwise `list` decides. Prometheus should not need
    `list`, which also shows passwords through kubectl.
    """
    with _reviewing(person):
        if not may_get(connection, METRICS):
            raise Forbidden(METRICS)
        if may(connection, "get", "", "metrics"):
            return Access(person=person, everywhere=frozenset({Permission.SEE}))
    return asked(connection, person, namespaces, threads).looking_only


def kept(error: ConsoleError) -> float:
    """Seconds for which the last known access stays valid after this error."""
    return {Problem.SESSION_ENDED: float("-inf"), REVIEWS_FORBIDDEN: SETTLING}.get(error.code, AWAY_KEPT)


def owner_of(identity: Identity) -> str:
    """The Access.owner of a user of the cluster."""
    return f"uid:{short(identity.uid)}" if identity.uid else f"name:{short(identity.name)}"


def short(name: str) -> str:
    """A name of at most NAME characters. Different names stay different."""
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
