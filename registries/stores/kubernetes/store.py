"""The store on a cluster: registry secrets are custom resources (kubernetes.md), read from the journal, written
to the API server. What a write returns goes into the journal at once, so that who saves sees it.

A resource's password, its managedFields and kubectl's copy of it are dropped as soon as an answer is parsed.
May import its siblings, the domain, errors and the resource.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy

from registries.domain import Credential, Key, RegistrySecret, credential_of
from registries.errors import Conflict, ConsoleError, NotFound
from registries.resource import KIND, Resource, decode_password, public, to_domain
from registries.stores.base import Changes, Freshness, PullSecret, PullSecretUsers
from registries.stores.kubernetes import paths
from registries.stores.kubernetes.client import MERGE_PATCH, Connection, Json
from registries.stores.kubernetes.gate import Caller, Person
from registries.stores.kubernetes.journal import Journal
from registries.stores.kubernetes.lease import Lease
from registries.stores.kubernetes.pull_secret import PullSecrets
from registries.stores.kubernetes.reconcile import Reconciler
from registries.stores.kubernetes.users import Users
from registries.stores.kubernetes.watch import Listing, Pulse, Watcher

log = logging.getLogger(__name__)

FIRST_LIST = 15.0
"""Seconds that the first reader waits for the first list."""


class KubernetesStore:
    """The store protocol (stores/base.py) on a cluster. Its threads start when somebody first asks what there
    is, so in the process that answers requests."""

    manages_namespaces = False

    def __init__(
        self, connection: Connection, *, lease: Lease | None = None, patience: float = FIRST_LIST
    ) -> None:
        """With a lease, pull secrets are kept as well, in the background by whoever holds it."""
        self._connection = connection
        self._writer: Caller = connection
        self._journal = Journal(("namespaces", "registries"), patience)
        self._secrets = PullSecrets(connection)
        self._reconciler = Reconciler(self._secrets, lease, self._journal.keys) if lease else None
        touch = self._reconciler.touch if self._reconciler else None
        self._watchers = (
            Watcher(connection, paths.EVERYWHERE, _Registries(self._journal, touch)),
            Watcher(connection, paths.NAMESPACES, _Namespaces(self._journal)),
            Pulse(connection, paths.GROUP_PATH, _Sign(self._journal, "pulse")),
            *((self._reconciler,) if self._reconciler else ()),
        )
        self._starting = threading.Lock()
        self._started = False

    def stop(self) -> None:
        """For tests: what has ended asks nothing more."""
        for watcher in self._watchers:
            watcher.stop()

    def acting_as(self, acting: object | None) -> "KubernetesStore":
        """The same store, what it follows included, with a Person of gate.py for what is written, and for reading
        a password; lists, what is shown of one registry, and pull secrets stay the console's own."""
        if acting is None:
            return self
        if not isinstance(acting, Person):
            raise TypeError("not somebody of this cluster")
        theirs = copy(self)
        theirs._writer = acting
        return theirs

    def freshness(self) -> Freshness:
        self._start()
        return self._journal.freshness()

    def changes(self, since: str | None) -> Changes:
        self._start()
        return self._journal.changes(since)

    def get(self, key: Key) -> Resource:
        return public(self._read(key))

    def create(self, resource: Resource) -> Resource:
        metadata = resource["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        path = paths.registries_in(key.namespace)
        created = self._writer.call("POST", path, subject=str(key), body=resource)
        known = self._known(created)
        if self._reconciler is not None:
            try:
                self._secrets.follow(key, created)
            except ConsoleError:
                self._reconciler.touch(key, "")  # the registry is saved all the same
        return known

    def annotate(
        self,
        key: Key,
        annotations: Mapping[str, str | None],
        *,
        uid: str,
        resource_version: str | None = None,
    ) -> Resource:
        metadata: Json = {"uid": uid, "annotations": dict(annotations)}
        if resource_version is not None:
            metadata["resourceVersion"] = resource_version
        try:
            changed = self._writer.call(
                "PATCH", paths.registry(key), subject=str(key), body={"metadata": metadata}, kind=MERGE_PATCH
            )
        except Conflict as error:
            raise self._conflict(key, uid, error) from None
        return self._known(changed)

    def delete(self, key: Key, *, uid: str) -> None:
        options = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        try:
            left = self._writer.call("DELETE", paths.registry(key), subject=str(key), body=options)
        except Conflict as error:
            raise self._conflict(key, uid, error) from None
        except NotFound:
            self._journal.remove(key, uid)
            raise
        if left.get("kind") == KIND and (left.get("metadata") or {}).get("finalizers"):
            self._known(left)  # somebody's finalizer keeps it for a while, and so it is still shown
        else:
            self._journal.remove(key, uid)

    def credential(self, key: Key, *, uid: str) -> Credential:
        resource = self._writer.call("GET", paths.registry(key), subject=str(key))
        if resource["metadata"]["uid"] != uid:
            raise Conflict(str(key), "recreated")
        stored = str((resource.get("spec") or {}).get("password") or "")
        return credential_of(to_domain(resource), decode_password(stored))

    def pull_secret(self, key: Key, *, uid: str) -> PullSecret:
        return self._secrets.state(key, uid) if self._reconciler else PullSecret.NONE

    def pull_secret_users(self) -> PullSecretUsers | None:
        if self._reconciler is None:
            return None
        reader = self._writer.connection() if isinstance(self._writer, Person) else self._connection
        return Users(reader, self._writer, self._secrets.is_foreign)

    def create_namespace(self, name: str) -> None:
        raise Conflict(name, "namespaces_elsewhere")

    def delete_namespace(self, name: str) -> None:
        raise Conflict(name, "namespaces_elsewhere")

    def _start(self) -> None:
        if self._started:
            return
        with self._starting:
            if not self._started:
                for watcher in self._watchers:
                    watcher.start()
                self._started = True

    def _read(self, key: Key) -> Resource:
        return self._connection.call("GET", paths.registry(key), subject=str(key))

    def _known(self, answer: Json) -> Resource:
        resource = public(answer)
        self._journal.put(to_domain(resource))
        return resource

    def _conflict(self, key: Key, uid: str, error: Conflict) -> Conflict | NotFound:
        """Which one it was: the server's words would tell, but they are not an interface."""
        if error.problem != "changed":
            return error
        try:
            present = self._read(key)
        except NotFound as gone:
            return gone
        return Conflict(str(key), "changed" if present["metadata"]["uid"] == uid else "recreated")


class _Sign:
    """watch.Sink, as far as it is about being heard of."""

    def __init__(self, journal: Journal, source: str) -> None:
        self._journal = journal
        self._source = source

    def listed(self, listing: Listing) -> None:
        raise NotImplementedError

    def happened(self, event: str, item: Json) -> None:
        raise NotImplementedError

    def sign(self) -> None:
        self._journal.sign(self._source)

    def lost(self, problem: str) -> None:
        self._journal.lost(self._source, problem)


class _Registries(_Sign):
    def __init__(self, journal: Journal, touch: Callable[[Key, str], None] | None) -> None:
        super().__init__(journal, "registries")
        self._touch = touch

    def listed(self, listing: Listing) -> None:
        self._journal.replace(
            _readable(listing.items), listing.version, another_history=listing.another_history
        )
        if self._touch:
            for item in listing.items:
                self._touch(_key(item), _generation(item))

    def happened(self, event: str, item: Json) -> None:
        for registry in _readable((item,)):
            if event == "DELETED":
                self._journal.remove(registry.key, registry.uid)
            else:
                self._journal.put(registry)
                if self._touch:
                    self._touch(registry.key, _generation(item))


class _Namespaces(_Sign):
    def __init__(self, journal: Journal) -> None:
        super().__init__(journal, "namespaces")
        self._names: frozenset[str] = frozenset()

    def listed(self, listing: Listing) -> None:
        self._set(frozenset(str(item["metadata"]["name"]) for item in listing.items))

    def happened(self, event: str, item: Json) -> None:
        name = frozenset((str(item["metadata"]["name"]),))
        self._set(self._names - name if event == "DELETED" else self._names | name)

    def _set(self, names: frozenset[str]) -> None:
        self._names = names
        self._journal.set_namespaces(names)


def _key(item: Json) -> Key:
    return Key(str(item["metadata"]["namespace"]), str(item["metadata"]["name"]))


def _generation(item: Json) -> str:
    """Another one when the spec is another one; what is written in annotations leaves it alone."""
    return f"{item['metadata'].get('uid')}/{item['metadata'].get('generation')}"


def _readable(items: Iterable[Json]) -> Iterator[RegistrySecret]:
    """One resource that cannot be understood must not hide all others."""
    for item in items:
        try:
            yield to_domain(item)
        except (KeyError, TypeError, ValueError, AttributeError):
            metadata = item.get("metadata") or {}
            log.warning(
                "not readable as a RegistrySecret: %s/%s", metadata.get("namespace"), metadata.get("name")
            )
