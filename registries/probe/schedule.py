"""In which order many tests are made, and which are not made: pure, without threads, clocks or secrets.
Imports address.py and reason.py."""

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from .address import AddressError, parse_address
from .reason import Reason

LEAVE_ALONE = frozenset({Reason.BAD_CREDENTIALS, Reason.RATE_LIMITED})
"""After these a further attempt could lock an account (connection-test.md, "What must never happen")."""

LeftAlone = tuple[tuple["Slot", Reason], ...]


def registry_of(address: str) -> str:
    """host:port of what an operator typed, the same for two addresses that reach the same registry; what
    was typed, if it is no address."""
    try:
        return parse_address(address).origin
    except AddressError:
        return address


@dataclass(frozen=True, slots=True)
class Slot:
    """What the schedule knows of one test: `key` is the caller's, `registry` as of registry_of()."""

    key: Hashable
    registry: str
    username: str


class Schedule:
    """The tests that are still to be made: one at a time per registry, the registries in turn, the tests of
    one in the order given; a registry is left alone for a user name after its first refusal. How many
    registries are tested at once is up to how often take() is called. Every call takes constant time,
    averaged over all slots. Not safe in threads: whoever shares one holds a lock."""

    def __init__(self, slots: Iterable[Slot]) -> None:
        self._queues: dict[str, deque[Slot]] = defaultdict(deque)
        self._of_user: dict[tuple[str, str], deque[Slot]] = defaultdict(deque)
        for slot in slots:
            self._queues[slot.registry].append(slot)
            self._of_user[slot.registry, slot.username].append(slot)
        self._waiting = Counter({registry: len(queue) for registry, queue in self._queues.items()})
        self._total = self._waiting.total()
        self._free = deque(self._queues)
        self._under_way: dict[str, Slot] = {}
        self._refused: dict[tuple[str, str], Reason] = {}

    @property
    def waiting(self) -> int:
        """How many tests are neither taken nor left alone."""
        return self._total

    def take(self) -> Slot | None:
        """The next test whose registry nobody is testing, which is then busy until ended(); None if none is
        free now."""
        while self._free:
            registry = self._free.popleft()
            if not self._waiting[registry]:
                continue
            slot = self._next(registry)
            self._of_user[registry, slot.username].popleft()
            self._count(registry, 1)
            self._under_way[registry] = slot
            return slot
        return None

    def ended(self, slot: Slot, reason: Reason | None) -> LeftAlone:
        """The test of a taken slot is over, with None if it was given up. Frees the registry; returns the
        tests that are now left alone, each with the reason. ValueError for a slot that is not under way."""
        if self._under_way.get(slot.registry) != slot:
            raise ValueError(f"not under way: {slot.registry}")
        del self._under_way[slot.registry]
        alone: LeftAlone = ()
        if reason in LEAVE_ALONE:
            alone = self.refuse(slot.registry, slot.username, reason)
        if self._waiting[slot.registry]:
            self._free.append(slot.registry)
        return alone

    def refuse(self, registry: str, username: str, reason: Reason) -> LeftAlone:
        """Leave a registry alone for a user name, as told from outside: an earlier run, a Retry-After that is
        still running. Returns the tests that are now left alone, each with the reason."""
        self._refused.setdefault((registry, username), reason)
        slots = self._of_user.pop((registry, username), ())
        self._count(registry, len(slots))
        return tuple((slot, reason) for slot in slots)

    def _next(self, registry: str) -> Slot:
        """The first of a registry that has one waiting. Those left alone since are still in its queue."""
        while True:
            slot = self._queues[registry].popleft()
            if (registry, slot.username) not in self._refused:
                return slot

    def _count(self, registry: str, slots: int) -> None:
        self._waiting[registry] -= slots
        self._total -= slots
