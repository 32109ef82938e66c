"""The order of many tests. Pure: no threads, no clock, no secrets."""

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from registries.addresses import AddressError, parse_address

from .reason import Reason

LEAVE_ALONE = frozenset(
    {
        Reason.BAD_CREDENTIALS,
        Reason.CREDENTIALS_EXPIRED,
        Reason.PAT_REQUIRED,
        Reason.ACCESS_DENIED,
        Reason.PROBE_IMAGE_DENIED,
        Reason.RATE_LIMITED,
    }
)
"""After one of these results another test could lock the account (connection-test.md, "What must never happen")."""

REFUSED = LEAVE_ALONE - {Reason.RATE_LIMITED}
"""The registry does not take this user name with this password."""

LeftAlone = tuple[tuple["Slot", Reason], ...]


def registry_of(address: str) -> str:
    """The origin (host:port) of an address, the same for two addresses of one registry. Text that is no address is
    returned unchanged."""
    try:
        return parse_address(address).origin
    except AddressError:
        return address


@dataclass(frozen=True, slots=True)
class Slot:
    """One test in the schedule. `key` belongs to the caller. `registry` comes from registry_of()."""

    key: Hashable
    registry: str
    username: str


class Schedule:
    """The tests that are still to be made. Each registry gets one test at a time, the registries take turns, and
    the tests of one registry keep their order. After a registry refused a user name, the other tests with both are
    left alone.

    The number of take() calls decides how many registries are tested at once. Every call takes constant time,
    averaged over all slots. Not thread-safe.
    """

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
        """The number of tests that are neither taken nor left alone."""
        return self._total

    def take(self) -> Slot | None:
        """The next test of a registry that has no test under way. The registry is busy until ended(). None if no
        registry is free."""
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

    def add(self, slot: Slot) -> LeftAlone:
        """Puts a test at the end of a registry that has a test under way. Returns it if it is left alone."""
        if slot.registry not in self._under_way:
            raise ValueError(f"not under way: {slot.registry}")
        if reason := self._refused.get((slot.registry, slot.username)):
            return ((slot, reason),)
        self._queues[slot.registry].append(slot)
        self._of_user.setdefault((slot.registry, slot.username), deque()).append(slot)
        self._count(slot.registry, -1)
        return ()

    def ended(self, slot: Slot, reason: Reason | None) -> LeftAlone:
        """Ends the test of a taken slot; `reason` is None if it was given up. Frees the registry. Returns the tests
        that are left alone from now on, with the reason. ValueError if the slot is not under way."""
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
        """Leaves a registry alone for a user name because of an earlier result: of another run, or a Retry-After
        that is not over. Returns the tests that are left alone from now on, with the reason."""
        self._refused.setdefault((registry, username), reason)
        slots = self._of_user.pop((registry, username), ())
        self._count(registry, len(slots))
        return tuple((slot, reason) for slot in slots)

    def _next(self, registry: str) -> Slot:
        """The first slot of a registry that is not left alone. Slots that were left alone are still in the queue."""
        while True:
            slot = self._queues[registry].popleft()
            if (registry, slot.username) not in self._refused:
                return slot

    def _count(self, registry: str, slots: int) -> None:
        self._waiting[registry] -= slots
        self._total -= slots
