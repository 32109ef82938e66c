"""The known state of the cluster and its last changes, in memory and without passwords.

The state comes from lists, from the events of a watch, and from local writes. A local write waits for its event, so
that a person sees what they saved, and lists and watches see changes in one order. When the event is late, the answer
of the write is added to the state instead, and the newer resource version wins. The log of events has exactly the
events of the watch, in their order.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from types import MappingProxyType

from registries.domain.errors import Problem, Unavailable
from registries.domain.registry import Key, RegistrySecret, Removal, at_version
from registries.domain.resource import newer, number_of, supersedes
from registries.stores.base import Changes, ChangeType, Event, Freshness
from registries.stores.cluster.watch import Sources
from registries.stores.room import Kept, Room, Surplus

REMEMBERED = 20_000
"""Number of changes kept. An index that is further behind gets everything."""
REMEMBERED_BYTES = 16 * 2**20
"""Bytes of the documents of these changes."""
EVENT_WAIT = 0.5
"""Seconds that a local write waits for its event. An API server sends it within some milliseconds."""
DELETED_KEPT = 120.0
"""Seconds for which the uid of a deleted resource is remembered: a late answer must not bring the resource back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `gone` is the deletion; None for a new or changed registry. A local write has no event."""

    number: int
    key: Key
    gone: Removal | None = None
    event: Event | None = None

    @property
    def size(self) -> int:
        return len(self.event.registry.document) if self.event else 0


class Cache:
    """The cache of one process; thread-safe.

    `sources` are the names of the watchers. A version is only valid in the cache that returned it. `patience` is in
    seconds. A registry without `room` in its namespace is left out (stores/room.py).
    """

    def __init__(self, sources: Iterable[str], patience: float, room: Room = Room()) -> None:  # noqa: B008
        self._changed = threading.Condition()
        self._id = token_hex(4)
        self._sources = Sources(sources)
        self._patience = patience
        self._kept = Kept(room)
        self._namespaces: frozenset[str] = frozenset()
        self._namespaces_changed = 0
        self._entries: deque[Entry] = deque()
        self._bytes = self._number = self._begun = self._mark = 0
        self._deleted: dict[str, float] = {}

    # For the index

    def changes(self, since: str | None) -> Changes:
        """The changes since a version. Waits for the first list at the start; Unavailable when that takes too long."""
        with self._changed:
            sources = self._sources
            self._changed.wait_for(lambda: sources.is_known or sources.problem, self._patience)
            if not sources.is_known:
                raise Unavailable("", sources.problem or Problem.CLUSTER_TIMEOUT)
            owner, _, number = (since or "").partition(".")
            known = int(number) if owner == self._id else -1
            complete = not self._begun <= known <= self._number
            present, removed, events = self._since(known)
            if complete:
                present, removed, events = self._kept.registries.values(), [], []
            touched = complete or self._namespaces_changed > known
            return Changes(
                version=f"{self._id}.{self._number}",
                complete=complete,
                upserted=tuple(present),
                removed=tuple(removed),
                events=tuple(events),
                namespaces=self._namespaces if touched else None,
                mark=self._mark,
                left_out=self._kept.left_out(),
            )

    def wait(self, since: str | None, seconds: float) -> None:
        """Returns when there are changes since a version, or after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: f"{self._id}.{self._number}" != since, seconds)

    def freshness(self) -> Freshness:
        with self._changed:
            return self._sources.freshness()

    def keys(self) -> tuple[Key, ...]:
        """Also of what is left out, as far as that is known."""
        with self._changed:
            return self._kept.keys()

    def require_room(self, key: Key, size: int) -> None:
        """Refused `namespace_full` if the namespace has no room for one more registry of this size."""
        with self._changed:
            self._kept.require_room(key, size)

    @property
    def overfull(self) -> frozenset[str]:
        """The namespaces of which some registries are left out, for lack of room."""
        with self._changed:
            return self._kept.overfull

    def has_room_again(self, namespace: str) -> bool:
        """Whether a registry of a namespace that is left out has room now."""
        with self._changed:
            return self._kept.has_room_again(namespace)

    def known(self, key: Key, uid: str) -> RegistrySecret | None:
        with self._changed:
            return self._kept.registries[key] if self._kept.has(key, uid) else None

    # For the watchers, and for local writes

    def replace(
        self,
        registries: Iterable[RegistrySecret],
        version: str,
        *,
        another_history: bool,
        namespace: str = "",
        surplus: Mapping[str, Surplus] = MappingProxyType({}),
    ) -> None:
        """Takes over a list of everything at a version, or of everything in a namespace. Newer local writes stay.

        With `another_history` (a restored backup) nothing of the earlier state stays. `surplus`: what the list has
        besides, without room.
        """
        listed = {it.key: it for it in registries}
        with self._changed:
            before = self._kept.registries
            if another_history:
                self._deleted.clear()
                self._mark = 0
            else:
                listed = {key: it for key, it in listed.items() if it.uid not in self._deleted}
                listed |= {
                    key: it
                    for key, it in before.items()
                    if namespace in ("", key.namespace)
                    and newer(it.resource_version, version)
                    and supersedes(it, listed.get(key))
                }
            self._kept.begin(namespace, surplus)
            for registry in listed.values():
                self._kept.put(registry)
            number = number_of(version) or 0
            self._mark = max(self._mark, number) if namespace else number
            self._entries.clear()
            self._bytes = 0
            self._begun = self._number = self._number + 1
            self._changed.notify_all()

    def happened(self, event: Event) -> None:
        """Takes over an event of the watch."""
        registry = event.registry
        version = number_of(registry.resource_version) or 0
        with self._changed:
            if event.type is ChangeType.DELETED:
                self._remove(registry.key, registry.uid)
                self._note(registry.key, Removal(registry.key, registry.uid, version), event)
            else:
                self._follow(event)
            self._mark = max(self._mark, version)
            self._changed.notify_all()

    def advance(self, version: str) -> None:
        """Takes over a bookmark: there was no other event up to this version."""
        with self._changed:
            if (number := number_of(version) or 0) > self._mark:
                self._mark = number
                self._number += 1  # otherwise the index would not ask for the new mark
                self._changed.notify_all()

    def seen(self, key: Key, uid: str, version: str) -> RegistrySecret | None:
        """The registry as a local write left it, once its event has come. None when that is late, or another one came
        after it."""
        number = number_of(version) or 0
        with self._changed:
            self._await(lambda: self._mark >= number)
            known = self._kept.registries.get(key)
            return known if known and (known.uid, known.resource_version) == (uid, version) else None

    def put(self, registry: RegistrySecret, *, waited: bool = False) -> None:
        """Adds the answer of a local write, unless its event or a newer one comes in time. `waited`: it was late.
        Without room for it, its event decides what is left out."""
        version = number_of(registry.resource_version) or 0
        with self._changed:
            if not waited:
                self._await(lambda: self._mark >= version)
            if self._is_news(registry) and self._kept.fits(registry):
                self._kept.put(registry)
                self._note(registry.key)

    def remove(self, key: Key, uid: str) -> None:
        """Removes a registry after a local delete, unless the event comes in time."""
        with self._changed:
            self._await(lambda: not self._kept.has(key, uid))
            if self._remove(key, uid):
                self._note(key, Removal(key, uid))

    def set_namespaces(self, names: frozenset[str]) -> None:
        with self._changed:
            if names != self._namespaces:
                self._namespaces = names
                self._namespaces_changed = self._number = self._number + 1
                self._changed.notify_all()

    def add_namespace(self, name: str) -> None:
        with self._changed:
            self.set_namespaces(self._namespaces | {name})

    def refused(self, source: str, namespace: str) -> None:
        """Forgets a namespace in which the console has no rights. The others go on; the last one is a problem. What is
        stored about its registries stays: they may be there."""
        with self._changed:
            if self._sources.refused(source):
                unseen = {namespace: Surplus.unseen()}
                self.replace((), "", another_history=False, namespace=namespace, surplus=unseen)
                self.set_namespaces(self._namespaces - {namespace})
            self._changed.notify_all()

    def answered(self, source: str) -> None:
        """Notes an answer of the server to a source that has listed at least once."""
        with self._changed:
            self._sources.answered(source)
            self._changed.notify_all()

    def lost(self, source: str, problem: Problem) -> None:
        with self._changed:
            self._sources.lost(source, problem)
            self._changed.notify_all()

    # Within the lock

    def _await(self, seen: Callable[[], bool]) -> None:
        """Waits for the event of a local write, while the watch is in good order."""
        if self._sources.is_known and not self._sources.problem:
            self._changed.wait_for(seen, EVENT_WAIT)

    def _is_news(self, registry: RegistrySecret) -> bool:
        """Whether this is a newer state than the known one."""
        known = self._kept.registries.get(registry.key)
        return registry.uid not in self._deleted and supersedes(registry, known)

    def _follow(self, event: Event) -> None:
        """Takes over a new or changed registry. For those who watch, what is left out from now on is deleted."""
        registry = event.registry
        for it in self._kept.put(registry) if self._is_news(registry) else ():
            deleted = Event(ChangeType.DELETED, at_version(it, registry.resource_version))
            self._note(it.key, Removal(it.key, it.uid), deleted)
        if self._kept.leaves_out(registry):
            self._number += 1  # the index asks what is left out
        else:
            self._note(registry.key, event=event)

    def _remove(self, key: Key, uid: str) -> bool:
        now = time.monotonic()
        while self._deleted and now - next(iter(self._deleted.values())) >= DELETED_KEPT:
            del self._deleted[next(iter(self._deleted))]
        self._deleted.setdefault(uid, now)  # the oldest first
        return self._kept.remove(key, uid)

    def _since(self, known: int) -> tuple[Iterable[RegistrySecret], list[Removal], list[Event]]:
        """The last state of every changed key, all removals, and all events in their order."""
        touched: set[Key] = set()
        removed: list[Removal] = []
        events: list[Event] = []
        for entry in reversed(self._entries):
            if entry.number <= known:
                break
            touched.add(entry.key)
            if entry.gone:
                removed.append(entry.gone)
            if entry.event:
                events.append(entry.event)
        present = self._kept.registries
        return [present[key] for key in touched if key in present], removed, events[::-1]

    def _note(self, key: Key, gone: Removal | None = None, event: Event | None = None) -> None:
        self._number += 1
        self._entries.append(Entry(self._number, key, gone, event))
        self._bytes += self._entries[-1].size
        while len(self._entries) > REMEMBERED or self._bytes > REMEMBERED_BYTES:
            oldest = self._entries.popleft()
            self._bytes -= oldest.size
            self._begun = oldest.number
        self._changed.notify_all()
