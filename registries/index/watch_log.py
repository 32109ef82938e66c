"""The last changes in order, for watches through the API: the counterpart of the watch cache of an API server.

A store reports new and removed registries. Whether a new one is an addition follows from the state before. A change
that arrives late, after a newer one, or without a version (a local deletion on a cluster) gets the newest version so
far. A client that continues from that version receives the change a second time and misses nothing. Versions are
compared as numbers (stores/cluster/cache.py explains why).
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
    """The event types of a Kubernetes watch."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `document` is the JSON of the registry; of a deleted one, its last state with the final version.

    `mark` is the newest version of anything at the time of the change. `late` is True when that is not the version of
    the change itself.
    """

    type: ChangeType
    key: Key
    mark: int
    document: bytes
    late: bool
    now: RegistrySecret | None
    before: RegistrySecret | None

    def seen_through(self, selector: Selector) -> "Change | None":
        """The change for a watch with a selector; None when it does not concern the selection.

        A registry that leaves the selection is DELETED with its last state; one that enters it is ADDED.
        """
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
    """The changes after a place in the log. `place` and `version` are the end of the log."""

    place: int
    version: str
    changes: tuple[Change, ...]


class ChangeLog:
    """The log. A place is a position in this process; a version is a resourceVersion that clients know."""

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
        """Clears the log. Every watch has to list again."""
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
        """Adds changes. `before` returns the earlier state of a key; `mark` is the newest version of the step."""
        with self._lock:
            self._changes += self._steps(sorted([*upserted, *removed], key=_order), before)
            self.mark = max(self.mark, mark)
            surplus = len(self._changes) - self._kept
            if surplus > 0:
                self._begins = self._changes[surplus - 1].mark + 1
                self._changes = self._changes[surplus:]
                self._first += surplus

    def place_of(self, version: str) -> int | None:
        """The place after which a client continues that has seen a version; None when the log does not reach back."""
        with self._lock:
            known = int(version) if is_version(version) else -1
            if not self._begins <= known <= self.mark:
                return None
            place = bisect_right(self._changes, known, key=lambda it: it.mark)
            while place and self._changes[place - 1].mark == known and self._changes[place - 1].late:
                place -= 1
            return self._first + place

    def after(self, place: int) -> News | None:
        """The changes after a place, oldest first; None when the log does not reach back."""
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
            # The deletion comes before the addition of another registry of the same name.
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
        """Advances the mark to a version. Returns whether the mark was already as new."""
        late = version <= self.mark
        self.mark = max(self.mark, version)
        return late


def _at_version(registry: RegistrySecret, version: str) -> bytes:
    """The last document of a registry, with the version of its deletion."""
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
