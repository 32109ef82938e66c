"""How much one namespace may hold. Every process keeps all registries in memory, so a namespace without a limit would
take the memory of all others.

On a cluster anybody may create more than there is room for. The registries that were created first are kept, in every
process the same ones. The others are left out: they exist, so nothing that is stored about them may go.
"""

import json
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from registries.domain.errors import Problem, Refused
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import Resource

OVERHEAD = 2048
"""Bytes of memory that a registry takes besides its document, about."""
CREATED = 512
"""The most bytes that a new document gains when it is created: its uid, version and time."""
VERDICT, VERDICT_TEXT = 2048, 400
"""Bytes that count for the verdict of a test, whatever it is: a test must not make a registry too large. In a document,
a verdict takes at most the second number of them, and its message."""
MIB = 2**20
REMEMBERED = 10_000
"""The most registries of a namespace that are left out and known by uid. With more, nothing is known of the others."""

Age = tuple[datetime, str]
"""When a registry was created, and its name. The order in which the registries of a namespace have room."""
LeftOut = Mapping[str, frozenset[str] | None]
"""By namespace: the uids of the registries that are left out. None: too many to know them."""


@dataclass(frozen=True, slots=True)
class Room:
    """The most registries of a namespace, and the most MiB of their documents. 0 is no limit."""

    registries: int = 0
    mib: int = 0

    def has(self, registries: int, size: int) -> bool:
        """Whether so many registries fit, with so many bytes."""
        count_fits = not self.registries or registries <= self.registries
        return count_fits and (not self.mib or size <= self.mib * MIB)

    def require(self, subject: str, registries: int, size: int) -> None:
        """Refused `namespace_full`, unless so many fit."""
        if not self.has(registries, size):
            raise Refused(subject, Problem.NAMESPACE_FULL)


@dataclass(slots=True)
class Surplus:
    """What a namespace has no room for: the registry of this age, and all later ones."""

    begins: Age
    size: int = 0
    """The bytes of that registry. It comes back when there is room for them."""
    keys: dict[str, Key] | None = field(default_factory=dict)
    """By uid; None: too many to know them."""
    is_unseen: bool = False
    """The namespace cannot be read. That says nothing about its room."""

    @classmethod
    def unseen(cls) -> "Surplus":
        """Of a namespace that cannot be read: whatever is there is left out."""
        return cls((datetime.min.replace(tzinfo=UTC), ""), keys=None, is_unseen=True)

    def add(self, registry: RegistrySecret) -> bool:
        """Returns whether it was not known before."""
        if age(registry) <= self.begins:
            self.begins, self.size = age(registry), size_of(registry)
        if self.keys is None or registry.uid in self.keys:
            return False
        self.keys[registry.uid] = registry.key
        if len(self.keys) > REMEMBERED:
            self.keys = None
        return True


class Kept:
    """The registries that are kept in memory. Not thread-safe."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._has_limits = room != Room()
        self.registries: dict[Key, RegistrySecret] = {}
        self.surplus: dict[str, Surplus] = {}
        self._ages: dict[str, list[Age]] = {}
        self._sizes: dict[str, int] = {}
        self._left_out: LeftOut | None = None

    def held(self, namespace: str) -> tuple[int, int]:
        """The number of registries that are kept of a namespace, and their bytes. Not counted without limits."""
        return len(self._ages.get(namespace, ())), self._sizes.get(namespace, 0)

    @property
    def overfull(self) -> frozenset[str]:
        """The namespaces of which some registries are left out, for lack of room."""
        return frozenset(name for name, it in self.surplus.items() if not it.is_unseen)

    def require_room(self, key: Key, size: int) -> None:
        """Refused `namespace_full` if the namespace has no room for one more registry of this size."""
        count, held = self.held(key.namespace)
        if key.namespace in self.overfull:
            raise Refused(str(key), Problem.NAMESPACE_FULL)
        self._room.require(str(key), count + 1, held + size)

    def has_room_again(self, namespace: str) -> bool:
        """Whether the first of the registries that are left out of a namespace has room now. Only a list has it."""
        surplus = self.surplus.get(namespace)
        if surplus is None or surplus.is_unseen:
            return False
        count, held = self.held(namespace)
        return self._room.has(count + 1, held + surplus.size)

    def left_out(self) -> LeftOut:
        if self._left_out is None:
            known = {name: it.keys for name, it in self.surplus.items()}
            self._left_out = {name: None if it is None else frozenset(it) for name, it in known.items()}
        return self._left_out

    def keys(self) -> tuple[Key, ...]:
        """All known keys, also of what is left out."""
        others = (key for it in self.surplus.values() for key in (it.keys or {}).values())
        return (*self.registries, *others)

    def leaves_out(self, registry: RegistrySecret) -> bool:
        """Whether a registry is left out."""
        surplus = self.surplus.get(registry.namespace)
        return surplus is not None and age(registry) >= surplus.begins

    def has(self, key: Key, uid: str) -> bool:
        known = self.registries.get(key)
        return known is not None and known.uid == uid

    def fits(self, registry: RegistrySecret) -> bool:
        """Whether a registry can be kept while all others stay."""
        if self.leaves_out(registry):
            return False
        known = self.registries.get(registry.key)
        count, size = self.held(registry.namespace)
        return self._room.has(
            count + (known is None), size + size_of(registry) - (size_of(known) if known else 0)
        )

    def put(self, registry: RegistrySecret) -> Sequence[RegistrySecret]:
        """Keeps a registry, or a new state of it, if there is room. Returns those that were kept until now and are left
        out from now on: the newest ones, and the earlier state of the registry itself."""
        if not self._has_limits:
            self.registries[registry.key] = registry
            return ()
        namespace, known = registry.namespace, self.registries.get(registry.key)
        if known is not None:
            self._take(known)
        if self.leaves_out(registry):
            self._leave_out(registry)
            return [known] if known else []
        self.registries[registry.key] = registry
        insort(self._ages.setdefault(namespace, []), age(registry))
        self._sizes[namespace] = self._sizes.get(namespace, 0) + size_of(registry)
        gone = []
        while not self._room.has(*self.held(namespace)):
            newest = self.registries[Key(namespace, self._ages[namespace][-1][1])]
            self._take(newest)
            self._leave_out(newest)
            gone.append(newest)
        return [known if it is registry else it for it in gone if it is not registry or known]  # type: ignore[misc]

    def remove(self, key: Key, uid: str) -> bool:
        """Forgets a registry that was deleted. Returns whether it was kept."""
        surplus = self.surplus.get(key.namespace)
        if surplus is not None and surplus.keys and uid in surplus.keys:
            del surplus.keys[uid]
            self._left_out = None
            if not surplus.keys:
                del self.surplus[key.namespace]
        if found := self.has(key, uid):
            self._take(self.registries[key])
        return found

    def begin(self, namespace: str, surplus: Mapping[str, Surplus]) -> None:
        """Begins anew with one namespace, or with all ("")."""
        others = {key: it for key, it in self.registries.items() if namespace not in ("", key.namespace)}
        kept = {name: it for name, it in self.surplus.items() if namespace not in ("", name)}
        self._ages = {name: it for name, it in self._ages.items() if namespace not in ("", name)}
        self._sizes = {name: it for name, it in self._sizes.items() if name in self._ages}
        self.registries, self.surplus, self._left_out = others, {**kept, **surplus}, None

    def _leave_out(self, registry: RegistrySecret) -> None:
        surplus = self.surplus.setdefault(registry.namespace, Surplus(age(registry)))
        if surplus.add(registry):
            self._left_out = None

    def _take(self, registry: RegistrySecret) -> None:
        del self.registries[registry.key]
        if not self._has_limits:
            return
        ages = self._ages[registry.namespace]
        del ages[bisect_left(ages, age(registry))]
        self._sizes[registry.namespace] -= size_of(registry)
        if not ages:
            del self._ages[registry.namespace], self._sizes[registry.namespace]


def age(registry: RegistrySecret) -> Age:
    return registry.created_at, registry.name


def size_of(registry: RegistrySecret) -> int:
    """The same before and after a test, or smaller."""
    verdict = registry.verification
    present = len(verdict.message.encode()) + (VERDICT_TEXT if verdict.at else 0)
    return OVERHEAD + VERDICT + len(registry.document) - present


def size_of_new(resource: Resource) -> int:
    """The size of a registry that does not exist yet, rather too much than too little."""
    return OVERHEAD + VERDICT + CREATED + len(json.dumps(resource, ensure_ascii=False).encode())
