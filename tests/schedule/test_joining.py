"""A registry with the password of another one looks like one with a wrong password, until its own first test."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from registries.models import Channel, DayRecord, ScheduledCredential, StateChange, VerificationRecord
from registries.schedule.recent import check_intervals, down_since, failing_since, outlook
from registries.web.registry import watched
from registries.wiring import services
from tests.peers.scripted import Reply
from tests.schedule.registries import RIGHT, WRONG, Registry, World
from tests.schedule.test_telling import told

HOUR = timedelta(hours=1)
AFTER = timedelta(minutes=5)
"""So long after a test, no other one is due."""


@pytest.fixture(autouse=True)
def channel(db: None) -> Channel:
    return Channel.objects.create(name="all", service="slack", sealed="")


def secret(world: World) -> Registry:
    """A registry in a namespace that the guesser does not see, with an interval of its own."""
    services().schedule.intervals.choose(access=world.cast.access("olive"), namespace="team-b", interval=HOUR)
    registry = world.registry()
    world.add("secret", registry, "team-b")
    world.run(4)
    return registry


def after_a_test(world: World) -> None:
    tested_at = world.row(world.cast.find("secret", "team-b").uid).tested_at
    assert tested_at
    world.clock.now = tested_at + AFTER


def works(world: World) -> Registry:
    registry = secret(world)
    after_a_test(world)
    return registry


def fails(world: World) -> Registry:
    registry = secret(world)
    registry.broken = Reply(503)
    world.run(4)
    after_a_test(world)
    return registry


def is_refused(world: World) -> Registry:
    registry = secret(world)
    registry.right = "third-1"
    world.run(4)
    after_a_test(world)
    return registry


def new_ones(world: World, registry: Registry, passwords: dict[str, str]) -> None:
    for name, password in passwords.items():
        world.add(name, registry, password=password)


def other_passwords(world: World, registry: Registry, passwords: dict[str, str]) -> None:
    new_ones(world, registry, {name: f"own-{name}" for name in passwords})
    world.schedule.placing.update(world.clock.now)
    for name, password in passwords.items():
        found = world.cast.find(name)
        services().passwords.change_password(
            access=world.cast.access("nina"), key=found.key, uid=found.uid, password=password
        )


def by_kubectl(world: World, registry: Registry, passwords: dict[str, str]) -> None:
    new_ones(world, registry, {name: f"own-{name}" for name in passwords})
    world.schedule.placing.update(world.clock.now)
    for name, password in passwords.items():
        found = world.cast.find(name)
        services().store.set_password(found.key, password, uid=found.uid, verdict=found.verification)


def seen(world: World, name: str) -> Any:
    """All that a person can see of a registry."""
    found = world.cast.find(name)
    mine = {"uid": found.uid}
    return (
        found.verification,
        watched.of(found, world.clock.now),
        *(it([found.uid]).get(found.uid) for it in (failing_since, down_since)),
        check_intervals().get(found.uid),
        world.due(found.uid),
        list(DayRecord.objects.filter(**mine).values_list("day", "ok", "failed", "down")),
        list(StateChange.objects.filter(**mine).values_list("before", "after", "reason", "at", "since")),
        [
            (json.loads(it.outcome)["reason"], it.finished_at)
            for it in VerificationRecord.objects.filter(**mine)
        ],
        [it for it in told() if it[1] == name],
    )


@pytest.mark.parametrize("guess", [new_ones, other_passwords, by_kubectl])
@pytest.mark.parametrize("others", [works, fails, is_refused])
def test_a_right_guess_looks_like_a_wrong_one(
    world: World,
    others: Callable[[World], Registry],
    guess: Callable[[World, Registry, dict[str, str]], None],
) -> None:
    registry = others(world)
    guess(world, registry, {"right": RIGHT, "wrong": WRONG})
    asked = registry.asked
    world.schedule.placing.update(world.clock.now)

    assert seen(world, "right") == seen(world, "wrong")
    due_at = world.due(world.cast.find("right").uid)
    assert due_at <= world.clock.now + timedelta(minutes=2), "one for each"
    assert outlook(["team-a"], world.clock.now).next_at == due_at
    world.clock.now = max(world.clock.now, due_at - timedelta(milliseconds=1))
    if due_at > world.clock.now:
        world.turn()
        assert seen(world, "right") == seen(world, "wrong"), "a moment before the test"
        assert world.cast.find("right").verification.reason == ""
    assert registry.asked == asked


def test_a_registry_that_answers_nothing_tells_nothing(world: World) -> None:
    """The test says nothing about the password: a right one does not get the state of the others."""
    registry = fails(world)
    new_ones(world, registry, {"right": RIGHT, "wrong": WRONG})
    world.schedule.placing.update(world.clock.now)
    world.clock.now = world.due(world.cast.find("right").uid)
    for _ in range(2):
        world.turn()
        assert seen(world, "right") == seen(world, "wrong")
        assert down_since([world.cast.find("right").uid]) == {}
        world.clock.now = world.due(world.cast.find("right").uid) - timedelta(milliseconds=1)
    registry.broken = None
    world.delete("wrong")
    world.run(0.2)
    assert world.cast.find("right").verification.reason == "ok"


def test_a_first_test_is_that_of_the_others(world: World) -> None:
    registry = works(world)
    before = len(registry.log_ins)
    new_ones(world, registry, {"right": RIGHT})
    world.run(0.02)

    assert [it.ok for it in registry.log_ins[before:]] == [True]
    assert world.cast.find("right").verification.reason == "ok"
    changes = StateChange.objects.filter(uid=world.cast.find("right").uid)
    assert list(changes.values_list("before", "after")) == [("new", "ok")]
    assert ScheduledCredential.objects.count() == 1
    assert world.row(world.cast.find("right").uid).interval == HOUR.total_seconds()
    world.run(4)
    assert len(registry.log_ins) - before <= 1 + 4 / 0.9, "one log-in for both"


def test_a_refused_password_is_not_tested_for_a_new_registry(world: World) -> None:
    registry = is_refused(world)
    due_at, before = world.due(world.cast.find("secret", "team-b").uid), len(registry.log_ins)
    assert due_at > world.clock.now + timedelta(minutes=5)
    new_ones(world, registry, {"right": RIGHT})
    world.run(0.05)

    assert len(registry.log_ins) == before
    assert world.cast.find("right").verification.reason == ""
    assert world.due(world.cast.find("right").uid) >= due_at
    world.run((due_at - world.clock.now) / HOUR + 0.05)
    assert [it.ok for it in registry.log_ins[before:]] == [False]
    assert world.cast.find("right").verification.reason == "bad_credentials"


@pytest.mark.parametrize("at_once", [True, False])
def test_many_copies_are_one_log_in(world: World, at_once: bool) -> None:
    """Also those that come one after the other in a minute."""
    registry = works(world)
    before = len(registry.log_ins)
    new_ones(world, registry, {"first": RIGHT})
    world.schedule.placing.update(world.clock.now)
    due_at = world.due(world.cast.find("first").uid)
    moment = (due_at - world.clock.now) / 21
    for number in range(20):
        new_ones(world, registry, {f"r-{number}": RIGHT})
        world.clock.now += timedelta() if at_once else moment
        if not at_once:
            world.turn()
    world.schedule.placing.update(world.clock.now)
    assert len(registry.log_ins) == before
    world.clock.now = due_at
    world.turn()

    assert len(registry.log_ins) == before + 1
    assert {world.cast.find(f"r-{number}").verification.reason for number in range(20)} == {"ok"}
    assert ScheduledCredential.objects.count() == 1


def test_who_turned_checks_off_gets_no_verdict_of_others(world: World) -> None:
    """A wrong guess would wait for ever, and nobody would see it at the registry."""
    registry = works(world)
    services().schedule.intervals.choose(access=world.cast.access("nina"), namespace="team-a", interval=None)
    new_ones(world, registry, {"right": RIGHT})
    before = len(registry.log_ins)
    world.run(8)

    assert len(registry.log_ins) > before
    assert world.cast.find("right").verification.reason == ""
    assert watched.of(world.cast.find("right"), world.clock.now).days == []


def guesses(world: World, registry: Registry) -> list[str]:
    """New registries with passwords of one user name, of which one is right."""
    names = [f"guess-{number}" for number in range(9)]
    new_ones(world, registry, {"right": RIGHT, **{name: f"{WRONG}-{name}" for name in names}})
    world.schedule.placing.update(world.clock.now)
    return names


def test_a_test_of_others_tells_nothing_about_one_of_many_guesses(world: World) -> None:
    """It comes at the moment at which the first tests of all guesses are due."""
    registry = works(world)
    wrong = guesses(world, registry)
    world.clock.now = world.due(world.cast.find("right").uid)
    victim, tests, olive = world.cast.find("secret", "team-b"), services().tests, world.cast.access("olive")
    check, _ = tests.begin_test(access=olive, key=victim.key)
    tests.finish_test(access=olive, check=check)
    assert world.cast.find("secret", "team-b").verification.reason == "ok"

    for _ in range(2):
        assert [seen(world, name) for name in wrong] == [seen(world, "right")] * len(wrong)
        world.clock.now += timedelta(seconds=1)
    for name in wrong:
        world.delete(name)
    before = len(registry.log_ins)
    world.run(0.05)
    assert [it.ok for it in registry.log_ins[before:]] == [True]
    assert world.cast.find("right").verification.reason == "ok"


def test_a_refused_password_of_others_holds_none_of_many_guesses_up(world: World) -> None:
    """The registry answers nothing by now: all wrong guesses are tested again and again."""
    registry = is_refused(world)
    registry.broken = Reply(503)
    wrong = guesses(world, registry)
    for times in range(1, 4):
        last = max(world.due(world.cast.find(name).uid) for name in ("right", *wrong))
        world.clock.now = last
        world.turn()
        tests = VerificationRecord.objects.filter(name__in=["right", *wrong]).values_list("name", flat=True)
        assert Counter(tests) == dict.fromkeys(["right", *wrong], times)
        assert len({world.cast.find(name).verification.reason for name in ("right", *wrong)}) == 1


def test_a_new_copy_tells_nothing_about_one_of_many_guesses(world: World) -> None:
    """Nobody gets a verdict by waiting for the copies that others make."""
    registry = works(world)
    new_ones(world, registry, {"right": RIGHT, "wrong": WRONG})
    for name in ("copy", "copy-2"):
        world.add(name, registry, "team-b")
    world.schedule.placing.update(world.clock.now)
    before, now = len(registry.log_ins), world.due(world.cast.find("right").uid)
    rows = ScheduledCredential.objects.order_by("pk")
    rows.filter(registries__name="wrong").update(due_at=now + HOUR)
    rows.filter(registries__namespace="team-b").update(due_at=now)
    rows.filter(registries__name="right").update(due_at=now + timedelta(seconds=1))
    world.clock.now = now + timedelta(seconds=1)
    world.turn()

    assert [it.ok for it in registry.log_ins[before:]] == [True, True], "for both copies, and for the guess"


def test_copies_with_the_verdict_of_their_source_soon_share_its_tests(world: World) -> None:
    """Else a password that is refused later turns one of them red, and the others hours later."""
    registry, access, places = works(world), world.cast.access("olive"), ["team-a", "team-c", "team-d"]
    for place in places[1:]:
        services().registries.create_namespace(access=access, name=place)
    source = world.cast.find("secret", "team-b")
    for place in places:
        services().copying.copy(access=access, key=replace(source.key, namespace=place), uid=source.uid)
    before = len(registry.log_ins)
    world.run(0.1)
    assert len(registry.log_ins) == before + 1, "one for all of them"

    registry.right = "third-1"
    world.test(access, "secret")
    world.run(0.2)

    found = [world.cast.find("secret", place) for place in ("team-b", *places)]
    assert [it.verification.reason for it in found] == ["bad_credentials"] * 4
    assert len({world.row(it.uid).pk for it in found}) == 1
