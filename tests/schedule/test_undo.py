"""The history of a deleted registry waits for an undo, and goes with its time."""

from datetime import timedelta

from registries.domain.registry import Key
from registries.models import CheckInterval, DayRecord, ScheduledRegistry
from registries.runs.clean_up import forget_deleted
from registries.wiring import services
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
