"""An answer of a token service without a usable token shows no token."""

import json
from collections.abc import Callable

import pytest

from registries.probe import Reason
from tests.peers.scripted import Reply, json_reply
from tests.peers.token_registry import TokenRegistry, run_probe

SECRET = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb2JvdCJ9.c2lnbmF0dXJlLTEyMzQ1"
OPAQUE = "dckr_pat_7f3aQ9zKx04LmWv81TtYcB26NsRe5HjUdPg"
SHORT = "ghs7f3aQ9zKx04LmWv81Tt"
PLAIN = "short-token-7f3a"

BODIES: dict[str, Callable[[str], object]] = {
    "token": lambda secret: {"token": secret},
    "access_token": lambda secret: {"access_token": secret},
    "id_token": lambda secret: {"id_token": secret},
    "refresh_token": lambda secret: {"refresh_token": secret, "message": f"use {secret}"},
    "camel case": lambda secret: {"refreshToken": secret, "detail": secret},
    "nested": lambda secret: {"data": {"token": secret}, "message": secret},
    "deep": lambda secret: {"details": secret, "a": [{"b": [{"accessToken": secret}]}]},
    "trailing newline": lambda secret: {"token": f"{secret}\n"},
    "blank inside": lambda secret: {"token": f"{secret} {secret}"},
    "list": lambda secret: [secret],
    "list of documents": lambda secret: [{"token": secret}],
    "text in JSON": lambda secret: secret,
    "list of tokens": lambda secret: {"tokens": [secret], "error": secret},
    "in an error": lambda secret: {
        "errors": [{"code": "OK", "message": secret, "detail": {"token": secret}}]
    },
}
STATUSES = [200, 201, 202, 203, 206, 400, 401, 403, 404, 500]


def _shown(reply: Reply) -> str:
    result, server = run_probe(TokenRegistry(token=reply, confirmed=Reply(500)))
    assert len(server.requests) <= 3
    return repr(result) + json.dumps(result.to_json("en"))


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("secret", [SECRET, PLAIN])
def test_a_document_with_a_token_is_not_shown(name: str, status: int, secret: str) -> None:
    shown = _shown(json_reply(BODIES[name](secret), status))
    assert secret not in shown
    assert secret[:12] not in shown


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("kind", ["text/plain", "text/html", "application/json", "application/jwt"])
@pytest.mark.parametrize(
    "text", ["{0}", "token={0}&expires=300", "<title>{0}</title>", '{{"token": "{0}"', '"{0}"\n']
)
def test_a_text_with_a_token_is_not_shown(text: str, kind: str, status: int) -> None:
    assert PLAIN not in _shown(Reply(status, [("Content-Type", kind)], text.format(PLAIN).encode()))


@pytest.mark.parametrize("secret", [SECRET, OPAQUE, SHORT, f"token={SHORT}", f"token:{SHORT}"])
@pytest.mark.parametrize("field", ["message", "details", "error_description", "error", "code"])
def test_a_long_opaque_word_in_a_message_is_masked(field: str, secret: str) -> None:
    assert secret[-12:] not in _shown(json_reply({"errors": [{field: f"issued {secret} for robot"}]}, 403))


def test_what_an_error_says_is_still_shown() -> None:
    said = {"errors": [{"code": "DENIED", "message": "requested access to team-a/app:v1.2 is denied"}]}
    result, _ = run_probe(TokenRegistry(token=json_reply(said, 403)))
    assert (result.reason, result.detail) == (
        Reason.ACCESS_DENIED,
        "HTTP 403: DENIED: requested access to team-a/app:v1.2 is denied",
    )


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206])
def test_what_a_success_says_is_not_shown(status: int) -> None:
    """It has no error to tell, and a token may stand in any field, under any name."""
    assert PLAIN not in _shown(json_reply({"message": PLAIN, "error": PLAIN}, status))


@pytest.mark.parametrize("name", ["hint", "path", "value", "messages", "Message", "trace"])
def test_only_known_fields_of_an_error_are_shown(name: str) -> None:
    document = {name: PLAIN, "message": "denied"}
    shown = [_shown(json_reply(it, 403)) for it in (document, {"errors": [document]})]

    assert all(PLAIN not in it and "denied" in it for it in shown)
