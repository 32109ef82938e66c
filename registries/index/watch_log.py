"""The last changes in their order, for those who watch: what an API server keeps as its watch cache.
Imports the domain and what a store tells of changes.

A store says what is new and what is gone, not which of the new are additions: that is told from what was there before.
What is told late, after something newer, or whose version is not known, a deletion by this process on a cluster for
example, stands under the newest version by then: who goes on from there is told once more, and misses nothing.
Versions are compared as numbers (stores/kubernetes/journal.py says why).
"""

import json
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from registries.domain.registry import Key, RegistrySecret, Removal
from registries.domain.selectors import Selector

KEPT = 2000


class ChangeType(StrEnum):
    """As in a watch of Kubernetes."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Change:
    """`document` is the resource as JSON, as it may be shown; of a deleted one, as it was last. `mark` is the newest
    version of anything when it was told; `late`, that it is not its own."""

    type: ChangeType
    key: Key
    mark: int
    document: bytes
    late: bool
    now: RegistrySecret | None
    before: RegistrySecret | None

    def seen_through(self, selector: Selector) -> "Change | None":
        """What it is to who watches what is selected: who leaves goes as it was last, and who enters is new."""
        was, now = (it is not None and selector.selects(it.key, it.labels) for it in (self.before, self.now))
        if self.now is None or self.before is None or (was and now):
            return self if was or now else None
        if now:
            return replace(self, type=ChangeType.ADDED)
        if not was:
            return None
        document = _at_version(self.before, self.now.resource_version)
        return replace(self, type=ChangeType.DELETED, document=document)


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

    def begin(self, mark: int) -> None:
        """Nothing of before is known, or means anything: who watches has to list again."""
        with self._lock:
            self._first, self._changes = self.place + 1, []
            self._begins = self.mark = mark

    def append(
        self,
        upserted: Iterable[RegistrySecret],
        removed: Iterable[Removal],
        before: Callable[[Key], RegistrySecret | None],
        mark: int = 0,
    ) -> None:
        """Note a step; `before` finds what was there by its key, `mark` is the newest version that it knows of."""
        with self._lock:
            self._changes += self._steps(sorted([*upserted, *removed], key=_order), before)
            self.mark = max(self.mark, mark)
            surplus = len(self._changes) - self._kept
            if surplus > 0:
                self._begins = self._changes[surplus - 1].mark + 1
                self._changes = self._changes[surplus:]
                self._first += surplus

    def place_of(self, version: str) -> int | None:
        """After which place a client goes on that has seen everything up to a version; None if that is not known."""
        with self._lock:
            known = int(version) if is_version(version) else -1
            if not self._begins <= known <= self.mark:
                return None
            place = bisect_right(self._changes, known, key=lambda it: it.mark)
            while place and self._changes[place - 1].mark == known and self._changes[place - 1].late:
                place -= 1
            return self._first + place

    def after(self, place: int) -> News | None:
        """What came after a place, oldest first; None when that is not known any more."""
        with self._lock:
            if not self._first <= place <= self.place:
                return None
            return News(self.place, str(self.mark), tuple(self._changes[place - self._first :]))

    def _steps(
        self, steps: Iterable[RegistrySecret | Removal], before: Callable[[Key], RegistrySecret | None]
    ) -> Iterator[Change]:
        told: set[str] = set()
        for step in steps:
            present = before(step.key)
            same = present is not None and present.uid == step.uid
            # A namesake comes after the one that went.
            if present is not None and same == isinstance(step, Removal) and present.uid not in told:
                told.add(present.uid)
                yield self._deletion(present, step.version if isinstance(step, Removal) else 0)
            if isinstance(step, RegistrySecret):
                yield self._written(step, present if same else None)

    def _written(self, registry: RegistrySecret, before: RegistrySecret | None) -> Change:
        kind, late = ChangeType.MODIFIED if before else ChangeType.ADDED, self._advance(_number(registry))
        return Change(kind, registry.key, self.mark, registry.document, late, registry, before)

    def _deletion(self, registry: RegistrySecret, version: int) -> Change:
        document = _at_version(registry, str(version or self.mark))
        late = self._advance(version)
        return Change(ChangeType.DELETED, registry.key, self.mark, document, late, None, registry)

    def _advance(self, version: int) -> bool:
        """Go on to a version; whether something at least as new was told before."""
        late = version <= self.mark
        self.mark = max(self.mark, version)
        return late


def _at_version(registry: RegistrySecret, version: str) -> bytes:
    """As it was last, with the version of its end."""
    resource = json.loads(registry.document)
    resource["metadata"]["resourceVersion"] = version
    return json.dumps(resource, ensure_ascii=False).encode()


def is_version(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _order(step: RegistrySecret | Removal) -> float:
    return _number(step) if isinstance(step, RegistrySecret) else step.version or inf


def _number(registry: RegistrySecret) -> int:
    version = registry.resource_version
    return int(version) if version.isascii() and version.isdigit() else 0
