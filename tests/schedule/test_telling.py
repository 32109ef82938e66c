"""What the schedule puts into the outbox: confirmed changes, once, and after a silence only what differs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from registries.events.change import Change, ChangeKind
from registries.models import (
    Channel,
    DeliveryItem,
    NetworkIncident,
    ScheduledCredential,
    Silence,
    StateChange,
)
from registries.schedule import silences
from registries.schedule.silences import Scope, Window
from registries.schedule.telling import failing, record, remind, tell_due, tell_network
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


def test_another_reason_at_the_end_of_a_silence_is_told(world: World) -> None:
    registry = one(world)
    registry.broken = Reply(503)
    world.run(12)
    silence(world, 30)
    registry.broken = Reply(404)
    world.run(13)
    registry.broken = Reply(503)
    world.run(13)
    assert StateChange.objects.filter(waits=True).count() == 2
    world.run(5)
    assert [it[2] for it in told()] == ["server_error"], "the reason is what it was before"
    silence(world, 30)
    registry.broken = Reply(404)
    world.run(31)
    world.turn()
    assert [it[2] for it in told() if it[0] is ChangeKind.FAILING] == ["server_error", "not_a_registry"]


def test_a_registry_that_was_deleted_in_a_silence_is_not_told(world: World) -> None:
    registry = one(world)
    silence(world, 10)
    registry.broken = Reply(503)
    world.run(8)
    world.delete("r")
    world.turn()
    world.run(4)
    world.turn()
    assert told() == []
    assert not StateChange.objects.filter(waits=True).exists()


def test_a_change_after_a_silence_waits_for_what_happened_in_it(world: World) -> None:
    """No process worked at the end of the silence: the recovery must not be told before the failure."""
    registry = one(world)
    silence(world, 10)
    registry.broken = Reply(503)
    world.run(8)
    world.clock.now += 3 * HOUR
    registry.broken = None
    for _ in range(2):
        world.test(world.cast.access("nina"), "r")
        world.clock.now += HOUR
    assert StateChange.objects.latest("pk").after == "ok"
    assert told() == []
    world.run(1)
    assert told() == [], "it works as before"


def test_what_flaps_and_the_own_network_are_repeated_for_services_that_forget(world: World) -> None:
    one(world)
    now = world.clock.now
    ScheduledCredential.objects.update(state="flapping", settled="flapping", since=now, reason="ok")
    NetworkIncident.objects.create(open=True, began_at=now, hosts=6, failed=6)
    found = [(it.kind, it.name, it.reason, it.since) for it in failing()]
    assert found == [(ChangeKind.NETWORK, "", "", now), (ChangeKind.FLAPPING, "r", "", now)]
    silence(world, 1)
    assert [it.kind for it in failing()] == [ChangeKind.NETWORK]


def test_flapping_that_is_found_at_a_success_has_no_reason(world: World) -> None:
    uid = world.add("r", world.registry())
    change = StateChange(uid=uid, namespace="team-a", name="r", host="h", at=world.clock.now)
    change.before, change.after, change.reason = "failing", "flapping", "ok"
    record([change], world.clock.now)
    assert told() == [(ChangeKind.FLAPPING, "r", "")]


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


def everything_silent(world: World, hours: float) -> Silence:
    now = world.clock.now
    window = Window(now, now + hours * HOUR)
    return silences.add(access=world.cast.access("olive"), scope=Scope(), window=window, reason="new router")


def network(kind: ChangeKind) -> tuple[ChangeKind, str, str]:
    return kind, "", ""


def test_a_network_that_fails_in_a_silence_of_everything_is_told_at_its_end(world: World) -> None:
    began = world.clock.now
    ends = [everything_silent(world, hours) for hours in (1, 2)]
    incident = NetworkIncident(open=True, began_at=began, hosts=6, failed=6)
    incident.save()
    tell_network(incident, began)
    assert not failing(), "Alertmanager hears nothing either"
    world.run(1.5)
    assert told() == []
    silences.end(access=world.cast.access("olive"), pk=ends[1].pk)
    for _ in range(2):
        tell_due(world.clock.now)
    assert told() == [network(ChangeKind.NETWORK)]
    assert [it.kind for it in failing()] == [ChangeKind.NETWORK]

    everything_silent(world, 1)
    incident.open, incident.ended_at = None, world.clock.now
    incident.save()
    tell_network(incident, world.clock.now)
    world.run(0.5)
    assert told() == [network(ChangeKind.NETWORK)]
    world.run(1)
    for _ in range(2):
        tell_due(world.clock.now)
    assert told() == [network(ChangeKind.NETWORK), network(ChangeKind.NETWORK_OVER)]


def test_a_network_that_works_again_at_the_end_of_a_silence_is_not_told(world: World) -> None:
    everything_silent(world, 1)
    began = world.clock.now
    incident = NetworkIncident.objects.create(
        open=None, began_at=began, ended_at=began + HOUR / 2, hosts=6, failed=6
    )
    tell_network(incident, began + HOUR / 2)
    world.run(2)
    tell_due(world.clock.now)
    assert told() == []


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


def test_what_is_told_at_the_end_of_a_silence_is_repeated_a_day_later(world: World) -> None:
    registry = one(world)
    silence(world, 55)
    registry.broken = Reply(503)
    heard = []
    for hours in (56, 22, 4):
        world.run(hours)
        tell_due(world.clock.now)
        heard.append([kind for kind, _name, _reason in told()])
    assert heard[:2] == [[ChangeKind.FAILING]] * 2, "it has failed for days, but was told today"
    assert heard[2] == [ChangeKind.FAILING, ChangeKind.REMINDER]


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
