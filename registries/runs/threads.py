"""Daemon threads for work that goes on after its request, and for work that repeats for ever.

The threads start with the first work, so after the server has forked. A process that ends does not wait for them. The
database then says that their work is under way, and the next process finds that it is out of date.
"""

import logging
import math
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from django.db import close_old_connections, connections

from registries.domain.errors import TooManyRequests

MOST_WAITING = 100
"""Works of one person that wait in one pool, unless the pool says another number."""
FULL = 10
"""Retry-After in seconds when too many works of a person wait."""

log = logging.getLogger(__name__)

Work = Callable[[], object]


class Lanes:
    """The lanes of a process in which work is under way. Pools that share them do one work of a lane at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.busy: set[str] = set()
        self.pools: list[threading.Condition] = []


@dataclass(slots=True, eq=False)
class _Waiting:
    work: Work
    late: Work | None
    person: str
    lane: str
    until: float
    taken: bool = False


class Background:
    """Does work in up to `threads` threads. With 0 threads, `submit` does the work itself.

    The work of one lane is done one after the other, and waits without a thread. The person with the fewest threads is
    next, then the person whose last turn was longest ago. `reserve` threads are left free for persons who have none.
    After `patience` seconds, `late` is called instead of the work. Work without a person or lane has no such limit.
    """

    def __init__(
        self,
        threads: int,
        name: str,
        *,
        reserve: int = 0,
        patience: float = math.inf,
        lanes: Lanes | None = None,
        most_waiting: float = MOST_WAITING,
    ) -> None:
        self.threads = threads
        self._most_waiting = most_waiting
        self._name = name
        self._reserve = reserve
        self._patience = patience
        self._lanes = lanes or Lanes()
        self._queues: dict[str, dict[str, deque[_Waiting]]] = {}
        """The waiting work by person and lane. The first person has waited longest for a turn."""
        self._timed: deque[_Waiting] = deque()
        """The work that can be late, oldest first."""
        self._waiting: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self._running = 0
        self._started = 0
        self._changed = threading.Condition(self._lanes.lock)
        self._lanes.pools.append(self._changed)

    def submit(self, work: Work, person: str = "", lane: str = "", late: Work | None = None) -> None:
        """TooManyRequests if too many works of the person wait."""
        if not self.threads:
            work()
            return
        with self._changed:
            if person and self._waiting[person] >= self._most_waiting:
                raise TooManyRequests(retry_after=FULL)
            self._put(_Waiting(work, late, person, lane, time.monotonic() + self._patience))
            if self._started < min(self.threads, self._running + self._waiting.total()):
                self._started += 1
                threading.Thread(
                    target=self._serve, name=f"{self._name}-{self._started}", daemon=True
                ).start()
            self._changed.notify_all()

    def require_share(self, person: str) -> None:
        """TooManyRequests if a person has as many works as a quarter of the threads, with those that wait."""
        with self._changed:
            works = self._waiting[person] + self._taken[person]
            if self.threads and works >= max(2, self.threads // 4):
                raise TooManyRequests(retry_after=FULL)

    def has_room(self, person: str) -> bool:
        """Whether further work of a person would begin soon, unless its lane is busy."""
        with self._changed:
            free = self.threads - self._running
            return not (person and self.threads) or self._waiting[person] < free + max(1, self.threads // 4)

    def _serve(self) -> None:
        """Does work until the process ends."""
        while True:
            with self._changed:
                while (taken := self._next()) is None:
                    self._changed.wait(self._next_late())
                work, lane = self._take(taken)
            close_old_connections()
            try:
                work()
            except Exception:
                log.exception("background work failed in %s", self._name)
            finally:
                connections.close_all()
            with self._changed:
                self._running -= 1
                self._taken -= Counter({taken.person: 1})
                self._lanes.busy.discard(lane)
                for pool in self._lanes.pools if lane else (self._changed,):
                    pool.notify_all()

    def _put(self, waiting: _Waiting) -> None:
        self._queues.setdefault(waiting.person, {}).setdefault(waiting.lane, deque()).append(waiting)
        self._waiting[waiting.person] += 1
        if waiting.late is not None and waiting.until < math.inf:
            self._timed.append(waiting)

    def _next(self) -> _Waiting | None:
        """The work that is next and may start now: what is late, or that of the person with the fewest threads."""
        if self._next_late() == 0:
            return self._timed[0]
        for person in sorted(self._queues, key=self._taken.__getitem__):
            if person and self._taken[person] and self.threads - self._running <= self._reserve:
                continue
            for lane, queue in self._queues[person].items():
                if lane not in self._lanes.busy:
                    return queue[0]
        return None

    def _next_late(self) -> float | None:
        """Seconds until the oldest work is late, or None without such work."""
        while self._timed and self._timed[0].taken:
            self._timed.popleft()
        return max(0.0, self._timed[0].until - time.monotonic()) if self._timed else None

    def _take(self, waiting: _Waiting) -> tuple[Work, str]:
        """Notes that a work begins. Returns what to call, and the lane that it holds."""
        person, lane = waiting.person, waiting.lane
        waiting.taken = True
        lanes = self._queues.pop(person)
        queue = lanes.pop(lane)
        queue.remove(waiting)
        if queue:
            lanes[lane] = queue
        if lanes:
            self._queues[person] = lanes
        self._waiting -= Counter({person: 1})
        self._running += 1
        self._taken[person] += 1
        if waiting.late is not None and waiting.until <= time.monotonic():
            return waiting.late, ""
        if lane:
            self._lanes.busy.add(lane)
        return waiting.work, lane


MOST_KINDS = 10
"""Kinds of errors of one outage that a loop logs."""
TEXT_MAX = 200
HELD = 10.0
"""A loop with a longer pause holds no connection to the database meanwhile."""


def repeat(work: Callable[[], object], pause: float, failure: str) -> None:
    """Calls `work`, sleeps for `pause` seconds, and so on. `failure` is logged once for each outage and kind of error:
    the errors of an outage are those without a success between them. MOST_KINDS kinds are logged."""
    kinds: set[str] = set()
    while True:
        close_old_connections()
        try:
            work()
            kinds.clear()
        except Exception as error:
            kind = _kind(error)
            if kind not in kinds and len(kinds) < MOST_KINDS:
                log.exception(failure)
                kinds.add(kind)
        if kinds or pause > HELD:
            connections.close_all()
        time.sleep(pause)


def _kind(error: Exception) -> str:
    """The type of an error, the place in the source that raised it, and its text without numbers."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else ""
    return f"{type(error).__name__} {place} {re.sub('[0-9]+', '', str(error)[:TEXT_MAX])}"
