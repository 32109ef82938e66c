"""The schedule against real registries, on a moved clock."""

from datetime import timedelta

from registries.models import ScheduledCredential, ScheduledRegistry, StateChange
from tests.schedule.registries import WRONG, World


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
