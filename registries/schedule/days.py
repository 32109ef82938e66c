"""What a day was like for a registry: successes, failures, seconds down. Owns DayRecord."""

from collections.abc import Iterator, Sequence
from copy import copy
from datetime import date, datetime, time, timedelta, tzinfo

from django.db.models import F
from django.utils import timezone

from registries.models import DayRecord
from registries.probe.result import Result

BATCH = 500
"""Rows of one statement. SQLite limits the parameters of a query."""


def seconds_by_day(begin: datetime, end: datetime, zone: tzinfo) -> Iterator[tuple[date, int]]:
    """The seconds of each day between two moments, in this time zone."""
    while begin < end:
        day = begin.astimezone(zone).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), zone)
        yield day, round((min(end, midnight) - begin).total_seconds())
        begin = midnight


def count(uids: Sequence[str], at: datetime, result: Result) -> None:
    """Counts one test for each of these registries."""
    unproven = {"unproven": 1} if result.ok and not result.proven else {}
    _add(uids, timezone.localdate(at), **{"ok" if result.ok else "failed": 1}, **unproven)


def add_down(uids: Sequence[str], begin: datetime, end: datetime) -> None:
    """Adds a time in which these registries were failing."""
    for day, seconds in seconds_by_day(begin, end, timezone.get_default_timezone()):
        _add(uids, day, down=seconds)


def of(uid: str, since: date) -> list[DayRecord]:
    """The days of one registry, oldest first. Days without a test have no record."""
    return list(DayRecord.objects.filter(uid=uid, day__gte=since).order_by("day"))


def mark(ok: int, unproven: int, failed: int, down: int) -> str:
    """The letter of a day: `o` good, `u` with a success that says nothing about the password, `w` with failed tests,
    `x` with a confirmed failure, `-` without a test, also while a failure lasted."""
    if not ok and not failed:
        return "-"
    return "x" if down else "w" if failed else "u" if unproven else "o"


def marks(uids: Sequence[str], since: date, number: int) -> dict[str, str]:
    """The mark of each of `number` days by uid, oldest first. Registries without a test are left out. One query for
    500."""
    found: dict[str, list[str]] = {}
    for first in range(0, len(uids), BATCH):
        some = DayRecord.objects.filter(uid__in=uids[first : first + BATCH], day__gte=since)
        for uid, day, *numbers in some.values_list("uid", "day", "ok", "unproven", "failed", "down"):
            place = (day - since).days
            letter = mark(*numbers)
            if place < number and letter != "-":
                found.setdefault(uid, ["-"] * number)[place] = letter
    return {uid: "".join(letters) for uid, letters in found.items()}


def with_current(records: Sequence[DayRecord], down_since: datetime | None, now: datetime) -> list[DayRecord]:
    """The days of one registry, with the seconds since the last test if it was failing then (`down_since`)."""
    found = {it.day: copy(it) for it in records}
    for day, seconds in seconds_by_day(down_since or now, now, timezone.get_default_timezone()):
        found.setdefault(day, DayRecord(day=day)).down += seconds
    return [found[day] for day in sorted(found)]


def availability(
    records: Sequence[DayRecord],
    now: datetime,
    last: timedelta,
    down_since: datetime | None = None,
    created_at: datetime | None = None,
) -> float | None:
    """The share of the time until now in which no confirmed failure lasted, 0 to 1; None without a test.

    Only days with a test count, and today before its first test if yesterday has one: the last result lasts. The
    first day counts by the part of it that is within `last`. `down_since` as for `with_current`, exact. A first day on
    which the registry was created counts from `created_at`; one that was restored has earlier days.
    """
    zone = timezone.get_default_timezone()
    begin, end = (now - last).timestamp(), now.timestamp()
    failing_from = down_since.timestamp() if down_since else end
    watched = down = 0.0
    found = {it.day: it.down for it in records if it.ok or it.failed}
    today = now.astimezone(zone).date()
    if today - timedelta(days=1) in found:
        found.setdefault(today, 0)
    born = created_at.timestamp() if created_at else 0.0
    for day, seconds in found.items():
        start, next_midnight = (
            datetime.combine(day + timedelta(days=n), time(), zone).timestamp() for n in (0, 1)
        )
        if start < born < next_midnight and day == min(found):
            start = born
        inside = min(next_midnight, end) - max(start, begin)
        if inside > 0:
            watched += inside
            down += min(inside, seconds * inside / (min(next_midnight, end) - start))
            down += max(0.0, min(next_midnight, end) - max(start, begin, failing_from))
    return 1 - min(down, watched) / watched if watched else None


def forget(uids: Sequence[str]) -> None:
    for first in range(0, len(uids), BATCH):
        DayRecord.objects.filter(uid__in=uids[first : first + BATCH]).delete()


def _add(uids: Sequence[str], day: date, **amounts: int) -> None:
    more = {field: F(field) + amount for field, amount in amounts.items()}
    for first in range(0, len(uids), BATCH):
        some = uids[first : first + BATCH]
        DayRecord.objects.bulk_create((DayRecord(uid=uid, day=day) for uid in some), ignore_conflicts=True)
        DayRecord.objects.filter(uid__in=some, day=day).update(**more)
