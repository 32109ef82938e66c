"""The upkeep leaves a Secret alone only while the console itself replaces its registry."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registries.domain.moments import moment_text
from registries.domain.registry import Key
from registries.pull_secrets.replacing import LEFT_ALONE, REPLACING, Marks

KEY, UID = Key("team-a", "harbor-prod"), "6a9f1a52-0000-4000-8000-000000000001"
DATA = {".dockerconfigjson": "e30="}


def secret(mark: str, data: dict[str, str] | None = None) -> dict[str, Any]:
    return {"metadata": {"annotations": {REPLACING: mark}}, "data": DATA if data is None else data}


def test_another_process_knows_the_mark() -> None:
    mark = Marks("the same").mark(KEY, UID, DATA)

    assert Marks("the same").has_mark(secret(mark), KEY, UID)
    assert not Marks("another").has_mark(secret(mark), KEY, UID)
    assert not Marks("").has_mark(secret(Marks("").mark(KEY, UID, DATA)), KEY, UID)


LATER, SEAL = moment_text(datetime.now(UTC) + timedelta(days=300)), "0" * 64


@pytest.mark.parametrize(
    "mark",
    ["", UID, f"{UID} {LATER}", f"{UID} {LATER} {SEAL}", f"{UID} {LATER} é", f"{UID}  ", " ".join(UID)],
    ids=["none", "uid", "no-seal", "foreign-seal", "no-ascii", "blank", "many"],
)
def test_nobody_else_can_write_one(mark: str) -> None:
    assert not Marks("").has_mark(secret(mark), KEY, UID)
    assert not Marks("s").has_mark({"metadata": {}}, KEY, UID)


def test_it_is_for_this_secret_with_this_content_and_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = Marks("s")
    mark = marks.mark(KEY, UID, DATA)
    uid, until, seal = mark.split()

    assert marks.has_mark(secret(mark), KEY, UID)
    assert not marks.has_mark(secret(mark, {**DATA, "x": ""}), KEY, UID)
    assert not marks.has_mark(secret(mark, {}), KEY, UID)
    assert not marks.has_mark(secret(mark), Key("team-b", "harbor-prod"), UID)
    assert not marks.has_mark(secret(mark), KEY, UID.replace("1", "2"))
    assert not marks.has_mark(secret(f"{uid} {LATER} {seal}"), KEY, UID)
    assert datetime.fromisoformat(until) - datetime.now(UTC) <= LEFT_ALONE
    monkeypatch.setattr("registries.pull_secrets.replacing.LEFT_ALONE", timedelta(seconds=-1))
    assert not marks.has_mark(secret(marks.mark(KEY, UID, DATA)), KEY, UID)
