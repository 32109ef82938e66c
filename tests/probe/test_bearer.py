"""Registries with a token service: the token request, the meaning of its response, and whether the token works."""

from urllib.parse import parse_qs

import pytest

from registries.probe import Reason, probe
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    basic,
    json_reply,
    scripted,
    unauthorized,
)
from tests.peers.token_registry import (
    ANONYMOUS,
    PASSWORD,
    TOKEN,
    USER,
    TokenRegistry,
    query,
    run_probe,
    serving,
)


def test_the_right_password_costs_three_requests_a_proof_and_one_as_a_node() -> None:
    result, server = run_probe(TokenRegistry())
    assert (result.reason, result.proven) == (Reason.OK, True)
    assert [request.path for request in server.requests] == [
        "/v2/",
        "/service/token",
        "/v2/",
        "/service/token",
        "/service/token",
    ]
    assert (result.requests, server.connections) == (5, 1)
    assert server.authorizations() == [None, basic(USER, PASSWORD), f"Bearer {TOKEN}", None, None]
    assert result.token_host == server.netloc
    assert [step.name for step in result.steps] == [
        "resolve",
        "connect",
        "ping",
        "token",
        "confirm",
        "confirm",
        "token",
    ]


def test_the_token_is_asked_for_without_scope_and_without_offline_token() -> None:
    """With any scope Harbor answers a wrong password with 200 and an anonymous token."""
    _, server = run_probe(TokenRegistry())
    asked = query(server.requests[1])
    assert asked == {
        "service": ["harbor-registry"],
        "client_id": ["registry-console"],
        "account": [USER],
    }


def test_a_wrong_password_is_told_by_the_token_service() -> None:
    result, server = run_probe(TokenRegistry(), "wrong")
    assert result.reason is Reason.BAD_CREDENTIALS
    assert len(server.requests) == 2
    assert [(step.name, step.ok) for step in result.steps][-1] == ("token", False)


def test_a_harbor_that_is_careless_with_scopes_does_not_pass_a_wrong_password() -> None:
    registry = TokenRegistry(opening=(TOKEN, ANONYMOUS))

    def harbor(request: Request) -> Reply:
        if request.path == "/service/token" and "scope=" in request.target:
            return json_reply({"token": ANONYMOUS})
        return registry(request)

    with scripted(harbor) as server:
        registry.realm = server.url("/service/token")
        assert probe(server.address, USER, "wrong", HERE).reason is Reason.BAD_CREDENTIALS
        assert probe(server.address, USER, PASSWORD, HERE).reason is Reason.OK


def test_a_service_that_the_challenge_does_not_name_is_not_sent() -> None:
    _, server = run_probe(TokenRegistry(challenge='Bearer realm="{realm}"'))
    assert "service" not in query(server.requests[1])


def test_a_realm_keeps_its_own_query_and_path() -> None:
    registry = TokenRegistry()
    with serving(registry) as server:
        registry.realm += "?tenant=a%20b&x="
        probe(server.address, USER, PASSWORD, HERE)
    assert server.requests[1].target.startswith("/service/token?tenant=a%20b&x=&service=harbor-registry&")


@pytest.mark.parametrize(
    "challenge",
    [
        'Basic realm="x", Bearer realm="{realm}",service="s"',
        'Bearer realm="{realm}",service="s", Basic realm="x"',
        'bearer Service=s , ReAlM = "{realm}"',
        'Bearer realm="/broken", Bearer realm="{realm}"',
        "Negotiate, Bearer realm={realm}",
    ],
)
def test_bearer_wins_over_basic_in_whatever_order(challenge: str) -> None:
    result, server = run_probe(TokenRegistry(challenge=challenge))
    assert result.reason is Reason.OK
    assert server.authorizations("/v2/") == [None, f"Bearer {TOKEN}"], "the registry never saw the password"


@pytest.mark.parametrize(
    "document",
    [
        {"token": TOKEN, "expires_in": "soon", "issued_at": 7},
        {"access_token": TOKEN},
        {"token": "", "access_token": TOKEN},
        {"token": None, "access_token": TOKEN},
        {"token": TOKEN, "access_token": "other"},
        {"token": 7, "access_token": TOKEN},
    ],
)
def test_the_token_is_found(document: object) -> None:
    assert run_probe(TokenRegistry(token=json_reply(document)))[0].reason is Reason.OK


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({}),
        json_reply({"token": ""}),
        json_reply({"token": "with space"}),
        json_reply({"token": "line\r\nX-Injected: 1"}),
        json_reply({"token": "ünïcode"}),
        json_reply({"token": ["x"]}),
        json_reply(["token"]),
        json_reply("token"),
        Reply(200, [], b""),
        Reply(200, [], b"<html>Sign in</html>"),
        Reply(200, [], b'{"token": "' + b"a" * 2_000_000 + b'"}'),
        Reply(200, [], b"[" * 500_000),
        Reply(200, [], f'\ufeff{{"token": "{TOKEN}"}}'.encode()),
        Reply(200, [], f'{{"token": "{TOKEN}"}}'.encode("utf-16")),
        Reply(200, [], f'{{"token": "{TOKEN}", "expires_in": NaN}}'.encode()),
        Reply(raw=b"SSH-2.0-OpenSSH\r\n"),
    ],
)
def test_anything_else_is_no_token(reply: Reply) -> None:
    result, server = run_probe(TokenRegistry(token=reply))
    assert result.reason is Reason.TOKEN_INVALID_RESPONSE
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(401, [], b"password has expired"), Reason.CREDENTIALS_EXPIRED),
        (Reply(401, [], b"you must use a personal access token"), Reason.PAT_REQUIRED),
        (json_reply({"details": "incorrect username or password"}, 401), Reason.BAD_CREDENTIALS),
        (json_reply({"errors": [{"code": "DENIED"}]}, 403), Reason.ACCESS_DENIED),
        (Reply(403, [], b"requires 2FA"), Reason.PAT_REQUIRED),
        (Reply(429, [("Retry-After", "900")]), Reason.RATE_LIMITED),
        (Reply(407), Reason.PROXY_ERROR),
        (Reply(400), Reason.TOKEN_SERVICE_ERROR),
        (Reply(302, [("Location", "https://sso.example.com/")]), Reason.TOKEN_SERVICE_ERROR),
        (Reply(307, [("Location", "http://localhost:1/token")]), Reason.TOKEN_SERVICE_ERROR),
        (Reply(307), Reason.TOKEN_SERVICE_ERROR),
        (Reply(500), Reason.TOKEN_SERVICE_ERROR),
        (Reply(503), Reason.TOKEN_SERVICE_ERROR),
        (Reply(204), Reason.TOKEN_SERVICE_ERROR),
    ],
)
def test_the_token_services_refusal_is_read(reply: Reply, reason: Reason) -> None:
    result, server = run_probe(TokenRegistry(wrong=reply), "wrong")
    assert result.reason is reason
    assert len(server.requests) == 2, "no redirect is followed with the password, nothing is repeated"
    assert result.retry_after == (900 if reason is Reason.RATE_LIMITED else None)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_service_without_get_is_asked_by_post(status: int) -> None:
    registry = TokenRegistry(get_status=status, posted=json_reply({"access_token": TOKEN}))
    result, server = run_probe(registry)
    posted = server.requests[2]
    assert posted.method == "POST"
    assert parse_qs(posted.body.decode()) == {
        "grant_type": ["password"],
        "username": [USER],
        "password": [PASSWORD],
        "service": ["harbor-registry"],
        "client_id": ["registry-console"],
    }
    assert posted.authorization is None
    assert posted.target == "/service/token"
    assert result.reason is Reason.OK_UNVERIFIED, "this service also accepts a random user"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (json_reply({"error": "invalid_grant"}, 400), Reason.BAD_CREDENTIALS),
        (
            json_reply({"error": "invalid_grant", "error_description": "The password expired."}, 400),
            Reason.CREDENTIALS_EXPIRED,
        ),
        (json_reply({"error": "unsupported_grant_type"}, 400), Reason.TOKEN_SERVICE_ERROR),
        (Reply(401), Reason.BAD_CREDENTIALS),
        (Reply(404), Reason.TOKEN_SERVICE_ERROR),
    ],
)
def test_the_answer_to_a_post_is_read(reply: Reply, reason: Reason) -> None:
    result, server = run_probe(TokenRegistry(get_status=405, posted=reply))
    assert result.reason is reason
    assert len(server.requests) == 3


def _refresh(request: Request) -> bool:
    return parse_qs(request.body.decode()).get("refresh_token") == [PASSWORD]


def test_an_identity_token_is_exchanged_by_post_first() -> None:
    registry = TokenRegistry()

    def script(request: Request) -> Reply:
        if request.method == "POST":
            return json_reply(
                {"access_token": TOKEN} if _refresh(request) else {}, 200 if _refresh(request) else 401
            )
        return registry(request)

    with scripted(script) as server:
        registry.realm = server.url("/service/token")
        result = probe(server.address, "<token>", PASSWORD, HERE)
    assert result.reason is Reason.OK
    assert [request.method for request in server.requests] == ["GET", "POST", "GET", "POST"]
    first, control = (parse_qs(server.requests[n].body.decode()) for n in (1, 3))
    assert first["grant_type"] == control["grant_type"] == ["refresh_token"]
    assert first["refresh_token"] == [PASSWORD] != control["refresh_token"]
    assert server.authorizations()[1] is None


def test_an_identity_token_falls_back_to_get() -> None:
    registry = TokenRegistry()
    with serving(registry) as server:
        result = probe(server.address, "<token>", PASSWORD, HERE)
    assert [request.method for request in server.requests] == ["GET", "POST", "GET"]
    assert server.authorizations()[2] == basic("<token>", PASSWORD)
    assert result.reason is Reason.BAD_CREDENTIALS


def test_a_refused_identity_token_is_not_sent_again() -> None:
    registry = TokenRegistry(posted=json_reply({"error": "invalid_grant"}, 400))
    with serving(registry) as server:
        assert probe(server.address, "<token>", PASSWORD, HERE).reason is Reason.BAD_CREDENTIALS
    assert len(server.requests) == 2


# The second step: the registry must accept the token.


@pytest.mark.parametrize(
    ("confirmed", "reason"),
    [
        (unauthorized('Bearer realm="x",error="invalid_token"'), Reason.TOKEN_REJECTED),
        (unauthorized('Bearer realm="x"', body=b"token is expired"), Reason.TOKEN_REJECTED),
        (unauthorized(), Reason.TOKEN_REJECTED),
        (Reply(403), Reason.ACCESS_DENIED),
        (Reply(500), Reason.SERVER_ERROR),
        (Reply(404), Reason.NOT_A_REGISTRY),
        (Reply(200, [], b"<html>"), Reason.NOT_A_REGISTRY),
        (Reply(429), Reason.RATE_LIMITED),
        (Reply(302, [("Location", "https://other.example.com/v2/")]), Reason.REDIRECT_BLOCKED),
    ],
)
def test_a_token_is_always_tried_on_the_registry(confirmed: Reply, reason: Reason) -> None:
    result, server = run_probe(TokenRegistry(confirmed=confirmed))
    assert result.reason is reason
    assert len(server.requests) == 3


def test_an_open_registry_may_ask_for_a_token_once_it_sees_a_password() -> None:
    registry = TokenRegistry(opening=(TOKEN, ""))

    with scripted(registry) as server:
        registry.realm = server.url("/service/token")
        result = probe(server.address, USER, PASSWORD, HERE)
        wrong = probe(server.address, USER, "wrong", HERE)
    assert result.reason is Reason.OK
    assert wrong.reason is Reason.BAD_CREDENTIALS


def test_cookies_are_not_kept() -> None:
    """With Harbor's session cookie the random user of the negative control would be accepted."""
    registry = TokenRegistry(
        token=Reply(200, [("Set-Cookie", "sid=admin; Path=/")], json_reply({"token": TOKEN}).body),
        anonymous=json_reply({"token": ANONYMOUS}),
        opening=(TOKEN, ANONYMOUS),
    )
    result, server = run_probe(registry)
    assert result.reason is Reason.OK
    assert all(request.header("cookie") is None for request in server.requests)


def test_seven_requests_are_the_most() -> None:
    """Three redirects, a GET and a POST for a token: no request is left to confirm it."""
    registry = TokenRegistry(get_status=404, posted=json_reply({"token": TOKEN}))
    hops = {"/v2/": "/a/v2/", "/a/v2/": "/b/v2/", "/b/v2/": "/c/v2/"}

    def script(request: Request) -> Reply:
        if request.path in hops:
            return Reply(307, [("Location", hops[request.path])])
        return registry(request)

    with scripted(script) as server:
        registry.realm = server.url("/service/token")
        result = probe(server.address, USER, PASSWORD, HERE)
    assert len(server.requests) == result.requests == 7
    assert result.reason is Reason.OK_UNVERIFIED, "no request was left for the negative control"
