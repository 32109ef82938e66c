"""What the store on a cluster reads. Lists come from the cache (cache.py).

The password, managedFields and kubectl's copy of a resource are dropped as soon as an answer is parsed.
"""

from collections.abc import Callable, Collection
from copy import copy
from typing import Self

from registries.cluster import paths
from registries.cluster.connection import Connection
from registries.cluster.lease import Lease
from registries.cluster.per_process import PerProcess
from registries.cluster.personal import Caller, Person
from registries.domain.errors import Conflict, ConsoleError, NotFound, Problem, Unavailable
from registries.domain.reading import as_tested, password_of, to_domain
from registries.domain.registry import Credential, Key, RegistrySecret, credential_of
from registries.domain.resource import Resource, reviving
from registries.domain.writer import Writer
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.node_pods import NodePods
from registries.pull_secrets.pods import PodReader
from registries.pull_secrets.secret import PullSecrets
from registries.pull_secrets.usage import Users
from registries.stores.base import Changes, Freshness, Store
from registries.stores.cluster.cache import Cache
from registries.stores.cluster.events import Events
from registries.stores.cluster.follower import Follower, NamespacesSeen
from registries.stores.room import Room

FIRST_LIST = 15.0
"""Seconds that a reader waits for the first list."""


class KubernetesStoreReads(Store):
    """The part of the store on a cluster that reads. Its threads start with the first call of `changes` or
    `freshness`."""

    def __init__(
        self,
        connection: Connection,
        *,
        lease: Callable[[], Lease] | None = None,
        namespaces: Collection[str] = (),
        namespaces_seen: NamespacesSeen = lambda created: None,
        room: Room = Room(),  # noqa: B008
        secret: str = "",
    ) -> None:
        """`lease` makes the lease of a process. With it, the store maintains pull secrets; in the background, only the
        holder of the lease does. With `namespaces`, no other namespace exists for the store.
        `namespaces_seen`: see Follower; `secret`: see Marks."""
        self._connection = connection
        self._namespaces = frozenset(namespaces)
        self._writer: Caller = connection
        self._secrets = PullSecrets(connection, secret)
        self.keeps_secrets = lease is not None
        self._events = PerProcess(lambda: Events(connection))
        self._follower = PerProcess(
            lambda: Follower(
                connection,
                self._secrets,
                lease() if lease else None,
                FIRST_LIST,
                self._namespaces,
                namespaces_seen,
                room,
            )
        )

    def stop(self) -> None:
        self._events.here().stop()
        self._follower.here().stop()

    def acting_as(self, acting: object | None) -> Self:
        """The same store and cache, with writes and reads of passwords made by a Person (cluster/personal.py).

        Lists, single registries and pull secrets are still read with the console's own credential.
        """
        if acting is None:
            return self
        if not isinstance(acting, Person):
            raise TypeError("not a person of this cluster")
        theirs = copy(self)
        theirs._writer = acting
        return theirs

    def freshness(self) -> Freshness:
        return self._following().freshness()

    def changes(self, since: str | None) -> Changes:
        return self._following().changes(since)

    def overfull(self) -> frozenset[str]:
        return self._cache().overfull

    def wait(self, since: str | None, seconds: float) -> None:
        self._following().wait(since, seconds)

    def reached(self, version: int) -> bool:
        """Another replica may have listed later than this one, with no event for this one since then."""
        name = next(iter(self._namespaces), "")
        path = paths.registries_in(name) if name else paths.EVERYWHERE
        try:
            answer = self._connection.call("GET", path, subject=path, query={"limit": "1"})
        except ConsoleError:
            return False
        newest = str((answer.get("metadata") or {}).get("resourceVersion") or "")
        return newest.isdigit() and version <= int(newest)

    def get(self, key: Key) -> RegistrySecret:
        return to_domain(self._read(key))

    def writer(self, key: Key, annotation: str) -> Writer | None:
        return Writer.of(self._read(key), annotation)

    def credential(self, key: Key, *, uid: str) -> Credential:
        resource = self._with_password(key, uid)
        return credential_of(as_tested(resource), password_of(resource))

    def whole(self, key: Key, *, uid: str) -> Resource:
        return reviving(self._with_password(key, uid))

    def _with_password(self, key: Key, uid: str) -> Resource:
        resource = self._writer.call("GET", self._path(key), subject=str(key))
        if resource["metadata"]["uid"] != uid:
            raise Conflict(str(key), Problem.RECREATED)
        return resource

    def fingerprint(self, registry: RegistrySecret) -> bytes:
        return registry.fingerprint

    def pull_secret(self, key: Key) -> PullSecret:
        return self._secrets.state(key) if self.keeps_secrets else PullSecret.NONE

    def upkeep_problem(self) -> Unavailable | None:
        return self._follower.here().upkeep_problem()

    def pull_secret_users(self) -> Users | None:
        users = Users(self._reader(), self._writer, self._secrets.is_foreign)
        return users if self.keeps_secrets else None

    def pull_failures(self) -> PodReader | None:
        if not self.keeps_secrets:
            return None
        person = self._writer if isinstance(self._writer, Person) else None
        return PodReader(
            self._reader(), self._secrets.state, person=person, cluster_wide=not self._namespaces
        )

    def node_pods(self) -> NodePods | None:
        possible = self.keeps_secrets and isinstance(self._writer, Person)
        return NodePods(self._reader()) if possible else None

    def _reader(self) -> Connection:
        """The connection of the person, or of the console for people of its own accounts."""
        return self._writer.connection() if isinstance(self._writer, Person) else self._connection

    def namespaces_with(self, labels: str) -> frozenset[str] | None:
        if self._namespaces:
            return None
        path = paths.NAMESPACES
        answer = self._connection.call("GET", path, subject=path, query={"labelSelector": labels})
        return frozenset(it["metadata"]["name"] for it in answer.get("items") or ())

    def _following(self) -> Cache:
        """The cache of this process, with its threads started."""
        follower = self._follower.here()
        follower.start()
        return follower.cache

    def _cache(self) -> Cache:
        return self._follower.here().cache

    def _path(self, key: Key) -> str:
        if self._namespaces and key.namespace not in self._namespaces:
            raise NotFound(str(key))
        return paths.registry(key)

    def _read(self, key: Key) -> Resource:
        return self._connection.call("GET", self._path(key), subject=str(key))
