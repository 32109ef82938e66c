"""The store on a cluster, where registries are custom resources (kubernetes.md).

A write goes to the API server, and returns when its event is in the cache, so that a person sees what they saved. It
leaves a Kubernetes Event (events.py).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from registries.cluster.connection import MERGE_PATCH, Json
from registries.domain.errors import AlreadyExists, Conflict, NotFound, Problem
from registries.domain.reading import as_applied, password_of, to_domain
from registries.domain.registry import Draft, Key, RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import (
    KIND,
    LAST_APPLIED,
    VERIFY_STATUS,
    Resource,
    draft_of,
    encode_password,
    generation_with,
    key_of,
    new_resource,
    password_annotations,
)
from registries.stores.base import SecretWaits
from registries.stores.cluster.reads import KubernetesStoreReads
from registries.stores.room import size_of_new

DRY_RUN = {"dryRun": "All"}
"""The query of a dry run: the API server checks everything, admission included, and writes nothing."""


class KubernetesStore(KubernetesStoreReads):
    """The store on a cluster."""

    def create(self, draft: Draft, *, dry_run: bool = False) -> RegistrySecret:
        resource = new_resource(draft)
        self._require_room(resource)
        return self._create(resource, dry_run=dry_run)

    def restore(self, resource: Resource) -> RegistrySecret:
        self._require_room(resource)
        return self._create(resource, dry_run=False)

    def _require_room(self, resource: Resource) -> None:
        self._cache().require_room(key_of(resource), size_of_new(resource))

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
        """One patch. The copy of the resource that `kubectl apply` keeps has the old password and is removed. A verdict
        comes with its generation, so a version that the cache does not know is read first."""
        before = self._cache().known(key, uid)
        same = before if before and before.resource_version == resource_version else None
        if same is None and verdict and verdict.status is not VerifyStatus.UNTESTED:
            same, resource_version = self._at(key, uid, resource_version)
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

    def _at(self, key: Key, uid: str, resource_version: str | None) -> tuple[RegistrySecret, str]:
        """A registry at a version, or without one as it is now, and its version. Conflict `recreated`, `changed`."""
        found = self.get(key)
        if found.uid != uid:
            raise Conflict(str(key), Problem.RECREATED)
        if resource_version not in (None, found.resource_version):
            raise Conflict(str(key), Problem.CHANGED)
        return found, found.resource_version

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
