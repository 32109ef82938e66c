"""How often a caller may ask: one bucket for all processes, whoever of them is asked, and rarely written."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hypothesis
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import strategies

from registries import wiring
from registries.limits import KEPT, MINUTE, SECOND, Claims, Rates, StoredBuckets
from registries.models import ApiBucket
from registries.wiring import admitting
from tests import examples
from tests.api.test_api import TEAM_A
from tests.cast import Cast


class Buckets:
    """Buckets in memory, with a clock that the test turns; counts what is written."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND
        self.full: dict[str, int] = {}
        self.written = 0

    def read(self, caller: str) -> tuple[int, int]:
        return self.full.get(caller, 0), self.now

    def replace(self, caller: str, old: int, new: int) -> bool:
        assert old == self.full.get(caller, 0)
        self.full[caller] = new
        self.written += 1
        return True

    def process(self, per_minute: int, before: int = 0) -> Rates:
        """One of those that share them, whose own clock began at another time."""
        return Rates(per_minute, self, lambda: (self.now - before) / SECOND)


class Still(StoredBuckets):
    """In the database, but no time passes: not even a busy machine's."""

    def read(self, caller: str) -> tuple[int, int]:
        return super().read(caller)[0], 1_000_000_000 * SECOND

    def clean(self, now: int) -> None:
        """By the real clock every bucket of these tests has long been full."""


def standing(per_minute: int, buckets: StoredBuckets) -> Rates:
    return Rates(per_minute, buckets, lambda: 0.0)


@pytest.fixture
def buckets() -> Buckets:
    return Buckets()


def test_fills_up_again_with_time(buckets: Buckets) -> None:
    rates = buckets.process(60)

    assert [rates.wait("a") for _ in range(61)] == [0] * 60 + [1]
    buckets.now += SECOND
    assert (rates.wait("a"), rates.wait("a")) == (0, 1)
    assert rates.wait("b") == 0


def test_is_no_limit_when_it_is_zero(buckets: Buckets) -> None:
    assert not any(buckets.process(0).wait("a") for _ in range(1000))
    assert not buckets.written


def test_forgets_the_oldest(buckets: Buckets) -> None:
    rates = buckets.process(20)
    rates.wait("first")
    for number in range(KEPT):
        rates.wait(str(number))
    written = buckets.written

    assert rates.wait("first") == 0
    assert buckets.written == written + 1, "what was held is lost, and some more was taken"


def test_two_processes_allow_what_one_would(buckets: Buckets) -> None:
    one, two = buckets.process(600), buckets.process(600, before=77)

    allowed = sum(not process.wait("a") for _ in range(600) for process in (one, two))

    assert 590 <= allowed <= 600


def test_what_a_silent_process_holds_is_a_tenth_at_most_and_fades(buckets: Buckets) -> None:
    silent, busy = buckets.process(600), buckets.process(600)
    silent.wait("a")

    assert sum(not busy.wait("a") for _ in range(700)) == 540
    buckets.now += MINUTE
    assert sum(not busy.wait("a") for _ in range(700)) == 600, "it is everybody's again"
    assert silent.wait("a"), "and no longer its own"


def test_little_is_held_by_others_when_it_runs_out(buckets: Buckets) -> None:
    late, busy = buckets.process(600), buckets.process(600)
    spent = sum(not busy.wait("a") for _ in range(500))
    late.wait("a")

    spent += sum(not busy.wait("a") for _ in range(200))

    assert spent >= 575


def test_a_clock_that_was_set_back_shuts_nobody_out(buckets: Buckets) -> None:
    buckets.full["a"] = buckets.now + 60 * MINUTE

    assert buckets.process(60).wait("a") == 1


def test_tells_when_to_come_back(buckets: Buckets) -> None:
    one, two = buckets.process(6), buckets.process(6)
    while not one.wait("a"):
        pass

    assert two.wait("a") == one.wait("a") == 10
    buckets.now += 9 * SECOND
    assert two.wait("a") == one.wait("a") == 1
    buckets.now += SECOND
    assert two.wait("a") == 0
    assert one.wait("a") == 10


def test_whoever_is_refused_costs_no_reading(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = buckets.process(6)
    while not rates.wait("a"):
        pass
    buckets.now += 9 * SECOND

    buckets.full = {}

    assert rates.wait("a") == 1, "it is not looked at"


@pytest.mark.parametrize(("pause", "most"), [(0, 30), (SECOND // 10, 12), (SECOND, 110)])
def test_few_requests_are_a_write(buckets: Buckets, pause: int, most: int) -> None:
    """600 at once, as fast as is allowed for a minute, and one a second for ten minutes."""
    rates = buckets.process(600)
    for _ in range(600):
        assert rates.wait("a") == 0
        buckets.now += pause

    assert buckets.written <= most


STEPS = strategies.lists(
    strategies.tuples(
        strategies.integers(min_value=0, max_value=2),
        strategies.sampled_from([0, 1, 1000, 40_000, 333_333, SECOND, 5 * SECOND, 61 * SECOND]),
        strategies.sampled_from([1, 3, 40, 700]),
    ),
    max_size=30,
)


@hypothesis.example([(0, 0, 1), (0, 5 * SECOND, 700)], 600)
@hypothesis.example([(0, 0, 1), (1, 0, 1), (0, 5 * SECOND, 700), (1, 0, 700)], 600)
@hypothesis.given(STEPS, strategies.sampled_from([1, 7, 60, 600]))
@hypothesis.settings(
    deadline=None,
    database=None,
    max_examples=examples.of(300),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
def test_never_more_than_one_bucket_would_allow(steps: list[tuple[int, int, int]], per_minute: int) -> None:
    """Three processes, asked in any order with any pauses."""
    buckets = Buckets()
    processes = [buckets.process(per_minute, before) for before in (0, 13, 999 * SECOND)]
    level, then = per_minute * MINUTE, buckets.now
    for number, pause, times in steps:
        buckets.now += pause
        level = min(per_minute * MINUTE, level + (buckets.now - then) * per_minute)
        then = buckets.now
        for _ in range(times):
            level -= 0 if processes[number].wait("a") else MINUTE
            assert level >= 0


class TestInTheDatabase:
    def test_is_read_by_its_clock_and_replaced_once(self, db: None) -> None:
        stored = StoredBuckets()
        full, now = stored.read("a")

        assert full < now
        assert stored.replace("a", full, now + SECOND)
        assert not stored.replace("a", full, now + 2 * SECOND), "somebody was faster"
        assert stored.read("a")[0] == now + SECOND

    def test_of_two_who_read_the_same_one_reads_again(self, db: None) -> None:
        class Late(Still):
            def read(self, caller: str) -> tuple[int, int]:
                found = super().read(caller)
                if others:
                    others.pop().wait(caller)
                return found

        others = [standing(3, Still())]
        late = standing(3, Late())

        assert [late.wait("a") > 0 for _ in range(3)] == [False, False, True]

    def test_keeps_no_bucket_that_is_full(self, db: None) -> None:
        stored = StoredBuckets()
        now = stored.read("gone")[1]
        stored.replace("gone", 0, now - MINUTE - SECOND)
        stored.replace("here", stored.read("here")[0], now - SECOND)
        stored.read("new")

        assert set(ApiBucket.objects.values_list("caller", flat=True)) == {"here", "new"}

    def test_a_long_name_is_no_trouble(self, db: None) -> None:
        rates = standing(1, Still())

        assert (rates.wait("x" * 999), rates.wait("x" * 999)) == (0, 60)


def test_a_token_is_told_by_the_next_process_too(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admitting, "StoredBuckets", Still)
    monkeypatch.setattr(admitting, "Rates", standing)
    settings.API_RATE = 30
    wiring.reset()
    client = cast.api("vic")
    assert client.get(TEAM_A).status_code == 200
    with CaptureQueriesContext(connection) as asked:
        assert client.get(TEAM_A).status_code == 200
    assert "apibucket" not in repr(asked.captured_queries)
    while client.get(TEAM_A).status_code == 200:
        pass

    wiring.reset()  # what a process of its own would know
    answer = client.get(TEAM_A)

    assert answer.status_code == 429
    assert answer["Retry-After"] == "2", "one flows in every two seconds"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_claims_of_many_threads_are_never_more_than_there_are_places(count: int) -> None:
    claims, start = Claims(count, 600), threading.Barrier(8)

    def take(number: int) -> bool:
        try:
            start.wait()
            return claims.take("name of all", str(number))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(8))) == count
    assert ApiBucket.objects.filter(caller__startswith="name of all").count() == count


@pytest.mark.django_db
def test_a_claim_ends_and_belongs_to_one_name() -> None:
    claims = Claims(2, 600)
    assert [claims.take("name", it) for it in "abc"] == [True, True, False]
    assert [claims.take("name of another", it) for it in "abc"] == [True, True, False]
    claims.give_back("name", "nobody")
    assert not claims.take("name", "d")
    claims.give_back("name", "a")
    assert [claims.take("name", it) for it in "de"] == [True, False]
    ApiBucket.objects.filter(caller="name|b").update(full_at=SECOND)
    assert [claims.take("name", it) for it in "fg"] == [True, False]
