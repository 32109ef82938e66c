"""How often one caller may ask, all processes of the console together. Standard library; imports nothing of ours.

A bucket per caller that refills evenly, written as the moment at which it will be full again. It stands where every
process finds it; each takes some requests out at a time and spends them without asking again. What one holds fades
as the bucket fills, so that the bucket and all that is held are never more than a full one: several processes allow
what one would, or a few fewer while one of them holds what it does not use.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

KEPT = 4096
"""Callers of whom is remembered what this process holds; of one that is forgotten it is lost, until it has refilled."""
SECOND = 1_000_000
MINUTE = 60 * SECOND
"""In microseconds: whole numbers, so that every process computes the same."""
PART = 10
"""A process takes at most a tenth of a full bucket at a time: ten writes a minute for a caller who keeps asking."""
REST = 4
"""And a quarter of what is left, so that little is held elsewhere when it runs out."""


class Buckets(Protocol):
    """What the processes share: per caller the moment at which their bucket is full, on one clock for all."""

    def read(self, caller: str) -> tuple[int, int]:
        """That moment, long ago for a caller nobody knows, and what the time is now."""

    def replace(self, caller: str, old: int, new: int) -> bool:
        """At once, and only if nobody did meanwhile: whether it was done."""


@dataclass(slots=True)
class _Held:
    """What this process took of a bucket that is full at `full`; `ahead` is how far the shared clock is before ours.

    Once refused, a caller is refused until `refused`, on our clock: what the answer said, and nothing is read before.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    left: int = 0
    full: int = 0
    ahead: int = 0
    refused: int = 0


class Rates:
    """`per_minute` is what a caller may ask on average, and at once after a pause; 0 means no limit."""

    def __init__(
        self, per_minute: int, buckets: Buckets, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute = per_minute
        self._buckets = buckets
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def wait(self, caller: str) -> int:
        """Take one; 0 when there was one, else the seconds after which there will be."""
        if not self._per_minute:
            return 0
        with self._lock:
            held = self._held.pop(caller, None) or _Held()
            self._held[caller] = held
            if len(self._held) > KEPT:
                self._held.popitem(last=False)
        with held.lock:  # one of them fetches for all who ask for this caller; nobody else waits
            now = round(self._clock() * SECOND)
            if now < held.refused:
                return _seconds(held.refused - now)
            there = min(held.left, self._requests(held.full - held.ahead - now))
            if there > 0:
                held.left = there - 1
                return 0
            return self._fetch(caller, held, now)

    def _fetch(self, caller: str, held: _Held, now: int) -> int:
        """Take some out of the bucket and spend the first. `now` is from before the bucket was read: what is held
        fades a little too early rather than too late."""
        while True:
            stands, there = self._buckets.read(caller)
            full = min(max(stands, there), there + MINUTE)
            rest = self._requests(there + MINUTE - full)
            if rest < 1:
                wait = _seconds(full + self._time(1) - MINUTE - there)
                held.refused = now + wait * SECOND
                return wait
            taken = max(1, min(self._per_minute // PART, rest // REST))
            if self._buckets.replace(caller, stands, full + self._time(taken)):
                held.left, held.full, held.ahead = taken - 1, full + self._time(taken), there - now
                return 0

    def _requests(self, microseconds: int) -> int:
        """How many flow into a bucket in that time."""
        return microseconds * self._per_minute // MINUTE

    def _time(self, requests: int) -> int:
        return -(-requests * MINUTE // self._per_minute)


def _seconds(microseconds: int) -> int:
    return -(-microseconds // SECOND)


class Seats:
    """Places for requests that keep a thread waiting, so that some threads are always left for the others. Of this
    process alone, whose threads they are: a second one has threads, and seats, of its own. One caller gets `each`."""

    def __init__(self, count: int, each: int | None = None) -> None:
        self._count = count
        self._each = count if each is None else max(1, each)
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, caller: str = "") -> bool:
        """Whether there was one for this caller; who took one gives it back."""
        with self._lock:
            there = self._taken.total() < self._count and self._taken[caller] < self._each
            self._taken += Counter({caller: int(there)})
        return there

    def give_back(self, caller: str = "") -> None:
        with self._lock:
            self._taken -= Counter({caller: 1})
