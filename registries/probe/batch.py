"""Many tests at once, in threads, as schedule.py allows; and one at a time per registry for a whole process.
Imports schedule.py and engine.py."""

import queue
import threading
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from .engine import DEFAULT_POLICY, probe
from .policy import Policy
from .reason import Reason
from .result import Result
from .schedule import Schedule, Slot, registry_of

_PATIENCE = 0.5  # seconds between two looks at whether the batch was stopped


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
        return registry_of(self.address)


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

    def enter(self, registry: str, timeout: float | None = None) -> bool:
        """Wait until nobody else tests this registry, at most `timeout` seconds if given; whether it is
        ours now. Only then is it to be left."""
        with self._lock:
            lane, users = self._lanes.get(registry, (threading.Lock(), 0))
            self._lanes[registry] = (lane, users + 1)
        entered = lane.acquire(timeout=-1 if timeout is None else timeout)
        if not entered:
            self._depart(registry)
        return entered

    def leave(self, registry: str) -> None:
        """Let the next one test it."""
        self._depart(registry).release()

    def _depart(self, registry: str) -> threading.Lock:
        with self._lock:
            lane, users = self._lanes.pop(registry)
            if users > 1:
                self._lanes[registry] = (lane, users - 1)
        return lane

    def __len__(self) -> int:
        with self._lock:
            return len(self._lanes)


def probe_many(jobs: Iterable[Job], workers: int = 4, lanes: Lanes | None = None) -> Iterator[Outcome]:
    """Outcomes in the order in which the tests end. At most `workers` registries are tested at once,
    each by one test at a time. To stop early close the iterator: tests under way end by themselves, no
    further one begins."""
    batch = _Batch(list(jobs), Lanes() if lanes is None else lanes)
    left = len(batch.jobs)
    for _ in range(min(workers, left)):
        threading.Thread(target=batch.work, daemon=True, name="probe-batch").start()
    try:
        while left:
            outcome = batch.outcomes.get()
            if isinstance(outcome, BaseException):
                raise outcome
            left -= 1
            yield outcome
    finally:
        batch.stop()


class _Batch:
    """What the threads of one probe_many share. The slots' keys are positions in `jobs`, for the keys of
    callers may repeat."""

    def __init__(self, jobs: list[Job], lanes: Lanes) -> None:
        self.outcomes: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
        self.jobs = jobs
        self._lanes = lanes
        self._changed = threading.Condition()
        self._stopped = False
        self._schedule = Schedule(Slot(n, job.registry, job.username) for n, job in enumerate(jobs))

    def stop(self) -> None:
        """Begin no further test."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def work(self) -> None:
        """Test until nothing is left to be taken, by anybody."""
        try:
            while (slot := self._take()) is not None:
                self._test(slot)
        except BaseException as error:  # noqa: BLE001 - raised to the reader, who would wait for ever
            self.outcomes.put(error)

    def _take(self) -> Slot | None:
        with self._changed:
            while not self._stopped:
                slot = self._schedule.take()
                if slot is not None or not self._schedule.waiting:
                    return slot
                self._changed.wait()
            return None

    def _test(self, slot: Slot) -> None:
        job = self._job(slot)
        while not self._lanes.enter(slot.registry, timeout=_PATIENCE):
            if self._stopped:
                return
        try:
            result = probe(job.address, job.username, job.password, job.policy)
        finally:
            self._lanes.leave(slot.registry)
        self.outcomes.put(Outcome(job.key, result))
        with self._changed:
            alone = self._schedule.ended(slot, result.reason)
            self._changed.notify_all()
        for left_alone, reason in alone:
            self.outcomes.put(Outcome(self._job(left_alone).key, None, reason))

    def _job(self, slot: Slot) -> Job:
        return self.jobs[cast(int, slot.key)]
