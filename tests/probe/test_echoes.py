"""A password that a server repeats is scrubbed, in every place and form."""

import html
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from registries.probe import probe
from registries.probe.scrubber import Scrubber
from tests.peers.canary import (  # noqa: F401 - an autouse fixture
    CANARY,
    FORMS,
    TOKEN,
    USER,
    echoing,
    everything_logged,
    leaks,
    run_probe,
    shown,
)
from tests.peers.scripted import (
    HERE,
    Headers,
    Reply,
    Request,
    basic,
    json_reply,
    scripted,
    unauthorized,
)


@pytest.mark.parametrize("status", [401, 403, 404, 418, 429, 500])
@pytest.mark.parametrize("form", FORMS)
def test_an_echo_in_a_body_is_scrubbed(form: str, status: int) -> None:
    def answer(password: str) -> Reply:
        return json_reply({"errors": [{"message": f"<p>no: {FORMS[form](password)}!</p>"}]}, status)

    with scripted(echoing(answer)) as server:
        result = run_probe(server)
    assert not result.ok
    assert "***" in result.detail


def test_an_echo_in_an_error_document_is_scrubbed() -> None:
    def answer(password: str) -> Reply:
        error = {"code": "UNAUTHORIZED", "message": f"user robot$ci with password {password} is unknown"}
        return json_reply({"errors": [error]}, 401)

    with scripted(echoing(answer)) as server:
        result = run_probe(server)
    assert result.detail == "HTTP 401: UNAUTHORIZED: user robot$ci with password *** is unknown"


@pytest.mark.parametrize("padding", range(0, 320, 40))
def test_an_echo_at_the_edge_of_the_detail_is_scrubbed(padding: int) -> None:
    def answer(password: str) -> Reply:
        return json_reply({"message": "x " * (padding // 2) + password}, 401)

    with scripted(echoing(answer)) as server:
        result = run_probe(server)
    assert len(result.detail) <= 300


def test_an_echo_at_the_edge_of_the_body_is_scrubbed() -> None:
    def answer(password: str) -> Reply:
        return Reply(401, [], b" " * (65_536 - 12) + password.encode())

    with scripted(echoing(answer)) as server:
        run_probe(server)


def test_many_echoes_of_a_long_password_before_the_edge_are_scrubbed() -> None:
    key = "canary-" + "k3y" * 700
    with scripted(echoing(lambda password: Reply(401, [], (password * 40).encode()))) as server:
        assert "k3yk3y" not in shown(probe(server.address, USER, key, HERE))


def test_an_echo_torn_by_control_characters_and_tags_is_not_put_together() -> None:
    def answer(password: str) -> Reply:
        half = len(password) // 2
        return json_reply({"message": f"{password[:half]}\x00\u200b<b></b>\n{password[half:]}"}, 401)

    secret = "CanaryLeftHalfCanaryRightHalf"
    with scripted(echoing(answer)) as server:
        assert secret not in shown(probe(server.address, USER, secret, HERE))


def test_a_detail_has_no_control_characters() -> None:
    with scripted(lambda request: json_reply({"message": "a\x1b[31m\u202e\nb"}, 500)) as server:
        detail = run_probe(server).detail
    assert detail == "HTTP 500: a [31m b"


@pytest.mark.parametrize("secret", ["a", "7", "ab3"])
def test_a_detail_that_would_tell_a_short_password_is_left_out(secret: str) -> None:
    with scripted(
        echoing(lambda password: json_reply({"message": f"banana {password} 7 ab3"}, 401))
    ) as server:
        assert probe(server.address, USER, secret, HERE).detail == "HTTP 401"


def _headers(password: str) -> list[Headers]:
    bad = basic(USER, password)
    plain = quote(password)
    return [
        [("WWW-Authenticate", f'Basic realm="{bad}"')],
        [("Location", f"https://evil.example/{plain}")],
        [("Set-Cookie", f"password={plain}")],
        [("Retry-After", plain)],
        [("Content-Type", plain)],
        [("Content-Encoding", plain)],
    ]


@pytest.mark.parametrize("which", range(6))
@pytest.mark.parametrize("status", [200, 302, 401, 429])
def test_an_echo_in_a_header_goes_nowhere(which: int, status: int) -> None:
    with scripted(echoing(lambda password: Reply(status, _headers(password)[which], b"x"))) as server:
        run_probe(server)


@pytest.mark.parametrize(
    "raw",
    [
        "HTTP/1.1 401 {0}\r\nContent-Length: 0\r\n\r\n",
        "{0}\r\n\r\n",
        "HTTP/1.1 {0}\r\n\r\n",
        "HTTP/1.1 401 No\r\n{0}\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 No\r\nX-A: b\r\n {0}\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 No\r\nContent-Type: multipart/mixed\r\nno colon {0}\r\n\r\n",
        "HTTP/1.1 401 No\r\nContent-Length: {0}\r\n\r\n",
        "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n{0}\r\n",
        "HTTP/1.1 401 No\r\n" + "X: {0}\r\n" * 150 + "\r\n",
    ],
)
@pytest.mark.parametrize("form", [quote, str, lambda secret: basic(USER, secret)])
def test_an_echo_that_is_not_even_http_is_not_logged(raw: str, form: Callable[[str], str]) -> None:
    """urllib3 logs header lines that it cannot parse as a warning."""

    def answer(password: str) -> Reply:
        return Reply(raw=raw.format(form(password)).encode(), close=True)

    with scripted(echoing(answer)) as server:
        assert not run_probe(server).ok


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_echo_of_the_token_is_scrubbed(status: int) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": TOKEN})
        if request.authorization is None:
            return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')
        return json_reply({"message": f"bad token {TOKEN} / {request.authorization}"}, status)

    with scripted(script) as server:
        result = run_probe(server)
    assert "bad token ***" in result.detail


@pytest.mark.parametrize("form", FORMS)
def test_the_scrubber_knows_every_form(form: str) -> None:
    scrubber = Scrubber(USER, CANARY)
    text = scrubber.detail(html.unescape(f"before {FORMS[form](CANARY)} after"))
    assert not leaks(text, CANARY)
    assert re.fullmatch(r'before ("?\*\*\*"?|Basic \*\*\*) after', text)


def test_the_scrubber_knows_the_lines_of_a_pasted_key() -> None:
    key = '{\n  "type": "service_account",\n  "private_key": "-----BEGIN canary-----"\n}'
    scrubber = Scrubber("_json_key", key)
    assert "canary" not in scrubber.detail(f"{{ got: {key} }}")
    assert "canary" not in scrubber.detail('{"private_key": "-----BEGIN canary-----"}')
    assert scrubber.detail("{ }") == "{ }"
