"""The embedded store: a small etcd in the database of DATABASE_URL.

It stores the JSON of each resource with uid, resourceVersion and creationTimestamp, raises the same conflicts as an
API server, and answers with the changes since a version. Every write locks the version row first. Writes are therefore
serial, and a reader sees versions in their order.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import uuid4

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from registries.domain.errors import AlreadyExists, Conflict, NotFound, Problem
from registries.domain.registry import Credential, Draft, Key, RegistrySecret, Removal, credential_of
from registries.domain.resource import KIND, Resource, as_applied, decode_password, new_resource, to_domain
from registries.models import StoredResource, StoreVersion, Tombstone
from registries.pull_secrets.kinds import PullSecret, PullSecretUsers
from registries.stores.base import Changes, Freshness
from registries.stores.resealing import reseal_all
from registries.stores.sealing import Sealer

NAMESPACE_KIND = "Namespace"
TOMBSTONES_KEPT = timedelta(hours=1)
READ = 32
"""Bodies kept as read. One request reads the same one several times; a body may have a quarter of a megabyte."""
_VERSION = f"SELECT value, compacted FROM {StoreVersion._meta.db_table} WHERE id = 1"  # noqa: S608  # nosec
"""Written out: every list asks it, and Django takes longer to write it than a database to answer."""


class EmbeddedStore:
    """The Store protocol on Django's default database."""

    manages_namespaces = True

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def acting_as(self, acting: object | None) -> "EmbeddedStore":
        return self

    def stop(self) -> None:
        """This store has no threads."""

    def freshness(self) -> Freshness:
        return Freshness()

    def changes(self, since: str | None) -> Changes:
        with connection.cursor() as cursor:
            cursor.execute(_VERSION)
            value, compacted = cursor.fetchone() or (0, 0)
        known = -1 if since is None else int(since)
        if known == value:
            return Changes(version=str(value), complete=False, mark=value)
        # Start over when the tombstones are gone, or when a restored backup is older than the caller's version.
        complete = known < compacted or known > value
        rows = StoredResource.objects.filter(resource_version__lte=value)
        graves = Tombstone.objects.filter(resource_version__lte=value)
        if not complete:
            rows, graves = rows.filter(resource_version__gt=known), graves.filter(resource_version__gt=known)
        upserted, touched = [], complete
        for kind, body in rows.values_list("kind", "body").iterator():
            if kind == KIND:
                # A list of everything would only push out the bodies that are in use.
                upserted.append(to_domain(json.loads(body)) if complete else _read(body)[1])
            else:
                touched = True
        removed = (
            []
            if complete
            else list(graves.values_list("kind", "namespace", "name", "uid", "resource_version"))
        )
        touched = touched or any(kind == NAMESPACE_KIND for kind, *_ in removed)
        return Changes(
            version=str(value),
            complete=complete,
            upserted=tuple(upserted),
            removed=tuple(
                Removal(Key(ns, name), uid, at) for kind, ns, name, uid, at in removed if kind == KIND
            ),
            namespaces=self._namespaces() if touched else None,
            mark=value,
        )

    def reached(self, version: int) -> bool:
        return False  # `changes` never misses a version

    def get(self, key: Key) -> RegistrySecret:
        return _read(self._row(key).body)[1]

    def create(self, draft: Draft, *, dry_run: bool = False) -> RegistrySecret:
        key, body = draft.key, new_resource(draft)
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
            registry = _read(text)[1]
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
        with transaction.atomic():
            version = 0 if dry_run else self._next_version()
            row = self._row(key, uid)
            body = _read(row.body)[0]
            metadata = dict(body["metadata"])
            if resource_version is not None and metadata["resourceVersion"] != resource_version:
                raise Conflict(str(key), Problem.CHANGED)
            merged = {**(metadata.get("annotations") or {}), **annotations}
            metadata["annotations"] = {name: value for name, value in merged.items() if value is not None}
            body = {**body, "metadata": metadata}
            if dry_run:
                return to_domain(body)
            metadata["resourceVersion"] = str(version)
            row.body, row.resource_version = json.dumps(body, ensure_ascii=False), version
            row.save(update_fields=["body", "resource_version"])
        return _read(row.body)[1]

    def delete(self, key: Key, *, uid: str, dry_run: bool = False) -> None:
        if dry_run:
            self._row(key, uid)
            return
        with transaction.atomic():
            version = self._next_version()
            self._bury(self._row(key, uid), version)

    def credential(self, key: Key, *, uid: str) -> Credential:
        row = self._row(key, uid)
        registry = as_applied(*_read(row.body))  # the seal is bound to the values as they are stored
        password = decode_password(self._sealer.open(row.sealed_password, uid=uid, binding=registry.binding))
        return credential_of(registry, password)

    def pull_secret(self, key: Key) -> PullSecret:
        return PullSecret.NONE

    def upkeep_problem(self) -> None:
        return None

    def pull_secret_users(self) -> PullSecretUsers | None:
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
    def _next_version() -> int:
        if not StoreVersion.objects.filter(pk=1).update(value=F("value") + 1):
            StoreVersion.objects.get_or_create(pk=1)
            StoreVersion.objects.filter(pk=1).update(value=F("value") + 1)
        return StoreVersion.objects.values_list("value", flat=True).get(pk=1)

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

    @staticmethod
    def _insert(kind: str, key: Key, uid: str, version: int, body: str, sealed: str) -> None:
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

    @staticmethod
    def _bury(row: StoredResource, version: int) -> None:
        """Deletes a row, leaves a tombstone, and removes tombstones older than TOMBSTONES_KEPT."""
        Tombstone.objects.create(
            kind=row.kind, namespace=row.namespace, name=row.name, uid=row.uid, resource_version=version
        )
        row.delete()
        old = Tombstone.objects.filter(deleted_at__lt=timezone.now() - TOMBSTONES_KEPT)
        newest = old.aggregate(newest=Max("resource_version"))["newest"]
        if newest is not None:
            StoreVersion.objects.filter(pk=1).update(compacted=newest)
            old.filter(resource_version__lte=newest).delete()

    @staticmethod
    def _namespaces() -> frozenset[str]:
        return frozenset(StoredResource.objects.filter(kind=NAMESPACE_KIND).values_list("name", flat=True))


@lru_cache(maxsize=READ)
def _read(body: str) -> tuple[Resource, RegistrySecret]:
    """A stored body and its registry, both made once for each text. Never change the resource."""
    resource: Resource = json.loads(body)
    return resource, to_domain(resource)


def _metadata(given: Mapping[str, object], uid: str, version: int) -> dict[str, object]:
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**given, "uid": uid, "resourceVersion": str(version), "creationTimestamp": created}
