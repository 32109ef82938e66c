"""Registries that get a failing password, many at once or during a test, and since when they fail."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from registries.models import DayRecord, ScheduledCredential
from registries.schedule.recent import down_since
from registries.schedule.rows import end_down
from registries.schedule.state import State
from registries.wiring import services
from tests.schedule.new_passwords import NEW, as_kubectl, failing
from tests.schedule.new_passwords import channel as channel
from tests.schedule.registries import RIGHT, World
from tests.schedule.test_telling import told


def down(uid: str) -> float:
    return float(sum(DayRecord.objects.filter(uid=uid).values_list("down", flat=True)))


def a_copy(world: World) -> str:
    return world.add("copy", world.registries[0])


def a_registry_that_gets_the_old_password(world: World) -> str:
    found = world.cast.find("working")
    services().store.set_password(found.key, RIGHT, uid=found.uid)
    return found.uid


@pytest.mark.parametrize("join", [a_copy, a_registry_that_gets_the_old_password])
def test_who_gets_a_failing_password_fails_only_since_its_next_test(
    world: World, join: Callable[[World], str]
) -> None:
    registry, uid = failing(world)
    world.add("working", registry, password=NEW)
    world.run(0.1)
    world.clock.now = world.due(uid) - timedelta(minutes=5)
    joined_at, before = world.clock.now, down(uid)
    tested_at = world.row(uid).tested_at
    assert tested_at
    assert tested_at < joined_at - timedelta(minutes=5)

    joined = join(world)
    world.schedule.placing.update(joined_at)
    assert down_since([uid, joined]) == {uid: tested_at}
    world.run(0.5)

    tested_again = world.row(uid).tested_at
    assert tested_again
    assert tested_again > joined_at
    assert down_since([uid, joined]) == dict.fromkeys((uid, joined), tested_again)
    assert down(joined) == 0
    assert down(uid) - before == pytest.approx((tested_again - tested_at).total_seconds(), abs=2)


def test_many_copies_get_a_new_password_with_few_queries(
    world: World, django_assert_max_num_queries: Any
) -> None:
    registry, uid = failing(world)
    copies = [world.add(f"copy-{n}", registry) for n in range(20)]
    world.schedule.placing.update(world.clock.now)
    world.clock.now = world.due(uid) + timedelta(minutes=1)
    world.turn()
    world.clock.now += timedelta(minutes=5)

    with django_assert_max_num_queries(9):
        end_down([uid, *copies], world.clock.now)

    assert [down(it) for it in copies] == [300] * 20


@pytest.mark.parametrize("alone", [True, False])
def test_a_result_does_not_count_for_a_registry_that_was_changed_during_the_test(
    world: World, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person corrects the password with kubectl, while the schedule tests the one before."""
    registry = world.registry()
    uid = world.add("r", registry)
    other = uid if alone else world.add("other", registry, "team-b")
    world.run(7)
    tests, registry.right = services().tests, NEW
    counted, probe = sum(it.failed for it in DayRecord.objects.all()), tests.probe

    def change_meanwhile(credential: Any) -> Any:
        result = probe(credential)
        monkeypatch.setattr(tests, "probe", probe)
        as_kubectl(world, NEW)
        return result

    monkeypatch.setattr(tests, "probe", change_meanwhile)
    world.clock.now = world.due(uid) + timedelta(seconds=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.schedule.placing, "update", lambda now: None)
        world.turn()
    assert len([it for it in registry.log_ins if not it.ok]) == 1
    assert counted == sum(it.failed for it in DayRecord.objects.filter(uid=uid))
    assert world.row(uid).state == State.NEW
    if not alone:
        assert world.row(other).state == State.SUSPECT

    world.schedule.placing.update(world.clock.now)
    world.schedule.sweep.turn()
    assert (world.row(uid).state, world.row(uid).tested_reason) == (State.OK, "ok")
    assert not any(it.failed or it.down for it in DayRecord.objects.filter(uid=uid))
    assert not ScheduledCredential.objects.filter(registries=None).exists()
    assert told() == []
