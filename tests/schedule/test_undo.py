"""The history of a deleted registry waits for an undo, and goes with its time."""

from datetime import timedelta

from registries.domain.registry import Key
from registries.models import CheckInterval, DayRecord, ScheduledRegistry, StateChange
from registries.runs.clean_up import forget_deleted
from registries.schedule.recent import failing_since
from registries.wiring import services
from tests.peers.scripted import Reply
from tests.schedule.registries import World


def test_the_strip_is_kept_for_an_undo(world: World) -> None:
    uid = world.add("a", world.registry())
    CheckInterval.objects.create(namespace="team-a", uid=uid, seconds=7200)
    world.run(hours=30)
    days = list(DayRecord.objects.filter(uid=uid).values_list("day", "ok"))
    assert days

    world.delete("a")
    world.run(hours=1)
    assert not ScheduledRegistry.objects.exists(), "it is tested no more"
    restored = services().undo.restore(access=world.cast.access("nina"), key=Key("team-a", "a"))
    found = list(DayRecord.objects.filter(uid=restored.uid).values_list("day", "ok"))
    world.run(hours=1)

    assert found == days
    assert CheckInterval.objects.get().uid == restored.uid
    assert ScheduledRegistry.objects.get().uid == restored.uid, "it is tested again"


def test_what_failed_before_its_deletion_has_failed_since_then(world: World) -> None:
    registry = world.registry()
    uid = world.add("a", registry)
    world.run(hours=7)
    registry.broken = Reply(503)
    world.run(hours=13)
    began, tested = failing_since([uid])[uid], world.row(uid).tested_at
    assert tested
    assert tested - began > timedelta(hours=5)
    down = sum(DayRecord.objects.filter(uid=uid).values_list("down", flat=True))

    world.clock.now += timedelta(minutes=30)
    gone = world.clock.now
    world.delete("a")
    world.schedule.placing.update(world.clock.now)
    world.clock.now += timedelta(minutes=30)
    restored = services().undo.restore(access=world.cast.access("nina"), key=Key("team-a", "a"))
    world.schedule.placing.update(world.clock.now)

    assert failing_since([restored.uid]) == {restored.uid: began}
    counted = sum(DayRecord.objects.filter(uid=restored.uid).values_list("down", flat=True))
    assert counted == down + round((gone - tested).total_seconds())
    assert StateChange.objects.filter(uid=restored.uid, after="failing").count() == 1, "nobody is told again"


def test_the_strip_goes_with_the_time_of_the_undo(world: World) -> None:
    world.add("a", world.registry())
    world.run(hours=30)
    world.delete("a")
    world.run(hours=1)
    assert DayRecord.objects.exists()

    forget_deleted(timedelta())

    assert not DayRecord.objects.exists()


def test_nothing_waits_without_an_undo(world: World) -> None:
    uid = world.add("a", world.registry())
    world.run(hours=30)
    services().registries.delete(
        access=world.cast.access("nina"), key=Key("team-a", "a"), uid=uid, forget=True
    )

    world.run(hours=1)

    assert not DayRecord.objects.exists()
