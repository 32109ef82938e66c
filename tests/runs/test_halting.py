"""Runs that a failure stops, with several items under way: each of those gets its result, and no other one begins."""

import threading
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from uuid import UUID

import pytest

from registries.domain.errors import Conflict, ConsoleError, Unavailable
from registries.models import Run
from registries.runs import execution, heartbeat
from registries.runs.execution import Execution
from registries.runs.run import Item, RunState, Step
from registries.runs.threads import Background
from tests.cast import Cast
from tests.peers.scripted import wait_for
from tests.runs.test_engine import Calls, outcomes, proposed, runs_of

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = [f"r-{number:02}" for number in range(12)]
THREADS = 4


class Halting(Calls):
    """Each item waits until the test lets it go, with its error or without."""

    name = "halting"
    halts = True
    cancellable = True
    recorded_at_once = 12

    def __init__(self, at_once: int = 12) -> None:
        super().__init__(self.wait, THREADS)
        self.at_once = at_once
        self.begun: SimpleQueue[str] = SimpleQueue()
        self.names: list[str] = []
        self.given: list[str] = []
        self.idle: list[str] = []
        self.ends: dict[str, ConsoleError | None] = {}
        self.changed = threading.Condition()

    def wait(self, item: Item) -> str:
        self.begun.put(item.key.name)
        with self.changed:
            assert self.changed.wait_for(lambda: item.key.name in self.ends, 60)
            error = self.ends[item.key.name]
        if error is not None:
            raise error
        return "well"

    def let_go(self, *names: str, error: ConsoleError | None = None) -> None:
        with self.changed:
            self.ends |= dict.fromkeys(names, error)
            self.changed.notify_all()

    def begin(self, item: Item, run: Execution[str]) -> Step[str] | None:
        self.given.append(item.key.name)
        return super().begin(item, run)

    def under_way(self) -> list[str]:
        """The items that began, once the run has given all to its threads, and each of these has one."""
        assert wait_for(lambda: self.given == NAMES)
        self.names += [self.begun.get(timeout=60) for _ in range(THREADS)]
        return self.names

    def waits(self, items: Sequence[Item], run: Execution[str]) -> None:
        self.idle += [it.key.name for it in items]


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Halting]:
    monkeypatch.setattr(heartbeat, "BEAT", 0.02)
    monkeypatch.setattr(execution, "PAUSE", 0.01)
    found = Halting()
    yield found
    found.let_go(*NAMES)


def run_of(cast: Cast, kind: Halting) -> UUID:
    runs = runs_of(kind)
    runs._background = Background(1, "run")
    run = proposed(cast, runs, NAMES)
    runs.start(access=cast.access("olive"), run_id=run)
    return run


def stopped(run: UUID) -> bool:
    return Run.objects.get(pk=run).state == RunState.CANCELLED


@pytest.mark.parametrize("position", range(THREADS))
def test_a_failure_lets_those_under_way_end_and_begins_no_other(
    cast: Cast, kind: Halting, position: int
) -> None:
    run = run_of(cast, kind)
    begun = list(kind.under_way())

    kind.let_go(begun[position], error=Conflict("", "changed"))
    assert wait_for(lambda: outcomes(run)[begun[position]] == ("failed", "changed"))
    rest = [it for it in begun if it != begun[position]]
    kind.let_go(*rest)

    assert wait_for(lambda: all(outcomes(run)[it] == ("done", "well") for it in rest))
    assert wait_for(lambda: stopped(run) and sorted([*begun, *kind.idle]) == NAMES)
    assert kind.begun.empty()
    assert {state for name, (state, _) in outcomes(run).items() if name not in begun} == {"waiting"}


def test_several_failures_at_once_are_all_recorded(cast: Cast, kind: Halting) -> None:
    run = run_of(cast, kind)
    begun = list(kind.under_way())

    kind.let_go(*begun[:3], error=Conflict("", "changed"))
    assert wait_for(lambda: [outcomes(run)[it] for it in begun[:3]] == [("failed", "changed")] * 3)
    kind.let_go(begun[3])

    assert wait_for(lambda: outcomes(run)[begun[3]] == ("done", "well"))
    assert wait_for(lambda: sorted(kind.idle + begun) == NAMES and stopped(run))
    assert kind.begun.empty()


def test_a_stop_lets_those_under_way_end_and_begins_no_other(
    cast: Cast, kind: Halting, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[heartbeat.Heartbeat] = []
    beat = heartbeat.Heartbeat.beat
    monkeypatch.setattr(heartbeat.Heartbeat, "beat", lambda it: (seen.append(it), beat(it))[1])
    run = run_of(cast, kind)
    begun = list(kind.under_way())

    Run.objects.filter(pk=run).update(state=RunState.CANCELLED)
    assert wait_for(lambda: any(it.stopped for it in seen))
    kind.let_go(*begun)

    assert wait_for(lambda: sorted(kind.idle + begun) == NAMES)
    assert wait_for(lambda: all(outcomes(run)[it] == ("done", "well") for it in begun))
    assert kind.begun.empty()


def test_after_an_outage_all_of_them_are_done(cast: Cast, kind: Halting) -> None:
    """Nothing begins until the failure is judged; then what did nothing begins again."""
    run = run_of(cast, kind)
    begun = list(kind.under_way())
    away = Unavailable("", "cluster_away", passing=True)

    kind.let_go(begun[0], error=away)
    assert wait_for(lambda: not kind.begun.empty())  # it is tried again
    kind.let_go(*NAMES)

    assert wait_for(lambda: Run.objects.get(pk=run).state == RunState.DONE)
    assert set(outcomes(run).values()) == {("done", "well")}
