"""What the embedded store holds, the log of what was written to it, and writes of many resources at once."""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import lru_cache

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from registries.domain.registry import RegistrySecret, Removal
from registries.domain.resource import KIND, Resource, to_domain
from registries.models import StoreChange, StoredResource, StoreVersion
from registries.stores.base import Changes, ChangeType, Event

NAMESPACE_KIND = "Namespace"
READ = 32
"""Bodies kept as read. One request reads the same one several times; a body may have a quarter of a megabyte."""
CHANGES_KEPT = timedelta(hours=1)
CHANGES_BYTES = 16 * 2**20
"""Bytes of changes that the database keeps. An index that is further behind reads everything."""
PRUNED_EVERY = 16
"""Writes between two removals of old changes."""
_VERSION = f"SELECT value FROM {StoreVersion._meta.db_table} WHERE id = 1"  # noqa: S608  # nosec
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
    rows = StoreChange.objects.filter(resource_version__gt=known, resource_version__lte=value)
    found = list(rows.order_by("resource_version").values_list("type", "kind", "body"))
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


def annotate_all(uids: Collection[str], annotations: Mapping[str, str | None], first: int) -> dict[int, str]:
    """Merges the same annotations into several resources, which get the versions from `first` on. Returns their new
    bodies by version. In one transaction, with the lock of the version."""
    rows = list(StoredResource.objects.filter(kind=KIND, uid__in=uids).order_by("pk"))
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


@lru_cache(maxsize=READ)
def read(body: str) -> tuple[Resource, RegistrySecret]:
    """A stored body and its registry, both made once for each text. Never change the resource."""
    resource: Resource = json.loads(body)
    return resource, to_domain(resource)
