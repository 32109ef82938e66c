"""Every registry at one version, in memory and without passwords: filtered, counted, sorted for one Access."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from itertools import chain
from operator import attrgetter
from types import MappingProxyType

from registries.domain.access import Access, Permission
from registries.domain.query import Criteria, Group, ListQuery, Sort, Tally
from registries.domain.registry import EXPIRES_SOON, STALE_AFTER, Key, RegistrySecret, at_version
from registries.index.bucket import Bucket
from registries.index.order import NO_TIMES, Since, grouped, has_failed, has_status, in_order
from registries.stores.base import Changes, ChangeType, Event
from registries.stores.room import LeftOut

_NAME = attrgetter("name")


@dataclass(frozen=True)
class Visible:
    """The buckets that one person may see."""

    buckets: tuple[Bucket, ...]

    def narrowed(self, criteria: Criteria) -> "Visible":
        if not criteria.narrows:
            return self
        return Visible(tuple(bucket.narrowed(criteria) for bucket in self.buckets))

    @cached_property
    def counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for bucket in self.buckets:
            counts.update(bucket.counts)
        return counts

    @cached_property
    def failing(self) -> tuple[tuple[tuple[str, str], int], ...]:
        """The failing registries by domain and reason, the largest groups first."""
        groups: Counter[tuple[str, str]] = Counter()
        for bucket in self.buckets:
            groups.update(bucket.failing)
        return tuple(sorted(groups.items(), key=lambda it: (-it[1], it[0])))

    def failing_one(self, domain: str, reason: str) -> RegistrySecret | None:
        """The first registry of a domain that fails for this reason."""
        buckets = (it for it in self.buckets if (domain, reason) in it.failing)
        found = (it for bucket in buckets for it in bucket.items if it.domain == domain and has_failed(it))
        return next((it for it in found if it.verification.reason == reason), None)

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the content; the same in every process."""
        return sha256("".join(bucket.fingerprint for bucket in self.buckets).encode()).hexdigest()[:16]

    def tally(self, now: datetime) -> Tally:
        counts, since = self.counts, now - STALE_AFTER
        return Tally(
            success=counts["success"],
            failed=counts["failed"],
            untested=counts["untested"],
            unproven=counts["unproven"],
            stale=sum(bisect_left(bucket.tested_at, since) for bucket in self.buckets),
            expiring=sum(
                bisect_right(bucket.expires_on, now.date() + EXPIRES_SOON) for bucket in self.buckets
            ),
        )


@dataclass(eq=False)
class Snapshot:
    """Everything at one version. A snapshot is immutable: a reader never sees half a change."""

    version: str | None
    namespaces: frozenset[str]
    buckets: Mapping[str, Bucket]
    place: int = 0
    """The place in the log of changes."""
    mark: int = 0
    """The newest version of anything by then, deletions included."""
    left_out: LeftOut = field(default_factory=dict)
    """See Changes.left_out."""
    _orders: dict[tuple[Sort, bool, Group | None], tuple[Since, tuple[RegistrySecret, ...]]] = field(
        default_factory=dict
    )

    @cached_property
    def sorted_namespaces(self) -> tuple[str, ...]:
        return tuple(sorted(self.namespaces))

    @cached_property
    def whole(self) -> Visible:
        """What somebody sees who sees everything: counted once per version."""
        return Visible(tuple(self.buckets.values()))

    @cached_property
    def keys_by_uid(self) -> Mapping[str, Key]:
        return {it.uid: it.key for bucket in self.buckets.values() for it in bucket.items}

    def is_gone(self, uid: str, namespace: str = "") -> bool:
        """Whether no registry has this uid. Only then may what is stored about it go. "" is a namespace that is not
        known. False if there are too many registries to know."""
        if uid in self.keys_by_uid:
            return False
        places = [self.left_out.get(namespace, ())] if namespace else self.left_out.values()
        return all(uids is not None and uid not in uids for uids in places)

    def everything(self, query: ListQuery, since: Since) -> tuple[RegistrySecret, ...]:
        """All registries in one order, sorted once per snapshot; by the time of the failure, once per `since`."""
        order = query.sort, query.descending, query.group
        known, items = self._orders.get(order, (None, ()))
        if known is None or (known is not since and query.sort is Sort.BROKE):
            items = _ordered(self.whole.buckets, query, since)
            self._orders[order] = since, items
        return items

    def find(self, key: Key) -> RegistrySecret | None:
        bucket = self.buckets.get(key.namespace)
        if bucket is None:
            return None
        position = bisect_left(bucket.items, key, key=lambda it: it.key)
        found = bucket.items[position : position + 1]
        return found[0] if found and found[0].key == key else None

    def with_uid(self, uid: str) -> RegistrySecret | None:
        key = self.keys_by_uid.get(uid)
        return self.find(key) if key else None

    def after(self, changes: Changes) -> "Snapshot":
        """The next snapshot. Only changed namespaces are built again."""
        if not (changes.complete or changes.upserted or changes.removed or changes.namespaces is not None):
            same = copy(self)
            same.version, same.left_out = changes.version, changes.left_out
            return same
        buckets = {} if changes.complete else dict(self.buckets)
        touched: dict[str, list[RegistrySecret]] = {}

        def place(key: Key) -> tuple[list[RegistrySecret], int, int]:
            """The items of the namespace, and where this one stands or belongs among them."""
            if key.namespace not in touched:
                before = buckets.get(key.namespace)
                touched[key.namespace] = list(before.items) if before else []
            items = touched[key.namespace]
            begin = bisect_left(items, key.name, key=_NAME)
            return items, begin, begin + (begin < len(items) and items[begin].name == key.name)

        for it in changes.removed:
            items, begin, end = place(it.key)
            if begin < end and items[begin].uid == it.uid:
                del items[begin]
        for registry in sorted(changes.upserted, key=_NAME) if changes.complete else changes.upserted:
            items, begin, end = place(registry.key)
            items[begin:end] = [registry]
        for namespace, items in touched.items():
            buckets[namespace] = Bucket(tuple(items))
        namespaces = self.namespaces if changes.namespaces is None else changes.namespaces
        return Snapshot(changes.version, namespaces, MappingProxyType(buckets), left_out=changes.left_out)


def visible_namespaces(snapshot: Snapshot, access: Access, permission: Permission) -> tuple[str, ...]:
    """The existing namespaces in which a person holds a permission, sorted."""
    if permission in access.everywhere:
        return snapshot.sorted_namespaces
    return tuple(
        name
        for name in sorted(access.namespaces)
        if name in snapshot.namespaces and access.may(permission, name)
    )


def visible(snapshot: Snapshot, access: Access, namespace: str) -> Visible:
    if namespace:
        names = [namespace] if access.may(Permission.SEE, namespace) else []
    elif access.sees_everything:
        return snapshot.whole
    else:
        names = [name for name in sorted(access.namespaces) if access.may(Permission.SEE, name)]
    return Visible(tuple(snapshot.buckets[name] for name in names if name in snapshot.buckets))


def _ordered(buckets: Sequence[Bucket], query: ListQuery, since: Since) -> tuple[RegistrySecret, ...]:
    if query.sort is Sort.NAMESPACE:  # each change makes a new snapshot, and most lists are in this order
        filled = sorted((it for it in buckets if it.items), key=lambda it: it.items[0].namespace)
        items = list(chain.from_iterable(bucket.items for bucket in filled))
    else:
        items = in_order(chain.from_iterable(bucket.items for bucket in buckets), query.sort, since)
    if query.descending:
        items.reverse()
    return grouped(items, query.group) if query.group else tuple(items)


def matching(
    snapshot: Snapshot, buckets: Sequence[Bucket], query: ListQuery, now: datetime, since: Since = NO_TIMES
) -> Iterator[RegistrySecret]:
    """The items of these buckets with the status and in the order of the query."""
    if len(buckets) == len(snapshot.buckets) and not query.criteria.narrows:
        items = snapshot.everything(query, since)
    else:
        items = _ordered(buckets, query, since)
    status = query.criteria.status
    return iter(items) if status is None else (it for it in items if has_status(it, status, now))


def came_and_went(before: Snapshot, after: Snapshot, mark: int) -> Iterator[Event]:
    """What one snapshot left out and the other one has."""
    if not (before.left_out or after.left_out):
        return
    for bucket in before.buckets.values():
        for it in bucket.items:
            if it.uid not in after.keys_by_uid and not after.is_gone(it.uid, it.namespace):
                yield Event(ChangeType.DELETED, at_version(it, str(mark)))
    for bucket in after.buckets.values():
        for it in bucket.items:
            if it.uid not in before.keys_by_uid and not before.is_gone(it.uid, it.namespace):
                yield Event(ChangeType.ADDED, it)
