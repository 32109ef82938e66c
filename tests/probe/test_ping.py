"""Everything up to the challenge: reaching the registry, the meaning of its first response, allowed redirects."""

from dataclasses import replace

import pytest

from registries.probe import Policy, Reason, probe
from registries.probe.answer import Answer
from registries.probe.endpoint import parse_endpoint
from registries.probe.statuses import status_fault
from tests.peers.scripted import (
    HERE,
    V2,
    Reply,
    Request,
    always,
    registry_ok,
    scripted,
    silent_port,
    unauthorized,
)

HTML = b"<html><head><title>Sign in</title></head><body><form>...</form></body></html>"


def ping(reply: Reply, policy: Policy = HERE) -> Reason:
    """The reason after one scripted first response."""
    with scripted(always(reply)) as server:
        return probe(server.address, "admin", "secret", policy).reason


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, V2, HTML),
        Reply(200, [("docker-distribution-api-version", "Registry/2.0")], HTML),
        Reply(200, [("Docker-Distribution-Api-Version", "other/1.0, registry/2.1")], HTML),
    ],
)
def test_a_200_of_a_registry_is_an_open_registry(reply: Reply) -> None:
    assert ping(reply) is Reason.OK_UNVERIFIED


NOTHING = [
    Reply(200, [], b""),
    Reply(200, [], b"\r\n"),
    Reply(200, [], b"{}"),
    Reply(200, [("Content-Type", "application/json")], b"null"),
]


def unknown_manifest(reply: Reply, nothing: Reply) -> Reason:
    """The reason where /v2/ says nothing, and an unknown manifest gets a reply."""
    with scripted(lambda request: reply if "/manifests/" in request.path else nothing) as server:
        return probe(server.address, "admin", "secret", HERE).reason


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, [], b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'),
        Reply(404, [], b'{"errors": [{"code": "NAME_UNKNOWN"}]}'),
        unauthorized('Bearer realm="https://auth.example/token",service="registry"'),
        unauthorized('Basic realm="registry"'),
    ],
)
def test_a_200_with_nothing_is_a_registry_where_manifests_are_known(reply: Reply, nothing: Reply) -> None:
    assert unknown_manifest(reply, nothing) is Reason.OK_UNVERIFIED


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, [], b"{}"),
        Reply(200, [("Content-Type", "text/html")], HTML),
        Reply(404, [], b""),
        Reply(404, [("Content-Type", "text/html")], HTML),
        Reply(404, [], b'{"code": 404}'),
        Reply(404, [], b'{"errors": []}'),
        Reply(404, [], b'{"errors": [{"code": 404, "detail": "no route"}]}'),
        Reply(404, [], b'{"errors": [{"code": "not found"}]}'),
        Reply(404, [], b'{"errors": {"code": "NAME_UNKNOWN"}}'),
        Reply(401, [], b"{}"),
        Reply(403, [], b'{"errors": [{"code": "DENIED"}]}'),
        Reply(500, [], b"{}"),
    ],
)
def test_a_200_with_nothing_is_no_registry_elsewhere(reply: Reply, nothing: Reply) -> None:
    assert unknown_manifest(reply, nothing) is Reason.NOT_A_REGISTRY


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, [("Content-Type", "text/html")], HTML),
        Reply(200, [("Content-Type", "application/json")], b"{not json"),
        Reply(200, [], b"it works"),
        Reply(200, [], b'{"code": 404}'),
        Reply(200, [("Content-Type", "application/json")], b'{"status": "ok"}'),
        Reply(200, [], b'{"errors": []}'),
        Reply(200, [], b"[]"),
        Reply(200, [], b"true"),
        Reply(200, [], b"0"),
        Reply(200, [], b'"registry"'),
        Reply(200, [("Docker-Distribution-Api-Version", "registry/1.0")], HTML),
        Reply(200, [], b"[" * 60_000),
        Reply(200, [], b'"' + b"a" * 70_000 + b'"'),
    ],
)
def test_any_other_200_is_not_a_registry(reply: Reply) -> None:
    assert ping(reply) is Reason.NOT_A_REGISTRY


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, Reason.ACCESS_DENIED),
        (404, Reason.NOT_A_REGISTRY),
        (405, Reason.NOT_A_REGISTRY),
        (410, Reason.NOT_A_REGISTRY),
        (511, Reason.NOT_A_REGISTRY),
        (407, Reason.PROXY_ERROR),
        (426, Reason.HTTPS_REQUIRED),
        (429, Reason.RATE_LIMITED),
        (500, Reason.SERVER_ERROR),
        (502, Reason.SERVER_ERROR),
        (503, Reason.SERVER_ERROR),
        (599, Reason.SERVER_ERROR),
        (201, Reason.UNEXPECTED_RESPONSE),
        (204, Reason.UNEXPECTED_RESPONSE),
        (304, Reason.UNEXPECTED_RESPONSE),
        (302, Reason.UNEXPECTED_RESPONSE),  # without a Location
        (400, Reason.UNEXPECTED_RESPONSE),
        (402, Reason.UNEXPECTED_RESPONSE),
        (418, Reason.UNEXPECTED_RESPONSE),
    ],
)
def test_each_status_has_its_meaning(status: int, reason: Reason) -> None:
    with scripted(always(Reply(status))) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert result.reason is reason
    assert server.authorizations() == [None], "the server did not ask for the password"
    assert f"HTTP {status}" in result.detail


@pytest.mark.parametrize(
    "text",
    [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
        "Bad Request\r\nThis combination of host and port requires TLS.\r\n",
    ],
)
def test_a_400_may_ask_for_https(text: str) -> None:
    assert ping(Reply(400, [], text.encode())) is Reason.HTTPS_REQUIRED


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("title", ["No required SSL certificate was sent", "The SSL certificate error"])
def test_a_400_over_tls_may_ask_for_a_client_certificate(title: str, scheme: str) -> None:
    body = f"<html><head><title>400 {title}</title></head></html>".encode()
    answer = Answer(400, (), body, complete=True, at=parse_endpoint(f"{scheme}://registry.example/v2/"))
    asked = status_fault(answer).reason is Reason.TLS_HANDSHAKE_FAILED
    assert asked is (scheme == "https")


def test_a_tls_server_that_answers_with_an_alert_requires_https() -> None:
    assert ping(Reply(raw=b"\x15\x03\x01\x00\x02\x02\x46")) is Reason.HTTPS_REQUIRED


def test_a_server_that_does_not_speak_http_is_not_a_registry() -> None:
    assert ping(Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n")) is Reason.NOT_A_REGISTRY


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
)
def test_excessive_headers_are_an_unexpected_response(raw: bytes) -> None:
    assert ping(Reply(raw=raw)) is Reason.UNEXPECTED_RESPONSE


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n" * 2,
    ],
)
def test_interim_responses_are_not_the_answer(interim: bytes) -> None:
    final = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n"
    assert ping(Reply(raw=interim + final)) is Reason.UNSUPPORTED_AUTH


def test_another_protocol_is_not_switched_to() -> None:
    assert ping(Reply(101, [("Upgrade", "h2c"), ("Connection", "Upgrade")])) is Reason.UNEXPECTED_RESPONSE


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("Retry-After", "17")], 17),
        ([("Retry-After", "0")], 1),
        ([("Retry-After", "99999999")], 86_400),
        ([("Retry-After", "soon")], 60),
        ([("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")], 1),
        ([("Retry-After", "-5")], 60),
        ([], 60),
        ([("X-Retry-After", "946684800")], 86_400),
        ([("X-Retry-After", "1446684800")], 1),  # a Unix time in the past
    ],
)
def test_retry_after_is_read(headers: list[tuple[str, str]], seconds: int) -> None:
    with scripted(always(Reply(429, headers))) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert result.retry_after == seconds
    assert result.message("en") == f"Rate limited; retry in {seconds} s"
    assert result.message("zh") == f"请求过于频繁，请 {seconds} 秒后再试"


def test_nobody_listens() -> None:
    with silent_port() as port:
        result = probe(f"localhost:{port}", "admin", "secret", HERE)
    assert result.reason is Reason.CONNECTION_REFUSED
    assert [(step.name, step.ok) for step in result.steps] == [("resolve", True), ("connect", False)]
    assert (result.requests, result.connections) == (0, 0)


def test_a_server_that_hangs_up_is_a_reset() -> None:
    assert ping(Reply(raw=b"", close=True)) is Reason.CONNECTION_RESET
    assert ping(Reply(raw=b"", reset=True)) is Reason.CONNECTION_RESET
    assert (
        ping(Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", close=True))
        is Reason.CONNECTION_RESET
    )


def _basic_only(request: Request) -> Reply:
    return registry_ok() if request.authorization else unauthorized("Basic")


def test_plain_http_can_be_forbidden() -> None:
    with scripted(_basic_only) as server:
        result = probe(server.address, "admin", "x", replace(HERE, allow_plain_http=False))
    assert result.reason is Reason.PLAIN_HTTP_FORBIDDEN
    assert server.connections == 0


def test_a_malformed_address_is_a_result_with_an_exact_hint() -> None:
    result = probe("harbor.example.com:http", "admin", "x")
    assert (result.reason, result.cause) == (Reason.INVALID_DOMAIN, "bad_port")
    assert result.hint("en") == "The port must be a number from 1 to 65535"
    assert result.hint("zh") == "端口必须是 1 到 65535 的数字"
    assert (result.registry_host, result.steps) == (None, ())


@pytest.mark.parametrize(
    ("username", "password", "cause"), [("a:b", "x", "username_colon"), ("a", "", "password_empty")]
)
def test_malformed_credentials_are_a_result(username: str, password: str, cause: str) -> None:
    with scripted(_basic_only) as server:
        result = probe(server.address, username, password, HERE)
    assert (result.reason, result.cause) == (Reason.INVALID_CREDENTIALS_FORMAT, cause)
    assert server.connections == 0
