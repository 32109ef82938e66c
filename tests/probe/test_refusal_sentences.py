"""Texts of refusals that are built from sentences, so that their meaning is known without reading them.

A text is a list of parts. Each part is a cause that is stated as a whole sentence, advice or a neutral sentence, or
something that decides nothing: a list of possibilities, a doubt, HTML, or a repeated user name.
"""

import json
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registries.probe import Reason, probe
from registries.probe.answer import Answer
from registries.probe.endpoint import parse_endpoint
from registries.probe.refusal_words import stated_cause
from tests.examples import of
from tests.peers.scripted import HERE, Reply, Request, json_reply, scripted, unauthorized

EXPIRED, TOKEN = Reason.CREDENTIALS_EXPIRED, Reason.PAT_REQUIRED
STATED = {
    EXPIRED: [
        *("token expired", "Your password has expired", "The access token is expired", "expired credentials"),
        *(
            "Robot account secret has already expired",
            "your session was expired",
            "令牌已过期",
            "您的密码已过期",
        ),
        "The security token has expired",
    ],
    TOKEN: [
        *("please use a personal access token", "a personal access token is required", "requires 2FA"),
        *(
            "You must provide a personal access token instead",
            "Your account has two-factor authentication enabled",
        ),
        *("请使用个人访问令牌", "mfa is required for this account"),
    ],
}
KNOWN = {sentence: reason for reason, sentences in STATED.items() for sentence in sentences}
NEUTRAL = [
    *(
        "Unauthorized",
        "HTTP Basic: Access denied",
        "access denied",
        "authentication failed",
        "认证失败",
        "error 17",
    ),
    *(
        "Please log in again",
        "contact the administrator",
        "run docker login",
        "Renew the token",
        "请重新生成",
    ),
    *("see https://docs.example/401", "denied", "request abc123 refused", "login failed for user alice"),
]
OTHER = [
    *("bad password", "missing scope", "password mismatch", "no such user", "key revoked", "account locked"),
    *("the scope does not cover pull", "权限不足", "too few permissions", "this token is of another project"),
]
"""Other causes, without a word of doubt."""
DOUBTS = [
    *("if {}", "{} or the account is blocked", "either {}", "{}, maybe", "perhaps {}", "check whether {}"),
    *("unless {}", "it is possible that {}", "{} may be the cause", "it is not true that {}", "invalid: {}"),
    *("可能{}", "如果{}", "{}或其他原因", "密码错误或{}", "the user {} is unknown", "wrong password, {}"),
]
INSIDE = [
    "user {} was refused",
    "denied for {} here",
    'name="{}"',
    "{}ed twice",
    "ein{}",
    "role {} lacks pull",
]
"""A known sentence inside a longer one is no sentence of its own."""
LISTS = [", ", "; ", "\n- ", "\n", ". ", " | ", " 2. ", "\n2) ", ": ", "；", "，"]
JOINS = [". ", "\n", "! ", "; ", ": ", "。", " - "]


@dataclass(frozen=True)
class Part:
    """`reason` is what it states; `spoils` says that no text with it decides anything. `repeats`: it has the words of a
    known sentence inside another one."""

    text: str
    reason: Reason | None = None
    spoils: bool = False
    repeats: bool = False


@st.composite
def parts(draw: st.DrawFn) -> Part:
    kind = draw(st.sampled_from(["stated", "neutral", "neutral", "inside", "doubt", "list", "html"]))
    sentence = draw(st.sampled_from([*KNOWN]))
    if kind == "stated":
        cased = draw(st.sampled_from([str, str.upper, str.capitalize]))
        return Part(cased(sentence), KNOWN[sentence])
    if kind == "neutral":
        return Part(draw(st.sampled_from(NEUTRAL)))
    if kind == "list":
        items = [sentence, *draw(st.lists(st.sampled_from(OTHER), min_size=1, max_size=3))]
        return Part(draw(st.sampled_from(LISTS)).join(draw(st.permutations(items))), spoils=True)
    if kind == "html":
        return Part(
            draw(st.sampled_from(["<b>{}</b>", "{}<br>", "<!-- {} -->"])).format(sentence), spoils=True
        )
    form = draw(st.sampled_from(INSIDE if kind == "inside" else DOUBTS))
    return Part(form.format(sentence), spoils=kind == "doubt", repeats=kind == "inside")


def oracle(found: list[Part]) -> set[Reason | None]:
    """What a text may be read as. Beside a sentence that repeats a known one, a stated cause may be doubted."""
    reasons = {part.reason for part in found if part.reason}
    if len(reasons) != 1 or any(part.spoils for part in found):
        return {None}
    return {*reasons, *([None] if any(part.repeats for part in found) else [])}


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, set[Reason | None]]:
    found = draw(st.lists(parts(), min_size=1, max_size=4))
    text = found[0].text
    for part in found[1:]:
        text += draw(st.sampled_from(JOINS)) + part.text
    return text + draw(st.sampled_from(["", ".", "\n", "!"])), oracle(found)


def read(body: str, kind: str, username: str = "") -> Reason | None:
    at = parse_endpoint("https://registry.example/v2/")
    headers = (("content-type", kind),)
    return stated_cause(Answer(401, headers, body.encode(), complete=True, at=at), username)


@given(texts(), st.sampled_from(["message", "detail", "error_description", "text"]))
@settings(max_examples=of(2_400))
@example(("bad password; expired token", {None}), "message")
@example(("1. bad password 2. token expired", {None}), "text")
@example(("Unauthorized. Your password has expired. Contact the administrator.", {EXPIRED}), "message")
def test_a_text_of_sentences(built: tuple[str, set[Reason | None]], field: str) -> None:
    text, allowed = built
    if field == "text":
        assert read(text, "text/plain") in allowed
    elif field == "message":
        errors = {"errors": [{"code": "UNAUTHORIZED", "message": text}]}
        assert read(json.dumps(errors), "application/json") in allowed
    else:
        assert read(json.dumps({field: text}), "application/json") in allowed


@given(st.lists(st.sampled_from([*KNOWN, *OTHER, *NEUTRAL]), max_size=4), st.sampled_from(["code", "error"]))
@settings(max_examples=of(240))
def test_a_known_code_decides_alone_and_an_unknown_field_never(sentences: list[str], field: str) -> None:
    text = ". ".join(sentences)
    assert read(json.dumps({field: "TOKEN_EXPIRED", "message": text}), "application/json") is EXPIRED
    assert read(json.dumps({field: "UNAUTHORIZED", "title": text, "user": text}), "application/json") is None
    assert read(json.dumps(text), "application/json") is None
    assert read(text, "text/html") is None


@given(
    st.sampled_from([*KNOWN]),
    st.sampled_from(["no access for {}", "{}: refused", "refused: {}", "user: {}.", "{}"]),
)
@settings(max_examples=of(400))
def test_a_repeated_user_name_decides_nothing(name: str, form: str) -> None:
    for written in (name, name.upper()):
        text = form.format(written)
        assert read(text, "text/plain", name) is None
        assert read(json.dumps({"details": text}), "application/json", name) is None
    assert read("Your password has expired.", "text/plain", "robot") is EXPIRED
    assert read("token expired", "text/plain", "token") is EXPIRED


@pytest.mark.parametrize("name", ["token expired", "令牌已过期", "expired password"])
def test_a_user_name_that_reads_like_a_cause_is_a_user_name(name: str) -> None:
    def token(request: Request) -> Reply:
        if request.path == "/token":
            errors = [{"code": "UNAUTHORIZED", "message": f"refused: {name}"}]
            return json_reply({"errors": errors}, 401)
        return unauthorized(f'Bearer realm="{server.url("/token")}"')

    def basic(request: Request) -> Reply:
        return unauthorized("Basic", body=f"refused: {name}".encode())

    for script in (basic, token):
        with scripted(script) as server:
            assert probe(server.address, name, "x", HERE).reason is Reason.BAD_CREDENTIALS
