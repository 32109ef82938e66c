"""The cache of one process, and the threads that keep it fresh."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import partial

from registries.cluster import paths
from registries.cluster.connection import Connection, Json
from registries.cluster.lease import Lease
from registries.domain.errors import ConsoleError, Problem, Unavailable
from registries.domain.reading import as_applied, password_of, to_domain
from registries.domain.registry import Key, RegistrySecret, at_version
from registries.pull_secrets.reconcile import Reconciler
from registries.pull_secrets.secret import OURS, PullSecrets
from registries.stores.base import ChangeType, Event
from registries.stores.cluster.cache import Cache
from registries.stores.cluster.watch import HealthCheck, Listing, Sink, Watcher
from registries.stores.room import Kept, Room

log = logging.getLogger(__name__)


NamespacesSeen = Callable[[Mapping[str, datetime]], None]
REFUSED_FOR = 30.0
"""Seconds for which a namespace stays known that the server refuses. An API server that has just started does not know
all roles."""

LISTED_AGAIN = 30.0
"""Seconds between two lists because a registry was deleted, or became smaller, in a namespace that has more than there
is room for."""


class Follower:
    """Watches registries and namespaces. With a lease, it maintains the pull secrets as well.

    With `namespaces`, it watches each of them by itself, and needs no rights on the whole cluster. `namespaces_seen`
    gets the creation of each namespace once, from the watching thread: another creation is another namespace.
    """

    def __init__(
        self,
        connection: Connection,
        secrets: PullSecrets,
        lease: Lease | None,
        patience: float,
        namespaces: Collection[str] = (),
        namespaces_seen: NamespacesSeen = lambda created: None,
        room: Room = Room(),  # noqa: B008
    ) -> None:
        places = {name: paths.registries_in(name) for name in namespaces} or {"": paths.EVERYWHERE}
        sources = [f"registries {it}" for it in places] + ["namespaces"][: not namespaces]
        self.cache = Cache(sources, patience, room)
        watchers = partial(_secret_watchers, connection, self.cache, namespaces)
        self._secrets = secrets
        self._reconciler = Reconciler(secrets, lease, self.cache.keys, watchers) if lease else None
        touch = self._reconciler.touch if self._reconciler else None
        self.watchers = [
            Watcher(connection, path, _Registries(self.cache, touch, name, room))
            for name, path in places.items()
        ]
        if not namespaces:
            self.watchers.append(
                Watcher(connection, paths.NAMESPACES, _Namespaces(self.cache, namespaces_seen))
            )
        self._all = (
            *self.watchers,
            HealthCheck(connection, paths.GROUP_PATH, _Connection(self.cache, "ping")),
            *((self._reconciler,) if self._reconciler else ()),
        )
        self._starting = threading.Lock()
        self._started = False

    def start(self) -> None:
        """Starts the threads, once."""
        if self._started:
            return
        with self._starting:
            if not self._started:
                for one in self._all:
                    one.start()
                self._started = True

    def stop(self) -> None:
        """Ends the threads."""
        for one in self._all:
            one.stop()

    def upkeep_problem(self) -> Unavailable | None:
        return self._reconciler.problem() if self._reconciler else None

    def writing(self, key: Key) -> AbstractContextManager[None]:
        """This process writes a registry, and its pull secret after it."""
        return self._reconciler.writing(key) if self._reconciler else nullcontext()

    def put_secret(
        self, resource: Json, registry: RegistrySecret, *, new: bool = False
    ) -> Unavailable | None:
        """Writes the pull secret of a registry that was created or changed a moment ago. Returns an error that is about
        to pass. After any error the upkeep tries again; after a success it need not look."""
        if self._reconciler is None:
            return None
        try:
            version = self._secrets.put(as_applied(resource, registry), password_of(resource), new=new)
        except ConsoleError as error:
            self._reconciler.touch(registry.key, "")
            return error if isinstance(error, Unavailable) and error.passing else None
        if version:
            self._reconciler.written(registry.key, _generation(resource), version)
        else:
            self._reconciler.touch(registry.key, "")
        return None


def _secret_watchers(
    connection: Connection, cache: Cache, namespaces: Collection[str], changed: Callable[[Key, str], None]
) -> list[Watcher]:
    """Watchers of all Secrets with the console's label. They never read the content of a Secret."""
    lean = connection.of_metadata()
    places = {name: paths.secrets_in(name) for name in namespaces} or {"": paths.SECRETS}
    return [
        Watcher(lean, path, _Secrets(cache, name, changed), selector=OURS, optional=True)
        for name, path in places.items()
    ]


class _Connection(Sink):
    """The part of a Sink about the connection."""

    def __init__(self, cache: Cache, source: str) -> None:
        self._cache = cache
        self._source = source

    def answered(self) -> None:
        self._cache.answered(self._source)

    def lost(self, problem: Problem) -> None:
        self._cache.lost(self._source, problem)


class _Registries(_Connection):
    """Everything, or one namespace."""

    def __init__(self, cache: Cache, touch: Callable[..., None] | None, namespace: str, room: Room) -> None:
        super().__init__(cache, f"registries {namespace}")
        self._touch = touch
        self._namespace = namespace
        self._room = room
        self._taken = Kept(room)
        self._answered_at = self._listed_at = float("-inf")
        self._has_room = False

    def begun(self) -> None:
        self._taken = Kept(self._room)

    def taken(self, item: Json) -> tuple[Key, str]:
        """What its namespace has no room for is not kept, not even until the list ends."""
        if registry := _readable(item):
            self._taken.put(registry)
        return _key(item), _generation(item)

    def listed(self, listing: Listing) -> None:
        taken, self._taken = self._taken, Kept(self._room)
        self._listed_at, self._has_room = time.monotonic(), False
        self._cache.replace(
            taken.registries.values(),
            listing.version,
            another_history=listing.another_history,
            namespace=self._namespace,
            surplus=taken.surplus,
        )
        if self._namespace:
            self._cache.add_namespace(self._namespace)
        if self._touch:
            for key, generation in listing.items:
                self._touch(key, generation, urgent=False)

    def answered(self) -> None:
        self._answered_at = time.monotonic()
        super().answered()

    def lost(self, problem: Problem) -> None:
        """A namespace whose owner took the console's rights away does not stop the others."""
        if not self._namespace or problem != Problem.CLUSTER_FORBIDDEN:
            super().lost(problem)
        elif time.monotonic() - self._answered_at >= REFUSED_FOR:
            self._cache.refused(self._source, self._namespace)

    def happened(self, event: str, item: Json) -> None:
        if event == "BOOKMARK":
            self._cache.advance(str(item["metadata"]["resourceVersion"]))
            return
        registry = _readable(item)
        if registry is None and event == "DELETED":
            known = self._cache.known(_key(item), str(item["metadata"]["uid"]))
            registry = known and at_version(known, str(item["metadata"]["resourceVersion"]))
        if registry is not None:
            self._cache.happened(Event(ChangeType(event), registry))
            if self._touch and event != "DELETED":
                self._touch(registry.key, _generation(item))
            is_gone = event == "DELETED" and registry.namespace in self._cache.overfull
            if is_gone or self._cache.has_room_again(registry.namespace):
                self._has_room = True

    def wants_list(self) -> bool:
        """A registry that was left out may have room now. Not often, but never forgotten: a bookmark comes every
        minute."""
        return self._has_room and time.monotonic() - self._listed_at >= LISTED_AGAIN


class _Secrets(Sink):
    """Reports every change of a Secret with the console's label, of all namespaces or of one. A watch that fails is no
    problem of the cluster: all Secrets are checked from time to time as well."""

    def __init__(self, cache: Cache, namespace: str, changed: Callable[[Key, str], None]) -> None:
        self._cache = cache
        self._namespace = namespace
        self._changed = changed
        self._versions: dict[Key, str] = {}

    def taken(self, item: Json) -> tuple[Key, str]:
        return _key(item), str(item["metadata"]["resourceVersion"])

    def listed(self, listing: Listing) -> None:
        """Without an event: what changed, and what is missing, whenever it was made."""
        before, self._versions = self._versions, dict(listing.items)
        everything = self._cache.keys()
        known = {it for it in everything if self._namespace in ("", it.namespace)}
        for key in known | self._versions.keys():
            if key not in self._versions or self._versions[key] != before.get(key):
                self._changed(key, self._versions.get(key, ""))

    def happened(self, event: str, item: Json) -> None:
        if event == "BOOKMARK":
            return
        key, version = self.taken(item)
        if event == "DELETED":
            self._versions.pop(key, None)
        else:
            self._versions[key] = version
        self._changed(key, self._versions.get(key, ""))


class _Namespaces(_Connection):
    def __init__(self, cache: Cache, seen: NamespacesSeen) -> None:
        super().__init__(cache, "namespaces")
        self._seen = seen
        self._created: dict[str, datetime] = {}
        self._told: dict[str, datetime] = {}

    def taken(self, item: Json) -> tuple[str, datetime]:
        metadata = item["metadata"]
        return str(metadata["name"]), datetime.fromisoformat(str(metadata["creationTimestamp"]))

    def listed(self, listing: Listing) -> None:
        self._set(dict(listing.items))

    def happened(self, event: str, item: Json) -> None:
        if event == "BOOKMARK":
            return
        name, created = self.taken(item)
        others = {it: at for it, at in self._created.items() if it != name}
        self._set(others if event == "DELETED" else {**others, name: created})

    def _set(self, created: dict[str, datetime]) -> None:
        if new := {name: at for name, at in created.items() if self._told.get(name) != at}:
            self._seen(new)
        self._told |= created
        self._created = created
        self._cache.set_namespaces(frozenset(created))


def _key(item: Json) -> Key:
    return Key(str(item["metadata"]["namespace"]), str(item["metadata"]["name"]))


def _generation(item: Json) -> str:
    """Changes with the uid and the spec, not with annotations."""
    return f"{item['metadata'].get('uid')}/{item['metadata'].get('generation')}"


def _readable(item: Json) -> RegistrySecret | None:
    """The registry, or None for an unreadable resource, which is logged and must not hide the others."""
    try:
        return to_domain(item)
    except (KeyError, TypeError, ValueError, AttributeError):
        metadata = item.get("metadata") or {}
        log.warning(
            "not readable as a RegistrySecret: %s/%s", metadata.get("namespace"), metadata.get("name")
        )
        return None
