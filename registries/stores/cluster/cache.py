"""The known state of the cluster and its last changes, in memory and without passwords.

The state comes from lists, from the events of a watch, and from local writes. A local write is added at once, so that a
person sees what they saved. The three do not arrive in order: the newer resource version wins.

Resource versions are compared as numbers. Kubernetes calls them opaque, but every API server that serves custom
resources takes them from the revision of etcd, which only grows, over all objects. client-go and the cache of the API
server rely on this, too. A version that is not a number is always taken as newer.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex

from registries.domain.errors import Problem, Unavailable
from registries.domain.registry import Key, RegistrySecret, Removal
from registries.stores.base import Changes, Freshness

REMEMBERED = 20_000
"""Number of changes kept. An index that is further behind gets everything."""
DELETED_KEPT = 120.0
"""Seconds for which the uid of a deleted resource is remembered: a late answer must not bring the resource back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `gone` is the deletion; None for a new or changed registry."""

    number: int
    key: Key
    gone: Removal | None = None


class Cache:
    """The cache of one process; thread-safe.

    `sources` are the names of the watchers. The state is known when each of them has listed once. A version is only
    valid in the cache that returned it. `patience` is in seconds.
    """

    def __init__(self, sources: Iterable[str], patience: float) -> None:
        self._changed = threading.Condition()
        self._id = token_hex(4)
        self._sources = frozenset(sources)
        self._patience = patience
        self._listed: set[str] = set()
        self._registries: dict[Key, RegistrySecret] = {}
        self._namespaces: frozenset[str] = frozenset()
        self._namespaces_changed = 0
        self._entries: deque[Entry] = deque(maxlen=REMEMBERED)
        self._number = 0
        self._begun = 0
        self._mark = 0
        self._deleted: dict[str, float] = {}
        self._problems: dict[str, Problem] = {}
        self._answered_at: datetime | None = None
        self._silent_at = float("-inf")

    # For the index

    def changes(self, since: str | None) -> Changes:
        """The changes since a version. Waits for the first list at the start; Unavailable when that takes too long."""
        with self._changed:
            self._require_lists()
            known = self._place(since)
            complete = not self._begun <= known <= self._number
            upserted, removed = self._since(known) if not complete else (tuple(self._registries.values()), [])
            touched = complete or self._namespaces_changed > known
            return Changes(
                version=f"{self._id}.{self._number}",
                complete=complete,
                upserted=upserted,
                removed=tuple(removed),
                namespaces=self._namespaces if touched else None,
                mark=self._mark,
            )

    def freshness(self) -> Freshness:
        with self._changed:
            problem = self._problem()
            known = self._listed >= self._sources
            steady = time.monotonic() - self._silent_at
            return Freshness(problem, self._answered_at if problem else None, known, steady)

    def keys(self) -> tuple[Key, ...]:
        with self._changed:
            return tuple(self._registries)

    # For the watchers, and for local writes

    def replace(self, registries: Iterable[RegistrySecret], version: str, *, another_history: bool) -> None:
        """Takes over a list of everything at a version. Newer local writes stay.

        With `another_history` (a restored backup) nothing of the earlier state stays.
        """
        listed = {it.key: it for it in registries}
        with self._changed:
            if another_history:
                self._deleted.clear()
                self._mark = 0
            else:
                listed = {key: it for key, it in listed.items() if it.uid not in self._deleted}
                listed |= {
                    key: it
                    for key, it in self._registries.items()
                    if newer(it.resource_version, version) and _supersedes(it, listed.get(key))
                }
            self._registries = listed
            self._mark = max(self._mark, _number(version) or 0)
            self._entries.clear()
            self._number += 1
            self._begun = self._number

    def put(self, registry: RegistrySecret) -> None:
        """Adds a new or changed registry, unless a newer version of it is known."""
        with self._changed:
            if registry.uid in self._deleted or not _supersedes(registry, self._registries.get(registry.key)):
                return
            self._registries[registry.key] = registry
            self._mark = max(self._mark, _number(registry.resource_version) or 0)
            self._note(registry.key)

    def remove(self, key: Key, uid: str, version: str = "") -> None:
        """Removes a registry. A local delete has no resource version yet; the watch event supplies it."""
        removal = Removal(key, uid, _number(version) or 0)
        with self._changed:
            now = time.monotonic()
            while self._deleted and now - next(iter(self._deleted.values())) >= DELETED_KEPT:
                del self._deleted[next(iter(self._deleted))]
            self._deleted.setdefault(uid, now)  # the oldest first
            known = self._registries.get(key)
            if known is not None and known.uid == uid:
                del self._registries[key]
                self._note(key, removal)
            elif removal.version > self._mark:
                self._number += 1  # otherwise the index would not ask for the new mark
            self._mark = max(self._mark, removal.version)

    def set_namespaces(self, names: frozenset[str]) -> None:
        with self._changed:
            if names != self._namespaces:
                self._namespaces = names
                self._number += 1
                self._namespaces_changed = self._number

    def answered(self, source: str) -> None:
        """Notes an answer of the server to a source that has listed at least once."""
        with self._changed:
            self._problems.pop(source, None)
            self._listed.add(source)
            if not self._problems:
                self._answered_at = datetime.now(UTC)
            self._changed.notify_all()

    def lost(self, source: str, problem: Problem) -> None:
        with self._changed:
            self._problems[source] = problem
            if problem != Problem.CLUSTER_FORBIDDEN:
                self._silent_at = time.monotonic()
            self._changed.notify_all()

    # Within the lock

    def _place(self, since: str | None) -> int:
        owner, _, number = (since or "").partition(".")
        return int(number) if owner == self._id else -1

    def _require_lists(self) -> None:
        def settled() -> bool:
            return self._listed >= self._sources or bool(self._problems)

        self._changed.wait_for(settled, self._patience)
        if not self._listed >= self._sources:
            raise Unavailable("", self._problem() or Problem.CLUSTER_TIMEOUT)

    def _problem(self) -> Problem | None:
        return next((self._problems[name] for name in sorted(self._problems)), None)

    def _since(self, known: int) -> tuple[tuple[RegistrySecret, ...], list[Removal]]:
        """The last state of every changed key, and all removals: the order of the changes does not matter."""
        touched: set[Key] = set()
        removed: list[Removal] = []
        for entry in reversed(self._entries):
            if entry.number <= known:
                break
            touched.add(entry.key)
            if entry.gone:
                removed.append(entry.gone)
        return tuple(self._registries[key] for key in touched if key in self._registries), removed

    def _note(self, key: Key, gone: Removal | None = None) -> None:
        if len(self._entries) == REMEMBERED:
            self._begun = self._entries[0].number
        self._number += 1
        self._entries.append(Entry(self._number, key, gone))


def _number(version: str) -> int | None:
    return int(version) if version.isdigit() else None


def newer(version: str, other: str) -> bool:
    """Whether a version is newer than another. False when one of them is not a number."""
    mine, theirs = _number(version), _number(other)
    return mine is not None and theirs is not None and mine > theirs


def _supersedes(registry: RegistrySecret, known: RegistrySecret | None) -> bool:
    if known is None:
        return True
    mine, theirs = _number(registry.resource_version), _number(known.resource_version)
    return mine is None or theirs is None or mine > theirs
