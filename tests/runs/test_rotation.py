"""Runs that change a credential and its copies: what they write, when they stop, and that no password stays."""

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from registries import wiring
from registries.domain.errors import Conflict, ConsoleError, Forbidden, Invalid, NotFound
from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.models import AuditEntry, CheckInterval, DayRecord, Rotation, RotationTarget, Run
from registries.runs.rotation_rows import KEPT, STOPPED, forget_old
from registries.runs.run import RunState
from registries.wiring import services
from tests import canary
from tests.canary import CANARY
from tests.cast import EVERYBODY, Cast, Probing
from tests.runs.rotations import (
    OLD,
    THEIRS,
    begin,
    kept,
    outcomes,
    passwords,
    state,
    stopped,
    stored,
    theirs,
)


def test_all_get_the_new_password_once_the_first_has_connected(
    cast: Cast, probing: Probing, three: list[RegistrySecret]
) -> None:
    right = probing("harbor")["password"]

    run = begin(cast, three, right)

    assert passwords() == [right] * 3
    assert outcomes(run) == [("done", "ok", ""), ("done", "", ""), ("done", "", "")]
    assert state(cast, run) is RunState.DONE
    for before in three:
        after = cast.find(before.name)
        assert (after.uid, after.display_name) == (before.uid, f"{before.name}-name")
        assert after.verification.status is VerifyStatus.SUCCESS
        assert after.password_set_at > before.password_set_at
    assert kept() == 0
    changed = AuditEntry.objects.filter(action="password", outcome="ok", run=run)
    assert changed.count() == 3


def test_a_first_one_that_does_not_connect_is_rolled_back_by_itself(
    cast: Cast, three: list[RegistrySecret]
) -> None:
    run = begin(cast, three, CANARY)

    assert passwords() == [OLD] * 3
    rest = ("left_alone", "", "skipped")
    assert outcomes(run) == [("failed", "bad_credentials", "rolled_back"), rest, rest]
    assert (state(cast, run), kept()) == (RunState.DONE, 0)
    assert cast.find().verification.status is VerifyStatus.UNTESTED, "the verdict was of the new password"
    assert cast.find().password_set_at == three[0].password_set_at


def test_what_is_wanted_anyway_stays_and_the_copies_are_asked_about(
    cast: Cast, three: list[RegistrySecret]
) -> None:
    run = begin(cast, three, CANARY, anyway=True)
    first = passwords()
    services().rotations.retry(access=cast.access("nina"), run_id=run)

    assert first == [CANARY, OLD, OLD]
    assert passwords() == [CANARY] * 3
    assert outcomes(run)[0] == ("done", "bad_credentials", "")
    assert kept() == 0


@pytest.mark.parametrize("end", ["retry", "roll_back", "leave"])
def test_a_later_failure_stops_and_the_person_decides(
    cast: Cast, probing: Probing, three: list[RegistrySecret], end: str
) -> None:
    right, nina = probing("harbor")["password"], cast.access("nina")
    run = stopped(cast, three, right)
    assert passwords() == [right, THEIRS, OLD]
    assert outcomes(run)[1:] == [("failed", "", "changed"), ("waiting", "", "")]
    assert (state(cast, run), kept()) == (RunState.CANCELLED, 4)

    if end == "retry":
        theirs(three[1], OLD)
    getattr(services().rotations, end)(access=nina, run_id=run)

    if end == "roll_back":  # not over the password of somebody else
        assert passwords() == [OLD, THEIRS, OLD]
        assert outcomes(run) == [
            ("left_alone", "", "rolled_back"),
            ("failed", "", "changed"),
            ("left_alone", "", "skipped"),
        ]
        services().rotations.leave(access=nina, run_id=run)
    elif end == "retry":
        assert passwords() == [right] * 3
    else:
        assert passwords() == [right, THEIRS, OLD]
        assert outcomes(run)[2] == ("left_alone", "", "skipped")
    assert (state(cast, run), kept()) == (RunState.DONE, 0)
    with pytest.raises(Conflict, match="password_forgotten"):
        services().rotations.retry(access=nina, run_id=run)


def test_only_its_own_person_goes_on_with_it(
    cast: Cast, probing: Probing, three: list[RegistrySecret]
) -> None:
    run = stopped(cast, three, probing("harbor")["password"])

    for way in ("retry", "roll_back", "leave"):
        with pytest.raises(NotFound):
            getattr(services().rotations, way)(access=cast.access("olive"), run_id=run)


@pytest.mark.parametrize("person", [it for it in EVERYBODY if it])
def test_it_takes_the_role_that_may_change_passwords(
    cast: Cast, three: list[RegistrySecret], person: str
) -> None:
    expected: type[ConsoleError] | None = {"omar": Forbidden, "vic": Forbidden, "sam": NotFound}.get(person)

    if expected is None:
        begin(cast, three, "new", person, anyway=True)
    else:
        with pytest.raises(expected):
            begin(cast, three, "new", person)
        assert (passwords(), kept()) == ([OLD] * 3, 0)


def test_a_password_that_a_copy_shows_is_refused_before_anything_is_written(
    cast: Cast, probing: Probing, three: list[RegistrySecret]
) -> None:
    with pytest.raises(Invalid, match="holds_password"):
        begin(cast, three, "third-name")
    with pytest.raises(Conflict, match="changed"):
        begin(cast, three, "new-password", generation="7")

    assert (passwords(), kept(), Run.objects.count()) == ([OLD] * 3, 0, 0)


def test_rotate_keys_reseals_the_passwords_of_a_stopped_run(
    cast: Cast, probing: Probing, three: list[RegistrySecret], settings: Any
) -> None:
    current = [Fernet.generate_key().decode()]
    settings.PASSWORD_KEYS = lambda: list(current)
    wiring.reset()
    for it in three:
        theirs(it, OLD)
    run = stopped(cast, three, probing("harbor")["password"])
    theirs(three[1], OLD)

    current.insert(0, Fernet.generate_key().decode())
    services().reseal()
    del current[1:]
    services().rotations.retry(access=cast.access("nina"), run_id=run)

    assert passwords() == [probing("harbor")["password"]] * 3
    wiring.reset()


def test_no_password_is_readable_while_a_run_waits(
    cast: Cast, probing: Probing, three: list[RegistrySecret]
) -> None:
    """The old one and the new one: the database is searched for both."""
    values = {**probing("harbor"), "password": CANARY}
    run = begin(cast, [cast.add("fourth", **values), *three], OLD + "-2", anyway=True)

    assert (state(cast, run), kept()) == (RunState.CANCELLED, 5)
    canary.watch_database()
    assert canary.leaks == []
    rows = [*Rotation.objects.values_list("sealed"), *RotationTarget.objects.values_list("sealed")]
    assert OLD not in json.dumps(rows)
    lengths = {len(sealed) for (sealed,) in rows[1:]}
    assert len(lengths) == 1, "the length tells nothing of a password"


def test_the_passwords_of_a_run_that_nobody_ends_are_forgotten(
    cast: Cast, probing: Probing, three: list[RegistrySecret]
) -> None:
    run = stopped(cast, three, probing("harbor")["password"])

    assert forget_old() == 0
    Rotation.objects.update(created_at=timezone.now() - KEPT - timedelta(minutes=1))
    Run.objects.filter(pk=run).update(state="running", beat_at=timezone.now())
    assert forget_old() == 0, "it is under way"
    Run.objects.filter(pk=run).update(state="cancelled")
    assert forget_old() == 1

    assert (state(cast, run), kept()) == (RunState.DONE, 0)
    assert outcomes(run)[2] == ("left_alone", "", "password_forgotten")


def test_other_values_are_a_new_registry_with_the_old_history(cast: Cast, probing: Probing) -> None:
    wrong = {**probing("harbor"), "username": "nobody"}
    before = cast.add(**wrong, display_name="Production", description="kept")
    nina = cast.access("nina")
    services().single_tests.wait_for(access=nina, key=before.key)
    DayRecord.objects.create(uid=before.uid, day=timezone.localdate() - timedelta(days=3), ok=7)
    CheckInterval.objects.create(namespace="team-a", uid=before.uid, seconds=900)
    changes = {"username": probing("harbor")["username"], "provider": "other"}

    run = services().rotations.begin(access=nina, registries=[before], changes=changes)

    after = cast.find()
    assert outcomes(run) == [("done", "ok", "")]
    assert after.uid != before.uid
    assert (after.username, after.provider, after.display_name) == (
        changes["username"],
        "other",
        "Production",
    )
    assert after.password_set_at == before.password_set_at, "the password is the same"
    assert [it.outcome.reason for it in services().history.recent(after.uid)] == ["ok", "bad_credentials"]  # type: ignore[union-attr]
    assert DayRecord.objects.get(uid=after.uid, ok=7)
    assert CheckInterval.objects.get(uid=after.uid).seconds == 900
    entries = [(it.action, it.uid == before.uid) for it in cast_events(after)]
    assert entries[-1] == ("create", True)
    assert ("password", False) in entries
    assert kept() == 0


def cast_events(registry: RegistrySecret) -> Any:
    from registries.audit.log import events_of

    return events_of(registry)


def test_other_values_that_do_not_connect_bring_the_old_ones_back(cast: Cast, probing: Probing) -> None:
    before = cast.add(**probing("harbor"), display_name="Production")

    run = services().rotations.begin(
        access=cast.access("nina"), registries=[before], changes={"username": "nobody"}
    )

    after = cast.find()
    assert outcomes(run) == [("failed", "bad_credentials", "rolled_back")]
    assert (after.username, after.display_name) == (before.username, "Production")
    assert stored("harbor-prod") == probing("harbor")["password"]
    assert [it.action for it in cast_events(after)][-1] == "create"
    assert kept() == 0


def test_only_the_newest_stopped_runs_of_a_person_keep_their_values(
    cast: Cast, probing: Probing, three: list[RegistrySecret]
) -> None:
    right = probing("harbor")["password"]

    runs = []
    for _ in range(STOPPED + 3):
        for it in three:
            theirs(it, OLD)
        runs.append(stopped(cast, three, right))

    assert set(Rotation.objects.values_list("run_id", flat=True)) == set(runs[-STOPPED - 1 :])
    assert set(RotationTarget.objects.values_list("item__run", flat=True)) == set(runs[-STOPPED - 1 :])
    assert [state(cast, it) for it in runs[:2]] == [RunState.DONE] * 2
    with pytest.raises(Conflict, match="password_forgotten"):
        services().rotations.retry(access=cast.access("nina"), run_id=runs[0])
