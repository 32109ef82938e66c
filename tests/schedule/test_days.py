"""How availability is computed from the days of a registry."""

from datetime import UTC, date, datetime, timedelta

import pytest

from registries.models import DayRecord
from registries.probe.result import Reason, Result
from registries.schedule.days import availability, count, mark, marks, with_current
from registries.schedule.moving import move

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), 3600


@pytest.fixture(autouse=True)
def utc(settings: object) -> None:
    settings.TIME_ZONE = "UTC"  # type: ignore[attr-defined]


def day(ago: int, hours: float = 0.0) -> DayRecord:
    return DayRecord(day=date(2026, 11, 28) - ago * DAY, ok=1, down=round(hours * HOUR))


@pytest.mark.parametrize(
    ("records", "last", "share"),
    [
        ([], DAY, None),
        ([day(3, 24)], DAY, None),
        ([day(0)], DAY, 1.0),
        ([day(0, 12)], DAY, 0.0),
        ([day(0, 3)], DAY, 0.75),
        ([day(1), day(0, 6)], DAY, 0.75),
        ([day(1, 24), day(0)], DAY, 0.5),
        ([day(1, 12), day(0)], DAY, 0.75),
        ([day(1, 24), day(0)], 7 * DAY, 1 / 3),
        ([day(7, 24), day(0)], 7 * DAY, 0.5),
        ([day(8, 24), day(0)], 7 * DAY, 1.0),
        ([day(0, 13)], DAY, 0.0),
        ([*(day(it, 2.4) for it in range(100, 0, -1)), day(0, 1.2)], 90 * DAY, 0.9),
        ([day(1, 24)], DAY, 0.5),
        ([day(2, 24)], 2 * DAY, 0.0),
    ],
)
def test_availability_is_the_share_of_the_tested_days(
    records: list[DayRecord], last: timedelta, share: float | None
) -> None:
    found = availability(records, NOW, last)
    assert found == (None if share is None else pytest.approx(share))


def test_a_failure_that_lasts_counts_until_now() -> None:
    records, since = [day(1, 2)], NOW - timedelta(hours=15)
    both = with_current(records, since, NOW)
    assert [(it.day.day, it.down // HOUR) for it in both] == [(27, 5), (28, 12)]
    assert availability(records, NOW, DAY, since) == pytest.approx(1 - (15 + 1) / 24)
    assert availability([day(2)], NOW, 3 * DAY, NOW - 2 * DAY) == 0.5, "only the day with the test"
    assert availability([day(2)], NOW, DAY, NOW - 2 * DAY) is None
    untested = DayRecord(day=day(1).day, down=24 * HOUR)
    assert availability([untested, day(0)], NOW, 2 * DAY) == 1.0


def test_a_recovery_before_midnight_counts_after_it() -> None:
    """It works since ten minutes before midnight, and nobody has tested it today: 2:15 and ten minutes of a day."""
    now = datetime(2026, 11, 28, 2, 15, tzinfo=UTC)
    share = availability([day(2, 24), day(1, 24 - 1 / 6)], now, DAY)
    assert share == pytest.approx((2.25 + 1 / 6) / 24, abs=0.001)


@pytest.mark.parametrize(
    ("records", "minutes", "failing", "share"),
    [
        ([day(0)], 10, 10, 0.0),
        ([day(0, 0.5)], 60, 0, 0.5),
        ([day(1, 24), day(0, 0.5)], 60, 0, (12 - 0.5) / 24),
        ([day(0, 3)], 3 * 24 * 60, 0, 0.75),
    ],
    ids=["it never worked", "the first hour", "one that was restored", "one of an earlier day"],
)
def test_time_before_the_creation_does_not_count(
    records: list[DayRecord], minutes: int, failing: int, share: float
) -> None:
    created, since = NOW - timedelta(minutes=minutes), NOW - timedelta(minutes=failing) if failing else None
    assert availability(records, NOW, DAY, since, created) == pytest.approx(share)


@pytest.mark.django_db
def test_a_day_says_how_many_successes_checked_no_password() -> None:
    for reason in (Reason.OK, Reason.OK_UNVERIFIED, Reason.TIMEOUT):
        count(["a", "b"], NOW, Result(reason))
    move("a", "b")
    assert DayRecord.objects.values_list("uid", "ok", "unproven", "failed").get() == ("b", 4, 2, 2)
    assert marks(["b"], NOW.date(), 1) == {"b": "w"}
    assert [mark(2, it, 0, 0) for it in (0, 1)] == ["o", "u"]
