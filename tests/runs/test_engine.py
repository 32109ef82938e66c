"""The engine of runs, with a kind of a few lines. The kinds of the product are tested by the pages and the API."""

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registries.audit.action import Action
from registries.domain.access import Permission
from registries.domain.errors import Conflict, ConsoleError, NotFound, TooManyRequests, Unavailable
from registries.models import Run, RunItem
from registries.runs import engine, execution, heartbeat
from registries.runs.engine import Runs
from registries.runs.execution import Execution
from registries.runs.run import Item, ItemOutcome, ItemState, Kind, RunState, Step
from registries.runs.threads import Background
from registries.stores.base import Freshness
from registries.wiring import services
from tests.conftest import Cast
from tests.peers.scripted import wait_for

NAMES = ("a", "b", "c")


class Calls(Kind[str]):
    """Calls a function with every item."""

    name = "calls"
    action = Action.SEE
    permission = Permission.SEE
    kept = 3

    def __init__(self, call: Callable[[Item], str], threads: int = 0) -> None:
        self.call = call
        self.workers = Background(threads, "call")
        self.at_once = max(1, threads)

    def begin(self, item: Item, run: Execution[str]) -> Step[str] | None:
        return Step(lambda: None if run.stopped else self.call(item))

    def record(self, results: Sequence[tuple[Item, str]], run: Execution[str]) -> None:
        for item, result in results:
            run.end([item], ItemOutcome(ItemState.DONE, problem=result))


class Patient(Calls):
    name = "patient"
    cancellable = True
    one_per_person = True


def runs_of(kind: Calls, threads: int = 0) -> Runs:
    return Runs(kind, Background(threads, "run"), Freshness, lambda access: access, nullcontext)


def proposed(cast: Cast, runs: Runs, names: Sequence[str] = NAMES) -> UUID:
    registries = [cast.add(name) for name in names]
    return runs.propose(access=cast.access("olive"), registries=registries)


def started(cast: Cast, runs: Runs, names: Sequence[str] = NAMES) -> UUID:
    run = proposed(cast, runs, names)
    runs.start(access=cast.access("olive"), run_id=run)
    return run


def outcomes(run: UUID) -> dict[str, tuple[str, str]]:
    return {it.name: (it.state, it.problem) for it in RunItem.objects.filter(run=run)}


def test_every_item_is_done_in_order(cast: Cast) -> None:
    seen: list[str] = []
    runs = runs_of(Calls(lambda item: seen.append(item.key.name) or ""))

    run = started(cast, runs)

    view = runs.view(access=cast.access("olive"), run_id=run)
    assert seen == list(NAMES)
    assert (view.state, view.total, view.succeeded, view.failed) == (RunState.DONE, 3, 3, 0)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (ZeroDivisionError(), "failed"),
        (NotFound("b"), "gone"),
        (Conflict("b", "recreated"), "recreated"),
        (Unavailable("b", "key_missing"), "key_missing"),
    ],
)
def test_an_error_ends_its_own_item_only(cast: Cast, error: Exception, problem: str) -> None:
    def call(item: Item) -> str:
        if item.key.name == "b":
            raise error
        return ""

    run = started(cast, runs_of(Calls(call)))

    assert outcomes(run) == {"a": ("done", ""), "b": ("failed", problem), "c": ("done", "")}


def test_an_item_is_retried_after_an_outage_and_knows_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "PAUSE", 0.0)
    calls: list[tuple[str, bool]] = []

    def call(item: Item) -> str:
        calls.append((item.key.name, item.retried))
        if calls == [("a", False)]:
            raise Unavailable("a", "cluster_uncertain", passing=True)
        return ""

    run = started(cast, runs_of(Calls(call)))

    assert calls == [("a", False), ("a", True), ("b", False), ("c", False)]
    assert set(outcomes(run).values()) == {("done", "")}


def test_an_outage_that_lasts_too_long_fails_the_items(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "RETRY_FOR", 0.0)

    def call(item: Item) -> str:
        raise Unavailable(item.key.name, "cluster_away", passing=True)

    assert set(outcomes(started(cast, runs_of(Calls(call)))).values()) == {("failed", "cluster_away")}


def test_a_session_that_ends_cancels_the_run_and_the_rest_waits(cast: Cast) -> None:
    ended = {"b"}

    def call(item: Item) -> str:
        if item.key.name in ended:
            raise Unavailable(item.key.name, "session_ended")
        return ""

    runs = runs_of(Calls(call))
    run = started(cast, runs)
    assert runs.view(access=cast.access("olive"), run_id=run).state is RunState.CANCELLED
    assert outcomes(run) == {"a": ("done", ""), "b": ("waiting", ""), "c": ("waiting", "")}

    ended.clear()
    runs.start(access=cast.access("olive"), run_id=run)
    assert runs.view(access=cast.access("olive"), run_id=run).state is RunState.DONE


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_run_begins_nothing_more_and_can_be_resumed(
    transactional_db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.0)
    held, seen = threading.Event(), []

    def call(item: Item) -> str:
        seen.append(item.key.name)
        return "" if held.wait(30) else "not released"

    runs, access = runs_of(Patient(call, threads=1), threads=1), cast.access("olive")
    run = started(cast, runs)
    assert wait_for(lambda: seen == ["a"])
    with pytest.raises(Conflict, match="run_under_way"):
        runs.propose(access=access, registries=[])
    with pytest.raises(Conflict, match="already_running"):
        runs.start(access=access, run_id=run)

    runs.cancel(access=access, run_id=run)
    held.set()
    assert wait_for(lambda: outcomes(run)["a"] == ("done", ""))
    runs.start(access=access, run_id=run)

    assert wait_for(lambda: runs.view(access=access, run_id=run).state is RunState.DONE)
    assert seen == list(NAMES)


def test_a_kind_says_whether_it_can_be_cancelled(cast: Cast) -> None:
    runs = runs_of(Calls(lambda item: ""))

    with pytest.raises(Conflict, match="not_cancellable"):
        runs.cancel(access=cast.access("olive"), run_id=proposed(cast, runs))


def test_a_kind_says_how_many_runs_are_kept(cast: Cast) -> None:
    runs = runs_of(Calls(lambda item: ""))

    made = [started(cast, runs, [name]) for name in "abcde"]

    assert {it.pk for it in Run.objects.all()} == set(made[-3:])


def test_the_oldest_runs_of_a_person_go_when_they_have_many_items(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_ITEMS", 25)
    monkeypatch.setattr(Calls, "kept", None)
    runs, access = runs_of(Calls(lambda item: "")), cast.access("nina")
    registries = [cast.add(name) for name in "abcdefghij"]
    other = started(cast, runs, ["of-olive"])

    made = []
    for _ in range(12):
        run = runs.propose(access=access, registries=registries)
        runs.start(access=access, run_id=run)
        Run.objects.filter(pk=run).update(state=RunState.CANCELLED)
        made.append(run)

    assert {it.pk for it in Run.objects.all()} == {other, *made[-3:]}
    assert RunItem.objects.count() == 31


def test_few_items_are_counted_in_all_and_not_for_each_run(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Calls, "kept", None)
    runs = runs_of(Calls(lambda item: ""))
    for name in NAMES:
        started(cast, runs, [name])

    with CaptureQueriesContext(connection) as queries:
        proposed(cast, runs, ["d"])

    counts = [it["sql"] for it in queries if "COUNT(" in it["sql"] and "registries_runitem" in it["sql"]]
    assert len(counts) == 1
    assert "GROUP BY" not in counts[0]
    assert "ORDER BY" not in counts[0]


def test_a_run_of_another_kind_or_person_is_not_found(cast: Cast) -> None:
    run = started(cast, runs_of(Calls(lambda item: "")))

    with pytest.raises(NotFound):
        runs_of(Patient(lambda item: "")).view(access=cast.access("olive"), run_id=run)
    with pytest.raises(ConsoleError):
        runs_of(Calls(lambda item: "")).view(access=cast.access("nina"), run_id=run)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("threads", [2, 4, 8, 32])
def test_runs_of_one_person_leave_threads_to_others(
    transactional_db: None, cast: Cast, settings: Any, threads: int
) -> None:
    settings.TEST_THREADS = threads
    held, background, share = threading.Event(), services().run_threads, max(2, threads // 4)
    first = Runs(
        Calls(lambda item: str(held.wait(30))[:0]), background, Freshness, lambda access: access, nullcontext
    )
    try:
        for number in range(share):
            started(cast, first, [f"slow-{number}"])
        waits = proposed(cast, first, ["one-more"])
        with pytest.raises(TooManyRequests):
            first.start(access=cast.access("olive"), run_id=waits)
        assert first.view(access=cast.access("olive"), run_id=waits).state is RunState.PROPOSED

        others = Runs(Calls(lambda item: ""), background, Freshness, lambda access: access, nullcontext)
        access = cast.access("nina")
        run = others.propose(access=access, registries=[cast.add("of-nina")])
        others.start(access=access, run_id=run)
        assert wait_for(lambda: others.view(access=access, run_id=run).state is RunState.DONE)
    finally:
        held.set()
    assert wait_for(lambda: not Run.objects.filter(state=RunState.RUNNING).exists())
    assert wait_for(lambda: background._taken.total() == 0)
    first.start(access=cast.access("olive"), run_id=waits)


@pytest.mark.django_db(transaction=True)
def test_items_of_another_person_do_not_wait_for_all_of_a_long_run(
    transactional_db: None, cast: Cast
) -> None:
    goes_on, order = threading.Event(), []

    def call(item: Item) -> str:
        order.append(item.key.name)
        return "" if goes_on.wait(30) else "not released"

    kind = Calls(call, threads=2)
    kind.at_once = 40
    runs = runs_of(kind, threads=2)
    long = started(cast, runs, [f"olive-{number}" for number in range(40)])
    assert wait_for(lambda: len(order) == 2 and kind.workers._waiting.total() == 38)

    access = cast.access("nina")
    run = runs.propose(access=access, registries=[cast.add("of-nina")])
    runs.start(access=access, run_id=run)
    assert wait_for(lambda: kind.workers._waiting.total() == 39)
    goes_on.set()

    assert wait_for(lambda: not Run.objects.filter(state=RunState.RUNNING).exists())
    assert order.index("of-nina") == 2
    assert {*outcomes(long).values(), *outcomes(run).values()} == {("done", "")}
