"""The embedded store: a small etcd in the database of DATABASE_URL.

It stores the JSON of each resource with uid, resourceVersion and creationTimestamp, raises the same conflicts as an
API server, and answers with the changes since a version. Every write locks the version row first. Writes are therefore
serial, and a reader sees versions in their order.
"""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import F

from registries.domain.errors import AlreadyExists, Conflict, NotFound, Problem
from registries.domain.password import decode_password, encode_password, fingerprint
from registries.domain.registry import (
    Credential,
    Draft,
    Key,
    RegistrySecret,
    Verification,
    credential_of,
)
from registries.domain.resource import KIND, Resource, as_applied, key_of, new_resource, to_domain
from registries.domain.reviving import draft_of, password_annotations, reviving
from registries.models import StoredResource, StoreVersion
from registries.pull_secrets.kinds import PullSecret
from registries.stores.base import Changes, ChangeType, Freshness
from registries.stores.embedded_changes import (
    NAMESPACE_KIND,
    annotate_all,
    everything,
    merged,
    newest_version,
    note,
    read,
    written_between,
)
from registries.stores.sealing import Sealer, reseal_all

POLL = 0.02
"""Seconds between two looks for the writes of other processes, while a watch waits."""


class EmbeddedStore:
    """The Store protocol on Django's default database."""

    manages_namespaces = True

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._written = threading.Condition()
        self._looked_at = float("-inf")
        self._seen = 0

    def acting_as(self, acting: object | None) -> "EmbeddedStore":
        return self

    def stop(self) -> None:
        """This store has no threads."""

    def freshness(self) -> Freshness:
        return Freshness()

    def changes(self, since: str | None) -> Changes:
        value, known = newest_version(), -1 if since is None else int(since)
        if known == value:
            return Changes(version=str(value), complete=False, mark=value)
        changes = written_between(known, value) if 0 <= known < value else None
        return changes or everything()

    def wait(self, since: str | None, seconds: float) -> None:
        """Wakes at once after a write of this process. All waiting threads share the look for other writes."""
        end = time.monotonic() + seconds
        with self._written:
            while (now := time.monotonic()) < end:
                if now - self._looked_at >= POLL:
                    self._looked_at, self._seen = now, newest_version()
                if str(self._seen) != since:
                    return
                self._written.wait(POLL)

    def reached(self, version: int) -> bool:
        return False  # `changes` never misses a version

    def get(self, key: Key) -> RegistrySecret:
        return read(self._row(key).body)[1]

    def writer(self, key: Key, annotation: str) -> None:
        """Only the console writes here."""

    def create(self, draft: Draft, *, dry_run: bool = False) -> RegistrySecret:
        return self._create(new_resource(draft), dry_run=dry_run)

    def restore(self, resource: Resource) -> RegistrySecret:
        return self._create({**resource, "spec": dict(resource["spec"])}, dry_run=False)

    def _create(self, body: Resource, *, dry_run: bool) -> RegistrySecret:
        key = key_of(body)
        password = body["spec"].pop("password")
        if dry_run:
            self._require_namespace(key)
            if StoredResource.objects.filter(kind=KIND, namespace=key.namespace, name=key.name).exists():
                raise AlreadyExists(str(key))
            return to_domain(body)
        uid = str(uuid4())
        with transaction.atomic():
            version = self._next_version()
            self._require_namespace(key)
            body["metadata"] = _metadata(body["metadata"], uid, version)
            text = json.dumps(body, ensure_ascii=False)
            registry = read(text)[1]
            sealed = self._sealer.seal(password, uid=uid, binding=registry.binding)
            self._insert(KIND, key, uid, version, text, sealed)
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
        return self._change(key, annotations, None, uid, resource_version, dry_run=dry_run)

    def annotate_all(self, places: Sequence[tuple[Key, str]], annotations: Mapping[str, str | None]) -> bool:
        uids = {uid for _, uid in places}
        with transaction.atomic():
            StoreVersion.objects.select_for_update().filter(pk=1).first()
            if present := StoredResource.objects.filter(kind=KIND, uid__in=uids).count():
                written = annotate_all(uids, annotations, self._next_version(present) - present + 1)
                self._note(ChangeType.MODIFIED, KIND, written)
        return True

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
        notes = password_annotations(set_at or datetime.now(UTC), verdict)
        return self._change(key, notes, password, uid, resource_version, dry_run=dry_run)

    def _change(
        self,
        key: Key,
        annotations: Mapping[str, str | None],
        password: str | None,
        uid: str,
        resource_version: str | None,
        *,
        dry_run: bool,
    ) -> RegistrySecret:
        """Merges annotations and seals another password, if there is one, in one transaction."""
        with transaction.atomic():
            version = 0 if dry_run else self._next_version()
            row = self._row(key, uid)
            body = read(row.body)[0]
            metadata = dict(body["metadata"])
            if resource_version is not None and metadata["resourceVersion"] != resource_version:
                raise Conflict(str(key), Problem.CHANGED)
            metadata["annotations"] = merged(metadata.get("annotations"), annotations)
            if password is not None:
                metadata["generation"] = metadata.get("generation", 1) + 1
            body = {**body, "metadata": metadata}
            if dry_run:
                return to_domain(body)
            metadata["resourceVersion"] = str(version)
            row.body, row.resource_version = json.dumps(body, ensure_ascii=False), version
            if password is not None:
                binding = as_applied(body).binding
                row.sealed_password = self._sealer.seal(encode_password(password), uid=uid, binding=binding)
            row.save(
                update_fields=["body", "resource_version", "sealed_password"][: 2 if password is None else 3]
            )
            self._note(ChangeType.MODIFIED, KIND, {version: row.body})
        return read(row.body)[1]

    def draft(self, key: Key, *, uid: str) -> Draft:
        row = self._row(key, uid)
        body, registry = read(row.body)
        return draft_of(body, registry, self._opened(row))

    def replace(self, draft: Draft, *, uid: str) -> RegistrySecret:
        with transaction.atomic():
            self.delete(draft.key, uid=uid)
            return self.create(draft)

    def delete(self, key: Key, *, uid: str, dry_run: bool = False) -> bool:
        if dry_run:
            self._row(key, uid)
            return True
        with transaction.atomic():
            version = self._next_version()
            self._bury(self._row(key, uid), version)
        return True

    def credential(self, key: Key, *, uid: str) -> Credential:
        row = self._row(key, uid)
        return credential_of(as_applied(*read(row.body)), self._opened(row))

    def _opened(self, row: StoredResource) -> str:
        registry = as_applied(*read(row.body))  # the seal is bound to the values as they are stored
        opened = self._sealer.open(row.sealed_password, uid=row.uid, binding=registry.binding)
        return decode_password(opened)

    def whole(self, key: Key, *, uid: str) -> Resource:
        row = self._row(key, uid)
        body = read(row.body)[0]
        registry = as_applied(body)
        password = self._sealer.open(row.sealed_password, uid=uid, binding=registry.binding)
        return reviving({**body, "spec": {**body["spec"], "password": password}})

    def fingerprint(self, registry: RegistrySecret) -> bytes:
        credential = self.credential(registry.key, uid=registry.uid)
        return fingerprint(credential.address, credential.username, credential.password)

    def pull_secret(self, key: Key) -> PullSecret:
        return PullSecret.NONE

    def upkeep_problem(self) -> None:
        return None

    def pull_secret_users(self) -> None:
        return None

    def pull_failures(self) -> None:
        return None

    def namespaces_with(self, labels: str) -> None:
        return None

    def node_pods(self) -> None:
        return None

    def create_namespace(self, name: str) -> None:
        uid = str(uuid4())
        with transaction.atomic():
            version = self._next_version()
            body = {"apiVersion": "v1", "kind": NAMESPACE_KIND, "metadata": {"name": name}}
            body["metadata"] = _metadata({"name": name}, uid, version)
            self._insert(NAMESPACE_KIND, Key("", name), uid, version, json.dumps(body), "")

    def delete_namespace(self, name: str) -> None:
        with transaction.atomic():
            version = self._next_version()
            row = StoredResource.objects.filter(kind=NAMESPACE_KIND, name=name).first()
            if row is None:
                raise NotFound(name)
            if StoredResource.objects.filter(kind=KIND, namespace=name).exists():
                raise Conflict(name, Problem.NOT_EMPTY)
            self._bury(row, version)

    def reseal(self) -> int:
        """Encrypts every password with the newest key. Returns the number of passwords."""
        return reseal_all(self._sealer, StoredResource.objects.filter(kind=KIND), "sealed_password")

    @staticmethod
    def _next_version(number: int = 1) -> int:
        """Takes so many versions, and returns the last one."""
        if not StoreVersion.objects.filter(pk=1).update(value=F("value") + number):
            StoreVersion.objects.get_or_create(pk=1)
            StoreVersion.objects.filter(pk=1).update(value=F("value") + number)
        return StoreVersion.objects.values_list("value", flat=True).get(pk=1)

    def _note(self, kind_of_change: ChangeType, kind: str, written: Mapping[int, str]) -> None:
        """Adds changes to the log, as a part of the write, and wakes the watches of this process after it."""
        note(kind_of_change, kind, written)
        transaction.on_commit(self._wake)

    def _wake(self) -> None:
        with self._written:
            self._looked_at = float("-inf")
            self._written.notify_all()

    @staticmethod
    def _require_namespace(key: Key) -> None:
        if not StoredResource.objects.filter(kind=NAMESPACE_KIND, name=key.namespace).exists():
            raise NotFound(key.namespace)

    @staticmethod
    def _row(key: Key, uid: str | None = None) -> StoredResource:
        row = StoredResource.objects.filter(kind=KIND, namespace=key.namespace, name=key.name).first()
        if row is None:
            raise NotFound(str(key))
        if uid is not None and row.uid != uid:
            raise Conflict(str(key), Problem.RECREATED)
        return row

    def _insert(self, kind: str, key: Key, uid: str, version: int, body: str, sealed: str) -> None:
        try:
            with transaction.atomic():
                StoredResource.objects.create(
                    kind=kind,
                    namespace=key.namespace,
                    name=key.name,
                    uid=uid,
                    resource_version=version,
                    body=body,
                    sealed_password=sealed,
                )
        except IntegrityError as error:
            raise AlreadyExists(str(key) if key.namespace else key.name) from error
        self._note(ChangeType.ADDED, kind, {version: body})

    def _bury(self, row: StoredResource, version: int) -> None:
        body = read(row.body)[0] if row.kind == KIND else json.loads(row.body)
        body = {**body, "metadata": {**body["metadata"], "resourceVersion": str(version)}}
        row.delete()
        self._note(ChangeType.DELETED, row.kind, {version: json.dumps(body, ensure_ascii=False)})


def _metadata(given: Mapping[str, object], uid: str, version: int) -> dict[str, object]:
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**given, "uid": uid, "resourceVersion": str(version), "creationTimestamp": created}
