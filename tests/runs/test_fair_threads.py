"""Threads are shared between people, and work that waits for its lane holds none."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from registries.domain.errors import TooManyRequests
from registries.runs.threads import MOST_WAITING, Background, Lanes
from tests.peers.scripted import wait_for

LONG = 120
"""Seconds: nothing here waits so long, unless something is broken."""
EARLIER = LONG / 2
"""Seconds within which others have their turn: the slow work is not over yet, however busy the machine is."""


@contextmanager
def slow() -> Iterator[Callable[[], object]]:
    """Work that goes on until the block ends."""
    end = threading.Event()
    try:
        yield lambda: end.wait(LONG)
    finally:
        end.set()


def running(background: Background) -> int:
    return background._running


@pytest.mark.parametrize("lane", ["one registry", ""])
@pytest.mark.parametrize("threads", [2, 3, 4, 8, 32])
def test_sixty_slow_tests_of_one_person_do_not_delay_another(lane: str, threads: int) -> None:
    background = Background(threads, "fair", reserve=max(1, threads // 4))
    other, done = threading.Event(), threading.Semaphore(0)

    with slow() as wait:
        for _ in range(60):
            background.submit(lambda: (wait(), done.release()), "olive", lane)
        background.submit(other.set, "nina", "another registry")
        assert other.wait(EARLIER)
    assert all(done.acquire(timeout=LONG) for _ in range(60)), "nothing is lost"


@pytest.mark.parametrize(("threads", "reserve", "most"), [(8, 2, 6), (8, 0, 8), (2, 1, 1), (1, 1, 1)])
def test_a_person_alone_has_all_threads_but_the_reserve(threads: int, reserve: int, most: int) -> None:
    background = Background(threads, "alone", reserve=reserve)

    with slow() as wait:
        for number in range(20):
            background.submit(wait, "olive", f"registry {number}")
        assert wait_for(lambda: running(background) == most)
        time.sleep(0.05)
        assert running(background) == most


def test_the_first_test_of_each_further_person_takes_from_the_reserve() -> None:
    background, lock, begun = Background(8, "reserve", reserve=2), threading.Lock(), []

    with slow() as wait:

        def work(person: str) -> Callable[[], object]:
            def run() -> None:
                with lock:
                    begun.append(person)
                wait()

            return run

        for person, all_of_theirs in (("olive", 6), ("nina", 1), ("omar", 1)):
            for _ in range(10):
                background.submit(work(person), person)
            assert wait_for(lambda: begun.count(person) == all_of_theirs)  # noqa: B023  called here
        assert len(begun) == 8


def test_work_of_one_lane_never_overlaps_over_all_pools() -> None:
    lanes, busy, done = Lanes(), threading.Lock(), threading.Semaphore(0)
    pools = [Background(8, f"lane{number}", lanes=lanes) for number in range(2)]
    overlaps = []

    def work() -> None:
        if not busy.acquire(blocking=False):
            overlaps.append(1)
        else:
            time.sleep(0.001)
            busy.release()
        done.release()

    for number in range(200):
        pools[number % 2].submit(work, f"person {number % 12}", "one registry")
    assert all(done.acquire(timeout=LONG) for _ in range(200))
    assert not overlaps
    assert not lanes.busy


def test_people_take_turns_in_a_lane() -> None:
    background, order, done = Background(4, "turns"), [], threading.Semaphore(0)
    begun = threading.Event()

    def work(person: str) -> Callable[[], object]:
        return lambda: (order.append(person), done.release())

    with slow() as wait:
        background.submit(lambda: (begun.set(), wait()), "olive", "one registry")
        assert begun.wait(LONG)
        for person in ("olive", "nina", "omar"):
            for _ in range(20 if person == "olive" else 2):
                background.submit(work(person), person, "one registry")
    assert all(done.acquire(timeout=LONG) for _ in range(24))
    assert sorted(order[:6]) == ["nina", "nina", "olive", "olive", "omar", "omar"]


@pytest.mark.parametrize("lane", ["one registry", ""])
def test_work_that_waits_too_long_is_not_done(lane: str) -> None:
    background, done = Background(2, "late", reserve=1, patience=0.05), []
    late = threading.Semaphore(0)

    with slow() as wait:
        background.submit(wait, "olive", lane)
        assert wait_for(lambda: running(background) == 1)
        for _ in range(30):
            background.submit(lambda: done.append(1), "olive", lane, late.release)
        assert all(late.acquire(timeout=EARLIER) for _ in range(30)), "without waiting for the lane"
    assert not done
    assert wait_for(lambda: running(background) == 0)


def test_a_hundred_works_of_a_person_wait_and_no_more() -> None:
    background, other = Background(2, "bound"), threading.Event()

    with slow() as wait:
        background.submit(wait, "olive", "one registry")
        assert wait_for(lambda: running(background) == 1)
        for _ in range(MOST_WAITING):
            background.submit(wait, "olive", "one registry")
        with pytest.raises(TooManyRequests):
            background.submit(wait, "olive", "another registry")
        background.submit(other.set, "nina")
        assert other.wait(EARLIER)
        assert not background.has_room("olive")
        assert background.has_room("nina")
