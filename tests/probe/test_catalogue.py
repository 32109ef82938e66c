"""Every result has sentences in both languages."""

import re

import pytest

from registries.probe import Reason, Result, Step, image_words
from registries.probe.catalogue import HINTS, MESSAGES
from registries.probe.reason import ImageReason
from registries.probe.remarks import (
    ADDRESS_PROBLEMS,
    CAUSES,
    CREDENTIAL_PROBLEMS,
    NODE_VIEWS,
    STEPS,
    WARNINGS,
)
from registries.probe.text import Text

EVERYTHING = [
    *MESSAGES.values(),
    *HINTS.values(),
    *ADDRESS_PROBLEMS.values(),
    *CREDENTIAL_PROBLEMS.values(),
    *WARNINGS.values(),
    *NODE_VIEWS.values(),
    *STEPS.values(),
    *CAUSES.values(),
    *image_words.MESSAGES.values(),
    *image_words.HINTS.values(),
    *image_words.NOTES.values(),
]


def test_every_reason_has_a_message_and_a_hint() -> None:
    assert set(MESSAGES) == set(HINTS) == set(Reason)
    assert len(Reason) == 36
    assert set(image_words.MESSAGES) == set(image_words.HINTS) | {ImageReason.PULLABLE} == set(ImageReason)


@pytest.mark.parametrize("text", EVERYTHING)
def test_both_languages_say_it_and_briefly(text: Text) -> None:
    assert text.zh
    assert text.en
    assert re.findall(r"{\w+}", text.zh) == re.findall(r"{\w+}", text.en)
    assert not set("“”") & set(text.zh), "Chinese quotes with 「」"
    for sentence in text:
        assert "!" not in sentence
        assert "！" not in sentence
        assert "please" not in sentence.lower()
        assert not sentence.endswith((".", "。"))


@pytest.mark.parametrize("reason", list(Reason))
def test_a_result_speaks_both_languages(reason: Reason) -> None:
    result = Result(reason, params={"n": 7, "host": "auth.example"}, cause="timeout")
    for language in ("zh", "zh-hans", "zh_CN.UTF-8", "en", "fr"):
        message, hint = result.message(language), result.hint(language)
        assert message
        assert hint
        assert "{" not in message + hint
        assert bool(re.search(r"[\u4e00-\u9fff]", message)) is language.startswith("zh")
    assert result.ok is (reason in (Reason.OK, Reason.OK_UNVERIFIED))
    assert result.proven is (reason is Reason.OK)


def test_json_has_the_stable_names_and_plain_values() -> None:
    result = Result(
        Reason.RATE_LIMITED,
        params={"n": 30},
        detail="HTTP 429",
        retry_after=30,
        registry_host="registry.example",
        token_host="auth.example",
        steps=(Step("ping", 1.5, False, "registry.example"),),
        duration_ms=2.5,
        requests=1,
        connections=1,
    )
    assert result.to_json("en") == {
        "ok": False,
        "proven": False,
        "reason": "rate_limited",
        "message": "Rate limited; retry in 30 s",
        "hint": "Do not retry repeatedly: too many failures lock the account (Docker Hub: about 15 minutes)",
        "detail": "HTTP 429",
        "cause": None,
        "retryAfter": 30,
        "registryHost": "registry.example",
        "tokenHost": "auth.example",
        "steps": [{"name": "ping", "milliseconds": 1.5, "ok": False, "host": "registry.example"}],
        "durationMs": 2.5,
        "requests": 1,
        "connections": 1,
        "warnings": [],
        "node": None,
        "nodeMessage": "",
        "tls": None,
        "certificateEnds": None,
        "image": None,
    }


def test_a_message_survives_what_a_parameter_holds() -> None:
    result = Result(Reason.INVALID_DOMAIN, params={"part": "{x}{0.__class__}"}, cause="bad_label")
    assert "{x}{0.__class__}" in result.hint("en")


def test_a_message_can_do_without_its_values() -> None:
    """Only the code is stored. The values of the message are unknown later."""
    assert Result(Reason.RATE_LIMITED).message("en") == "Rate limited; retry in … s"
    assert Result(Reason.TOKEN_SERVICE_UNREACHABLE).message("zh") == "无法访问令牌服务 …（…）"
    assert Result(Reason.INVALID_DOMAIN, cause="bad_label").hint("en").startswith("“…” cannot be")
