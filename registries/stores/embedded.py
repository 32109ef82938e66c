"""The embedded store: a small etcd in the database of DATABASE_URL.

It stores the JSON of each resource with uid, resourceVersion and creationTimestamp, raises the same conflicts as an
API server, and answers with the changes since a version. Every write locks the version row first. Writes are therefore
serial, and a reader sees versions in their order.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Func, IntegerField, Q, Sum
from django.utils import timezone

from registries.domain.errors import AlreadyExists, Conflict, NotFound, Problem
from registries.domain.reading import as_applied, to_domain
from registries.domain.registry import Draft, Key, RegistrySecret, Verification
from registries.domain.resource import (
    KIND,
    NEW_GENERATION,
    VERIFY_GENERATION,
    Resource,
    encode_password,
    key_of,
    new_resource,
    password_annotations,
)
from registries.models import StoreChange, StoredResource, StoreVersion
from registries.stores.base import ChangeType
from registries.stores.embedded_reads import NAMESPACE_KIND, EmbeddedStoreReads, read
from registries.stores.room import OVERHEAD
from registries.stores.sealing import reseal_all

CHANGES_KEPT = timedelta(hours=1)
CHANGES_BYTES = 16 * 2**20
"""Bytes of changes that the database keeps. An index that is further behind reads everything."""
PRUNED_EVERY = 16
"""Writes between two removals of old changes."""


class EmbeddedStore(EmbeddedStoreReads):
    """The store in Django's default database."""

    manages_namespaces = True

    def create(self, draft: Draft, *, dry_run: bool = False) -> RegistrySecret:
        return self._create(new_resource(draft), dry_run=dry_run)

    def restore(self, resource: Resource) -> RegistrySecret:
        return self._create({**resource, "spec": dict(resource["spec"])}, dry_run=False)

    def _create(self, body: Resource, *, dry_run: bool, replacing: bool = False) -> RegistrySecret:
        key = key_of(body)
        password = body["spec"].pop("password")
        if dry_run:
            self._require_namespace(key)
            self._require_room(key, len(json.dumps(body, ensure_ascii=False).encode()))
            if StoredResource.objects.filter(kind=KIND, namespace=key.namespace, name=key.name).exists():
                raise AlreadyExists(str(key))
            return to_domain(body)
        uid = str(uuid4())
        with transaction.atomic():
            version = self._next_version()
            self._require_namespace(key)
            body["metadata"] = _metadata(body["metadata"], uid, version)
            text = json.dumps(body, ensure_ascii=False)
            if not replacing:
                self._require_room(key, len(text.encode()))
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
            found = StoredResource.objects.filter(kind=KIND, uid__in=uids).order_by("pk")
            if rows := [row for row in found if _is_tested(row, annotations)]:
                written = annotate_all(rows, annotations, self._next_version(len(rows)) - len(rows) + 1)
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

    def replace(self, draft: Draft, *, uid: str) -> RegistrySecret:
        with transaction.atomic():
            self.delete(draft.key, uid=uid)
            return self._create(new_resource(draft), dry_run=False, replacing=True)

    def delete(self, key: Key, *, uid: str, dry_run: bool = False) -> bool:
        if dry_run:
            self._row(key, uid)
            return True
        with transaction.atomic():
            version = self._next_version()
            self._bury(self._row(key, uid), version)
        return True

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
        transaction.on_commit(partial(self._wake, max(written)))

    def _wake(self, version: int) -> None:
        with self._written:
            self._seen = max(self._seen, version)
            self._written.notify_all()

    def _require_room(self, key: Key, size: int) -> None:
        """Refused `namespace_full`. In the transaction of a write, which is serial."""
        present = StoredResource.objects.filter(kind=KIND, namespace=key.namespace)
        held = present.aggregate(count=Count("pk"), size=Sum(_Bytes("body")))
        count = held["count"] + 1
        self._room.require(str(key), count, count * OVERHEAD + (held["size"] or 0) + size)

    @staticmethod
    def _require_namespace(key: Key) -> None:
        if not StoredResource.objects.filter(kind=NAMESPACE_KIND, name=key.namespace).exists():
            raise NotFound(key.namespace)

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


class _Bytes(Func):
    """The bytes of a text. LENGTH would count characters, of which a Chinese one has three bytes."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, tuple[str | int, ...]]:
        """OCTET_LENGTH is not in every SQLite."""
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **more)


def _metadata(given: Mapping[str, object], uid: str, version: int) -> dict[str, object]:
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**given, "uid": uid, "resourceVersion": str(version), "creationTimestamp": created}


def note(kind_of_change: ChangeType, kind: str, written: Mapping[int, str]) -> None:
    """Adds changes to the log, as a part of the write. `written` has the bodies by version."""
    last = StoreChange.objects.order_by("-resource_version").values_list("written", flat=True).first() or 0
    changes = list[StoreChange]()
    for version, text in written.items():
        last += len(text.encode())
        changes.append(
            StoreChange(resource_version=version, type=kind_of_change, kind=kind, written=last, body=text)
        )
    StoreChange.objects.bulk_create(changes)
    if any(version % PRUNED_EVERY == 0 for version in written):
        old = Q(at__lt=timezone.now() - CHANGES_KEPT) | Q(written__lte=last - CHANGES_BYTES)
        StoreChange.objects.filter(old, resource_version__lt=min(written)).delete()


def _is_tested(row: StoredResource, annotations: Mapping[str, str | None]) -> bool:
    """Whether a verdict among these annotations, if there is one, is on the present password."""
    tested = annotations.get(VERIFY_GENERATION)
    return not tested or tested == str(read(row.body)[0]["metadata"].get("generation", NEW_GENERATION))


def annotate_all(
    rows: Sequence[StoredResource], annotations: Mapping[str, str | None], first: int
) -> dict[int, str]:
    """Merges the same annotations into several resources, which get the versions from `first` on. Returns their new
    bodies by version. In one transaction, with the lock of the version."""
    for version, row in enumerate(rows, first):
        row.body, row.resource_version = annotated(read(row.body)[0], annotations, version), version
    StoredResource.objects.bulk_update(rows, ["body", "resource_version"])
    return {row.resource_version: row.body for row in rows}


def annotated(body: Resource, annotations: Mapping[str, str | None], version: int) -> str:
    """The text of a resource with these annotations merged into its own."""
    metadata = dict(body["metadata"])
    metadata["annotations"] = merged(metadata.get("annotations"), annotations)
    metadata["resourceVersion"] = str(version)
    return json.dumps({**body, "metadata": metadata}, ensure_ascii=False)


def merged(own: Mapping[str, str] | None, annotations: Mapping[str, str | None]) -> dict[str, str]:
    """None removes an annotation."""
    return {name: value for name, value in {**(own or {}), **annotations}.items() if value is not None}
