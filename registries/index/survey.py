"""What needs attention among the registries that a person sees. Pure: no clock, no storage.

The counts of a namespace are kept with its bucket, so that a survey costs one look at each namespace.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import chain, islice
from typing import Self

from registries.domain.query import Tally
from registries.domain.registry import RegistrySecret
from registries.index.bucket import newest_test_first
from registries.index.snapshot import Visible

LINES = 5


@dataclass(frozen=True, slots=True)
class Some:
    """The first ones of many, and how many there are."""

    first: tuple[RegistrySecret, ...]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.first)


@dataclass(frozen=True, slots=True)
class Survey:
    tally: Tally
    tested_at: datetime | None
    """The newest test of all."""
    tested: tuple[RegistrySecret, ...]
    """Those with the newest tests, the newest first."""
    failing: tuple[tuple[tuple[str, str], int], ...]
    """The failing registries by domain and reason, the largest groups first."""
    expiring: Some
    """Those with a credential or certificate that expires within 30 days, or has expired."""
    ending: tuple[RegistrySecret, ...]
    """Those that expire first, also later than in 30 days."""
    old: Some
    """Registries whose password is older than a given age, the oldest first."""
    not_verified: Some
    plain: Some
    probed: tuple[RegistrySecret, ...]
    """All that have a probe image."""

    @classmethod
    def of(cls, seen: Visible, now: datetime, age: timedelta | None, most: int) -> Self:
        """`age` None: no registry is old. `most` limits every list but that of the failing ones, and `tested` and
        `ending`, which have at most LINES."""
        buckets = seen.buckets
        dates = merge(
            *(it.by_expiry[: max(most, LINES)] for it in buckets), key=lambda it: (it.endings[0][0], it.key)
        )
        first = tuple(islice(dates, max(most, LINES)))
        tally = seen.tally(now)
        return cls(
            tally=tally,
            tested_at=max((it.tested_at[-1] for it in buckets if it.tested_at), default=None),
            tested=_tested(seen),
            failing=seen.failing,
            expiring=Some(first[: min(most, tally.expiring)], tally.expiring),
            ending=first[:LINES],
            old=_old(seen, now - age, most) if age else Some((), 0),
            not_verified=_some([it.not_verified for it in buckets], most),
            plain=_some([it.plain for it in buckets], most),
            probed=tuple(chain.from_iterable(it.probed for it in buckets)),
        )


def _tested(seen: Visible) -> tuple[RegistrySecret, ...]:
    parts = (it.by_test[:LINES] for it in seen.buckets)
    return tuple(sorted(chain.from_iterable(parts), key=newest_test_first)[:LINES])


def _old(seen: Visible, before: datetime, most: int) -> Some:
    counts = [bisect_left(it.by_age, before, key=lambda one: one.password_set_at) for it in seen.buckets]
    oldest = merge(
        *(it.by_age[: min(most, count)] for it, count in zip(seen.buckets, counts, strict=True)),
        key=lambda it: (it.password_set_at, it.key),
    )
    return Some(tuple(islice(oldest, most)), sum(counts))


def _some(parts: Sequence[Sequence[RegistrySecret]], most: int) -> Some:
    whole: Iterable[RegistrySecret] = chain.from_iterable(parts)
    return Some(tuple(islice(whole, most)), sum(map(len, parts)))
