"""What the embedded store holds: its registries, the changes since a version, and passwords."""

import json
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Self

from django.db import connection

from registries.domain.errors import Conflict, NotFound, Problem
from registries.domain.reading import as_applied, to_domain
from registries.domain.registry import Credential, Draft, Key, RegistrySecret, Removal, credential_of
from registries.domain.resource import KIND, Resource, decode_password, draft_of, fingerprint, reviving
from registries.models import StoreChange, StoredResource, StoreVersion
from registries.stores.base import Changes, ChangeType, Event, Freshness, Store
from registries.stores.room import Room
from registries.stores.sealing import Sealer

NAMESPACE_KIND = "Namespace"
POLL = 0.02
"""Seconds between two looks for the writes of other processes, while a watch waits."""
READ = 32
"""Bodies kept as read. One request reads the same one several times; a body may have a quarter of a megabyte."""
_VERSION = f"SELECT value FROM {StoreVersion._meta.db_table} WHERE id = 1"  # noqa: S608
_WRITTEN = f"""
SELECT type, kind, body FROM {StoreChange._meta.db_table}
WHERE resource_version > %s AND resource_version <= %s ORDER BY resource_version
"""  # noqa: S608
_NEWS = f"""
SELECT version.value, change.type, change.kind, change.body FROM {StoreVersion._meta.db_table} version
LEFT JOIN {StoreChange._meta.db_table} change ON change.resource_version > %s
WHERE version.id = 1 ORDER BY change.resource_version
"""  # noqa: S608
"""Written out: every list asks it, and Django takes longer to write it than a database to answer."""


def everything() -> Changes:
    """All registries at one version: the rows, and what was written while they were read."""
    while True:
        before = newest_version()
        bodies = list(StoredResource.objects.filter(kind=KIND).values_list("body", flat=True))
        value = newest_version()
        if (meanwhile := written_between(before, value)) is not None:
            break
    registries = {(it := to_domain(json.loads(body))).key: it for body in bodies}
    for event in meanwhile.events:
        registries.pop(event.registry.key, None)
        if event.type is not ChangeType.DELETED:
            registries[event.registry.key] = event.registry
    return Changes(
        version=str(value),
        complete=True,
        upserted=tuple(registries.values()),
        namespaces=namespaces(),
        mark=value,
    )


def newest_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def written_between(known: int, value: int) -> Changes | None:
    """The changes after one version up to another; None when some are no longer there."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN, [known, value])
        return _changes(known, value, cursor.fetchall())


def newest(known: int) -> tuple[int, Changes | None]:
    """The newest version, and the changes up to it from a version that is known, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWS, [known])
        rows = cursor.fetchall()
    value = int(rows[0][0]) if rows else 0
    return value, _changes(known, value, [row[1:] for row in rows if row[1] is not None])


def _changes(known: int, value: int, found: Sequence[tuple[str, str, str]]) -> Changes | None:
    """`found` are the type, the kind and the body of each change. None when some are no longer there."""
    if len(found) != value - known:
        return None
    events = tuple(Event(ChangeType(change), read(body)[1]) for change, kind, body in found if kind == KIND)
    present = {it.registry.key: it for it in events}
    removals = (it.registry for it in events if it.type is ChangeType.DELETED)
    return Changes(
        version=str(value),
        complete=False,
        upserted=tuple(it.registry for it in present.values() if it.type is not ChangeType.DELETED),
        removed=tuple(Removal(it.key, it.uid, int(it.resource_version)) for it in removals),
        namespaces=namespaces() if any(kind == NAMESPACE_KIND for _, kind, _ in found) else None,
        events=events,
        mark=value,
    )


def namespaces() -> frozenset[str]:
    return frozenset(StoredResource.objects.filter(kind=NAMESPACE_KIND).values_list("name", flat=True))


@lru_cache(maxsize=READ)
def read(body: str) -> tuple[Resource, RegistrySecret]:
    """A stored body and its registry, both made once for each text. Never change the resource."""
    resource: Resource = json.loads(body)
    return resource, to_domain(resource)


class EmbeddedStoreReads(Store):
    """The part of the embedded store that reads."""

    def __init__(self, sealer: Sealer, room: Room = Room()) -> None:  # noqa: B008
        self._sealer = sealer
        self._room = room
        self._written = threading.Condition()
        self._looked_for = False
        self._seen = 0

    def acting_as(self, acting: object | None) -> Self:
        return self

    def freshness(self) -> Freshness:
        return Freshness()

    def changes(self, since: str | None) -> Changes:
        if since is None:
            return everything()
        value, changes = newest(int(since))
        if value < int(since):  # the database is that of a backup
            with self._written:
                self._seen = value
        return changes or everything()

    def wait(self, since: str | None, seconds: float) -> None:
        """Wakes at once after a write of this process. One of the waiting threads looks for other writes; the rest
        sleeps, because each thread that wakes up takes the interpreter from a request."""
        known, end, looks = -1 if since is None else int(since), time.monotonic() + seconds, False
        with self._written:
            try:
                while self._seen <= known and (now := time.monotonic()) < end:
                    if not self._looked_for:
                        self._looked_for = looks = True
                    if looks and self._is_newer():
                        self._written.notify_all()
                    else:
                        self._written.wait(min(POLL, end - now) if looks else end - now)
            finally:
                if looks:
                    self._looked_for = False
                    self._written.notify()

    def _is_newer(self) -> bool:
        """Whether the database has a newer version than the last one seen."""
        before, self._seen = self._seen, max(self._seen, newest_version())
        return self._seen > before

    def get(self, key: Key) -> RegistrySecret:
        return read(self._row(key).body)[1]

    def credential(self, key: Key, *, uid: str) -> Credential:
        _, applied, password = self._opened(key, uid)
        return credential_of(applied, decode_password(password))

    def _opened(self, key: Key, uid: str) -> tuple[Resource, RegistrySecret, str]:
        """A resource, its registry as applied, and its password, which is sealed with the values of the former."""
        row = self._row(key, uid)
        body, registry = read(row.body)
        applied = as_applied(body, registry)
        return body, applied, self._sealer.open(row.sealed_password, uid=uid, binding=applied.binding)

    def whole(self, key: Key, *, uid: str) -> Resource:
        body, _, password = self._opened(key, uid)
        return reviving({**body, "spec": {**body["spec"], "password": password}})

    def fingerprint(self, registry: RegistrySecret) -> bytes:
        credential = self.credential(registry.key, uid=registry.uid)
        return fingerprint(credential.address, credential.username, credential.password)

    def draft(self, key: Key, *, uid: str) -> Draft:
        body, applied, password = self._opened(key, uid)
        return draft_of(body, applied, decode_password(password))

    @staticmethod
    def _row(key: Key, uid: str | None = None) -> StoredResource:
        row = StoredResource.objects.filter(kind=KIND, namespace=key.namespace, name=key.name).first()
        if row is None:
            raise NotFound(str(key))
        if uid is not None and row.uid != uid:
            raise Conflict(str(key), Problem.RECREATED)
        return row
