"""Which pull secrets are in use, what is wrong with them, and which registries nothing uses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from math import inf
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from registries.domain.access import Access
from registries.domain.errors import Problem
from registries.domain.query import Criteria
from registries.domain.registry import Key, RegistrySecret
from registries.index.search import Index
from registries.pull_secrets.scan import MANY, MOST_SECRETS, Finding, InUse, Scanned, comparable, scan, unused
from registries.stores.base import Store

if TYPE_CHECKING:
    from registries.pull_secrets.pods import PodReader  # it loads the package of clusters

MOST_NAMESPACES = 20
"""Namespaces that one call of `unused` reads one by one. Somebody who may list everywhere gets all of them."""
MOST_FINDINGS = 200
"""Findings, and unused registries, that one scan gives."""
KEPT, KEPT_FOR = 40_000, 120.0
"""Namespaces whose answers of `unused` are kept, and for how many seconds."""
ROUND = 0.5
"""Seconds for each namespace of a person by which their answers may be older, until all of them are read: a page comes
again each second, and reads MOST_NAMESPACES."""
LARGE_FOR = 600.0
"""Seconds before a list of the whole cluster is tried again, after one that took too long."""
FAILED_FOR = 10.0
"""The same for a namespace that could not be read to its end."""


@dataclass(slots=True)
class Scan:
    """By namespace and name. `secrets` are those with a finding, of `checked` in all. `in_order` are those without, the
    first MOST_FINDINGS of `without_findings`. `unread` are the namespaces and kinds that this person may not list.
    `problem` is why others could not be read now. `more` says that there is more in these namespaces.

    The scan has `read` of the `namespaces` that this person sees, after the first `before` of them. `last` is the last
    one that it has, if others are left: the next scan begins after it."""

    secrets: list[Scanned] = field(default_factory=list)
    in_order: list[Scanned] = field(default_factory=list)
    without_findings: int = 0
    unused: list[RegistrySecret] = field(default_factory=list)
    checked: int = 0
    unread: list[tuple[str, list[str]]] = field(default_factory=list)
    problem: Problem | None = None
    more: bool = False
    namespaces: int = 0
    before: int = 0
    read: int = 0
    last: str = ""


@dataclass(frozen=True, slots=True)
class Unused:
    """The uids of the registries that nothing uses. `complete` says that what was read could be read to its end. `left`
    of the `namespaces` were not read yet: the next call reads some of them."""

    uids: frozenset[str]
    complete: bool
    namespaces: int
    left: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is known of one namespace. It is read again after `until`, a moment of the clock, and believed until
    `believed`. `failed`: it could not be read to its end just then. Without `complete`, that or kinds that the person
    may not list."""

    uids: frozenset[str]
    complete: bool
    failed: bool
    until: float
    believed: float


_UNREAD = _Kept(frozenset(), complete=False, failed=False, until=-inf, believed=-inf)


@dataclass(eq=False)
class SecretScan:
    """Objects and Secrets are read when a person asks, and are not kept. Only which registries are unused is kept for a
    moment, since a list with many pages and tests is read again and again."""

    _store: Store
    _index: Index
    _clock: Callable[[], float] = monotonic
    _lock: Lock = field(default_factory=Lock)
    _known: dict[tuple[str, str], _Kept] = field(default_factory=dict)
    _large: dict[str, float] = field(default_factory=dict)
    """People whose lists of the whole cluster are too long, and until when their namespaces are read one by one."""

    def find(self, *, access: Access, namespace: str = "", after: str = "") -> Scan:
        """The scan of the namespaces that this person sees, or of one of them: those behind `after` in the alphabet, as
        far as time and memory go, and at least one. NotFound for another namespace; Unavailable `session_ended`.

        On a cluster with people of its own, the API server decides what this person may list and read.
        """
        self._index.require_namespace(access, namespace)
        problem = self._index.freshness().problem
        reader = None if problem else self._store.acting_as(access.acting).pull_failures()
        if reader is None:
            return Scan(problem=problem)
        namespaces = self._namespaces(access, namespace)
        wanted = [it for it in namespaces if it > after]
        found = Scan(namespaces=len(namespaces), before=len(namespaces) - len(wanted))
        in_use, found.problem = self._in_use(reader, access, wanted)
        self._look(reader, access, _readable(in_use), found)
        if found.read < len(wanted):
            found.last = wanted[found.read - 1]
        found.more |= len(found.secrets) > MOST_FINDINGS or len(found.unused) > MOST_FINDINGS
        found.secrets.sort(key=_rank)
        found.without_findings = len(found.in_order)
        del found.in_order[MOST_FINDINGS:]
        del found.secrets[MOST_FINDINGS:], found.unused[MOST_FINDINGS:]
        return found

    def _look(self, reader: "PodReader", access: Access, in_use: dict[str, InUse], found: Scan) -> None:
        """Adds what these namespaces have, up to MOST_FINDINGS, but all of the first one."""
        known = {place: self._index.matching(access, Criteria(place)) for place in in_use}
        keys = [Key(place, name) for place, names in in_use.items() for name in sorted(names.users)]
        registries = {it.key: it for place in known.values() for it in place}
        read = comparable(reader.secrets(keys, registries))
        for place, names in in_use.items():
            secrets = {key.name: it for key, it in read.items() if key.namespace == place}
            scanned = scan(place, names, secrets, known[place])
            faulty = [it for it in scanned if it.findings]
            if found.read and len(found.secrets) + len(faulty) > MOST_FINDINGS:
                return
            found.read += 1
            found.secrets += faulty
            found.in_order += [it for it in scanned if not it.findings]
            found.unused += unused(names, known[place])
            found.checked += len(secrets)
            found.more |= len(secrets) < len(names.users)
            if names.forbidden:
                found.unread.append((place, names.forbidden))

    def unused(self, *, access: Access, namespace: str = "", reads: bool = True) -> Unused | None:
        """The registries whose pull secret nothing names, in these namespaces. None without a cluster, or while it does
        not answer. The errors are those of `find`.

        One call reads some namespaces, and the next one those that are left. Without `reads`, what is known already.
        """
        self._index.require_namespace(access, namespace)
        namespaces = self._namespaces(access, namespace)
        kept = {it: self._known.get((access.owner, it), _UNREAD) for it in namespaces}
        now = self._clock()
        missing = sorted((it for it in kept if kept[it].until <= now), key=lambda it: kept[it].until)
        if missing and reads:
            problem = self._index.freshness().problem
            reader = None if problem else self._store.acting_as(access.acting).pull_failures()
            if reader is None:
                return None
            kept |= self._read(reader, access, missing, of=len(namespaces))
        known = [it for it in kept.values() if it.believed > now or it.failed]
        return Unused(
            frozenset().union(*(it.uids for it in known if it.believed > now)),
            complete=all(it.complete for it in known),
            namespaces=len(namespaces),
            left=len(namespaces) - len(known),
        )

    def _read(
        self, reader: "PodReader", access: Access, namespaces: list[str], *, of: int
    ) -> dict[str, "_Kept"]:
        """Reads some of these namespaces, which are those missing `of` a number, and keeps what they have."""
        at_once = self._at_once(access, namespaces)
        in_use, problem = reader.in_use(namespaces, all_of_them=at_once, most=MOST_NAMESPACES)
        if at_once and problem is Problem.CLUSTER_TIMEOUT and len(in_use) > MOST_NAMESPACES:
            self._note_large(access)
            return {}
        now, read = self._clock(), dict[str, _Kept]()
        for where, names in in_use.items():
            failed = bool(set(names.unread) - set(names.forbidden))
            found = unused(names, self._index.matching(access, Criteria(where)))
            until = now + (FAILED_FOR if failed else KEPT_FOR)
            uids = frozenset(it.uid for it in found)
            read[where] = _Kept(uids, not names.unread, failed, until, until + ROUND * of)
        self._keep({(access.owner, where): it for where, it in read.items()})
        return read

    def _keep(self, read: dict[tuple[str, str], _Kept]) -> None:
        """Forgets what was read longest ago, where there is too much."""
        with self._lock:
            for name, it in read.items():
                self._known.pop(name, None)
                self._known[name] = it
            while len(self._known) > KEPT:
                del self._known[next(iter(self._known))]

    def _at_once(self, access: Access, namespaces: Sequence[str]) -> bool:
        """Whether to ask for lists of the whole cluster. It refuses them to a person without the right."""
        return (access.sees_everything or len(namespaces) > MANY) and not self._is_large(access)

    def _is_large(self, access: Access) -> bool:
        return self._large.get(access.owner, -inf) > self._clock()

    def _note_large(self, access: Access) -> None:
        with self._lock:
            now = self._clock()
            self._large = {it: until for it, until in self._large.items() if until > now}
            self._large[access.owner] = now + LARGE_FOR

    def _namespaces(self, access: Access, namespace: str) -> tuple[str, ...]:
        return (namespace,) if namespace else self._index.namespaces(access)

    def _in_use(
        self, reader: "PodReader", access: Access, namespaces: Sequence[str]
    ) -> tuple[dict[str, InUse], Problem | None]:
        """What these namespaces name. A cluster that is too large for one list is read namespace by namespace."""
        at_once = self._at_once(access, namespaces)
        in_use, problem = reader.in_use(namespaces, all_of_them=at_once)
        if at_once and problem is Problem.CLUSTER_TIMEOUT and len(namespaces) > 1:
            self._note_large(access)
            return reader.in_use(namespaces)
        return in_use, problem


def _readable(in_use: dict[str, InUse]) -> dict[str, InUse]:
    """The first of these namespaces, with up to MOST_SECRETS Secrets in all, or one namespace with more."""
    counts = accumulate(len(it.users) for it in in_use.values())
    number = sum(count <= MOST_SECRETS for count in counts)
    return dict(islice(in_use.items(), max(1, number)))


def _rank(scanned: Scanned) -> tuple[int, Key]:
    """The worst findings first."""
    order = list(Finding)
    return min(map(order.index, scanned.findings)), scanned.key
