"""Limits: so many requests a minute per caller, shared by all processes; seats for requests that
wait; and pauses that registries requested.

A caller has a bucket that refills evenly. Its row holds the moment at which the bucket will be full again. Each
process takes some requests out of it at a time and spends them without a query. What a process holds fades as the
bucket refills, so the bucket and all holdings are never more than one full bucket.
"""

import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from registries.models import ApiBucket, Pause

KEPT = 4096
"""Callers whose holdings this process remembers. The holding of a forgotten one is lost until the bucket refills."""
SECOND = 1_000_000
MINUTE = 60 * SECOND
"""In microseconds: whole numbers, so that every process computes the same."""
PART = 10
"""A process takes at most a tenth of a full bucket at a time: ten writes a minute for a busy caller."""
REST = 4
"""And at most a quarter of what is left, so that other processes find some."""
CALLER = 255
"""Characters of a caller that are stored."""
ADDRESS_FACTOR, NAME_FACTOR = 6, 2
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """A transaction during which no other transaction of this name runs, in any process.

    For a limit that is read before it is used: a count, a last one of its kind. PostgreSQL holds an advisory lock.
    SQLite needs none: its transactions begin with the lock for writing.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        yield


class StoredBuckets:
    """Buckets in the database, on its clock: the clocks of several machines differ."""

    def read(self, caller: str) -> tuple[int, int]:
        """The moment at which this bucket is full, and the time now, in microseconds. 0 for a new caller, whose bucket
        is created; those that have long been full are deleted then."""
        made = False
        rows = ApiBucket.objects.filter(caller=caller[:CALLER]).annotate(now=Now())
        while (row := rows.values_list("full_at", "now").first()) is None:
            ApiBucket.objects.bulk_create([ApiBucket(caller=caller[:CALLER])], ignore_conflicts=True)
            made = True
        now = (row[1] - EPOCH) // timedelta(microseconds=1)
        if made:
            self.clean(now)
        return row[0], now

    def clean(self, now: int) -> None:
        """Deletes buckets that have long been full. A 0 was created this moment; its owner is about to write it."""
        ApiBucket.objects.filter(full_at__gt=0, full_at__lt=now - MINUTE).delete()

    def replace(self, caller: str, old: int, new: int) -> bool:
        """Writes the moment if it is still `old`; returns whether it was."""
        return ApiBucket.objects.filter(caller=caller[:CALLER], full_at=old).update(full_at=new) == 1


@dataclass(slots=True)
class _Held:
    """What this process took out of one bucket, which is full at `full`.

    `ahead` is the shared clock minus this process's clock. A refused caller stays refused until `refused`, on this
    process's clock, without another query.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    left: int = 0
    full: int = 0
    ahead: int = 0
    refused: int = 0


class Rates:
    """A caller may send `per_minute` requests on average, and as many at once after a pause. 0 means no limit."""

    def __init__(
        self, per_minute: int, buckets: StoredBuckets, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute = per_minute
        self._buckets = buckets
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def wait(self, caller: str) -> int:
        """Takes one request. Returns 0, or the seconds until there will be one."""
        if not self._per_minute:
            return 0
        with self._lock:
            held = self._held.pop(caller, None) or _Held()
            self._held[caller] = held
            if len(self._held) > KEPT:
                self._held.popitem(last=False)
        with held.lock:  # one thread fetches for all threads of this caller; other callers do not wait
            now = round(self._clock() * SECOND)
            if now < held.refused:
                return _seconds(held.refused - now)
            left = min(held.left, self._requests(held.full - held.ahead - now))
            if left > 0:
                held.left = left - 1
                return 0
            return self._fetch(caller, held, now)

    def give_back(self, caller: str) -> None:
        """Returns a request that `wait` took and that does not count after all."""
        with self._lock:
            held = self._held.get(caller)
        if held is not None:
            with held.lock:
                held.left += 1
                held.refused = 0

    def _fetch(self, caller: str, held: _Held, now: int) -> int:
        """Takes some requests out of the bucket and spends the first.

        `now` was read before the bucket, so a holding fades a little too early rather than too late.
        """
        while True:
            stored, shared_now = self._buckets.read(caller)
            full = min(max(stored, shared_now), shared_now + MINUTE)
            rest = self._requests(shared_now + MINUTE - full)
            if rest < 1:
                wait = _seconds(full + self._time(1) - MINUTE - shared_now)
                held.refused = now + wait * SECOND
                return wait
            taken = max(1, min(self._per_minute // PART, rest // REST))
            if self._buckets.replace(caller, stored, full + self._time(taken)):
                held.left, held.full, held.ahead = taken - 1, full + self._time(taken), shared_now - now
                return 0

    def _requests(self, microseconds: int) -> int:
        """The requests that flow into a bucket in this time."""
        return microseconds * self._per_minute // MINUTE

    def _time(self, requests: int) -> int:
        return -(-requests * MINUTE // self._per_minute)


@dataclass(frozen=True, slots=True)
class LogInRates:
    """How often a password may be refused in a minute."""

    addresses: Rates
    """For one address."""
    names: Rates
    """For one user name, at all addresses from which it has never logged in."""

    @classmethod
    def of(cls, failures: int, buckets: StoredBuckets) -> "LogInRates":
        """`failures` is the number of failures that lock one name at one address."""
        return cls(Rates(ADDRESS_FACTOR * failures, buckets), Rates(NAME_FACTOR * failures, buckets))


def _seconds(microseconds: int) -> int:
    return -(-microseconds // SECOND)


class Claims:
    """Up to `count` holders of a name at once, in all processes. A claim that is not given back ends after `seconds`.

    A claim is a bucket that is full when it ends, so old ones are deleted with the buckets.
    """

    def __init__(self, count: int, seconds: int) -> None:
        self._count = count
        self._seconds = seconds

    def take(self, name: str, holder: str) -> bool:
        """Whether this holder has a claim now. `holder` is unique; a name has no |."""
        caller = f"{name}|{holder}"
        with exclusive(f"claims {name}"):
            _, now = StoredBuckets().read(caller)
            held = ApiBucket.objects.filter(caller__startswith=f"{name}|", full_at__gt=now).count()
            fits = held < self._count
            if fits:
                ApiBucket.objects.filter(caller=caller).update(full_at=now + self._seconds * SECOND)
            else:
                self.give_back(name, holder)
        return fits

    def give_back(self, name: str, holder: str) -> None:
        """Ends a claim, if the holder has one."""
        ApiBucket.objects.filter(caller=f"{name}|{holder}").delete()


class Seats:
    """Places for requests that keep a thread waiting, so that some threads are left for other requests.

    They belong to this process, as its threads do. With `each`, one caller gets at most that many, and fewer than are
    free: so a person who holds none finds a seat after others have taken theirs.
    """

    def __init__(self, count: int, each: int | None = None) -> None:
        self._count = count
        self._each = count if each is None else max(1, each)
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, caller: str = "") -> bool:
        """Takes a seat for this caller, if one is free. Give it back afterwards."""
        with self._lock:
            free, own = self._count - self._taken.total(), self._taken[caller]
            fits = free > 0 and own < self._each and (free > own or self._each == self._count)
            self._taken += Counter({caller: int(fits)})
        return fits

    def give_back(self, caller: str = "") -> None:
        with self._lock:
            self._taken -= Counter({caller: 1})


class Pauses:
    """Pauses that registries requested with Retry-After, shared by all processes. Owns Pause.

    A pause holds for a user name in the namespace whose test was refused. Another namespace neither sees it nor has to
    wait for it, and hears of a busy registry by its own first test.
    """

    def note(self, namespace: str, registry: str, username: str, seconds: int) -> None:
        """A registry (host:port) sent Retry-After for a user name."""
        Pause.objects.filter(until__lt=timezone.now()).delete()
        until = timezone.now() + timedelta(seconds=seconds)
        Pause.objects.update_or_create(
            namespace=namespace, registry=registry[:300], username=username[:256], defaults={"until": until}
        )

    def left(self, namespace: str, registry: str, username: str) -> int:
        """The remaining seconds of the pause, or 0."""
        now = timezone.now()
        mine = Pause.objects.filter(namespace=namespace, registry=registry[:300], username=username[:256])
        pause = mine.filter(until__gt=now).first()
        return math.ceil((pause.until - now).total_seconds()) if pause else 0

    def active(self) -> set[tuple[str, str, str]]:
        """(namespace, registry, user name) of every current pause."""
        current = Pause.objects.filter(until__gt=timezone.now())
        return set(current.values_list("namespace", "registry", "username"))
