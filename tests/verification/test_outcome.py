"""The column `outcome`: what is written is read again, and so are the rows of the versions before."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from registries.domain.errors import Problem
from registries.probe import Reason, Result, Step
from registries.verification.history import NotTested, from_json, left_alone, to_json

RESULT = Result(
    Reason.BAD_CREDENTIALS,
    params={"status": 401},
    cause="token_rejected",
    registry_host="h.example.com:443",
    token_host="auth.example.com:443",
    steps=(Step("resolve", 1.24, True, "h.example.com:443"), Step("ping", 30.06, False, "h.example.com:443")),
    duration_ms=31.6,
    requests=2,
    warnings=("path_ignored",),
    detail="the server's own words",
    quoted=True,
    certificate_ends=datetime(2027, 1, 31, 12, tzinfo=UTC),
)
ROW = (
    '{"reason": "bad_credentials", "params": {"status": 401}, "cause": "token_rejected", '
    '"registry_host": "h.example.com:443", "token_host": "auth.example.com:443", '
    '"stages": [{"name": "resolve", "ms": 1.2, "ok": true}, {"name": "ping", "ms": 30.1, "ok": false}], '
    '"duration_ms": 32, "requests": 2, "warnings": ["path_ignored"], "problem": "", "detail": "", '
    '"quoted": true, "certificate": null, "node": "", "certificate_ends": "2027-01-31T12:00:00+00:00"}'
)
ABANDONED = (
    '{"reason": "", "params": {}, "cause": "", "registry_host": "", "token_host": "", "stages": [], '
    '"duration_ms": 0, "requests": 0, "warnings": [], "problem": "%s", "detail": "", "quoted": false, '
    '"certificate": null, "node": "", "certificate_ends": ""}'
)


def test_the_format_of_the_column_stays() -> None:
    later = {"image": None, "credential_ends": ""}
    assert json.loads(to_json(RESULT)) == {**json.loads(ROW), "token_host": "", **later}
    abandoned = {**json.loads(ABANDONED % "gone"), **later}
    assert json.loads(to_json(NotTested(Problem.GONE))) == abandoned
    assert list(json.loads(to_json(RESULT))) == [*json.loads(ROW), *later]
    token = replace(RESULT, credential_ends=datetime(2027, 2, 28, 12, tzinfo=UTC))
    assert from_json(to_json(token)) == replace(
        from_json(to_json(RESULT)), credential_ends=token.credential_ends
    )


def test_a_row_of_the_version_before_is_read() -> None:
    read = from_json(ROW)

    assert isinstance(read, Result)
    steps = (Step("resolve", 1.2, True, ""), Step("ping", 30.1, False, ""))
    assert read == replace(RESULT, steps=steps, duration_ms=32, detail="", token_host=None)
    assert read.message("en") == RESULT.message("en")


@pytest.mark.parametrize("code", ["gone", "interrupted", "Forbidden", "session_ended", "ServiceUnavailable"])
def test_a_row_without_a_verdict_is_read(code: str) -> None:
    assert from_json(ABANDONED % code) == NotTested(Problem(code))


def test_a_sentence_in_the_place_of_a_code_is_an_error_of_its_time() -> None:
    assert from_json(ABANDONED % "retry after 3 s") == NotTested(Problem.INTERNAL_ERROR)


def test_a_row_of_the_first_version_is_read() -> None:
    """It had no certificate and no word on who said the detail."""
    row: dict[str, Any] = json.loads(ROW)
    for name in ("certificate", "quoted", "detail", "node"):
        del row[name]
    read = from_json(json.dumps(row))

    assert isinstance(read, Result)
    assert (read.reason, read.tls, read.quoted) == (Reason.BAD_CREDENTIALS, None, False)


@pytest.mark.parametrize("tested", [Result(Reason.OK), left_alone(30), NotTested(Problem.KEY_MISSING)])
def test_what_is_written_is_read_again(tested: Result | NotTested) -> None:
    assert from_json(to_json(tested)) == tested
