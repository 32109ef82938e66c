"""A failing registry gets a new password: its recovery is told once, whoever tests it first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from registries.models import DayRecord, StateChange
from registries.wiring import services
from tests.schedule.new_passwords import FAILING, NEW, RECOVERED, as_kubectl, change, failing
from tests.schedule.new_passwords import channel as channel
from tests.schedule.registries import WRONG, World
from tests.schedule.test_telling import told


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
