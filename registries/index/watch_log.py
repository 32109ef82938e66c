"""The last changes in order, for watches through the API: the counterpart of the watch cache of an API server.

The log has every event of the store, in the order of the versions. Its size is limited in bytes. A client that asks for
something older lists again. A store that follows several watches can add an event after a newer one: such an event is
late and stands under the newest version so far. A client that continues from that version receives the change a second
time and misses nothing. Versions are compared as numbers (stores/cluster/cache.py explains why).
"""

import threading
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate

from registries.domain.registry import Key, RegistrySecret, at_version
from registries.domain.resource import number_of
from registries.domain.selectors import Selector
from registries.stores.base import ChangeType, Event

KEPT_BYTES = 4 * 2**20
OVERHEAD = 1024
"""Bytes of memory of a change, beside its document."""
PIECE = 256 * 1024
"""Bytes of documents in one piece of News. A piece has at least one change."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `registry` is the new state; of a deleted one, its last state with the version of the deletion.

    `mark` is the newest version of anything at the time of the change. `late` is True when that is not the version of
    the change itself. `before` is the state before the change. `closed`: its namespace was deleted since then.
    """

    type: ChangeType
    registry: RegistrySecret
    before: RegistrySecret | None
    mark: int
    late: bool
    closed: bool = False

    @property
    def key(self) -> Key:
        return self.registry.key

    @property
    def document(self) -> bytes:
        return self.registry.document

    @property
    def version(self) -> int:
        return _number(self.registry)

    @property
    def size(self) -> int:
        before = len(self.before.document) if self.before else 0
        return OVERHEAD + len(self.document) + before

    def seen_through(self, selector: Selector) -> "Change | None":
        """The change for a watch with a selector; None when it does not concern the selection.

        A registry that leaves the selection is DELETED with its last state; one that enters it is ADDED.
        """
        gone = self.type is ChangeType.DELETED
        last = self.before or (self.registry if gone else None)
        was = last is not None and selector.selects(last.key, last.labels)
        now = not gone and selector.selects(self.key, self.registry.labels)
        if was and not now:
            state = self.registry if gone else at_version(last, self.registry.resource_version)  # type: ignore[arg-type]
            return replace(self, type=ChangeType.DELETED, registry=state)
        return (self if was else replace(self, type=ChangeType.ADDED)) if now else None


@dataclass(frozen=True, slots=True)
class News:
    """The next changes after a place in the log. `place` and `version` are the end of this piece."""

    place: int
    version: str
    changes: tuple[Change, ...]


class ChangeLog:
    """The log. A place is a position in this process; a version is a resourceVersion that clients know."""

    def __init__(self, kept: int = KEPT_BYTES) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._states: dict[Key, RegistrySecret] = {}
        self._changes: list[Change] = []
        self._bytes = 0
        self._first = 0
        self._begins = 0
        self.mark = 0

    @property
    def place(self) -> int:
        return self._first + len(self._changes)

    def begin(self, registries: Iterable[RegistrySecret], mark: int) -> None:
        """Clears the log and takes over the present state. Every watch has to list again, except at this version."""
        with self._lock:
            self._first, self._changes, self._bytes = self.place + 1, [], 0
            self._begins = self.mark = mark
            self._states = {it.key: it for it in registries}

    def append(self, events: Iterable[Event], mark: int = 0) -> None:
        """Adds events in their order. `mark` is the version up to which all of them are known."""
        with self._lock:
            for event in events:
                self._add(event)
            self.mark = max(self.mark, mark)
            self._forget()

    def close(self, namespaces: frozenset[str]) -> None:
        """Keeps the changes in deleted namespaces from the people of later ones with their names."""
        with self._lock:
            self._changes = [
                replace(it, closed=True) if it.key.namespace in namespaces else it for it in self._changes
            ]

    def place_of(self, version: str) -> int | None:
        """The place after which a client continues that has seen a version; None when the log does not reach back."""
        with self._lock:
            known = number_of(version)
            if known is None or not self._begins <= known <= self.mark:
                return None
            place = bisect_right(self._changes, known, key=lambda it: it.mark)
            while place and self._changes[place - 1].mark == known and self._changes[place - 1].late:
                place -= 1
            return self._first + place

    def after(self, place: int, most: int = PIECE) -> News | None:
        """The next changes after a place, oldest first; None when the log does not reach back."""
        with self._lock:
            if not self._first <= place <= self.place:
                return None
            begin = end = place - self._first
            size = 0
            while end < len(self._changes) and (end == begin or size + self._changes[end].size <= most):
                size += self._changes[end].size
                end += 1
            version = self._changes[end - 1].mark if end < len(self._changes) else self.mark
            return News(self._first + end, str(version), tuple(self._changes[begin:end]))

    def _add(self, event: Event) -> None:
        registry, known = event.registry, self._states.get(event.registry.key)
        kind = event.type
        before = known if known and known.uid == registry.uid and kind is not ChangeType.ADDED else None
        if kind is not ChangeType.DELETED:
            self._states[registry.key] = registry
            kind = kind if before else ChangeType.ADDED  # a registry that was not readable before
        elif before:
            del self._states[registry.key]
        late = _number(registry) <= self.mark
        self.mark = max(self.mark, _number(registry))
        self._changes.append(Change(kind, registry, before, self.mark, late))
        self._bytes += self._changes[-1].size

    def _forget(self) -> None:
        """Removes the oldest changes until the others fit."""
        sizes = accumulate(it.size for it in self._changes)
        surplus = self._bytes - self._kept
        if surplus <= 0:
            return
        count, removed = next((at, size) for at, size in enumerate(sizes, 1) if size >= surplus)
        self._begins = self._changes[count - 1].mark + 1
        del self._changes[:count]
        self._first += count
        self._bytes -= removed


def _number(registry: RegistrySecret) -> int:
    return number_of(registry.resource_version) or 0
