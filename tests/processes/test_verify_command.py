"""`manage.py verify`: what it tests, what it says, and how it exits."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone, translation

from registries.domain.registry import VerifyStatus
from registries.models import AuditEntry, DayRecord, ScheduledRegistry, StateChange
from registries.runs.engine import Runs
from tests.cast import Cast, Probing
from tests.peers.silent import SilentServers


def test_tests_all_and_exits_with_what_came_of_it(
    cast: Cast, probing: Probing, capsys: pytest.CaptureFixture[str]
) -> None:
    cast.add("good", **probing("harbor"))
    call_command("verify")
    assert "1 registries: 1 connected, 0 failed, 0 left alone" in capsys.readouterr().out

    cast.add("bad", "team-b", **probing("down"))
    with pytest.raises(SystemExit) as ended:
        call_command("verify")
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert "2 registries: 1 connected, 1 failed, 0 left alone" in out
    assert "1  connection_refused" in out
    assert AuditEntry.objects.filter(person="manage.py verify", action="test").count() == 3


def test_takes_only_those_that_were_asked_for(
    cast: Cast, probing: Probing, capsys: pytest.CaptureFixture[str]
) -> None:
    cast.add("good", **probing("harbor"))
    cast.add("other", "team-b", **probing("harbor"))

    call_command("verify", "--namespace", "team-b", "--status", "untested")
    assert cast.find("good").verification.status is VerifyStatus.UNTESTED
    call_command("verify", "--older-than", "1h")
    call_command("verify", "--older-than", "1h")

    assert re.findall(r"(\d+) registries", capsys.readouterr().out) == ["1", "1", "0"]


@pytest.mark.parametrize("wrong", [["--namespace", "nowhere"], ["--older-than", "soon"], ["--status", "x"]])
def test_wrong_usage_is_an_error(cast: Cast, wrong: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("verify", *wrong)


@pytest.fixture
def handlers() -> Iterator[None]:
    """Fails a test after which a handler of signals is another one than before."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_the_handlers_of_signals_are_as_before(cast: Cast, probing: Probing, handlers: None) -> None:
    call_command("verify")
    cast.add("bad", **probing("down"))
    with pytest.raises(SystemExit):
        call_command("verify")
    with pytest.raises(CommandError):
        call_command("verify", "--namespace", "nowhere")


@pytest.mark.parametrize("after", [True, False], ids=["after-the-claim", "before"])
@pytest.mark.django_db(transaction=True)
def test_a_signal_that_comes_before_the_run_begins_stops_it_all_the_same(
    cast: Cast,
    silent_servers: SilentServers,
    handlers: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    after: bool,
) -> None:
    """A run that is stopped is no success, also if no test has begun."""
    settings.PROBE_ALLOW_LOOPBACK, settings.PROBE_TIMEOUT = True, 0.2
    monkeypatch.setattr("registries.runs.heartbeat.BEAT", 0.0)
    for number, address in enumerate(silent_servers(100)):
        cast.add(f"silent-{number}", domain=address)
    claim, cancel, tried = Runs._claim, Runs.cancel, threading.Event()

    def cancelled(*args: Any, **values: Any) -> None:
        cancel(*args, **values)
        tried.set()

    def begun(*args: Any, **values: Any) -> int:
        claimed = claim(*args, **values) if after else 0
        os.kill(os.getpid(), signal.SIGTERM)
        assert tried.wait(30)
        return claimed or claim(*args, **values)

    monkeypatch.setattr(Runs, "cancel", cancelled)
    monkeypatch.setattr(Runs, "_claim", begun)

    with pytest.raises(SystemExit):
        call_command("verify")

    assert re.search(r"stopped with \d+ to go", capsys.readouterr().out)


def test_its_results_are_those_of_the_schedule(cast: Cast, probing: Probing) -> None:
    good, bad = cast.add("good", **probing("harbor")), cast.add("bad", **probing("wrong-password"))
    before = timezone.now()
    with pytest.raises(SystemExit):
        call_command("verify")

    found = {it.uid: it.credential for it in ScheduledRegistry.objects.select_related("credential")}
    assert {uid: row.state for uid, row in found.items()} == {good.uid: "ok", bad.uid: "failing"}
    assert all(row.due_at and row.due_at > before + timedelta(hours=5) for row in found.values())
    assert DayRecord.objects.count() == 2
    assert StateChange.objects.filter(uid=bad.uid, after="failing").count() == 1


def test_all_of_its_output_is_in_one_language(
    cast: Cast, probing: Probing, capsys: pytest.CaptureFixture[str]
) -> None:
    cast.add("bad", **probing("wrong-password"))
    with translation.override("zh-hans"), pytest.raises(SystemExit):
        call_command("verify")

    out = capsys.readouterr().out
    assert "Wrong user name or password" in out
    assert out.isascii()


@pytest.mark.parametrize("command", ["verify", "rotate_keys"])
def test_a_database_of_an_earlier_version_is_named(cast: Cast, command: str) -> None:
    latest = MigrationRecorder.Migration.objects.filter(app="registries").latest("pk")
    MigrationRecorder(connection).record_unapplied(latest.app, latest.name)

    with pytest.raises(CommandError, match=r"manage\.py migrate"):
        call_command(command)
