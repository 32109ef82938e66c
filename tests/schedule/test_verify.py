"""`manage.py verify`: one log-in for each distinct credential, and the verdict for every copy."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from registries.models import DayRecord, ScheduledRegistry
from registries.runs.engine import Runs
from registries.service.tests import Tests
from registries.wiring import services
from tests.cast import Cast
from tests.peers.scripted import Reply
from tests.schedule.registries import WRONG, World


def reasons(cast: Cast, *names: str) -> list[str]:
    return [cast.find(name).verification.reason for name in names]


def test_one_log_in_for_each_credential_and_the_verdict_for_every_copy(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, other = world.registry(), world.registry(), world.registry()
    copies = [f"good-{number}" for number in range(12)]
    uids = [world.add(name, good) for name in copies]
    world.add("bad-1", bad, password=WRONG)
    world.add("bad-2", bad, password=WRONG)
    world.add("alone", other)
    with pytest.raises(SystemExit):
        call_command("verify")

    assert [len(it.log_ins) for it in (good, bad, other)] == [1, 1, 1]
    assert "15 registries: 13 connected, 2 failed, 0 left alone" in capsys.readouterr().out
    assert set(reasons(world.cast, *copies)) == {"ok"}
    assert reasons(world.cast, "bad-1", "bad-2") == ["bad_credentials"] * 2
    assert DayRecord.objects.filter(ok=1).count() == 13
    assert DayRecord.objects.filter(failed=1).count() == 2
    assert {it.written_reason for it in ScheduledRegistry.objects.filter(uid__in=uids)} == {"ok"}
    assert all(world.due(uid) > world.clock.now + timedelta(hours=5) for uid in uids)
    assert not services().history.under_way(uids), "no test is open"


def test_a_failure_that_is_not_confirmed_is_on_every_copy_too(world: World) -> None:
    registry = world.registry()
    names = [f"r-{number}" for number in range(4)]
    for name in names:
        world.add(name, registry)
    registry.broken = Reply(503)
    with pytest.raises(SystemExit):
        call_command("verify")
    assert (reasons(world.cast, *names), registry.asked) == (["server_error"] * 4, 1)


@pytest.mark.parametrize("gone", [1, 3])
def test_a_copy_is_tested_when_the_first_one_cannot_be(
    world: World, gone: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some are deleted after the run was proposed. No order: the run shuffles, so all but one may come first."""
    registry, claim = world.registry(), Runs._claim
    names = [f"r-{number}" for number in range(4)]
    for name in names:
        world.add(name, registry)

    def deleted(*args: Any, **values: Any) -> int:
        for name in names[:gone]:
            world.delete(name)
        return claim(*args, **values)

    monkeypatch.setattr(Runs, "_claim", deleted)
    monkeypatch.setattr("random.shuffle", lambda chosen: chosen.sort(key=lambda it: it.name))
    call_command("verify")

    assert len(registry.log_ins) == 1
    assert reasons(world.cast, *names[gone:]) == ["ok"] * (4 - gone)
    assert f"4 registries: {4 - gone} connected, 0 failed, {gone} gone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "by_kubectl", "verdict", "others"),
    [
        ("r-0", True, "bad_credentials", ""),
        ("r-0", False, "", "ok"),
        ("r-2", False, "bad_credentials", "ok"),
        ("r-2", True, "bad_credentials", "ok"),
    ],
)
def test_a_verdict_is_not_written_to_a_registry_with_another_password_by_now(
    world: World, name: str, by_kubectl: bool, verdict: str, others: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password is changed after the first test, that of r-0, has begun. A change in the console ends this test;
    otherwise it is refused, and the user name is left alone."""
    registry = world.registry()
    for each in ("r-0", "r-1", "r-2"):
        world.add(each, registry)
    begin, calls = Tests.credential, list[str]()

    def meanwhile(tests: Tests, **values: Any) -> Any:
        calls.append(values["check"].key.name)
        if len(calls) == 1:
            found, access = world.cast.find(name), world.cast.access("olive")
            if by_kubectl:
                version = found.resource_version
                services().store.set_password(found.key, WRONG, uid=found.uid, resource_version=version)
            else:
                services().passwords.change_password(
                    access=access, key=found.key, uid=found.uid, password=WRONG
                )
        return begin(tests, **values)

    monkeypatch.setattr(Tests, "credential", meanwhile)
    monkeypatch.setattr("random.shuffle", lambda chosen: chosen.sort(key=lambda it: it.name))
    with pytest.raises(SystemExit):
        call_command("verify")

    expected = {it: verdict if it == name else others for it in ("r-0", "r-1", "r-2")}
    assert dict(zip(expected, reasons(world.cast, *expected), strict=True)) == expected


def test_a_pause_is_no_verdict_for_the_copies(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    registry = world.registry()
    for number in range(5):
        world.add(f"r-{number}", registry)
    registry.broken = Reply(429, [("Retry-After", "600")])
    with pytest.raises(SystemExit):
        call_command("verify")
    assert "5 registries: 0 connected, 1 failed, 4 left alone" in capsys.readouterr().out
    assert registry.asked == 1


def test_another_password_of_a_refused_user_is_left_alone_with_its_copies(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = world.registry()
    for number in range(3):
        world.add(f"wrong-{number}", registry, password=WRONG)
        world.add(f"worse-{number}", registry, password=f"{WRONG}-2")
    with pytest.raises(SystemExit):
        call_command("verify")
    assert "6 registries: 0 connected, 3 failed, 3 left alone" in capsys.readouterr().out
    assert len(registry.log_ins) == 1


def test_a_person_tests_in_their_own_name_and_shares_nothing(world: World) -> None:
    registry = world.registry()
    for number in range(3):
        world.add(f"r-{number}", registry)
    world.schedule.placing.update(world.clock.now)
    runs, access = services().runs["verify"], world.cast.access("omar")
    run = runs.propose(access=access, registries=[world.cast.find(f"r-{number}") for number in range(3)])
    runs.work(access=access, run_id=run, access_now=lambda access: access)
    assert len(registry.log_ins) == 3


def test_a_guess_gets_no_verdict_with_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of many new passwords of a user name, each is tested itself, until one is refused."""
    registry = world.registry()
    for name in ("a-copy", "a-secret"):
        world.add(name, registry, "team-b")
    call_command("verify")
    before = len(registry.log_ins)
    for number in range(9):
        world.add(f"b-{number}", registry, password=f"{WRONG}-{number}")
    world.add("c-right", registry)
    monkeypatch.setattr("random.shuffle", lambda chosen: chosen.sort(key=lambda it: it.name))
    with pytest.raises(SystemExit):
        call_command("verify")

    assert [it.ok for it in registry.log_ins[before:]] == [True, False]
    assert reasons(world.cast, "b-1", "c-right") == ["", ""]
    assert world.cast.find("a-copy", "team-b").verification.reason == "ok"
    assert "12 registries: 2 connected, 1 failed, 9 left alone" in capsys.readouterr().out
