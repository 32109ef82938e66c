"""Many tests at once, gently: one at a time per registry, which is left alone once it has refused a user
name. Imports address.py and engine.py."""

import queue
import threading
from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from .address import AddressError, parse_address
from .engine import DEFAULT_POLICY, probe
from .policy import Policy
from .reason import Reason
from .result import Result

_LEAVE_ALONE = frozenset({Reason.BAD_CREDENTIALS, Reason.RATE_LIMITED})


@dataclass(frozen=True, slots=True)
class Job:
    """One test to be done; `key` is the caller's and comes back with the outcome."""

    key: Hashable
    address: str
    username: str
    password: str = field(repr=False)
    policy: Policy = DEFAULT_POLICY

    @property
    def registry(self) -> str:
        """host:port, or what was typed if it is no address."""
        try:
            return parse_address(self.address).origin
        except AddressError:
            return self.address


@dataclass(frozen=True, slots=True)
class Outcome:
    """`result` is None when the test was not made, and `left_alone` then the reason of the earlier test
    of the same registry and user name: another failure might lock the account."""

    key: Hashable
    result: Result | None
    left_alone: Reason | None = None


class Lanes:
    """One lock per registry, for as long as somebody holds or awaits it. Share one object among all
    tests of a process to have no two of them at the same registry at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes: dict[str, tuple[threading.Lock, int]] = {}

    def enter(self, registry: str) -> None:
        """Wait until nobody else tests this registry."""
        with self._lock:
            lane, users = self._lanes.get(registry, (threading.Lock(), 0))
            self._lanes[registry] = (lane, users + 1)
        lane.acquire()

    def leave(self, registry: str) -> None:
        """Let the next one test it."""
        with self._lock:
            lane, users = self._lanes.pop(registry)
            if users > 1:
                self._lanes[registry] = (lane, users - 1)
        lane.release()

    def __len__(self) -> int:
        with self._lock:
            return len(self._lanes)


def probe_many(jobs: Iterable[Job], workers: int = 4, lanes: Lanes | None = None) -> Iterator[Outcome]:
    """Outcomes in the order in which the tests end. At most `workers` registries are tested at once,
    each by one test at a time. To stop early close the iterator: tests under way end by themselves, no
    further one begins."""
    queues: dict[str, deque[Job]] = defaultdict(deque)
    for job in jobs:
        queues[job.registry].append(job)
    batch = _Batch(deque(queues.items()), Lanes() if lanes is None else lanes)
    left = sum(len(waiting) for waiting in queues.values())
    for _ in range(min(workers, len(queues))):
        threading.Thread(target=batch.work, daemon=True, name="probe-batch").start()
    try:
        while left:
            outcome = batch.outcomes.get()
            if isinstance(outcome, BaseException):
                raise outcome
            left -= 1
            yield outcome
    finally:
        batch.stopped.set()


class _Batch:
    def __init__(self, registries: deque[tuple[str, deque[Job]]], lanes: Lanes) -> None:
        self.outcomes: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
        self.stopped = threading.Event()
        self._registries = registries
        self._lanes = lanes

    def work(self) -> None:
        """Take registries until there is none left."""
        try:
            while not self.stopped.is_set() and (taken := self._take()) is not None:
                self._one_registry(*taken)
        except BaseException as error:  # noqa: BLE001 - raised to the reader, who would wait for ever
            self.outcomes.put(error)

    def _take(self) -> tuple[str, deque[Job]] | None:
        try:
            return self._registries.popleft()
        except IndexError:
            return None

    def _one_registry(self, registry: str, jobs: deque[Job]) -> None:
        refused: dict[str, Reason] = {}
        for job in jobs:
            if self.stopped.is_set():
                return
            if job.username in refused:
                self.outcomes.put(Outcome(job.key, None, refused[job.username]))
                continue
            self._lanes.enter(registry)
            try:
                result = probe(job.address, job.username, job.password, job.policy)
            finally:
                self._lanes.leave(registry)
            if result.reason in _LEAVE_ALONE:
                refused[job.username] = result.reason
            self.outcomes.put(Outcome(job.key, result))
