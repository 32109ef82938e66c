"""Runs with a new password whose process died: they go on from what is really stored, if their person still may."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from registries.domain.access import Role
from registries.domain.registry import RegistrySecret
from registries.models import Rotation, RotationTarget, Run, RunItem
from registries.people.grants import set_grant
from registries.runs.owned import mentioned
from registries.runs.rotation_rows import MOST_CLAIMS
from registries.runs.run import RunState
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.runs.rotations import NAMES, OLD, begin, kept, passwords, state, stopped, theirs


@pytest.mark.parametrize("written", [0, 1, 2, 3])
@pytest.mark.parametrize("way", ["retry", "roll_back"])
def test_a_lost_run_goes_on_from_what_is_really_stored(
    cast: Cast, probing: Probing, three: list[RegistrySecret], written: int, way: str
) -> None:
    """As after a kill: some are written, and none of them is recorded."""
    right = probing("harbor")["password"]
    run = stopped(cast, three, right)
    lose(three, run, right, written)
    assert state(cast, run) is RunState.INTERRUPTED

    getattr(services().rotations, way)(access=cast.access("nina"), run_id=run)

    assert passwords() == [right if way == "retry" else OLD] * 3
    assert (state(cast, run), kept()) == (RunState.DONE, 0)


@pytest.mark.parametrize("written", [0, 1, 2, 3])
@pytest.mark.parametrize("undoing", [False, True])
def test_a_lost_run_goes_on_by_itself(
    cast: Cast, probing: Probing, three: list[RegistrySecret], written: int, undoing: bool
) -> None:
    """In the way that its person chose, and once."""
    right = probing("harbor")["password"]
    run = stopped(cast, three, right)
    lose(three, run, right, written)
    Rotation.objects.update(undoing=undoing)

    services().rotations.resume_lost(services().people.access_now)
    services().rotations.resume_lost(services().people.access_now)

    assert passwords() == ([OLD] * 3 if undoing else [right] * 3)
    assert (state(cast, run), kept()) == (RunState.DONE, 0)


def refused(cast: Cast, run: UUID) -> None:
    set_grant(cast.users["nina"], "team-a", Role.OPERATOR)


def gone(cast: Cast, run: UUID) -> None:
    cast.users["nina"].delete()


def inactive(cast: Cast, run: UUID) -> None:
    User.objects.filter(pk=cast.users["nina"].pk).update(is_active=False)


def alive(cast: Cast, run: UUID) -> None:
    Run.objects.filter(pk=run).update(beat_at=timezone.now())


def halted(cast: Cast, run: UUID) -> None:
    Run.objects.filter(pk=run).update(state="cancelled")


def deadly(cast: Cast, run: UUID) -> None:
    Run.objects.filter(pk=run).update(fence=MOST_CLAIMS)


@pytest.mark.parametrize("hindrance", [refused, gone, inactive, alive, halted, deadly])
def test_a_lost_run_does_nothing_that_its_person_may_not_or_does_not_want(
    cast: Cast, probing: Probing, three: list[RegistrySecret], hindrance: Callable[[Cast, UUID], None]
) -> None:
    """A lost role, an ended account; a run that lives, one that was stopped, and one that ends every process."""
    right = probing("harbor")["password"]
    run = stopped(cast, three, right)
    lose(three, run, right, 1)
    hindrance(cast, run)

    services().rotations.resume_lost(services().people.access_now)

    assert passwords() == [right, OLD, OLD]
    assert kept() == 4


def test_a_stopped_run_waits_for_its_person_and_is_mentioned_meanwhile(
    cast: Cast, probing: Probing, three: list[RegistrySecret]
) -> None:
    """For as long as it keeps passwords, also after later runs."""
    right, access = probing("harbor")["password"], cast.access("nina")
    run = stopped(cast, three, right)
    Run.objects.filter(pk=run).update(finished_at=timezone.now() - timedelta(hours=5))
    later = begin(cast, [services().store.get(three[2].key)], right)
    assert state(cast, later) is RunState.DONE

    services().rotations.retry_undecided(services().people.access_now)

    assert Run.objects.get(pk=run).fence == 1
    assert mentioned(access) == [("rotate", run)]
    services().rotations.leave(access=access, run_id=run)
    assert mentioned(access) == [("rotate", later)]
    Run.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    assert mentioned(access) == []


def lose(three: list[RegistrySecret], run: UUID, password: str, written: int) -> None:
    """As after a kill: some are written, and none of them is recorded."""
    for number, it in enumerate(three):
        theirs(it, password if number < written else OLD)
    RunItem.objects.filter(run=run).update(state="waiting", problem="", reason="")
    RotationTarget.objects.filter(item__run=run).update(begun=False)
    for item in RunItem.objects.filter(run=run, name__in=NAMES[: written + 1]):
        RotationTarget.objects.filter(item=item).update(begun=True)
    Run.objects.filter(pk=run).update(state="running", beat_at=timezone.now() - timedelta(minutes=1))
