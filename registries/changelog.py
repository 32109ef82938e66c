"""The last changes in their order, for those who watch: what an API server keeps as its watch cache.
Imports the domain and what a store tells of changes.

A store says what is new and what is gone, not which of the new are additions, nor at which version something was
deleted. The first is told from what was there before. For the second, a deletion bears the version before it: who
goes on from there is told once more, and misses nothing. Versions are compared as numbers
(stores/kubernetes/journal.py says why).
"""

import json
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from registries.domain import Key, RegistrySecret

KEPT = 2000


class ChangeType(StrEnum):
    """As in a watch of Kubernetes."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Change:
    """`document` is the resource as JSON, as it may be shown; of a deleted one, as it was last. `mark` is the newest
    version of any resource when it happened."""

    type: ChangeType
    key: Key
    mark: int
    document: bytes


@dataclass(frozen=True, slots=True)
class News:
    """What came after a place in the log; `place` and `version` are where it ends."""

    place: int
    version: str
    changes: tuple[Change, ...]


class ChangeLog:
    """A place is a number of this process; a version is one that clients know from a resource or a list."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._changes: list[Change] = []
        self._first = 0
        self._begins = 0
        self.mark = 0

    @property
    def place(self) -> int:
        return self._first + len(self._changes)

    def begin(self, everything: Iterable[RegistrySecret]) -> None:
        """Nothing of before is known, or means anything: who watches has to list again."""
        with self._lock:
            self._first, self._changes = self.place + 1, []
            self._begins = self.mark = max((_number(it) for it in everything), default=0)

    def append(
        self,
        upserted: Iterable[RegistrySecret],
        removed: Iterable[tuple[Key, str]],
        before: Callable[[Key], RegistrySecret | None],
    ) -> None:
        """Note a step; `before` finds what was there by its key."""
        with self._lock:
            self._changes += self._steps(sorted(upserted, key=_number), removed, before)
            surplus = len(self._changes) - self._kept
            if surplus > 0:
                self._begins = self._changes[surplus - 1].mark + 1
                self._changes = self._changes[surplus:]
                self._first += surplus

    def place_of(self, version: str) -> int | None:
        """After which place a client goes on that has seen everything up to a version; None if that is not known."""
        with self._lock:
            known = int(version) if version.isascii() and version.isdigit() and len(version) < 20 else -1
            if not self._begins <= known <= self.mark:
                return None
            place = bisect_right(self._changes, known, key=lambda it: it.mark)
            while place and self._changes[place - 1].mark == known and self._gone(place - 1):
                place -= 1
            return self._first + place

    def after(self, place: int) -> News | None:
        """What came after a place, oldest first; None when that is not known any more."""
        with self._lock:
            if not self._first <= place <= self.place:
                return None
            return News(self.place, str(self.mark), tuple(self._changes[place - self._first :]))

    def _gone(self, index: int) -> bool:
        return self._changes[index].type is ChangeType.DELETED

    def _steps(
        self,
        upserted: list[RegistrySecret],
        removed: Iterable[tuple[Key, str]],
        before: Callable[[Key], RegistrySecret | None],
    ) -> Iterator[Change]:
        replaced = set()
        for registry in upserted:
            present = before(registry.key)
            if present is not None and present.uid != registry.uid:
                replaced.add(present.uid)
                yield self._deletion(present)  # a namesake comes after the one that went
                present = None
            self.mark = max(self.mark, _number(registry))
            kind = ChangeType.ADDED if present is None else ChangeType.MODIFIED
            yield Change(kind, registry.key, self.mark, registry.document)
        for key, uid in removed:
            present = before(key)
            if present is not None and present.uid == uid and uid not in replaced:
                yield self._deletion(present)

    def _deletion(self, registry: RegistrySecret) -> Change:
        resource = json.loads(registry.document)
        resource["metadata"]["resourceVersion"] = str(self.mark)
        document = json.dumps(resource, ensure_ascii=False).encode()
        return Change(ChangeType.DELETED, registry.key, self.mark, document)


def _number(registry: RegistrySecret) -> int:
    version = registry.resource_version
    return int(version) if version.isascii() and version.isdigit() else 0
