"""Several passwords of one user name: each gets its turn, however many are refused."""

from datetime import timedelta
from itertools import pairwise

import pytest

from registries.models import Pause, ScheduledCredential
from tests.peers.scripted import Reply
from tests.schedule.registries import WRONG, Registry, World

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
PASSWORDS = ("first-1", "second-2", "third-3", "fourth-4")


@pytest.mark.parametrize("right", PASSWORDS)
def test_a_refused_password_that_becomes_right_is_found(world: World, right: str) -> None:
    """Somebody changed the password at the registry, to one of those that the console has."""
    registry = world.registry()
    registry.right = "none-of-them"
    uids = {it: world.add(f"r-{it}", registry, password=it) for it in PASSWORDS}
    world.run(6.6 + 26 * len(PASSWORDS))
    assert {world.row(it).settled for it in uids.values()} == {"failing"}

    registry.right = right
    begun = world.clock.now
    world.run(27 * len(PASSWORDS))

    assert world.row(uids[right]).settled == "ok"
    assert [it.ok for it in registry.log_ins if it.at > begun].index(True) < len(PASSWORDS)
    refused = [it.at for it in registry.log_ins if not it.ok and it.at > begun + timedelta(hours=30)]
    assert all(later - earlier >= timedelta(hours=10) for earlier, later in pairwise(refused))


def test_a_password_that_is_refused_anew_is_confirmed_before_others_are_tried(world: World) -> None:
    """Between the two tests of it, no other password of the user name is refused."""
    registry = world.registry()
    bad = [world.add(f"bad-{it}", registry, password=it) for it in PASSWORDS[:2]]
    world.run(40)
    good = world.add("good", registry)
    world.run(1)
    assert world.row(good).settled == "ok"
    ScheduledCredential.objects.filter(registries__uid__in=bad).update(due_at=world.clock.now + HOUR)
    ScheduledCredential.objects.filter(registries__uid=good).update(due_at=world.clock.now + HOUR - SECOND)
    registry.right = "none-of-them"
    begun = world.clock.now

    world.run(9)

    refused = [it for it in registry.log_ins if it.at > begun]
    assert len(refused) == 2
    assert world.row(good).settled == "failing"


BUSY, DOWN = Reply(429), Reply(503)


def refused(world: World) -> tuple[Registry, str]:
    """A registry that refuses a password that was right, and the uid with this password."""
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(7)
    registry.right = "none-of-them"
    world.run(8)
    assert world.row(uid).settled == "failing"
    assert registry.log_ins[-1].at > world.clock.now - 8 * HOUR
    return registry, uid


def answer_once(world: World, registry: Registry, reply: Reply) -> None:
    """A person tests while the registry answers so."""
    registry.broken = reply
    world.test(world.cast.access("nina"), "r")
    registry.broken = None
    Pause.objects.all().delete()


@pytest.mark.parametrize("reply", [BUSY, DOWN])
def test_an_answer_without_a_word_on_the_password_shortens_no_back_off(world: World, reply: Reply) -> None:
    registry, uid = refused(world)
    due_at = world.due(uid)
    answer_once(world, registry, reply)
    answer_once(world, registry, reply)
    assert world.due(uid) >= due_at


@pytest.mark.parametrize("reply", [BUSY, DOWN])
def test_a_refusal_counts_after_such_an_answer(world: World, reply: Reply) -> None:
    """Another password of the user name is refused: one that was refused as well waits for its turn."""
    registry, uid = refused(world)
    answer_once(world, registry, reply)
    ScheduledCredential.objects.filter(registries__uid=uid).update(due_at=world.clock.now + 2 * MINUTE)
    other = world.add("other", registry, password=WRONG)
    before = len(registry.log_ins)
    world.run(1)
    assert world.row(other).settled == "failing"
    assert len(registry.log_ins) == before + 1


@pytest.mark.parametrize("reply", [BUSY, DOWN])
def test_a_new_interval_respects_a_refusal_before_such_an_answer(world: World, reply: Reply) -> None:
    registry, uid = refused(world)
    answer_once(world, registry, reply)
    begun = world.clock.now
    intervals = world.schedule.intervals
    intervals.choose(access=world.cast.access("nina"), namespace="team-a", interval=HOUR)
    assert world.due(uid) >= begun + 2 * HOUR


def test_a_new_interval_does_not_delay_the_test_that_confirms(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(7)
    registry.right = "none-of-them"
    world.test(world.cast.access("nina"), "r")
    assert world.row(uid).state == "suspect"
    intervals = world.schedule.intervals
    intervals.choose(access=world.cast.access("nina"), namespace="team-a", interval=HOUR)
    assert world.due(uid) <= world.clock.now + MINUTE
