"""The index: lists, counts and searches for an Access, kept fresh from the store's changes."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from math import inf
from types import MappingProxyType

from registries.domain.access import Access, Permission
from registries.domain.errors import NotFound, Problem, Unavailable
from registries.domain.query import Around, Criteria, Listing, ListQuery, Page, Sort, Tally
from registries.domain.registry import Key, RegistrySecret, VerifyStatus
from registries.domain.resource import number_of
from registries.domain.selectors import Selector
from registries.index.order import NO_TIMES, Since, heads
from registries.index.snapshot import Snapshot, Visible, came_and_went, matching, visible, visible_namespaces
from registries.index.watch_log import ChangeLog, News
from registries.stores.base import Changes, Freshness, Store


@dataclass(eq=False)
class Index:
    """The newest snapshot of one store. `fresh` asks the store for changes: one small query.

    Every method that takes an Access answers only for what that person may see.
    """

    _store: Store
    _clock: Callable[[], datetime]
    _failing_since: Callable[[], Since] = lambda: NO_TIMES
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _snapshot: Snapshot = field(default_factory=lambda: Snapshot(None, frozenset(), MappingProxyType({})))
    _log: ChangeLog = field(default_factory=ChangeLog)

    # The state of the index

    def fill(self) -> None:
        """Reads everything once, before anybody waits for it. An error of the store is left to the first reader."""
        with suppress(Unavailable):
            self.fresh()

    def freshness(self) -> Freshness:
        """Whether the index is up to date, and whether the store can be written."""
        return self._store.freshness()

    def missing(self) -> str:
        """Why there is nothing to show yet: a problem code, or `first_list` while that is being read; else "".

        Once filled, the index shows the last known state while the store is away. Does not wait.
        """
        if self._snapshot.version is not None:
            return ""
        freshness = self.freshness()
        if not freshness.known:
            return freshness.problem or Problem.FIRST_LIST
        self.fresh()
        return ""

    def age(self) -> float | None:
        """Seconds since the last news from the store; None when there never was any."""
        freshness = self.freshness()
        if not freshness.problem:
            return 0.0
        return (self._clock() - freshness.as_of).total_seconds() if freshness.as_of else None

    def fresh(self) -> Snapshot:
        with self._lock:
            return self._newest()

    def _newest(self) -> Snapshot:
        changes = self._store.changes(self._snapshot.version)
        if changes.version != self._snapshot.version:
            self._follow(self._snapshot, self._snapshot.after(changes), changes)
        return self._snapshot

    def count_changes(self) -> None:
        """Reads the changes and counts them, so that the next page need not. Unavailable."""
        seen = self.fresh().whole
        seen.tally(self._clock())
        _ = seen.fingerprint

    def _follow(self, before: Snapshot, after: Snapshot, changes: Changes) -> None:
        """Replaces the snapshot and logs the changes. After a list of everything, nobody knows the single changes. If
        it has no newer version, only what is left out may be another."""
        if not changes.complete:
            self._log.append(changes.events, changes.mark)
        elif before.version is None or changes.mark != self._log.mark:
            self._log.begin(changes.upserted, changes.mark)
        else:
            self._log.append(came_and_went(before, after, changes.mark), changes.mark)
        if deleted := before.namespaces - after.namespaces:
            self._log.close(deleted)
        after.place, after.mark = self._log.place, self._log.mark
        self._snapshot = after

    # Lists

    def namespaces(self, access: Access, permission: Permission = Permission.SEE) -> tuple[str, ...]:
        """The existing namespaces in which this person holds a permission, sorted."""
        return visible_namespaces(self.fresh(), access, permission)

    def namespace_exists(self, access: Access, name: str) -> bool:
        """Whether a namespace exists and is visible to this person."""
        return name in self.namespaces(access)

    def require_namespace(self, access: Access, name: str) -> Snapshot:
        """The newest snapshot. Raises NotFound for a namespace that is absent or not visible; "" means all."""
        snapshot = self.fresh()
        if name and not (name in snapshot.namespaces and access.may(Permission.SEE, name)):
            raise NotFound(name)
        return snapshot

    def page(self, access: Access, query: ListQuery) -> Page:
        """One page, with the counts of everything under these criteria. NotFound for the query's namespace."""
        snapshot, now = self.require_namespace(access, query.criteria.namespace), self._clock()
        seen = visible(snapshot, access, query.criteria.namespace)
        narrowed = seen.narrowed(query.criteria)
        counts = narrowed.tally(now)
        total = counts.of(query.criteria.status)
        number = min(query.page, max(1, -(-total // query.size)))
        found = matching(snapshot, narrowed.buckets, query, now, self._since(query))
        first = (number - 1) * query.size
        last = min(first + query.size, total)
        whole = tuple(found) if query.group else ()
        return Page(
            items=whole[first:last] if query.group else tuple(islice(found, first, last)),
            total=total,
            number=number,
            size=query.size,
            tally=counts,
            version=self.version_of(seen),
            groups=tuple(heads(whole, query.group, first, last)) if query.group else (),
        )

    def _since(self, query: ListQuery) -> Since:
        """What an order by the time of the failure needs."""
        return self._failing_since() if query.sort is Sort.BROKE else NO_TIMES

    def listing(
        self,
        access: Access,
        criteria: Criteria,
        first: int,
        count: int,
        after: Key | None = None,
        most: float = inf,
    ) -> Listing:
        """`count` documents from number `first` (0 is the first) of those after a key, by namespace and name. At most
        `most` bytes, but at least one. NotFound as for `page`."""
        snapshot = self.require_namespace(access, criteria.namespace)
        buckets = visible(snapshot, access, criteria.namespace).narrowed(criteria).buckets
        total = sum(len(bucket.items) for bucket in buckets)
        items: list[bytes] = []
        last = more = None
        if first < total:
            found = iter(matching(snapshot, buckets, ListQuery(criteria), self._clock()))
            rest = found if after is None else (it for it in found if it.key > after)
            for it in islice(rest, first, None):
                most -= len(it.document)
                if len(items) == count or (items and most < 0):
                    more = last
                    break
                items.append(it.document)
                last = it.key
        return Listing(
            items=tuple(items), total=total, version=str(snapshot.mark), place=snapshot.place, more=more
        )

    def matching(self, access: Access, criteria: Criteria) -> tuple[RegistrySecret, ...]:
        """Everything under these criteria, by namespace and name. NotFound as for `page`."""
        return self._matching(self.require_namespace(access, criteria.namespace), access, criteria)

    def tallies(self, access: Access) -> dict[str, Tally]:
        """The counts of every visible namespace by name, empty ones included."""
        snapshot, now = self.fresh(), self._clock()
        return {
            name: visible(snapshot, access, name).tally(now)
            for name in visible_namespaces(snapshot, access, Permission.SEE)
        }

    # Single registries

    def known(self, access: Access, key: Key) -> RegistrySecret | None:
        """One registry as the lists show it; None when it is absent or not visible. Asks no cluster."""
        return self.fresh().find(key) if access.may(Permission.SEE, key.namespace) else None

    def with_uid(self, access: Access, uid: str) -> RegistrySecret | None:
        """The registry with this uid; None when it is absent or not visible."""
        found = self.fresh().with_uid(uid)
        return found if found and access.may(Permission.SEE, found.namespace) else None

    def failing_around(self, access: Access, query: ListQuery, key: Key) -> Around:
        """The failing registries around one in the list of a query, whatever the status that the query filters by."""
        snapshot = self.fresh()
        buckets = visible(snapshot, access, query.criteria.namespace).narrowed(query.criteria).buckets
        whole = replace(query, criteria=replace(query.criteria, status=None))
        before = after = None
        number, total, passed = 0, 0, False
        for it in matching(snapshot, buckets, whole, self._clock(), self._since(whole)):
            failing = it.verification.status is VerifyStatus.FAILED
            total += failing
            if it.key == key:
                number, passed = total if failing else 0, True
            elif failing and passed:
                after = after or it.key
            elif failing:
                before = it.key
        return Around(before if passed else None, after, number, total)

    def names(self, access: Access, namespace: str) -> frozenset[str]:
        """The names in use in a namespace; none when it is not visible."""
        if not access.may(Permission.SEE, namespace):
            return frozenset()
        return frozenset(it.name for it in self._matching(self.fresh(), access, Criteria(namespace)))

    def copies(self, access: Access, uid: str) -> tuple[RegistrySecret, ...]:
        """The visible copies of a source, by namespace and name."""
        buckets = visible(self.fresh(), access, "").buckets
        return tuple(it for bucket in buckets for it in bucket.copies.get(uid, ()))

    def former_copies(self, access: Access, source: RegistrySecret) -> tuple[RegistrySecret, ...]:
        """The visible copies of earlier registries of this name, by namespace and name."""
        buckets = visible(self.fresh(), access, "").buckets
        groups = (group for bucket in buckets for uid, group in bucket.copies.items() if uid != source.uid)
        found = (it for group in groups for it in group if it.origin and it.origin.key == source.key)
        return tuple(sorted((it for it in found if it.uid != source.uid), key=lambda it: it.key))

    def with_account_of(self, access: Access, registry: RegistrySecret) -> tuple[RegistrySecret, ...]:
        """The other visible registries with its address and user name, by namespace and name."""
        buckets, account = visible(self.fresh(), access, "").buckets, (registry.address, registry.username)
        same = (it for bucket in buckets for it in bucket.accounts.get(account, ()))
        return tuple(it for it in same if it.uid != registry.uid)

    def twins(self, access: Access, namespace: str, domain: str, username: str) -> tuple[RegistrySecret, ...]:
        """The registries of a namespace with the same address and user name."""
        if not access.may(Permission.SEE, namespace):
            return ()
        same = self._matching(self.fresh(), access, Criteria(namespace, domain))
        return tuple(it for it in same if it.domain == domain and it.username == username)

    # Changes

    def version(self, access: Access, namespace: str = "") -> str:
        """Page.version as of now."""
        return self.version_of(visible(self.fresh(), access, namespace))

    def place_of(self, version: str) -> tuple[int, int] | None:
        """The place of a version in the log of changes, and the version up to which changes after it are known to the
        client, or 0. None when the log does not reach back to the version."""
        self.fresh()
        end, place = self._log.place, self._log.place_of(version)
        if place is not None:
            return place, 0
        number = number_of(version) or 0
        if number > self._log.mark and self._store.reached(number):
            return end, number  # another replica was the first to announce it
        return None

    def wait(self, after: int, seconds: float) -> None:
        """Returns when the log has a change after a place or the store has news, or after `seconds`."""
        version = self._snapshot.version  # read first: the log is written before the snapshot
        if self._log.place <= after:
            self._store.wait(version, seconds)

    def changes(
        self, access: Access, namespace: str, after: int, selector: Selector | None = None
    ) -> News | None:
        """The next visible changes after a place in the log; None when the log does not reach back to it. Those from
        before the deletion of a namespace are for people who see all namespaces.

        Asks the store when the log has nothing new: of many watches that wake up at a change, one does."""
        with self._lock:
            if self._log.place <= after:
                self._newest()
        news = self._log.after(after)
        if news is None:
            return None
        there = (it for it in news.changes if not namespace or it.key.namespace == namespace)
        theirs = (it for it in there if access.sees_everything or not it.closed)
        seen = (it for it in theirs if access.may(Permission.SEE, it.key.namespace))
        chosen = filter(None, (it.seen_through(selector) for it in seen)) if selector else seen
        return replace(news, changes=tuple(chosen))

    def _matching(self, snapshot: Snapshot, access: Access, criteria: Criteria) -> tuple[RegistrySecret, ...]:
        buckets = visible(snapshot, access, criteria.namespace).narrowed(criteria).buckets
        return tuple(matching(snapshot, buckets, ListQuery(criteria), self._clock()))

    def version_of(self, seen: Visible) -> str:
        """Changes with the content, and when the store goes away or comes back."""
        return seen.fingerprint + (self.freshness().problem or "")
