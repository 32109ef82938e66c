"""`manage.py verify`: what it tests, what it says, and how it exits."""

import re

import pytest
from django.core.management import CommandError, call_command

from registries.domain import VerifyStatus
from registries.models import AuditEntry
from tests.conftest import Cast
from tests.test_verify_runs import Temper


def test_tests_all_and_exits_with_what_came_of_it(
    cast: Cast, probing: Temper, capsys: pytest.CaptureFixture[str]
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
    cast: Cast, probing: Temper, capsys: pytest.CaptureFixture[str]
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
