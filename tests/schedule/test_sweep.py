"""The schedule against real registries, on a moved clock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count, pairwise
from time import monotonic
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registries.domain.query import Criteria, Filter
from registries.domain.registry import Draft, Key, Provider
from registries.models import ScheduledCredential, ScheduledRegistry, StateChange, StoreVersion
from registries.schedule import sweep
from registries.wiring import services
from tests import examples
from tests.peers.scripted import Reply
from tests.schedule.registries import RIGHT, WRONG, World

MANY = 10_000 if examples.LONG else 100
"""Registries of fifty credentials."""


def test_one_log_in_for_all_copies_of_a_credential(world: World) -> None:
    registry = world.registry()
    uids = [world.add(f"r-{number}", registry, ("team-a", "team-b")[number % 2]) for number in range(10)]
    world.run(6)

    assert len(registry.log_ins) == 1
    assert ScheduledCredential.objects.count() == 1
    assert ScheduledRegistry.objects.count() == len(uids)
    verdicts = {world.cast.find(f"r-{n}", ("team-a", "team-b")[n % 2]).verification.reason for n in range(10)}
    assert verdicts == {"ok"}
    assert {it.after for it in StateChange.objects.all()} == {"ok"}
    assert StateChange.objects.count() == 10


@pytest.mark.parametrize("status", [429, 500])
def test_a_newer_test_is_not_replaced_by_the_confirmed_verdict(world: World, status: int) -> None:
    registry, nina = world.registry(), world.cast.access("nina")
    world.add("a", registry)
    world.run(6)
    registry.broken = Reply(status)
    world.test(nina, "a")
    tested = world.cast.find("a").verification
    assert not tested.reason.startswith("ok")

    world.add("copy", registry)
    world.delete("a")
    services().undo.restore(access=nina, key=Key("team-a", "a"))
    world.turn()

    assert world.cast.find("a").verification == tested, "not confirmed, but newer"
    assert world.cast.find("copy").verification.reason == "", "not before its own test"


def test_a_refused_password_is_seldom_tried(world: World) -> None:
    registry = world.registry()
    uid = world.add("bad", registry, password=WRONG)
    world.run(6)
    assert [it.ok for it in registry.log_ins] == [False]
    world.run(6 * 24)

    waits = [b.at - a.at for a, b in zip(registry.log_ins, registry.log_ins[1:], strict=False)]
    assert all(it >= 0.9 * timedelta(hours=12) for it in waits)
    assert 5 <= len(waits) <= 8
    assert world.row(uid).state == "failing"


def test_many_registries_of_fifty_credentials_are_fifty_log_ins_a_round(world: World) -> None:
    hosts = [world.registry() for _ in range(5)]
    for number in range(MANY):
        user, host = f"robot-{number % 50}", hosts[number % 5].server
        key = Key(("team-a", "team-b")[number % 2], f"r-{number}")
        services().store.create(Draft(key, host.address, user, Provider.OTHER, RIGHT))
    begin = world.clock.now
    world.run(8)

    moments: dict[tuple[str, str], list[datetime]] = {}
    for it in world.log_ins:
        moments.setdefault((it.host, it.username), []).append(it.at)
    assert len(moments) == 50
    assert ScheduledRegistry.objects.count() == MANY
    assert len(services().index.matching(world.cast.access("olive"), Criteria(status=Filter.SUCCESS))) == MANY
    interval = timedelta(hours=6)
    for mine in moments.values():
        assert mine[0] - begin <= interval, "the first round"
        assert mine[-1] >= world.clock.now - 1.2 * interval
        assert all(0.9 * interval <= later - at <= 1.2 * interval for at, later in pairwise(mine))


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The rests of the schedule, on a clock on which each look at it takes a twentieth of a second."""
    moments, rests = count(), list[float]()
    clock = SimpleNamespace(monotonic=lambda: next(moments) / 20, sleep=rests.append)
    monkeypatch.setattr(sweep, "time", clock)
    return rests


def test_the_only_registry_is_tested_within_a_minute(world: World) -> None:
    """Also when its password is changed, which leaves the schedule empty for a moment."""
    world.turn()
    registry = world.registry()
    world.add("r", registry)
    world.run(0.02)
    assert len(registry.log_ins) == 1
    found = world.cast.find("r")
    services().passwords.change_password(
        access=world.cast.access("nina"), key=found.key, uid=found.uid, password=WRONG
    )
    world.run(0.02)
    assert len(registry.log_ins) == 2


@pytest.mark.parametrize("number", [1, 3 * sweep.WRITES])
def test_verdicts_are_written_many_at_once_and_then_it_rests(
    world: World, rests: list[float], number: int
) -> None:
    registry = world.registry()
    for place in range(number):
        key = Key(("team-a", "team-b")[place % 2], f"r-{place}")
        services().store.create(Draft(key, registry.server.address, "robot", Provider.OTHER, RIGHT))
    world.schedule.placing.update(world.clock.now)

    with CaptureQueriesContext(connection) as queries:
        world.run(6)

    assert (
        len(services().index.matching(world.cast.access("olive"), Criteria(status=Filter.SUCCESS))) == number
    )
    written = [it for it in queries if it["sql"].startswith('UPDATE "registries_storedresource"')]
    assert len(written) == max(1, number // sweep.WRITES)
    assert rests == pytest.approx([0.05 * sweep.RESTS] * max(1, number // sweep.WRITES))
    snapshot = services().index._snapshot
    assert snapshot.version == str(StoreVersion.objects.get().value), "no page reads it first"
    assert "counts" in vars(snapshot.whole), "nor counts it"
    assert all(
        {"tested_at", "fingerprint"} <= vars(it).keys() for it in snapshot.buckets.values() if it.items
    )


def at_the_first_rest(monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """Something happens after the first verdicts are written."""
    waiting = [then]
    clock = SimpleNamespace(monotonic=monotonic, sleep=lambda seconds: waiting and waiting.pop()())
    monkeypatch.setattr(sweep, "time", clock)


def by_kubectl(world: World, name: str, password: str) -> None:
    found = world.cast.find(name)
    services().store.set_password(found.key, password, uid=found.uid)


def test_a_verdict_is_written_to_no_password_of_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are thousands of copies, and the last ones wait for minutes."""
    registry, last = world.registry(), f"r-{sweep.WRITES}"
    uids = [world.add(f"r-{number:02}", registry) for number in range(sweep.WRITES + 1)]
    world.schedule.placing.update(world.clock.now)
    ScheduledCredential.objects.update(due_at=world.clock.now)
    at_the_first_rest(monkeypatch, lambda: by_kubectl(world, last, WRONG))

    world.schedule.sweep.turn()

    assert world.cast.find("r-00").verification.reason == "ok"
    assert world.cast.find(last).verification.reason == ""
    assert ScheduledRegistry.objects.get(uid=uids[-1]).written_at is None
    world.run(0.1)
    assert world.cast.find(last).verification.reason == "bad_credentials"
    assert [it.ok for it in registry.log_ins] == [True, False]


def test_a_copy_of_meanwhile_gets_the_verdict_of_the_next_test(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one. One that was written with the same password, which takes its verdict away, has it already."""
    registry, last = world.registry(), f"r-{sweep.WRITES}"
    for number in range(sweep.WRITES + 1):
        world.add(f"r-{number:02}", registry)
    world.schedule.placing.update(world.clock.now)
    ScheduledCredential.objects.update(due_at=world.clock.now)

    def meanwhile() -> None:
        by_kubectl(world, "r-00", RIGHT)
        by_kubectl(world, last, RIGHT)
        world.add("new", registry)
        world.schedule.placing.update(world.clock.now)

    at_the_first_rest(monkeypatch, meanwhile)
    world.turn()
    world.turn()

    assert [world.cast.find(it).verification.reason for it in ("r-00", last, "new")] == ["ok", "ok", ""]
    assert len(registry.log_ins) == 1
    world.run(0.02)
    assert world.cast.find("new").verification.reason == "ok"
    assert len(registry.log_ins) == 2
    assert not ScheduledCredential.objects.filter(behind=True).exists()
