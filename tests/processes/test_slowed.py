"""Who goes on after being told to slow down is slowed, and nobody else."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from console.dispatcher import Dispatcher
from console.turns import COMPUTING, PACE, SLOWED, Turn
from tests.processes.turns import Threads


@pytest.fixture
def threads() -> Threads:
    return Threads()


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock of the turns."""
    ahead = [0.0]
    real = time.monotonic
    monkeypatch.setattr("console.turns.time.monotonic", lambda: real() + ahead[0])

    def move(seconds: float) -> None:
        ahead[0] += seconds

    return move


def test_who_was_told_to_slow_down_is_slowed_while_others_have_their_turns(
    threads: Threads, move: Callable[[float], None]
) -> None:
    threads.slow("one", "mallory")
    threads.know("two", "olive")
    (other,) = threads.ask("two")
    asked = threads.ask("one", 3)
    assert threads.count() == {"olive": 1, "mallory": 1}

    threads.end(asked[0], "mallory")
    threads.turns.look()
    assert threads.count() == {"olive": 1}, "the second one waits"

    move(PACE)
    threads.turns.look()
    assert threads.count() == {"olive": 1, "mallory": 1}

    threads.end(asked[1], "mallory")
    threads.end(other, "olive")
    assert threads.at_work == [asked[2]], "nobody else is there"


def test_nobody_is_slowed_for_ever_or_for_another(threads: Threads, move: Callable[[float], None]) -> None:
    threads.slow("one", "mallory")
    threads.know("two", "olive")
    threads.know("three", "nina")
    (stays,) = threads.ask("three")

    for _ in range(3):
        threads.end(*threads.ask("two"), "olive")
    move(SLOWED - PACE / 2)
    for turn in threads.ask("one", 2):
        turn.since += SLOWED
    assert threads.count() == {"nina": 1, "mallory": 1}

    move(PACE / 2)
    threads.turns.look()
    assert threads.count() == {"nina": 1, "mallory": 2}
    threads.end(stays, "nina")


def test_refused_log_ins_do_not_slow_the_pages_for_their_address(threads: Threads) -> None:
    def add(posts: bool) -> Turn:
        return threads.turns.add(b"", "10.0.0.1", threads._start, posts=posts)

    threads.ask("somebody")
    refused = add(posts=True)
    refused.refused = True
    threads.end(refused)
    for posts in (True, True, False, False):
        add(posts=posts)

    assert threads.count() == {
        "credentials at 10.0.0.1": 1,
        "log-ins at 10.0.0.1": 1,
        "nobody at 10.0.0.1": COMPUTING,
    }


@pytest.mark.parametrize("status", ["429 Too Many Requests", "200 OK"])
def test_the_server_notes_who_was_told_to_slow_down(status: str) -> None:
    server, turn = Dispatcher.__new__(Dispatcher), Turn(lambda _: None, b"", "")
    server._current = SimpleNamespace(turn=turn)
    begun = list[object]()

    def application(_environ: object, start: Callable[..., object]) -> list[bytes]:
        start(status, [])
        return []

    server._application = application
    server._answer({}, lambda *told: begun.append(told))

    assert begun == [(status, [])]
    assert turn.refused is status.startswith("429")
