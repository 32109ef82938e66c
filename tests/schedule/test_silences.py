"""Times without messages: snoozes, windows once and every week, and what is told at their end."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, product
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from registries.domain.errors import Forbidden, Invalid, NotFound
from registries.models import Silence, StateChange
from registries.schedule import silences
from registries.schedule.silences import AT_MOST, LAST_DAY, LONGEST, Scope, Window, silent_until, to_tell
from tests.cast import Cast
from tests.peers.cost import processor_seconds

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 1, 2, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)


def silent(moment: datetime, *windows: Window, zone: ZoneInfo = SHANGHAI) -> datetime | None:
    return silent_until(windows, moment, zone)


def test_a_scope_covers_what_it_names_and_nothing_else() -> None:
    for namespace, host, uid in product(
        (None, "team-a", "team-b"), (None, "h:443", "i:443"), (None, "u", "v")
    ):
        expected = namespace != "team-b" and host != "i:443" and uid != "v"
        assert Scope(namespace, host, uid).covers("team-a", "h:443", "u") is expected


@pytest.mark.parametrize("values", [it for it in product(("", None, "x"), repeat=3) if "" in it])
def test_an_unknown_value_silences_nothing(values: tuple[str | None, str | None, str | None]) -> None:
    with pytest.raises(ValueError, match="empty"):
        Scope(*values)


def test_a_window_begins_and_ends_to_the_second() -> None:
    once = Window(START, START + HOUR)
    second = timedelta(seconds=1)
    moments = (START - second, START, START + HOUR - second, START + HOUR)
    assert [bool(silent(it, once)) for it in moments] == [False, True, True, False]
    assert silent(START, once) == START + HOUR


def test_windows_that_meet_are_one() -> None:
    one, two, three = (Window(START + n * HOUR, START + (n + 1.5) * HOUR) for n in range(3))
    later = Window(START + 5 * HOUR, START + 6 * HOUR)
    for moment in (START, START + 2 * HOUR, START + 3.4 * HOUR):
        assert silent(moment, later, three, one, two) == START + 3.5 * HOUR
    touching = Window(START + 1.5 * HOUR, START + 2 * HOUR)
    assert silent(START, one, touching) == START + 2 * HOUR


@pytest.mark.parametrize("zone", [SHANGHAI, BERLIN])
def test_a_weekly_window_is_at_the_same_time_of_day(zone: ZoneInfo) -> None:
    """In Berlin an hour is left out on 29 March 2026."""
    start = datetime(2026, 3, 7, 22, tzinfo=zone)
    window = Window(start, start + 4 * HOUR, last_day=date(2026, 4, 25))
    for week in range(10):
        begin = datetime.combine(start.date() + week * WEEK, start.time(), zone)
        inside = [begin, begin + HOUR, begin + 3.9 * HOUR]
        outside = [begin - timedelta(seconds=1), begin + 4 * HOUR, begin + 72 * HOUR]
        assert [bool(silent(it.astimezone(UTC), window, zone=zone)) for it in inside] == [week < 8] * 3
        assert not any(silent(it.astimezone(UTC), window, zone=zone) for it in outside)
    assert silent(start - WEEK + HOUR, window, zone=zone) is None, "not before it begins"


def many_windows(now: datetime) -> list[Window]:
    """As many weekly windows as a namespace may have, which meet for two years."""
    begins = (now - LAST_DAY + timedelta(days=1) + n * WEEK / AT_MOST for n in range(AT_MOST))
    return [Window(it, it + 4 * HOUR, (now + LAST_DAY).date()) for it in begins]


def test_many_windows_cost_a_page_little(cast: Cast) -> None:
    """Whoever may silence one namespace must not stop the lists, nor the messages of all."""
    now = timezone.now()
    for it in many_windows(now):
        silences.add(access=cast.access("omar"), scope=Scope("team-a"), window=it, reason="upgrade")
    registry = cast.add()
    many = [replace(registry, uid=f"u{n}") for n in range(100)]

    def look() -> None:
        ends = silences.ends(many, now)
        scopes = silences.scopes_at(now)
        assert all(ends[it.uid] >= now + LONGEST for it in many)
        assert all(silences.is_silent(scopes, namespace="team-a", host="h", uid=it.uid) for it in many)

    assert processor_seconds(look) < 0.5


def change(uid: str, before: str, after: str) -> StateChange:
    return StateChange(uid=uid, before=before, after=after, at=START)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ("ok failing", True),
        ("failing ok", True),
        ("ok failing ok", False),
        ("failing ok failing", False),
        ("ok failing flapping", True),
        ("ok failing ok failing", True),
        ("ok flapping ok", False),
    ],
)
def test_at_the_end_only_a_difference_is_told(states: str, told: bool) -> None:
    names = states.split()
    changes = [change("u", *pair) for pair in pairwise(names)]
    other = [change("v", "ok", "failing"), change("v", "failing", "ok")]
    found = to_tell([*other, *changes], lambda change: None)
    assert [(first.before, last.after) for first, last in found] == ([(names[0], names[-1])] if told else [])


def test_a_silence_is_stored_until_it_is_over(cast: Cast) -> None:
    now = timezone.now()
    scope, window = Scope("team-a", uid="u"), Window(now, now + HOUR)
    made = silences.add(access=cast.access("omar"), scope=scope, window=window, reason="upgrade")
    assert silences.current(now) == [(scope, window)]
    assert not silences.current(now + HOUR)
    silences.end(access=cast.access("omar"), pk=made.pk)
    assert not Silence.objects.exists()


@pytest.mark.parametrize(
    ("person", "namespace", "error"),
    [
        ("vic", "team-a", Forbidden),
        ("sam", "team-a", NotFound),
        ("nina", "team-b", NotFound),
        ("nina", "", Forbidden),
    ],
)
def test_a_silence_takes_the_right_to_edit(
    cast: Cast, person: str, namespace: str, error: type[Exception]
) -> None:
    now = timezone.now()
    values = {"scope": Scope(namespace or None), "window": Window(now, now + HOUR), "reason": "upgrade"}
    with pytest.raises(error):
        silences.add(access=cast.access(person), **values)
    made = silences.add(access=cast.access("olive"), **values)
    with pytest.raises(error):
        silences.end(access=cast.access(person), pk=made.pk)


def test_a_silence_without_an_end_or_a_reason_is_refused(cast: Cast) -> None:
    now, day = timezone.now(), timezone.now().date()
    wrong = {
        "over": (Window(now - 2 * HOUR, now - HOUR), "r", ["ends_at"]),
        "backwards": (Window(now + HOUR, now), "r", ["ends_at"]),
        "long": (Window(now, now + 31 * 24 * HOUR), "r", ["ends_at"]),
        "a whole week": (Window(now, now + WEEK, day + WEEK), "r", ["ends_at"]),
        "for years": (Window(now, now + HOUR, day + 60 * WEEK), "r", ["last_day"]),
        "no reason": (Window(now, now + HOUR), " ", ["reason"]),
        "long reason": (Window(now, now + HOUR), "x" * 201, ["reason"]),
    }
    for window, reason, fields in wrong.values():
        with pytest.raises(Invalid) as refused:
            silences.add(access=cast.access("olive"), scope=Scope("team-a"), window=window, reason=reason)
        assert [it.field for it in refused.value.causes] == fields


def test_a_weekly_window_can_be_ended_until_its_last_end_is_over(cast: Cast) -> None:
    """The last day is one of the console's zone. There it is one o'clock at night on the day after it."""
    now = datetime(2026, 3, 8, 1, tzinfo=SHANGHAI)
    begin = datetime(2026, 2, 7, tzinfo=SHANGHAI)
    hours = {"over": (20, 21), "goes on": (22, 26)}
    for reason, (first, last) in hours.items():
        Silence.objects.create(
            namespace="team-a",
            starts_at=begin + first * HOUR,
            ends_at=begin + last * HOUR,
            weekly=True,
            last_day=date(2026, 3, 7),
            reason=reason,
            person="nina",
        )

    for moment, expected in ((now, ["goes on"]), (now - 6 * HOUR, ["over", "goes on"]), (now + 2 * HOUR, [])):
        found = silences.manageable(access=cast.access("nina"), now=moment.astimezone(UTC))
        assert [it.reason for it in found] == expected, moment
