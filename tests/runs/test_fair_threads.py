"""Threads are shared between people, and work that waits for its lane holds none."""

import threading
import time

import pytest

from registries.runs.threads import Background


@pytest.mark.parametrize("lane", ["one registry", ""])
def test_sixty_slow_tests_of_one_person_do_not_delay_another(lane: str) -> None:
    background, end, other = Background(4, "fair"), threading.Event(), threading.Event()
    done = threading.Semaphore(0)

    def slow() -> None:
        end.wait(10)
        done.release()

    try:
        for _ in range(60):
            background.submit(slow, "olive", lane)
        background.submit(other.set, "nina", "another registry")
        assert other.wait(2)
    finally:
        end.set()
    assert all(done.acquire(timeout=5) for _ in range(60)), "nothing is lost"


def test_work_of_one_lane_never_overlaps() -> None:
    background, busy, done = Background(8, "lane"), threading.Lock(), threading.Semaphore(0)
    overlaps = []

    def work() -> None:
        if not busy.acquire(blocking=False):
            overlaps.append(1)
        else:
            time.sleep(0.001)
            busy.release()
        done.release()

    for number in range(200):
        background.submit(work, f"person {number % 12}", "one registry")
    assert all(done.acquire(timeout=5) for _ in range(200))
    assert not overlaps
