"""A failing registry gets a new password: its recovery is told once, whoever tests it first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from registries.events.change import ChangeKind
from registries.models import Channel, DayRecord, ScheduledCredential, StateChange
from registries.schedule.recent import down_since
from registries.schedule.rows import end_down
from registries.schedule.state import State
from registries.wiring import services
from tests.schedule.registries import RIGHT, WRONG, Registry, World
from tests.schedule.test_telling import told

NEW = "new-6w4d"
FAILING = (ChangeKind.FAILING, "r", "bad_credentials")
RECOVERED = (ChangeKind.RECOVERED, "r", "ok")


@pytest.fixture(autouse=True)
def channel(db: None) -> Channel:
    return Channel.objects.create(name="all", service="slack", sealed="")


def change(world: World, password: str = NEW) -> None:
    found = world.cast.find("r")
    services().passwords.change_password(
        access=world.cast.access("nina"), key=found.key, uid=found.uid, password=password
    )


def failing(world: World) -> tuple[Registry, str]:
    """A registry whose password was changed at the registry, and its uid."""
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(7)
    registry.right = NEW
    world.run(8)
    assert told() == [FAILING]
    return registry, uid


def by_the_schedule(world: World) -> None:
    change(world)


def by_a_person_at_once(world: World) -> None:
    change(world)
    world.test(world.cast.access("nina"), "r")


def by_a_person_later(world: World) -> None:
    change(world)
    world.schedule.placing.update(world.clock.now)
    world.test(world.cast.access("nina"), "r")


def by_a_copy(world: World) -> None:
    """Another registry has the new password already, and it works."""
    world.add("copy", world.registries[0], password=NEW)
    world.run(7)
    change(world)


def with_another_process(world: World) -> None:
    other = world.process()
    other.placing.update(world.clock.now)
    change(world)
    for _ in range(2):
        other.placing.update(world.clock.now)
        world.schedule.placing.update(world.clock.now)
    other.sweep.turn()


@pytest.mark.parametrize(
    "tested", [by_the_schedule, by_a_person_at_once, by_a_person_later, by_a_copy, with_another_process]
)
def test_the_recovery_is_told_once(world: World, tested: Callable[[World], None]) -> None:
    _, uid = failing(world)
    tested(world)
    world.run(7)
    assert told() == [FAILING, RECOVERED]
    world.run(30)
    assert told() == [FAILING, RECOVERED]
    last = StateChange.objects.filter(uid=uid).order_by("pk").last()
    assert last
    assert (last.before, last.after) == ("failing", "ok")
    assert last.since
    assert last.since < last.at


def test_another_wrong_password_is_no_news(world: World) -> None:
    _, uid = failing(world)
    for number in range(3):
        change(world, f"{WRONG}-{number}")
        world.run(7)
    assert told() == [FAILING]
    change(world)
    world.run(7)
    assert told() == [FAILING, RECOVERED]
    assert StateChange.objects.filter(uid=uid).count() == 3


def test_a_new_password_of_a_registry_that_works_is_no_news_until_it_is_refused(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(7)
    registry.right = NEW
    change(world)
    world.run(7)
    assert StateChange.objects.filter(uid=uid).count() == 1
    change(world, WRONG)
    world.run(7)
    assert told() == [FAILING]
    assert [it.before for it in StateChange.objects.filter(uid=uid).order_by("pk")] == ["new", "ok"]


def as_kubectl(world: World, password: str) -> None:
    """Changes the password alone: the verdict on the earlier one stays on the resource."""
    found = world.cast.find("r")
    services().store.set_password(found.key, password, uid=found.uid, verdict=found.verification)
    assert world.cast.find("r").verification.at


def test_a_password_that_kubectl_changed_is_tested_at_once(world: World) -> None:
    """The verdict on the resource is that of the password before."""
    registry = world.registry()
    world.add("r", registry)
    world.run(7)
    before = len(registry.log_ins)
    as_kubectl(world, WRONG)
    world.run(0.01)
    assert len(registry.log_ins) - before == 1
    assert world.cast.find("r").verification.reason == "bad_credentials"
    world.run(0.1)
    assert told() == [FAILING]


def test_a_refused_password_that_kubectl_mended_is_tested_at_once(world: World) -> None:
    registry, uid = failing(world)
    as_kubectl(world, NEW)
    world.run(0.1)
    assert told() == [FAILING, RECOVERED]
    assert world.row(uid).settled == "ok"
    assert registry.log_ins[-1].ok


def mended_by_kubectl(world: World) -> None:
    as_kubectl(world, NEW)


def created_again(world: World) -> None:
    access, found, parts = world.cast.access("nina"), world.cast.find("r"), services()
    old = parts.replacement.before(access=access, key=found.key, uid=found.uid)
    new = replace(old, username="second", password=NEW)
    parts.replacement.put(
        access=access, uid=found.uid, old=old, new=new, replacing=True, replace_now=lambda: None
    )


@pytest.mark.parametrize("mend", [change, mended_by_kubectl, created_again])
def test_the_time_until_the_new_password_stays_a_failure(world: World, mend: Callable[[World], None]) -> None:
    _, uid = failing(world)
    since = world.row(uid).since
    assert since
    mend(world)
    changed_at = world.clock.now
    world.run(7)
    down = sum(DayRecord.objects.filter(uid=world.cast.find("r").uid).values_list("down", flat=True))
    assert abs(down - (changed_at - since).total_seconds()) < 60


def test_the_first_test_of_a_registry_or_a_new_password_is_counted(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.test(world.cast.access("nina"), "r")
    registry.right = NEW
    change(world)
    world.test(world.cast.access("nina"), "r")
    world.run(0.1)
    assert sum(DayRecord.objects.filter(uid=uid).values_list("ok", flat=True)) == len(registry.log_ins) == 2


def test_a_known_refusal_replaces_the_verdict_with_its_next_test(world: World) -> None:
    """Another registry has the new password already, and it was refused: it is tested for both, when it is due."""
    registry = world.registry()
    world.add("r", registry)
    copy = world.add("copy", registry, password=WRONG)
    world.run(14)
    world.test(world.cast.access("nina"), "r")
    refused = [it.ok for it in registry.log_ins].count(False)
    as_kubectl(world, WRONG)
    due_at = world.due(copy)
    world.run(0.2)
    assert [it.ok for it in registry.log_ins].count(False) == refused
    assert world.cast.find("r").verification.reason == "ok"
    world.run((due_at - world.clock.now) / timedelta(hours=1) + 0.1)
    assert [it.ok for it in registry.log_ins].count(False) == refused + 1
    assert world.cast.find("r").verification.reason == "bad_credentials"


def test_a_test_right_after_kubectl_says_nothing_about_copies(world: World) -> None:
    """The copies have the password that was good. Nobody has placed the changed registry yet."""
    registry = world.registry()
    uid, copy = (world.add(name, registry) for name in ("r", "copy"))
    world.run(7)
    as_kubectl(world, WRONG)
    world.test(world.cast.access("nina"), "r")
    good = world.row(copy)
    assert (good.state, good.tested_reason, good.recent) == ("ok", "ok", "+")
    world.run(1)
    assert [it.ok for it in registry.log_ins] == [True, False], "the verdict of the person counts"
    assert (world.row(uid).settled, world.row(copy).settled) == ("failing", "ok")
    assert told() == [FAILING]
    assert world.cast.find("r").verification.reason == "bad_credentials"
    assert world.cast.find("copy").verification.reason == "ok"


def test_an_older_verdict_on_the_same_password_replaces_no_newer_one(world: World) -> None:
    """A copy had the password before, and it worked hours ago. A person has seen just now that it is refused."""
    registry = world.registry()
    registry.right = NEW
    copy = world.add("copy", registry, password=NEW)
    world.run(7)
    uid = world.add("r", registry, password=WRONG)
    world.run(1)
    assert (world.row(uid).settled, world.row(copy).settled) == ("failing", "ok")
    registry.right = "third-1"
    as_kubectl(world, NEW)
    world.test(world.cast.access("nina"), "r")
    before = len(registry.log_ins)
    world.turn()
    assert world.cast.find("r").verification.reason == "bad_credentials"
    world.run(7)
    assert [it.ok for it in registry.log_ins[before:]] == [False, False], "tested when due, and confirmed"
    assert world.row(copy).settled == "failing"
    assert {world.cast.find(it).verification.reason for it in ("r", "copy")} == {"bad_credentials"}


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
