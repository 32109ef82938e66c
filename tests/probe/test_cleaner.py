"""A password of any characters, repeated in any encoding and in any place of an answer, is found nowhere.

The server of these tests knew the password before: it learned it in an earlier test.
"""

import base64
import html
import json
import logging
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from registries.probe import Reason, Result, probe
from registries.probe.credentials import CredentialsError, check_credentials
from registries.probe.decoding import TooManyViews, views
from registries.probe.scrubber import Scrubber
from registries.verification.history import kept, to_json
from tests import examples
from tests.peers.canary import USER, shown
from tests.peers.scripted import HERE, Reply, Request, ScriptedServer, json_reply, registry_ok, scripted

NAMED = "R&D-<harbor>=2024"


def _go(secret: str, signs: str = "<>&") -> str:
    """JSON as Go's encoder writes it; Gson escapes = and ', too."""
    text = json.dumps(secret, ensure_ascii=False)[1:-1]
    return re.sub(f"[{signs}\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _base64(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "Go JSON": _go,
    "Gson": lambda secret: _go(secret, "<>&='"),
    "ASCII JSON": lambda secret: json.dumps(secret)[1:-1],
    "encodeURI": lambda secret: quote(secret, safe=";,/?:@&=+$-_.!~*'()#"),
    "percent, all": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "form": quote_plus,
    "HTML": html.escape,
    "decimal entities": lambda secret: "".join(f"&#{ord(c)};" for c in secret),
    "hexadecimal entities": lambda secret: "".join(f"&#x{ord(c):x};" for c in secret),
    "hex": lambda secret: secret.encode().hex(),
    "hex with colons": lambda secret: secret.encode().hex(":").upper(),
    "base64 of the pair": lambda secret: _base64(f"{USER}:{secret}"),
    "base64 url": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    "percent twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "JSON in HTML": lambda secret: html.escape(_go(secret)),
    "base64 of JSON": lambda secret: _base64(json.dumps(secret)),
    "bytes in Go": lambda secret: str([*secret.encode()]).replace(",", ""),
    "full width": lambda secret: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in secret),
    "hex of percent": lambda secret: quote(secret, safe="").encode().hex(),
}


def _header(text: str) -> str:
    """As a server writes a text into a header: UTF-8, without line breaks."""
    return " ".join(text.split()).encode().decode("latin-1")


def _quoted(text: str) -> str:
    return _header(text).replace("\\", "\\\\").replace('"', '\\"')


def _challenge(realm: str, more: str = "") -> Reply:
    return Reply(401, [("WWW-Authenticate", f'Bearer realm="{_quoted(realm)}"{more}')])


def _realm(request: Request) -> str:
    return f"http://{request.header('host')}/token"


def _from_the_token_service(answer: Callable[[str], Reply]) -> Callable[[Request, str], Reply]:
    def script(request: Request, echo: str) -> Reply:
        return answer(echo) if request.path == "/token" else _challenge(_realm(request))

    return script


def _with_the_token(answer: Callable[[Request, str], Reply]) -> Callable[[Request, str], Reply]:
    """Gives out a token, and answers so to the request with it."""

    def script(request: Request, echo: str) -> Reply:
        if request.path == "/token":
            return json_reply({"token": "t"})
        return answer(request, echo) if request.authorization else _challenge(_realm(request))

    return script


def _port(request: Request) -> str:
    return (request.header("host") or "").rpartition(":")[2]


PLACES: dict[str, Callable[[Request, str], Reply]] = {
    "host of the realm": lambda request, echo: _challenge(f"http://{echo}.localhost:{_port(request)}/token"),
    "unknown host of the realm": lambda request, echo: _challenge(f"http://{echo}.invalid/token"),
    "path of the realm": lambda request, echo: _challenge(f"{_realm(request)}/{echo}"),
    "query of the realm": lambda request, echo: _challenge(f"{_realm(request)}?a={echo}"),
    "blocked realm": lambda request, echo: _challenge(f"http://169.254.169.254/{echo}"),
    "service": lambda request, echo: _challenge(_realm(request), f',service="{_quoted(echo)}"'),
    "name of a scheme": lambda request, echo: Reply(401, [("WWW-Authenticate", f"{_header(echo)} realm=x")]),
    "scope": _with_the_token(
        lambda request, echo: _challenge(
            _realm(request), f',error="insufficient_scope",scope="{_quoted(echo)}"'
        )
    ),
    "host of a redirect": lambda request, echo: Reply(307, [("Location", _header(f"http://{echo}.x/v2/"))]),
    "path of a redirect": lambda request, echo: Reply(307, [("Location", _header(f"/{echo}/v2/"))]),
    "body": _from_the_token_service(lambda echo: Reply(401, [], echo.encode())),
    "page": _from_the_token_service(lambda echo: Reply(500, [], f"<title>{echo}</title>".encode())),
    "code": _from_the_token_service(lambda echo: json_reply({"errors": [{"code": echo}]}, 403)),
    "message": _from_the_token_service(
        lambda echo: json_reply({"errors": [{"message": f"user {echo} unknown"}]}, 401)
    ),
    "message of the registry": _with_the_token(
        lambda request, echo: json_reply({"errors": [{"code": "DENIED", "message": f"({echo})"}]}, 403)
    ),
    "two fields": _from_the_token_service(
        lambda echo: json_reply({"code": echo[: len(echo) // 2], "message": echo[len(echo) // 2 :]}, 401)
    ),
    "details": _from_the_token_service(lambda echo: json_reply({"details": echo}, 401)),
    "error_description": _from_the_token_service(lambda echo: json_reply({"error_description": echo}, 400)),
    "token": _from_the_token_service(lambda echo: json_reply({"token": f"{echo}\n", "message": echo})),
    "media type": _from_the_token_service(lambda echo: Reply(500, [("Content-Type", _header(echo))])),
    "reason phrase": lambda request, echo: Reply(
        raw=f"HTTP/1.1 500 {' '.join(echo.split())}\r\nContent-Length: 0\r\n\r\n".encode(), close=True
    ),
    "header": lambda request, echo: Reply(401, [("X-Echo", _header(echo)), ("Retry-After", _header(echo))]),
}


class _Records(logging.Handler):
    """Everything that is logged at any level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.__dict__}")


class _Peer:
    """A server whose script can be exchanged, and the log."""

    def __init__(self, server: ScriptedServer, records: _Records) -> None:
        self.server, self.records = server, records

    def probe(self, password: str, script: Callable[[Request], Reply]) -> Result:
        self.server.script = script
        self.server.requests.clear()
        self.records.lines.clear()
        return probe(self.server.address, USER, password, HERE)


@pytest.fixture(scope="module")
def peer() -> Iterator[_Peer]:
    records, root, urllib3 = _Records(), logging.getLogger(), logging.getLogger("urllib3")
    levels = root.level, urllib3.level
    root.addHandler(records)
    root.setLevel(logging.DEBUG)
    urllib3.setLevel(logging.DEBUG)
    with scripted(lambda request: registry_ok()) as server:
        yield _Peer(server, records)
    root.removeHandler(records)
    root.setLevel(levels[0])
    urllib3.setLevel(levels[1])


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if not isinstance(value, list):
        yield str(value)
        return
    for inner in value:
        yield from _strings(inner)


def _read(text: str) -> set[str]:
    """What a reader of a text can make of it: a decoder of its own, not the one that is tested."""
    found = {text, unquote(text), unquote_plus(text), html.unescape(text)}
    found.add(re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text))
    for run in re.findall(r"[A-Za-z0-9+/]{8,}", text.replace("-", "+").replace("_", "/")):
        padded = run[: len(run) - 1] if len(run) % 4 == 1 else run
        found.add(base64.b64decode(padded + "=" * (-len(padded) % 4)).decode("utf-8", "replace"))
    for run in re.findall(r"(?:[0-9a-f]{2}:?){4,}", text, re.IGNORECASE):
        found.add(bytes.fromhex(run.replace(":", "")).decode("utf-8", "replace"))
    return found


def _everything(result: Result, peer: _Peer) -> str:
    stored = to_json(result)
    texts = [shown(result), *_strings(result.to_json("en")), stored, *_strings(json.loads(stored))]
    texts += [kept(result).message("zh"), *peer.records.lines]
    texts += [f"{request.target} {request.header('host')}" for request in peer.server.requests]
    once = {decoded for text in texts for decoded in _read(text)}
    return "\n".join(once | {decoded for text in once for decoded in _read(text)}).casefold()


def _is_a_password(text: str) -> bool:
    try:
        check_credentials(USER, text)
    except CredentialsError:
        return False
    return len(set(text.strip())) >= 6  # no chance that it stands somewhere anyway


_CHARACTERS = st.one_of(st.characters(exclude_categories=["Cc", "Cs"]), st.sampled_from("\t\n &<>%+='\\\"/"))
passwords = st.lists(_CHARACTERS, min_size=8, max_size=40, unique=True).map("".join).filter(_is_a_password)


@given(passwords, st.sampled_from(sorted(ENCODINGS)), st.sampled_from(sorted(PLACES)))
@example(NAMED, "Go JSON", "message")
@example(NAMED, "Gson", "details")
@example(NAMED, "encodeURI", "error_description")
@example(NAMED, "hex", "host of the realm")
@example("s3cretpassword", "plain", "unknown host of the realm")
def test_a_password_is_found_nowhere(peer: _Peer, password: str, encoding: str, place: str) -> None:
    echo = ENCODINGS[encoding](password)
    assume("localhost" not in password and not password.isspace())
    result = peer.probe(password, lambda request: PLACES[place](request, echo))
    assert result.reason is not Reason.OK
    everything = _everything(result, peer)
    assert password.casefold() not in everything
    assert echo.casefold() not in everything


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("encoding", list(ENCODINGS)[:: 1 if examples.LONG else 5])
def test_the_named_password_is_found_nowhere(peer: _Peer, encoding: str, place: str) -> None:
    echo = ENCODINGS[encoding](NAMED)
    everything = _everything(peer.probe(NAMED, lambda request: PLACES[place](request, echo)), peer)
    assert NAMED.casefold() not in everything
    assert echo.casefold() not in everything


@given(passwords, st.sampled_from(sorted(ENCODINGS)), st.sampled_from(sorted(ENCODINGS)))
def test_the_cleaner_decodes_to_a_fixpoint(password: str, inner: str, outer: str) -> None:
    echo = ENCODINGS[outer](ENCODINGS[inner](password))
    cleaned = Scrubber(USER, password).detail(f"user {echo} is unknown")
    assert echo not in cleaned
    assert not any(password in text for once in _read(cleaned) for text in _read(once))


@pytest.mark.parametrize(
    "said",
    [
        "unauthorized: authentication required",
        "requested access to the resource is denied",
        "HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled",
        "Could not find robot with specified username",
        "用户名或密码错误 (a+b, 50%, R&D)",
    ],
)
def test_what_tells_nothing_is_shown_as_it_stands(said: str) -> None:
    assert Scrubber(USER, NAMED).detail(said) == said


@pytest.mark.parametrize("text", ["%25" * 500 + "x", "<" * 2_000, "&amp;" * 400, "YWJj" * 500, "\\\\" * 900])
def test_decoding_ends(text: str) -> None:
    try:
        assert len(list(views(text))) <= 150
    except TooManyViews:
        assert Scrubber(USER, NAMED).scrub(text) == "***"


@pytest.mark.parametrize("password", ["harbor-registry", "registry.docker.io", "service", "gitlab"])
def test_a_password_that_is_a_usual_word_does_not_stop_a_realm(peer: _Peer, password: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/service/token":
            return json_reply({"token": "t"}) if request.authorization else Reply(401)
        if request.authorization == "Bearer t":
            return registry_ok()
        realm = f"http://{request.header('host')}/service/token"
        return _challenge(realm, f',service="{password}"')

    assert peer.probe(password, script).reason is Reason.OK


def test_a_host_that_the_server_chose_is_shown_only_when_it_was_judged_and_is_not_stored() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(500)
        return _challenge(f"http://auth.localhost:{_port(request)}/token")

    with scripted(script) as server:
        result = probe(server.address, USER, NAMED, HERE)
    assert result.token_host == f"auth.localhost:{server.port}"
    assert "auth." not in to_json(result)


def test_a_host_that_was_not_judged_is_not_shown() -> None:
    with scripted(lambda request: _challenge("http://chosen.invalid/token")) as server:
        result = probe(server.address, USER, NAMED, HERE)
    assert (result.reason, result.token_host) == (Reason.TOKEN_SERVICE_UNREACHABLE, None)
    assert "chosen" not in shown(result) + to_json(result) + kept(result).message("zh")
