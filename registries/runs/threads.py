"""Daemon threads for work that goes on after its request.

The threads start with the first work, so after the server has forked. A process that ends does not wait for them. The
database then says that their work is under way, and the next process finds that it is out of date.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from django.db import close_old_connections, connections

log = logging.getLogger(__name__)

Work = Callable[[], object]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    work: Work
    person: str
    lane: str


class Background:
    """Does work in up to `threads` threads. With 0 threads, `submit` does the work itself.

    The work of one lane is done one after the other, and waits without a thread. A named person gets at most three
    quarters of the threads, so that another one can begin at once; the person with the fewest threads is next. An
    empty lane or person has no such limit.
    """

    def __init__(self, threads: int, name: str) -> None:
        self.threads = threads
        self._name = name
        self._each = max(1, threads - max(1, threads // 4))
        self._waiting: list[_Waiting] = []
        self._lanes: set[str] = set()
        self._taken: Counter[str] = Counter()
        self._running = 0
        self._started = 0
        self._changed = threading.Condition()

    def submit(self, work: Work, person: str = "", lane: str = "") -> None:
        if not self.threads:
            work()
            return
        with self._changed:
            self._waiting.append(_Waiting(work, person, lane))
            if self._started < min(self.threads, self._running + len(self._waiting)):
                self._started += 1
                threading.Thread(
                    target=self._serve, name=f"{self._name}-{self._started}", daemon=True
                ).start()
            self._changed.notify()

    def _serve(self) -> None:
        """Does work until the process ends."""
        while True:
            with self._changed:
                while (taken := self._next()) is None:
                    self._changed.wait()
                self._take(taken)
            close_old_connections()
            try:
                taken.work()
            except Exception:
                log.exception("background work failed in %s", self._name)
            finally:
                connections.close_all()
            with self._changed:
                self._running -= 1
                self._lanes.discard(taken.lane)
                self._taken -= Counter({taken.person: 1})
                self._changed.notify_all()

    def _next(self) -> _Waiting | None:
        """The first work of the person with the fewest threads, without those that may not start now."""
        able = (
            waiting
            for waiting in self._waiting
            if waiting.lane not in self._lanes
            and (not waiting.person or self._taken[waiting.person] < self._each)
        )
        return min(able, key=lambda waiting: self._taken[waiting.person], default=None)

    def _take(self, waiting: _Waiting) -> None:
        self._waiting.remove(waiting)
        self._running += 1
        self._taken[waiting.person] += 1
        if waiting.lane:
            self._lanes.add(waiting.lane)
