"""How often one caller may ask: a bucket of tokens per caller, in memory. Standard library; imports nothing of ours.

Per process, since one process serves; after a restart everybody starts with a full bucket.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil

KEPT = 4096
"""Callers that are remembered; one that is forgotten starts with a full bucket."""


class Rates:
    """`per_minute` is what a caller may ask on average, and at once after a pause; 0 means no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> int:
        """Take one; 0 when there was one, else the seconds after which there will be."""
        if not self._per_minute:
            return 0
        with self._lock:
            now = self._clock()
            left, then = self._buckets.pop(caller, (float(self._per_minute), now))
            left = min(self._per_minute, left + (now - then) * self._per_minute / 60)
            refused = left < 1
            self._buckets[caller] = (left if refused else left - 1, now)
            if len(self._buckets) > KEPT:
                self._buckets.popitem(last=False)
        return ceil((1 - left) * 60 / self._per_minute) if refused else 0


class Seats:
    """Places for requests that keep a thread waiting, so that some threads are always left for the others."""

    def __init__(self, count: int) -> None:
        self._seats = threading.BoundedSemaphore(count)

    def take(self) -> bool:
        """Whether there was one; who took one gives it back."""
        return self._seats.acquire(blocking=False)

    def give_back(self) -> None:
        self._seats.release()
