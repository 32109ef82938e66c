"""The state of a credential over its tests, as pure functions."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pytest

from registries.probe.reason import Reason
from registries.schedule.due import CONFIRMATION, RETRIES, back_off, first_due, next_due, read_interval
from registries.schedule.state import (
    FINAL,
    NETWORK,
    REFUSED,
    HostResult,
    State,
    Status,
    own_network_fails,
    percent_of_change,
    step,
)

START = datetime(2026, 11, 28, 8, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SIX = 6 * HOUR
PASSING = sorted(set(Reason) - REFUSED - FINAL - {Reason.OK, Reason.OK_UNVERIFIED, Reason.RATE_LIMITED})
OK = Reason.OK


@dataclass
class Line:
    """Results of one credential, an hour apart."""

    status: Status = field(default_factory=Status)
    at: datetime = START

    def after(self, *reasons: Reason) -> State:
        for reason in reasons:
            self.at += HOUR
            self.status = step(self.status, reason, self.at)
        return self.status.state


@pytest.mark.parametrize("reason", PASSING)
def test_a_failure_that_may_pass_counts_the_second_time(reason: Reason) -> None:
    line = Line()
    assert line.after(OK, OK, reason) is State.SUSPECT
    assert line.status.settled is State.OK
    assert line.after(reason) is State.FAILING
    assert line.status.since == line.at

    line = Line()
    assert line.after(OK, reason, OK, reason, OK) is State.OK, "never two in a row"
    assert line.status.settled is State.OK


@pytest.mark.parametrize("reason", sorted(FINAL))
def test_a_failure_that_cannot_pass_counts_at_once(reason: Reason) -> None:
    assert Line().after(OK, reason) is State.FAILING
    assert Line().after(reason) is State.FAILING


@pytest.mark.parametrize("reason", sorted(REFUSED - FINAL))
def test_a_refusal_is_confirmed_once_if_the_credential_was_good(reason: Reason) -> None:
    line = Line()
    assert line.after(OK, reason) is State.SUSPECT
    wait = next_due(line.status, SIX, line.at) - line.at
    assert timedelta(seconds=2) <= wait <= MINUTE
    assert line.after(reason) is State.FAILING
    assert Line().after(reason) is State.FAILING, "it was never good: no other log-in"
    assert Line().after(OK, Reason.TIMEOUT, reason) is State.SUSPECT, "this refusal is the first one"
    assert Line().after(OK, reason, OK, reason, reason) is State.FAILING


@pytest.mark.parametrize("reason", [*PASSING, *sorted(REFUSED), *sorted(FINAL)])
def test_a_recovery_needs_two_successes(reason: Reason) -> None:
    line = Line()
    line.after(OK, reason, reason)
    since = line.status.since
    assert line.after(OK) is State.RECOVERING
    assert line.status.settled is State.FAILING
    assert next_due(line.status, SIX, line.at) - line.at <= 5 * MINUTE
    assert line.after(reason) is State.FAILING
    assert line.status.since == since, "it was never well"
    assert line.after(OK, Reason.OK_UNVERIFIED) is State.OK
    assert line.status.since == line.at


def test_a_registry_that_asks_for_a_pause_says_nothing() -> None:
    for before in ((), (OK,), (OK, Reason.TIMEOUT), (Reason.TLS_EXPIRED,), (Reason.TLS_EXPIRED, OK)):
        line = Line()
        line.after(*before)
        was = line.status
        line.after(Reason.RATE_LIMITED, Reason.RATE_LIMITED)
        assert (line.status.state, line.status.recent, line.status.failures) == (
            was.state,
            was.recent,
            was.failures,
        )


@pytest.mark.parametrize("reason", sorted(REFUSED - FINAL))
def test_a_registry_that_asks_for_a_pause_after_each_refusal_hides_none(reason: Reason) -> None:
    """Some allow no second log-in for a while after a wrong password."""
    line, pause = Line(), Reason.RATE_LIMITED
    assert line.after(OK, reason, pause) is State.SUSPECT
    assert line.after(reason) is State.FAILING
    assert line.after(pause, reason, pause, reason) is State.FAILING
    assert line.status.failures == 4, "the wait grows"
    line.after(OK, OK)
    assert line.after(reason) is State.SUSPECT, "the next one is confirmed again"


@pytest.mark.parametrize("reason", sorted(REFUSED - FINAL))
def test_a_pause_makes_a_refusal_of_no_other_failure(reason: Reason) -> None:
    pauses = [Reason.RATE_LIMITED] * 2
    line = Line()
    assert line.after(OK, Reason.TIMEOUT, *pauses, reason) is State.SUSPECT, "this refusal is the first one"
    assert line.status.failures == 1
    assert line.after(*pauses, reason) is State.FAILING

    line = Line()
    assert line.after(OK, *[Reason.TIMEOUT] * 3, *pauses, reason) is State.FAILING
    assert line.status.failures == 1, "the wait begins anew"
    assert line.after(*pauses, Reason.TIMEOUT) is State.FAILING
    assert line.status.failures == 1


@pytest.mark.parametrize("reason", sorted(NETWORK))
def test_the_consoles_own_network_says_nothing(reason: Reason) -> None:
    line = Line()
    line.after(OK, reason)
    for _ in range(3):
        line.status = step(line.status, reason, line.at, own_network=True)
        assert line.status.state is State.OK
        assert next_due(line.status, SIX, line.at, own_network=True) - line.at <= 5 * MINUTE
    refused = step(line.status, Reason.TLS_EXPIRED, line.at, own_network=True)
    assert refused.state is State.FAILING, "this is no failure of the network"


def test_flapping_is_one_state_that_begins_and_ends_once() -> None:
    line = Line()
    line.after(*[OK] * 21)
    states = [line.after(*pair) for pair in [(Reason.TIMEOUT, Reason.TIMEOUT, OK, OK)] * 10]
    assert states[-1] is State.FLAPPING
    begin = states.index(State.FLAPPING)
    assert set(states[begin:]) == {State.FLAPPING}, "it stays"
    ends = [line.after(OK) for _ in range(21)]
    assert ends[-1] is State.OK
    assert set(ends[: ends.index(State.OK)]) == {State.FLAPPING}
    assert set(ends[ends.index(State.OK) :]) == {State.OK}


def test_percent_of_change_is_that_of_nagios() -> None:
    assert percent_of_change("") == percent_of_change("+" * 21) == percent_of_change("---") == 0
    assert percent_of_change("+-" * 10 + "+") == pytest.approx(100)
    assert percent_of_change("+" * 20 + "-") == pytest.approx(6.0), "the newest weighs 1.2 of 20"
    assert percent_of_change("-" + "+" * 20) == pytest.approx(4.0)
    assert percent_of_change("+x-x-x") == percent_of_change("+-----"), "a refusal is a failure"
    assert percent_of_change("+-") == percent_of_change("+" * 20 + "-"), "missing results are no change"


def results(turned: int, reached: int, failing: int = 0) -> list[HostResult]:
    kinds = [(Reason.TIMEOUT, False)] * turned + [(OK, False)] * reached + [(Reason.TIMEOUT, True)] * failing
    return [HostResult(f"h{number}", reason, failed) for number, (reason, failed) in enumerate(kinds)]


def test_the_own_network_fails_when_most_of_at_least_five_hosts_turn() -> None:
    for turned, reached, failing in product(range(9), range(9), (0, 20)):
        expected = turned + reached >= 5 and turned > reached
        assert own_network_fails(results(turned, reached, failing)) is expected


@pytest.mark.parametrize("reason", PASSING)
def test_a_failure_that_may_pass_is_looked_at_after_1_2_and_5_minutes(reason: Reason) -> None:
    line, waits = Line(), []
    line.after(OK)
    for _ in range(4):
        line.after(reason)
        waits.append(next_due(line.status, SIX, line.at) - line.at)
    assert waits[:3] == [MINUTE, 2 * MINUTE, 5 * MINUTE] == list(RETRIES)
    assert 0.9 * SIX <= waits[3] <= 1.1 * SIX


@pytest.mark.parametrize("interval", [HOUR, SIX, 24 * HOUR, 7 * 24 * HOUR])
def test_a_refused_password_waits_twice_as_long_each_time_up_to_a_day(interval: timedelta) -> None:
    waits = [back_off(interval, number) for number in range(1, 40)]
    longest = max(interval, 24 * HOUR)
    assert waits[0] == min(2 * interval, longest)
    assert all(later == min(2 * earlier, longest) for earlier, later in pairwise(waits))
    assert waits[-1] == longest


@pytest.mark.parametrize("reason", sorted(set(Reason) - REFUSED - {Reason.RATE_LIMITED}))
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_nothing_is_due_later_than_an_interval_and_a_tenth(reason: Reason, share: float) -> None:
    line = Line()
    for _ in range(8):
        line.after(reason)
        due = next_due(line.status, SIX, line.at, spread=lambda low, high: low + share * (high - low))
        assert timedelta() < due - line.at <= 1.1 * SIX


def test_retry_after_is_obeyed_up_to_a_day() -> None:
    line = Line()
    line.after(OK, Reason.RATE_LIMITED)
    for asked in (None, 1, 60, 3600, 8 * 3600, 24 * 3600, 10**9):
        wait = next_due(line.status, SIX, line.at, retry_after=asked) - line.at
        assert timedelta(seconds=min(asked or 60, 24 * 3600)) <= wait <= max(24 * HOUR, 1.1 * SIX)


@pytest.mark.parametrize("before", [Reason.BAD_CREDENTIALS, Reason.TIMEOUT])
def test_a_pause_puts_off_the_confirming_test_and_no_longer(before: Reason) -> None:
    line = Line()
    line.after(OK, before, Reason.RATE_LIMITED)
    for asked, wait in ((None, 60), (1, 60), (600, 600), (8 * 3600, 8 * 3600), (10**9, 24 * 3600)):
        due = next_due(line.status, SIX, line.at, retry_after=asked)
        assert due - line.at == timedelta(seconds=wait)
    for paused, longest in ((MINUTE, 2 * MINUTE), (HOUR, 2 * HOUR), (4 * HOUR, 1.1 * SIX)):
        wait_again = next_due(line.status, SIX, line.at, retry_after=1, paused=paused) - line.at
        assert min(2 * paused, 0.9 * SIX) <= wait_again <= longest, "it is not asked every minute for ever"


def test_the_first_tests_are_spread() -> None:
    shares = iter((0.0, 0.5, 1.0))
    spread = [
        first_due(START, SIX, 100, everything=True, spread=lambda low, high: next(shares)) - START
        for _ in range(3)
    ]
    assert spread == [timedelta(), SIX / 2, SIX]
    latest = [first_due(START, SIX, n, everything=False, spread=lambda _, high: high) for n in (1, 10, 9999)]
    assert [it - START for it in latest] == [MINUTE, 10 * MINUTE, SIX]


def test_intervals_as_people_write_them() -> None:
    assert [read_interval(it) for it in ("off", "1h", "90m", "6h", "2d", "7d")] == [
        None,
        *(timedelta(hours=it) for it in (1, 1.5, 6, 48, 168)),
    ]
    for wrong in (
        "",
        "0",
        "6",
        "59m",
        "0h",
        "8d",
        "169h",
        "-1h",
        "1w",
        "6 h",
        "6H",
        "1h30m",
        "99999d",
        "６h",
    ):
        with pytest.raises(ValueError, match="no interval"):
            read_interval(wrong)


def test_the_confirming_test_is_late_enough_for_harbor() -> None:
    assert 2 <= CONFIRMATION[0] < CONFIRMATION[1] <= 60
