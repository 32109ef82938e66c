"""The store on a cluster, where registries are custom resources (kubernetes.md).

Lists come from the cache (cache.py), writes go to the API server. A write returns when its event is in the cache, so
that a person sees what they saved. The password, managedFields and kubectl's copy of the resource are dropped as soon
as an answer is parsed. Each write of a registry leaves a Kubernetes Event (events.py).
"""

import json
from collections.abc import Callable, Collection, Mapping
from copy import copy
from datetime import UTC, datetime

from registries.cluster import paths
from registries.cluster.connection import MERGE_PATCH, Connection, Json
from registries.cluster.lease import Lease
from registries.cluster.per_process import PerProcess
from registries.cluster.personal import Caller, Person
from registries.domain.errors import AlreadyExists, Conflict, ConsoleError, NotFound, Problem, Unavailable
from registries.domain.reading import as_applied, as_tested, password_of, to_domain
from registries.domain.registry import (
    Credential,
    Draft,
    Key,
    RegistrySecret,
    Verification,
    VerifyStatus,
    credential_of,
)
from registries.domain.resource import (
    KIND,
    LAST_APPLIED,
    VERIFY_GENERATION,
    VERIFY_STATUS,
    Resource,
    draft_of,
    encode_password,
    generation_with,
    key_of,
    new_resource,
    password_annotations,
    reviving,
)
from registries.domain.writer import Writer
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.node_pods import NodePods
from registries.pull_secrets.pods import PodReader
from registries.pull_secrets.secret import PullSecrets
from registries.pull_secrets.usage import Users
from registries.stores.base import Changes, Freshness, SecretWaits, Store
from registries.stores.cluster.cache import Cache
from registries.stores.cluster.events import Events
from registries.stores.cluster.follower import Follower, NamespacesSeen
from registries.stores.room import Room

DRY_RUN = {"dryRun": "All"}
"""The query of a dry run: the API server checks everything, admission included, and writes nothing."""
FIRST_LIST = 15.0
"""Seconds that a reader waits for the first list."""


class KubernetesStore(Store):
    """Its threads start with the first call of `changes` or `freshness`."""

    def __init__(
        self,
        connection: Connection,
        *,
        lease: Callable[[], Lease] | None = None,
        namespaces: Collection[str] = (),
        namespaces_seen: NamespacesSeen = lambda created: None,
        room: Room = Room(),  # noqa: B008
    ) -> None:
        """`lease` makes the lease of a process. With it, the store maintains pull secrets; in the background, only the
        holder of the lease does. With `namespaces`, no other namespace exists for the store.
        `namespaces_seen`: see Follower."""
        self._connection = connection
        self._namespaces = frozenset(namespaces)
        self._writer: Caller = connection
        self._secrets = PullSecrets(connection)
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

    def acting_as(self, acting: object | None) -> "KubernetesStore":
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

    def create(self, draft: Draft, *, dry_run: bool = False) -> RegistrySecret:
        resource = new_resource(draft)
        self._require_room(resource)
        return self._create(resource, dry_run=dry_run)

    def restore(self, resource: Resource) -> RegistrySecret:
        self._require_room(resource)
        return self._create(resource, dry_run=False)

    def _require_room(self, resource: Resource) -> None:
        self._cache().require_room(key_of(resource), len(json.dumps(resource)))

    def _create(self, resource: Resource, *, dry_run: bool) -> RegistrySecret:
        key = key_of(resource)
        path = self._path(key).rpartition("/")[0]
        if dry_run:
            return to_domain(self._writer.call("POST", path, subject=str(key), body=resource, query=DRY_RUN))
        with self._follower.here().writing(key):
            created = self._writer.call("POST", path, subject=str(key), body=resource)
            registry = self._domain(created)
            self._follower.here().put_secret(created, registry, new=True)
            self._cache().put(registry)  # its event has arrived meanwhile
        self._events.here().created(registry)
        return registry

    def annotate(
        self,
        key: Key,
        annotations: Mapping[str, str | None],
        *,
        uid: str,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> RegistrySecret:
        before = self._cache().known(key, uid)
        tested = annotations.get(VERIFY_STATUS) not in (None, VerifyStatus.UNTESTED)
        if before and tested and not annotations.get(VERIFY_GENERATION):
            annotations = {**annotations, VERIFY_GENERATION: before.generation}
        body: Json = {"metadata": _patched(annotations, uid, resource_version)}
        answer = self._patch(key, body, uid, DRY_RUN if dry_run else None)
        changed = to_domain(answer) if dry_run else self._domain(answer)
        if not dry_run:
            self._cache().put(changed)
            events = self._events.here()
            (events.tested if VERIFY_STATUS in annotations else events.edited)(before, changed)
        return changed

    def set_password(
        self,
        key: Key,
        password: str,
        *,
        uid: str,
        resource_version: str | None = None,
        dry_run: bool = False,
        set_at: datetime | None = None,
        verdict: Verification | None = None,
        with_secret: bool = False,
    ) -> RegistrySecret:
        """One patch. The copy of the resource that `kubectl apply` keeps has the old password and is removed."""
        before = self._cache().known(key, uid)
        same = before if before and before.resource_version == resource_version else None
        generation = generation_with(same, password) if same else ""
        notes = password_annotations(set_at or datetime.now(UTC), verdict, generation) | {LAST_APPLIED: None}
        body: Json = {
            "metadata": _patched(notes, uid, resource_version),
            "spec": {"password": encode_password(password)},
        }
        if dry_run:
            return to_domain(self._patch(key, body, uid, DRY_RUN))
        with self._follower.here().writing(key):
            changed = self._patch(key, body, uid)
            waits = self._follower.here().put_secret(changed, same or to_domain(changed))
            # Its event has arrived meanwhile, and is read already.
            registry = self._cache().seen(key, uid, changed["metadata"]["resourceVersion"])
            if registry is None:
                registry = to_domain(changed)
                self._cache().put(registry, waited=True)
        self._events.here().password_changed(registry)
        if with_secret and waits:
            raise SecretWaits(registry, waits)
        return registry

    def _patch(self, key: Key, body: Json, uid: str, query: Mapping[str, str] | None = None) -> Resource:
        try:
            path, what = self._path(key), str(key)
            return self._writer.call("PATCH", path, subject=what, body=body, query=query, kind=MERGE_PATCH)
        except Conflict as error:
            raise self._conflict(key, uid, error) from None

    def _domain(self, answer: Resource) -> RegistrySecret:
        """The registry in an answer. Its event may be faster; then it is read already."""
        metadata = answer["metadata"]
        known = self._cache().known(key_of(answer), metadata["uid"])
        return known if known and known.resource_version == metadata["resourceVersion"] else to_domain(answer)

    def draft(self, key: Key, *, uid: str) -> Draft:
        resource = self._with_password(key, uid)
        return draft_of(resource, to_domain(resource), password_of(resource))

    def replace(self, draft: Draft, *, uid: str) -> RegistrySecret:
        """Four writes (rotation.md): the pull secret is released from its owner, with the new content; the resource is
        deleted, and created; the new resource becomes the owner of the pull secret."""
        key = draft.key
        if self.keeps_secrets:
            self._secrets.release(as_applied(new_resource(draft)), draft.password, uid)
        try:
            gone = self.delete(key, uid=uid)
        except NotFound:
            gone = True  # an earlier attempt deleted it
        if not gone:
            raise Conflict(str(key), Problem.BEING_DELETED)
        try:
            return self._create(new_resource(draft), dry_run=False)
        except AlreadyExists:
            raise Conflict(str(key), Problem.RECREATED) from None

    def delete(self, key: Key, *, uid: str, dry_run: bool = False) -> bool:
        options: Json = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        if dry_run:
            options["dryRun"] = [DRY_RUN["dryRun"]]  # the server ignores the query of a request with a body
        try:
            left = self._writer.call("DELETE", self._path(key), subject=str(key), body=options)
        except Conflict as error:
            raise self._conflict(key, uid, error) from None
        except NotFound:
            self._cache().remove(key, uid)
            raise
        if dry_run:
            return True
        held = left.get("kind") == KIND and bool((left.get("metadata") or {}).get("finalizers"))
        self._events.here().deleted(key, uid, held=held)
        if held:
            self._cache().put(to_domain(left))  # a finalizer keeps it for a while: it is still shown
            return False
        self._cache().remove(key, uid)
        return True

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

    def _conflict(self, key: Key, uid: str, error: Conflict) -> Conflict | NotFound:
        """The exact conflict, found by a read: the server's message would tell, but its wording is not stable."""
        if error.problem != Problem.CHANGED:
            return error
        try:
            present = self._read(key)
        except NotFound as gone:
            return gone
        return Conflict(str(key), Problem.CHANGED if present["metadata"]["uid"] == uid else Problem.RECREATED)


def _patched(annotations: Mapping[str, str | None], uid: str, resource_version: str | None) -> Json:
    """The metadata of a patch with its preconditions."""
    version = {} if resource_version is None else {"resourceVersion": resource_version}
    return {"uid": uid, **version, "annotations": dict(annotations)}
