"""Limits hold when many try at once, and a process that slept does nothing for a run that another one has taken."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from registries.domain.access import Role
from registries.domain.errors import Conflict, ConsoleError
from registries.models import ApiToken, Run, RunItem, VerificationRecord
from registries.people.tokens import AT_MOST
from registries.runs import heartbeat
from registries.runs.run import LOST_AFTER, ItemState, RunState
from registries.wiring import services
from tests.cast import Cast
from tests.clock import Clock
from tests.peers.scripted import wait_for
from tests.runs.test_engine import Patient, outcomes, proposed, runs_of
from tests.stores.test_concurrency import together

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 12


def succeeded(work: Callable[[], object]) -> Callable[[list[bool]], None]:
    """The work, which notes whether it was accepted."""

    def tried(accepted: list[bool]) -> None:
        try:
            work()
        except ConsoleError:
            return
        accepted.append(True)

    return tried


def accepted_of_many(work: Callable[[], object], times: int = MANY) -> int:
    accepted: list[bool] = []
    together(*[lambda: succeeded(work)(accepted)] * times)
    return len(accepted)


def test_of_many_runs_of_a_person_one_is_accepted(cast: Cast) -> None:
    go = threading.Event()
    runs = runs_of(Patient(lambda item: str(go.wait(60) and ""), threads=1), threads=MANY)
    registry, access = cast.add(), cast.access("olive")

    def begin() -> None:
        runs.start(access=access, run_id=runs.propose(access=access, registries=[registry]))

    assert accepted_of_many(begin) == 1
    assert Run.objects.filter(state=RunState.RUNNING).count() == 1
    go.set()
    assert wait_for(lambda: not Run.objects.filter(state=RunState.RUNNING).exists())


def test_of_many_tokens_as_many_are_made_as_may_be(cast: Cast) -> None:
    for _ in range(AT_MOST - 5):
        cast.token("nina")
    until = timezone.now() + timedelta(days=1)
    values = {"name": "t", "namespaces": (), "role": Role.VIEWER, "expires_at": until}

    made = accepted_of_many(lambda: services().tokens.create(access=cast.access("nina"), **values))

    assert made == 5
    assert ApiToken.objects.count() == AT_MOST


def test_many_who_test_a_registry_begin_one_test(cast: Cast) -> None:
    registry = cast.add()
    begun: list[bool] = []

    def begin() -> None:
        begun.append(services().history.begin(registry, "olive")[1])

    together(*[begin] * MANY)

    assert sorted(begun) == [False] * (MANY - 1) + [True]
    assert VerificationRecord.objects.count() == 1


def test_two_administrators_cannot_remove_each_other(cast: Cast) -> None:
    services().accounts.grant(access=cast.access("olive"), name="nina", namespace="*", role=Role.ADMIN)
    barrier = threading.Barrier(2)

    def remove(name: str) -> None:
        barrier.wait()
        succeeded(
            lambda: services().accounts.set_active(access=cast.access("olive"), name=name, active=False)
        )([])

    together(lambda: remove("olive"), lambda: remove("nina"))

    assert User.objects.filter(username__in=("olive", "nina"), is_active=True).count() == 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """That of heartbeats: a process that slept finds it later."""
    return Clock(monkeypatch, heartbeat)


def test_a_process_that_slept_does_no_item_that_another_process_has(cast: Cast, clock: Clock) -> None:
    acted: list[str] = []
    asleep, awake = threading.Event(), threading.Event()

    def slow(item: object) -> str:
        acted.append("first")
        asleep.set()
        awake.wait(60)
        return ""

    kind = Patient(slow, threads=1)
    kind.at_once = 3  # two more are begun, and wait for the thread
    first = runs_of(kind, threads=1)
    run = proposed(cast, first)
    fence = first._claim(cast.access("olive"), run, lambda: None, forget=False)
    sleeper = threading.Thread(target=first._work, args=(run, fence, cast.access("olive"), first._access_now))
    sleeper.start()
    assert asleep.wait(60)

    Run.objects.update(beat_at=timezone.now() - LOST_AFTER - timedelta(seconds=5))
    second = runs_of(Patient(lambda item: acted.append("second") or ""))
    second.start(access=cast.access("olive"), run_id=run)
    clock.advance(LOST_AFTER.total_seconds() + 5)
    awake.set()
    sleeper.join(60)

    assert acted == ["first", "second", "second", "second"]
    assert Run.objects.get().state == RunState.DONE
    assert {state for state, _ in outcomes(run).values()} == {ItemState.DONE}


def test_a_verdict_of_a_test_that_was_given_up_is_not_recorded(
    cast: Cast, probing: Callable[[str], dict[str, str]]
) -> None:
    registry, access = cast.add(**probing("down")), cast.access("olive")
    tests = services().tests
    check = tests.begin_test_of_run(access=access, key=registry.key, uid=registry.uid)
    check, attempt = tests.attempt(access=access, check=check)
    result = attempt()
    tests.abandon_lost_tests(access=access, uids=[registry.uid])

    tests.record_test(access=access, check=check, result=result)

    assert cast.find().verification.reason == ""
    [record] = VerificationRecord.objects.all()
    assert "interrupted" in record.outcome


def test_a_run_that_was_taken_cannot_be_claimed_a_second_time(cast: Cast) -> None:
    runs = runs_of(Patient(lambda item: ""))
    run = proposed(cast, runs)
    fence = runs._claim(cast.access("olive"), run)

    with pytest.raises(Conflict, match="already_running"):
        runs._claim(cast.access("olive"), run)

    assert Run.objects.get().fence == fence == 1
    assert RunItem.objects.count() == 3
