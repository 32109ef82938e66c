"""How much one namespace may hold. Every process keeps all registries in memory, so a namespace without a limit would
take the memory of all others."""

from dataclasses import dataclass

from registries.domain.errors import Problem, Refused
from registries.domain.registry import RegistrySecret

OVERHEAD = 2048
"""Bytes of memory that a registry takes besides its document, about."""
MIB = 2**20


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


class Occupancy:
    """What each namespace holds of the registries that were added, and which namespaces have more. Not thread-safe."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held: dict[str, tuple[int, int]] = {}
        self.overfull: frozenset[str] = frozenset()

    def held(self, namespace: str) -> tuple[int, int]:
        """The number of registries, and their bytes."""
        return self._held.get(namespace, (0, 0))

    def fits(self, registry: RegistrySecret, known: RegistrySecret | None = None) -> bool:
        """Whether there is room for a registry in the place of a known one. Notes a namespace that has none."""
        count, size = self.held(registry.namespace)
        before = 0 if known is None else size_of(known)
        fits = self._room.has(count + (known is None), size + size_of(registry) - before)
        if not fits and registry.namespace not in self.overfull:
            self.overfull |= {registry.namespace}
        return fits

    def add(self, registry: RegistrySecret) -> bool:
        """Counts a registry, if it fits."""
        if fits := self.fits(registry):
            count, size = self.held(registry.namespace)
            self._held[registry.namespace] = count + 1, size + size_of(registry)
        return fits

    def remove(self, registry: RegistrySecret) -> None:
        count, size = self.held(registry.namespace)
        self._held[registry.namespace] = count - 1, size - size_of(registry)

    def again(self, namespace: str = "") -> None:
        """Begins anew with one namespace, or with all."""
        kept = {name for name in self._held.keys() | self.overfull if namespace not in ("", name)}
        self._held = {name: it for name, it in self._held.items() if name in kept}
        self.overfull &= kept


def size_of(registry: RegistrySecret) -> int:
    return OVERHEAD + len(registry.document)
