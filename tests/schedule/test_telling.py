"""What the schedule puts into the outbox: confirmed changes, once, and after a silence only what differs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from registries.events.change import Change, ChangeKind
from registries.models import Channel, DeliveryItem, StateChange
from registries.schedule import silences
from registries.schedule.silences import Scope, Window
from registries.schedule.telling import failing, remind
from registries.wiring import services
from tests.peers.scripted import Reply
from tests.schedule.registries import Registry, World

HOUR = timedelta(hours=1)
DOWN = Reply(raw=b"", reset=True)


@pytest.fixture(autouse=True)
def channel(db: None) -> Channel:
    return Channel.objects.create(name="all", service="slack", sealed="")


def told() -> list[tuple[ChangeKind, str, str]]:
    changes = [Change.from_json(it.change) for it in DeliveryItem.objects.order_by("pk")]
    return [(it.kind, it.name, it.reason) for it in changes]


def one(world: World) -> Registry:
    registry = world.registry()
    world.add("r", registry)
    world.run(6)
    return registry


def test_a_failure_and_its_recovery_are_told_once(world: World) -> None:
    registry = one(world)
    assert told() == [], "a first success is no news"
    registry.broken = Reply(503)
    world.run(20)
    assert told() == [(ChangeKind.FAILING, "r", "server_error")]
    assert [(it.name, it.reason) for it in failing()] == [("r", "server_error")]
    registry.broken = None
    world.run(20)
    assert told()[1:] == [(ChangeKind.RECOVERED, "r", "ok")]
    assert not failing()


def silence(world: World, hours: float) -> None:
    now = world.clock.now
    silences.add(
        access=world.cast.access("nina"),
        scope=Scope("team-a"),
        window=Window(now, now + hours * HOUR),
        reason="upgrade",
    )


def test_a_silence_ends_with_what_differs(world: World) -> None:
    registry = one(world)
    silence(world, 10)
    registry.broken = Reply(503)
    world.run(8)
    assert StateChange.objects.filter(after="failing").count() == 1, "checks go on"
    assert told() == []
    assert not failing()
    world.run(10)
    assert told() == [(ChangeKind.FAILING, "r", "server_error")]
    world.run(10)
    assert len(told()) == 1


def test_what_was_repaired_in_a_silence_is_not_told(world: World) -> None:
    registry = one(world)
    silence(world, 20)
    registry.broken = Reply(503)
    world.run(8)
    registry.broken = None
    world.run(8)
    assert StateChange.objects.count() == 3
    world.run(20)
    assert told() == []
    assert not StateChange.objects.filter(waits=True).exists()


def test_the_consoles_own_network_is_told_once_and_its_end(world: World) -> None:
    registries = [world.registry() for _ in range(6)]
    for number, it in enumerate(registries):
        world.add(f"r-{number}", it)
    world.run(6.1)
    for it in registries:
        it.broken = DOWN
    while not told():
        world.run(0.05)
    world.run(1)
    assert told() == [(ChangeKind.NETWORK, "", "")]
    for it in registries:
        it.broken = None
    world.run(1)
    assert told() == [(ChangeKind.NETWORK, "", ""), (ChangeKind.NETWORK_OVER, "", "")]


def test_what_still_fails_is_told_once_a_day(world: World) -> None:
    registry = one(world)
    registry.broken = Reply(503)
    world.run(26)
    kinds = [kind for kind, _name, _reason in told()]
    assert kinds == [ChangeKind.FAILING], "reminded before a day was over"
    world.run(6)
    assert [it[0] for it in told()][1:] == [ChangeKind.REMINDER]
    remind(world.clock.now)
    remind(world.clock.now)
    assert len(told()) == 2
    world.run(24)
    assert [it[0] for it in told()][2:] == [ChangeKind.REMINDER]
    registry.broken = None
    world.run(20)
    assert [it[0] for it in told()][3:] == [ChangeKind.RECOVERED]
    world.run(48)
    assert len(told()) == 4


def test_what_is_silenced_is_not_reminded_of(world: World) -> None:
    registry = one(world)
    registry.broken = Reply(503)
    world.run(12)
    silence(world, 40)
    world.run(30)
    assert [it[0] for it in told()] == [ChangeKind.FAILING]


def test_a_message_names_owner_and_contact_as_they_are_when_it_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one(world)
    found = world.cast.find("r")
    services().registries.edit(
        access=world.cast.access("nina"),
        key=found.key,
        uid=found.uid,
        resource_version=found.resource_version,
        information={"display_name": "主仓库", "owner": "平台组", "support_contact": "400-800"},
    )
    change = Change(ChangeKind.FAILING, world.clock.now, world.clock.now, found.uid, "team-a", "r")
    described = services().sender._described
    assert (described(change).display_name, described(change).owner) == ("主仓库", "平台组")
    assert described(change).support == "400-800"
    earlier = replace(change, uid="another")
    assert described(earlier) == earlier, "a later registry of this name"
