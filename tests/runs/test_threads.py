"""Work that outlives its request."""

import logging
import threading

import pytest

from registries.runs.threads import MOST_KINDS, Background, repeat
from tests.peers.scripted import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def done() -> list[str]:
    return []


LONG = 60
"""Seconds: nothing here waits so long, unless something is broken."""


def wait(condition: threading.Event) -> None:
    assert condition.wait(LONG)


def test_the_caller_does_not_wait(done: list[str]) -> None:
    release, finished = threading.Event(), threading.Event()
    background = Background(2, "t")

    background.submit(lambda: (release.wait(LONG), done.append("work"), finished.set()))

    assert done == []
    release.set()
    wait(finished)
    assert done == ["work"]


def test_as_much_is_done_at_once_as_was_said_and_no_more() -> None:
    background, gate, running, peak = Background(3, "t"), threading.Event(), [0], [0]
    lock, all_done = threading.Lock(), threading.Semaphore(0)

    def work() -> None:
        with lock:
            running[0] += 1
            peak[0] = max(peak[0], running[0])
        gate.wait(LONG)
        with lock:
            running[0] -= 1
        all_done.release()

    for _ in range(8):
        background.submit(work)
    assert wait_for(lambda: running[0] == 3)
    gate.set()
    for _ in range(8):
        assert all_done.acquire(timeout=LONG)

    assert peak[0] == 3


def test_new_work_does_not_wait_behind_long_work_while_threads_are_left() -> None:
    background, release = Background(4, "reuse"), threading.Event()
    quick = threading.Event()
    for _ in range(20):  # threads come and go between being idle and busy
        again = threading.Event()
        background.submit(again.set)
        wait(again)
        # The work is done before its thread is free, and a new one comes for who asks in between.
        assert wait_for(lambda: background._running == 0)
    assert sum(thread.name.startswith("reuse-") for thread in threading.enumerate()) == 1, "it is used again"
    for _ in range(3):
        background.submit(lambda: release.wait(LONG))

    background.submit(quick.set)

    wait(quick)
    release.set()


def test_work_that_fails_is_logged_with_its_cause_and_takes_no_thread_along(
    caplog: pytest.LogCaptureFixture,
) -> None:
    background, after = Background(1, "t"), threading.Event()

    def fails() -> None:
        raise RuntimeError("the cause")

    with caplog.at_level(logging.ERROR):
        background.submit(fails)
        background.submit(after.set)
        wait(after)

    assert "the cause" in caplog.text


def test_without_threads_work_is_done_at_once(done: list[str]) -> None:
    Background(0, "t").submit(lambda: done.append("work"))

    assert done == ["work"]


class _End(BaseException):
    """Ends a loop that has no end."""


def test_each_kind_of_error_of_an_outage_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    errors: list[Exception | None] = [
        *(OSError(f"refused by 10.0.0.{number}") for number in range(5)),
        *(OSError(f"locked for {number} s") for number in range(5)),
        OSError("refused by 10.0.0.9"),
        KeyError("x"),
        None,
        OSError("refused by 10.0.0.9"),
        *(OSError("x" * number) for number in range(30)),
    ]
    given = iter(errors)

    def work() -> None:
        try:
            error = next(given)
        except StopIteration:
            raise _End from None
        if error is not None:
            raise error

    with caplog.at_level(logging.ERROR), pytest.raises(_End):
        repeat(work, 0.0, "the loop is interrupted")

    said = [str(it.exc_info[1]) for it in caplog.records if it.exc_info]
    assert said[:4] == ["refused by 10.0.0.0", "locked for 0 s", "'x'", "refused by 10.0.0.9"]
    assert len(said) == 3 + MOST_KINDS, "and an end to them"
