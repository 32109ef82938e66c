"""Registries with Basic authentication: the password is sent once, in UTF-8, and only after a challenge."""

import base64

import pytest

from registries.probe import Reason, probe, transport
from tests.peers.scripted import HERE, Reply, Request, basic, registry_ok, scripted, unauthorized

USER, PASSWORD = "admin", "correct horse"


def registry(request: Request) -> Reply:
    """A registry with Basic authentication and one user."""
    if request.authorization == basic(USER, PASSWORD):
        return registry_ok()
    return unauthorized('Basic realm="Registry"')


def test_the_right_password_costs_two_requests_on_one_connection() -> None:
    with scripted(registry) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert (result.reason, result.ok, result.proven) == (Reason.OK, True, True)
    assert (result.requests, result.connections) == (2, 1)
    assert (len(server.requests), server.connections) == (2, 1)
    assert [request.target for request in server.requests] == ["/v2/", "/v2/"]
    assert server.authorizations() == [None, basic(USER, PASSWORD)]
    assert [step.name for step in result.steps] == ["resolve", "connect", "ping", "confirm"]
    assert all(step.ok and step.milliseconds >= 0 for step in result.steps)
    assert result.duration_ms >= sum(step.milliseconds for step in result.steps) * 0.5


def test_a_wrong_password_is_told_and_not_tried_again() -> None:
    with scripted(registry) as server:
        result = probe(server.address, USER, "wrong", HERE)
    assert (result.reason, result.ok, result.proven) == (Reason.BAD_CREDENTIALS, False, False)
    assert len(server.requests) == 2
    assert result.steps[-1].name == "confirm"
    assert not result.steps[-1].ok


@pytest.mark.parametrize(("password", "reason"), [(PASSWORD, Reason.OK), ("wrong", Reason.BAD_CREDENTIALS)])
def test_a_proxy_that_closes_after_an_answer_is_connected_again(
    password: str, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `Connection: close`. The password is sent once."""
    monkeypatch.setattr(transport, "CLOSING", 30.0)

    def script(request: Request) -> Reply:
        reply = registry(request)
        return Reply(raw=reply.head() + reply.body, pieces=iter([b""]), pause=0.05)

    with scripted(script) as server:
        result = probe(server.address, USER, password, HERE)
    assert (result.reason, result.connections) == (reason, 2)
    assert server.authorizations() == [None, basic(USER, password)]


@pytest.mark.parametrize("end", [Reply(raw=b"", close=True), Reply(raw=b"", reset=True)])
def test_a_request_without_a_credential_is_sent_again_when_a_kept_connection_breaks(end: Reply) -> None:
    seen: set[int] = set()

    def script(request: Request) -> Reply:
        if request.path == "/v2/":
            seen.add(request.connection)
            return Reply(307, [("Location", "/registry/v2/")])
        return end if request.connection in seen else registry(request)

    with scripted(script) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert (result.reason, result.connections) == (Reason.OK, 2)


@pytest.mark.parametrize("challenge", ["Basic", "BASIC realm=Nexus", 'basic realm=""', 'Basic realm="cut'])
def test_every_spelling_of_basic_is_understood(challenge: str) -> None:
    def script(request: Request) -> Reply:
        return registry_ok() if request.authorization else unauthorized(challenge)

    with scripted(script) as server:
        assert probe(server.address, USER, PASSWORD, HERE).reason is Reason.OK


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("张三", "密码€"),
        ("a", "line\nbreak\ttab"),
        ("robot$team+ci", " leading and trailing "),
        ("a", ":" * 40),
    ],
)
def test_user_name_and_password_go_out_in_utf8_untrimmed(username: str, password: str) -> None:
    with scripted(
        lambda request: registry_ok() if request.authorization else unauthorized("Basic")
    ) as server:
        assert probe(server.address, username, password, HERE).reason is Reason.OK
    sent = (server.authorizations()[1] or "").removeprefix("Basic ")
    assert base64.b64decode(sent).decode("utf-8") == f"{username}:{password}"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"", Reason.BAD_CREDENTIALS),
        (401, b'{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}', Reason.BAD_CREDENTIALS),
        (401, b"Your session token has EXPIRED.", Reason.CREDENTIALS_EXPIRED),
        (401, "令牌已过期".encode(), Reason.CREDENTIALS_EXPIRED),
        (401, b"use a Personal Access Token", Reason.PAT_REQUIRED),
        (401, b"two-factor authentication is on", Reason.PAT_REQUIRED),
        (401, b"your account has 2FA enabled", Reason.PAT_REQUIRED),
        (
            401,
            b'{"errors":[{"code":"UNAUTHORIZED","message":"It is wrong, expired, or lacks a scope."}]}',
            Reason.BAD_CREDENTIALS,
        ),
        (403, b"This page has expired or you lack two-factor authentication", Reason.ACCESS_DENIED),
        (401, b"no such user: 2fa", Reason.BAD_CREDENTIALS),
        (403, b"", Reason.ACCESS_DENIED),
        (403, b"Your authorization token has expired. Reauthenticate.", Reason.CREDENTIALS_EXPIRED),
        (403, b"a personal access token is needed", Reason.PAT_REQUIRED),
        (429, b"", Reason.RATE_LIMITED),
        (500, b"", Reason.SERVER_ERROR),
        (404, b"", Reason.NOT_A_REGISTRY),
        (407, b"", Reason.PROXY_ERROR),
        (418, b"", Reason.UNEXPECTED_RESPONSE),
        (200, b"<html>Sign in</html>", Reason.NOT_A_REGISTRY),
    ],
)
def test_the_answer_to_the_password_is_read(status: int, body: bytes, reason: Reason) -> None:
    def script(request: Request) -> Reply:
        return Reply(status, [], body) if request.authorization else unauthorized("Basic")

    with scripted(script) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert result.reason is reason
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("challenges", "reason"),
    [
        ([], Reason.BAD_CHALLENGE),
        ([""], Reason.BAD_CHALLENGE),
        (['realm="x"'], Reason.BAD_CHALLENGE),
        (["Negotiate"], Reason.UNSUPPORTED_AUTH),
        (['Digest realm="x", nonce="y"', "NTLM"], Reason.UNSUPPORTED_AUTH),
        (["Bearer"], Reason.BAD_CHALLENGE),
        (['Bearer realm=""'], Reason.BAD_CHALLENGE),
        (['Bearer realm="/token"'], Reason.BAD_CHALLENGE),
        (['Bearer realm="//auth.example.com/token"'], Reason.BAD_CHALLENGE),
        (['Bearer realm="ftp://auth.example.com/token"'], Reason.BAD_CHALLENGE),
        (['Bearer realm="http://user:pw@localhost/token"'], Reason.BAD_CHALLENGE),
        (['Bearer realm="http://2130706433/token"'], Reason.BAD_CHALLENGE),
        (['Bearer realm="http://local host/token"'], Reason.BAD_CHALLENGE),
        (['Bearer realm="http://"'], Reason.BAD_CHALLENGE),
        (['Bearer realm="a', "Negotiate"], Reason.BAD_CHALLENGE),
    ],
)
def test_without_a_usable_challenge_nothing_is_sent(challenges: list[str], reason: Reason) -> None:
    with scripted(lambda request: unauthorized(*challenges)) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert result.reason is reason
    assert server.authorizations() == [None]


def test_a_broken_bearer_falls_back_to_basic() -> None:
    for bearer in ("Bearer", 'Bearer realm="/relative"', 'Bearer realm="http://169.254.169.254/token"'):

        def script(request: Request, bearer: str = bearer) -> Reply:
            if request.authorization == basic(USER, PASSWORD):
                return registry_ok()
            return unauthorized(f'{bearer}, Basic realm="x"')

        with scripted(script) as server:
            result = probe(server.address, USER, PASSWORD, HERE)
        assert (result.reason, result.token_host) == (Reason.OK, None)


def test_outer_white_space_in_a_password_is_mentioned_when_it_fails() -> None:
    with scripted(registry) as server:
        failed = probe(server.address, USER, PASSWORD + "\n", HERE)
        passed = probe(server.address, USER, PASSWORD, HERE)
    assert failed.reason is Reason.BAD_CREDENTIALS
    assert "password_outer_space" in failed.warnings
    assert failed.hint("zh").startswith("密码首尾有空白字符"), "the likely cause stands first"
    assert "white space" in failed.hint("en")
    assert "white space" not in passed.hint("en")


UNSEEN = [
    *(
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u2060",
        "\u00ad",
        "\u202a",
        "\u3164",
        "\ufe0f",
        "\ufe00",
        "\u034f",
        "\u115f",
    ),
    *("\u1160", "\u17b4", "\u180b", "\u180e", "\u2065", "\u2800", "\uffa0", "\U000e0100", "\U000e0041"),
]


@pytest.mark.parametrize("character", UNSEEN)
@pytest.mark.parametrize("form", ["{0}secret", "sec{0}ret", "secret{0}"])
def test_an_invisible_character_is_pointed_out_and_sent(character: str, form: str) -> None:
    password = form.format(character)
    with scripted(registry) as server:
        failed = probe(server.address, USER, password, HERE)
    assert (failed.reason, "password_invisible" in failed.warnings) == (Reason.BAD_CREDENTIALS, True)
    assert "invisible" in failed.hint("en")
    assert failed.hint("zh").startswith("密码含有不可见字符"), "the likely cause stands first"
    assert server.authorizations()[1] == basic(USER, password), "it may be part of the password"


@pytest.mark.parametrize("character", ["\u00a0", "\u2003", "\u3000", "\u2028", "\u2029"])
def test_white_space_inside_that_is_no_plain_space_is_pointed_out(character: str) -> None:
    with scripted(registry) as server:
        warnings = [
            probe(server.address, USER, form, HERE).warnings
            for form in (f"sec{character}ret", f"secret{character}", "sec ret")
        ]
    assert warnings == [("password_invisible",), ("password_outer_space",), ()]
