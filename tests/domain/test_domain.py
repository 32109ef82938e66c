"""Names, texts and verdicts."""

from datetime import UTC, datetime, timedelta

import pytest

from registries.domain.metadata import name_problem, namespace_problem, text_problem
from registries.domain.registry import Credential, Draft, Key, Provider, Verification, VerifyStatus

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", ["a", "harbor-prod", "h2", "a.b-c.d", "0-0", "x" * 253])
def test_a_kubernetes_name_is_a_name(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        ("x" * 254, "too_long"),
        ("Harbor", "characters"),
        ("harbor_prod", "characters"),
        ("生产", "characters"),
        ("a b", "characters"),
        ("../etc", "characters"),
        ("<b>", "characters"),
        ("a\n", "characters"),
        ("-a", "ends"),
        ("a-", "ends"),
        ("a..b", "ends"),
        (".a", "ends"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(name: str, problem: str) -> None:
    assert name_problem(name) == problem


def test_a_namespace_is_a_label() -> None:
    assert namespace_problem("team-a") is None
    assert namespace_problem("a.b") == "characters"
    assert namespace_problem("x" * 64) == "too_long"


@pytest.mark.parametrize("text", ["生产环境 Harbor", "🚢 prod", "<b>'; DROP TABLE", "مرحبا", "👨‍👩‍👧"])
def test_every_script_and_emoji_may_stand_in_a_text(text: str) -> None:
    assert text_problem(text, 128) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\u202eb", "direction_mark"),
        ("a\u200fb", "direction_mark"),
        ("a\x00b", "control_character"),
        ("a\nb", "control_character"),
        ("a\ud800", "control_character"),
        ("x" * 129, "too_long"),
    ],
)
def test_what_hides_in_a_text_is_refused(text: str, problem: str) -> None:
    assert text_problem(text, 128) == problem


def test_lines_are_for_descriptions() -> None:
    assert text_problem("one\ntwo", 128, lines=True) is None


def test_a_verdict_is_out_of_date_after_a_week() -> None:
    def tested(days: float) -> Verification:
        return Verification(VerifyStatus.SUCCESS, "ok", "连接成功", NOW - timedelta(days=days))

    assert not tested(6.9).is_stale(NOW)
    assert tested(7.1).is_stale(NOW)
    assert not Verification().is_stale(NOW)


def test_a_password_is_in_no_representation() -> None:
    draft = Draft(Key("team-a", "x"), "h.example.com", "admin", Provider.OTHER, "s3cret")

    assert "s3cret" not in repr(draft)
    assert "s3cret" not in f"{Credential('h', 'u', 's3cret')}"
