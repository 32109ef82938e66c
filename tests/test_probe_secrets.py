"""The password, its base64 and the token stay where they belong, whatever a server does with them."""

import base64
import html
import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import quote, quote_plus, unquote_plus

import pytest

from registries.probe import Job, Policy, RealmMemory, Reason, Result, probe
from registries.probe.credentials import Credentials
from registries.probe.scrubber import Scrubber
from tests.peers.certificates import Authority
from tests.peers.scripted import (
    HERE,
    Headers,
    Reply,
    Request,
    ScriptedServer,
    basic,
    json_reply,
    registry_ok,
    scripted,
    unauthorized,
)

USER = "robot$ci"
CANARY = 'Canary/pass+word "7f3a"&<é>'
TOKEN = "token.canary-9b2e.signature"

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 url": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    "basic": lambda secret: basic(USER, secret),
    "quoted": lambda secret: quote(secret, safe=""),
    "quoted plus": quote_plus,
    "json": json.dumps,
    "json utf-8": lambda secret: json.dumps(secret, ensure_ascii=False),
    "html": html.escape,
    "numeric entities": lambda secret: "".join(f"&#{ord(c)};" for c in secret),
}


def spellings(secret: str) -> set[str]:
    """What must be found nowhere: every form, and a good part of the plain one."""
    found = {form(secret) for name, form in FORMS.items() if name != "numeric entities"}
    return {text.strip('"') for text in found} | {secret[:12], secret[-8:]}


def leaks(text: str, *secrets: str) -> list[str]:
    folded = text.casefold()
    return [s for secret in secrets for s in spellings(secret) if s.casefold() in folded]


def shown(result: Result) -> str:
    """All that a caller can get to see of a result."""
    parts = [repr(result), str(result)]
    for language in ("zh", "en"):
        parts += [json.dumps(result.to_json(language), ensure_ascii=False)]
        parts += [result.message(language), result.hint(language)]
    return "\n".join(parts)


@pytest.fixture(autouse=True)
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every logger at DEBUG, searched after each test of this module, tracebacks included."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "registries"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    records = caplog.get_records("call")  # caplog.records would be those of this teardown
    lines = [record.getMessage() + str(record.__dict__) for record in records]
    lines += ["".join(traceback.format_exception(*r.exc_info)) for r in records if r.exc_info]
    assert not leaks("\n".join(lines), CANARY, TOKEN)


def visit(server: ScriptedServer, password: str = CANARY, policy: Policy = HERE) -> Result:
    """A test whose result, and whose URLs as the server saw them, are searched."""
    result = probe(server.address, USER, password, policy)
    assert not leaks(shown(result), password, TOKEN)
    for request in server.requests:
        assert not leaks(request.target + unquote_plus(request.target), password, TOKEN)
        assert not leaks(request.header("host") or "", password, TOKEN)
    return result


def echoing(answer: Callable[[str], Reply], challenge: str = "Basic") -> Callable[[Request], Reply]:
    """A registry that answers a password with `answer(password)`."""

    def script(request: Request) -> Reply:
        if request.authorization is None:
            return unauthorized(challenge)
        pair = base64.b64decode(request.authorization.removeprefix("Basic ")).decode()
        return answer(pair.partition(":")[2])

    return script


@pytest.mark.parametrize("status", [401, 403, 404, 418, 429, 500])
@pytest.mark.parametrize("form", FORMS)
def test_an_echo_in_a_body_is_scrubbed(form: str, status: int) -> None:
    def answer(password: str) -> Reply:
        return Reply(status, [], f"<p>no: {FORMS[form](password)}!</p>".encode())

    with scripted(echoing(answer)) as server:
        result = visit(server)
    assert not result.ok
    assert "***" in result.detail


def test_an_echo_in_an_error_document_is_scrubbed() -> None:
    def answer(password: str) -> Reply:
        error = {"code": "UNAUTHORIZED", "message": f"user robot$ci with password {password} is unknown"}
        return json_reply({"errors": [error]}, 401)

    with scripted(echoing(answer)) as server:
        result = visit(server)
    assert result.detail == "HTTP 401: UNAUTHORIZED: user robot$ci with password *** is unknown"


@pytest.mark.parametrize("padding", range(0, 320, 40))
def test_an_echo_at_the_edge_of_the_detail_is_scrubbed(padding: int) -> None:
    with scripted(echoing(lambda password: Reply(401, [], ("x" * padding + password).encode()))) as server:
        result = visit(server)
    assert len(result.detail) <= 300


def test_an_echo_at_the_edge_of_the_body_is_scrubbed() -> None:
    def answer(password: str) -> Reply:
        return Reply(401, [], b" " * (65_536 - 12) + password.encode())

    with scripted(echoing(answer)) as server:
        visit(server)


def test_many_echoes_of_a_long_password_before_the_edge_are_scrubbed() -> None:
    key = "canary-" + "k3y" * 700
    with scripted(echoing(lambda password: Reply(401, [], (password * 40).encode()))) as server:
        assert "k3yk3y" not in shown(probe(server.address, USER, key, HERE))


def test_an_echo_torn_by_control_characters_and_tags_is_not_put_together() -> None:
    def answer(password: str) -> Reply:
        half = len(password) // 2
        return Reply(401, [], f"{password[:half]}\x00\u200b<b></b>\n{password[half:]}".encode())

    secret = "CanaryLeftHalfCanaryRightHalf"
    with scripted(echoing(answer)) as server:
        assert secret not in shown(probe(server.address, USER, secret, HERE))


def test_a_detail_has_no_control_characters() -> None:
    with scripted(lambda request: Reply(500, [], "a\x1b[31m\u202e\nb".encode())) as server:
        detail = visit(server).detail
    assert detail == "HTTP 500: a [31m b"


@pytest.mark.parametrize("secret", ["a", "7", "ab3"])
def test_a_detail_that_would_tell_a_short_password_is_left_out(secret: str) -> None:
    with scripted(echoing(lambda password: Reply(401, [], f"banana {password} 7 ab3".encode()))) as server:
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
        visit(server)


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
    """urllib3 logs header lines that it cannot parse, as a warning."""

    def answer(password: str) -> Reply:
        return Reply(raw=raw.format(form(password)).encode(), close=True)

    with scripted(echoing(answer)) as server:
        assert not visit(server).ok


# Secrets must not be steered into a URL.


def test_a_redirect_cannot_carry_the_password_away() -> None:
    def answer(password: str) -> Reply:
        return Reply(307, [("Location", f"/v2/?p={quote(password)}/v2/")])

    with scripted(echoing(answer)) as server:
        visit(server)
    assert len(server.requests) == 2


@pytest.mark.parametrize("part", ["http://localhost:{port}/{0}", "http://{0}.localhost:{port}/token"])
@pytest.mark.parametrize("form", ["plain", "base64", "base64 url", "quoted"])
def test_a_realm_made_of_the_password_is_not_visited(part: str, form: str) -> None:
    """An open registry sees the password before it names its token service."""
    secret = "canarysecretword"

    def script(request: Request) -> Reply:
        if request.authorization is None:
            return registry_ok()
        realm = part.format(FORMS[form](secret), port=server.port)
        return unauthorized(f'Bearer realm="{realm}"')

    with scripted(script) as server:
        result = visit(server, secret)
    assert result.reason is Reason.BAD_CHALLENGE
    assert len(server.requests) == 2


def test_a_service_made_of_the_password_is_not_named() -> None:
    def script(request: Request) -> Reply:
        if request.authorization is None:
            return registry_ok()
        return unauthorized(
            f'Bearer realm="http://localhost:{server.port}/t",service="{basic(USER, CANARY)}"'
        )

    with scripted(script) as server:
        assert visit(server).reason is Reason.BAD_CHALLENGE


def test_a_weak_password_may_stand_in_a_realm_by_chance() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return (
                json_reply({"token": TOKEN}) if request.authorization == basic(USER, "token") else Reply(401)
            )
        if request.authorization == f"Bearer {TOKEN}":
            return registry_ok()
        realm = f"http://localhost:{server.port}/token"
        return unauthorized(f'Bearer realm="{realm}"') if request.authorization else registry_ok()

    with scripted(script) as server:
        assert probe(server.address, USER, "token", HERE).reason is Reason.OK


@pytest.mark.parametrize("echo", [TOKEN, base64.b64encode(TOKEN.encode()).decode(), quote(CANARY), CANARY])
def test_a_scope_made_of_a_secret_is_not_asked_for(echo: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": TOKEN})
        if request.authorization is None:
            return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')
        quoted = echo.replace("\\", "\\\\").replace('"', '\\"')
        scope = quoted.encode().decode("latin-1")
        return unauthorized(f'Bearer realm="x",error="insufficient_scope",scope="repository:{scope}:pull"')

    with scripted(script) as server:
        assert visit(server).reason is Reason.ACCESS_DENIED
    assert len(server.requests) == 3


@pytest.mark.parametrize("username", ["same-secret", "robot$same-secret+ci", "SAME-SECRET"])
def test_a_user_name_that_holds_the_password_stays_out_of_the_url(username: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": TOKEN}) if request.authorization else Reply(401)
        if request.authorization is None:
            return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')
        return registry_ok()

    with scripted(script) as server:
        assert probe(server.address, username, "same-secret", HERE).ok
    assert not any("same-secret" in request.target.lower() for request in server.requests)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_echo_of_the_token_is_scrubbed(status: int) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": TOKEN})
        if request.authorization is None:
            return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')
        return Reply(status, [], f"bad token {TOKEN} / {request.authorization}".encode())

    with scripted(script) as server:
        result = visit(server)
    assert "bad token ***" in result.detail


def test_the_token_goes_to_the_registry_only_and_the_password_to_the_realm_only() -> None:
    def service(request: Request) -> Reply:
        return json_reply({"token": TOKEN}) if request.authorization == basic(USER, CANARY) else Reply(401)

    def registry(request: Request) -> Reply:
        if request.authorization == f"Bearer {TOKEN}":
            return registry_ok()
        return unauthorized(f'Bearer realm="{realm.url("/token")}"', "Basic")

    with scripted(service) as realm, scripted(registry) as server:
        assert visit(server).reason is Reason.OK
    assert not any("Basic" in (a or "") for a in server.authorizations())
    assert not any("Bearer" in (a or "") for a in realm.authorizations())


def test_a_password_sent_by_post_is_in_the_body_only() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token" and request.method == "POST":
            return json_reply({"error": "invalid_grant", "error_description": request.body.decode()}, 400)
        if request.path == "/token":
            return Reply(405)
        return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')

    with scripted(script) as server:
        result = visit(server)
    assert result.reason is Reason.BAD_CREDENTIALS
    assert "***" in result.detail


def test_a_refresh_token_is_a_secret_like_any_other() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(401, [], request.body)
        return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')

    with scripted(script) as server:
        result = probe(server.address, "<token>", CANARY, HERE)
    assert not leaks(shown(result), CANARY)


def test_nothing_is_sent_over_a_connection_that_is_not_trusted(tmp_path: object) -> None:
    authority = Authority(tmp_path)  # type: ignore[arg-type]
    with scripted(
        lambda request: unauthorized("Basic"), tls=authority.server_context(authority.issue())
    ) as server:
        visit(server)
    assert server.requests == []


def test_a_defect_of_our_own_is_a_result_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise ZeroDivisionError(f"about {CANARY}")

    result = probe("registry.example", USER, CANARY, replace(HERE, resolver=resolver))
    assert (result.reason, result.cause) == (Reason.UNEXPECTED_RESPONSE, "ZeroDivisionError")
    assert not leaks(shown(result), CANARY)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "connection test failed by ZeroDivisionError, which is a defect"
    ]


def test_no_repr_holds_a_secret() -> None:
    policy = Policy(proxy=f"http://u:{quote(CANARY)}@proxy:3128", memory=RealmMemory())
    things = [
        Credentials(USER, CANARY),
        Job("key", "registry.example", USER, CANARY, policy),
        policy,
        Scrubber(USER, CANARY),
    ]
    for thing in things:
        assert not leaks(repr(thing) + str(thing), CANARY)


def test_a_memory_holds_no_secret() -> None:
    memory = RealmMemory()

    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": TOKEN}) if request.authorization else Reply(401)
        if request.authorization is None:
            return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')
        return registry_ok()

    with scripted(script) as server:
        visit(server, policy=replace(HERE, memory=memory))
    assert len(memory) == 1
    assert not leaks(repr(vars(memory)), CANARY, TOKEN)


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
