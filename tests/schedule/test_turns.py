"""Several passwords of one user name: each gets its turn, however many are refused."""

from datetime import timedelta
from itertools import pairwise

import pytest

from registries.models import ScheduledCredential
from tests.schedule.registries import World

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
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
