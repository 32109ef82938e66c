"""Deleted registries that can be restored for a while. Owns DeletedRegistry.

A row holds the whole resource, sealed. The seal is bound to uid, namespace and name, and the address is inside of it: a
person with write access to the database cannot move a password to another namespace or address.

One namespace has limited room: whoever creates and deletes without end must not fill the disk. What was deleted first
goes first.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from registries.domain.registry import Key
from registries.domain.resource import Resource, key_of
from registries.models import DeletedRegistry
from registries.stores.room import Room
from registries.stores.sealing import Sealer, reseal_all

BATCH = 500
"""Rows of one statement. SQLite limits the parameters of a query."""
SEALED = 4
"""A sealed resource is at most so many times as large as its document, about: filled up, and twice in base64."""
PART = 8
"""The room of a namespace is looked at again when this part of it was written: the look reads every row."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deleted:
    """A registry that is or was deleted, with its sealed resource."""

    key: Key
    uid: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """A registry that is about to be deleted. `text` is its whole resource in JSON, with its password."""

    key: Key
    uid: str
    text: str = field(repr=False)


@dataclass(eq=False)
class Trash:
    """Keeps deleted registries for `lasts`. With a time of zero it keeps none, and gives none back. `moved` gives what
    was recorded under an old uid to a new one. `room` is for one namespace."""

    _sealer: Sealer
    _lasts: timedelta
    _moved: Callable[[str, str], None]
    _room: Room = field(default_factory=Room)
    _written: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The rows and characters that this process wrote for a namespace since it looked at its room."""

    @property
    def is_on(self) -> bool:
        return self._lasts > timedelta()

    @property
    def hours(self) -> float:
        return self._lasts / timedelta(hours=1)

    def leaving(self, uid: str, resource: Resource) -> Leaving:
        """A resource of Store.whole, for `keep`. Uses no database."""
        return Leaving(key_of(resource), uid, json.dumps(resource, ensure_ascii=False))

    def keep(self, leaving: Sequence[Leaving]) -> None:
        """Stores registries that are about to be deleted. A newer one with the same uid replaces an older one."""
        if not leaving:
            return
        now = timezone.now()
        with transaction.atomic():
            seals = self._sealer.seal_all((it.text, it.uid, binding_of(it.key)) for it in leaving)
            deleted = [Deleted(it.key, it.uid, sealed) for it, sealed in zip(leaving, seals, strict=True)]
            rows = (
                DeletedRegistry(
                    uid=it.uid, namespace=it.key.namespace, name=it.key.name, sealed=it.sealed, at=now
                )
                for it in deleted
            )
            DeletedRegistry.objects.bulk_create(
                rows,
                batch_size=BATCH,
                update_conflicts=True,
                unique_fields=["uid"],
                update_fields=["sealed", "at"],
            )
        self._make_room(deleted)

    def _make_room(self, deleted: Sequence[Deleted]) -> None:
        """Empties the oldest rows of namespaces that have written a part of their room since the last look."""
        for it in deleted:
            count, size = self._written.get(it.key.namespace, (self._room.registries, 0))
            self._written[it.key.namespace] = count + 1, size + len(it.sealed)
        for namespace in {it.key.namespace for it in deleted}:
            count, size = self._written[namespace]
            if self._room.has(PART * count, PART * size // SEALED):
                continue
            self._written[namespace] = 0, 0
            self._empty(namespace)

    def _empty(self, namespace: str) -> None:
        """Drops the content of what has no room. The clean-up drops the rows, with what was recorded for them."""
        count = size = 0
        surplus = []
        kept = DeletedRegistry.objects.filter(namespace=namespace, at__gt=LONG_AGO).order_by("-at", "-pk")
        for pk, length in kept.values_list("pk", Length("sealed")):
            count, size = count + 1, size + length
            if not self._room.has(count, size // SEALED):
                surplus.append(pk)
        for first in range(0, len(surplus), BATCH):
            rows = DeletedRegistry.objects.filter(pk__in=surplus[first : first + BATCH], begun=False)
            rows.update(sealed="", at=LONG_AGO)

    def settle(self, uids: Sequence[str]) -> frozenset[str]:
        """Notes that registries were deleted. Returns those that are kept."""
        kept: set[str] = set()
        for first in range(0, len(uids), BATCH):
            rows = DeletedRegistry.objects.filter(uid__in=uids[first : first + BATCH])
            kept.update(rows.values_list("uid", flat=True))
            rows.update(gone=True)
        return frozenset(kept)

    def drop(self, uid: str) -> None:
        """Drops a registry whose deletion was refused."""
        DeletedRegistry.objects.filter(uid=uid, gone=False).delete()

    def kept(self, uids: Collection[str]) -> dict[str, Key]:
        """Those of these uids that can be restored, with their keys."""
        wanted, found = sorted(set(uids)), dict[str, Key]()
        for first in range(0, len(wanted) if self.is_on else 0, BATCH):
            rows = self._fresh().filter(uid__in=wanted[first : first + BATCH])
            found |= {uid: Key(*key) for uid, *key in rows.values_list("uid", "namespace", "name")}
        return found

    def find(self, key: Key, uid: str = "") -> Deleted | None:
        """The registry that was deleted last under this name, or the one with this uid."""
        rows = self._fresh().filter(namespace=key.namespace, name=key.name)
        row = (rows.filter(uid=uid) if uid else rows).order_by("-at", "-pk").first()
        return Deleted(key, row.uid, row.sealed) if row else None

    def open(self, deleted: Deleted) -> Resource:
        """The resource. Unavailable `key_missing` or `seal_broken`."""
        text = self._sealer.open(deleted.sealed, uid=deleted.uid, binding=binding_of(deleted.key))
        resource: Resource = json.loads(text)
        return resource

    def begin(self, deleted: Deleted) -> bool | None:
        """Notes that a restoration begins. Returns whether one had begun before; None if the row is gone."""
        row = DeletedRegistry.objects.filter(uid=deleted.uid)
        if row.filter(begun=False).update(begun=True):
            return False
        return True if row.exists() else None

    def release(self, deleted: Deleted) -> None:
        """Notes that a restoration has failed for sure."""
        DeletedRegistry.objects.filter(uid=deleted.uid).update(begun=False)

    def finish(self, deleted: Deleted, uid: str, record: Callable[[], None]) -> bool:
        """Drops the row of a restored registry, gives its history to the new uid, and calls `record`, in one
        transaction. False if another process did so before."""
        with transaction.atomic():
            if not DeletedRegistry.objects.filter(uid=deleted.uid).delete()[0]:
                return False
            self._moved(deleted.uid, uid)
            record()
        return True

    def forget(self, keys: Collection[Key]) -> None:
        """Drops everything that was deleted under these names."""
        for key in keys:
            DeletedRegistry.objects.filter(namespace=key.namespace, name=key.name).delete()

    def forget_namespace(self, namespace: str, before: datetime | None = None) -> None:
        """Drops the registries of a deleted namespace: the people of a later one must not restore them. `before` is the
        creation of the later one, where the deletion was not seen."""
        rows = DeletedRegistry.objects.filter(namespace=namespace)
        rows = rows if before is None else rows.filter(at__lt=before)
        if rows.exists():  # a look is enough almost always, and keeps no writer waiting
            rows.delete()

    def reseal(self) -> int:
        """Seals every row with the newest key. Returns their number."""
        return reseal_all(self._sealer, DeletedRegistry.objects.exclude(sealed=""), "sealed")

    def _fresh(self) -> QuerySet[DeletedRegistry]:
        return DeletedRegistry.objects.filter(at__gt=timezone.now() - self._lasts)


def binding_of(key: Key) -> str:
    """What a seal belongs to, beside the uid."""
    return f"deleted {key}"
