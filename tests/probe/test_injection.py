"""Text from a server or an operator never becomes an extra header, request or parameter."""

import socket
from urllib.parse import parse_qsl, urlsplit

import pytest

from registries.probe import Reason, probe
from registries.probe.connection import Connection, Dialer
from registries.probe.deadline import Deadline
from registries.probe.tls import TcpSocket
from registries.probe.trace import Trace
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    ScriptedServer,
    json_reply,
    registry_ok,
    scripted,
    unauthorized,
)

USER, PASSWORD = "admin", "correct horse"
HEADERS = {"host", "user-agent", "accept", "accept-encoding", "connection"}
EVIL = "x\r\n X-Injected: 1\r\n\r\nGET /evil HTTP/1.1"


def folded(value: str, status: str = "401 Unauthorized") -> Reply:
    """A response with a folded header (obs-fold). http.client returns it with its line breaks."""
    lines = value.replace("\r\n", "\r\n ")
    head = f"HTTP/1.1 {status}\r\nWWW-Authenticate: {lines}\r\n"
    head += "Connection: close\r\nContent-Length: 0\r\n\r\n"
    return Reply(raw=head.encode("latin-1"))


def nothing_injected(server: ScriptedServer) -> None:
    for request in server.requests:
        names = {name for name, _ in request.headers}
        assert names <= HEADERS | {"authorization", "content-length", "content-type"}
        assert "injected" not in str(request.headers).lower().replace("%", "")
        assert request.path in ("/v2/", "/token")


@pytest.mark.parametrize("between", ["\r\n", "\r\n\t", "\r\n X-Injected: 1\r\n"])
def test_a_realm_in_several_lines_is_no_realm(between: str) -> None:
    def script(request: Request) -> Reply:
        return folded(f'Bearer realm="http://localhost:{server.port}/to{between}ken",service="s"')

    with scripted(script) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert result.reason is Reason.BAD_CHALLENGE
    assert server.authorizations() == [None]
    nothing_injected(server)


@pytest.mark.parametrize("service", ["a&account=root", "a&scope=registry:catalog:*", "a#b", "a b", "ü", EVIL])
def test_a_service_is_one_parameter_whatever_it_holds(service: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": "t"}) if request.authorization else Reply(401)
        if request.authorization == "Bearer t":
            return registry_ok()
        return folded(f'Bearer realm="http://localhost:{server.port}/token",service="{service}"')

    with scripted(script) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    nothing_injected(server)
    asked = parse_qsl(urlsplit(server.requests[1].target).query)
    assert [name for name, _ in asked] == ["service", "client_id", "account"]
    assert dict(asked)["account"] == USER
    assert result.reason is Reason.OK


@pytest.mark.parametrize("scope", ["a&account=root", "a\r\nX-Injected: 1", "a b"])
def test_a_scope_is_one_parameter_whatever_it_holds(scope: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": "t"})
        if request.authorization is None:
            return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')
        return folded(f'Bearer realm="x",error="insufficient_scope",scope="{scope}"')

    with scripted(script) as server:
        assert probe(server.address, USER, PASSWORD, HERE).reason is Reason.ACCESS_DENIED
    nothing_injected(server)
    asked = parse_qsl(urlsplit(server.requests[3].target).query)
    assert [name for name, _ in asked] == ["client_id", "scope", "account"]


@pytest.mark.parametrize(
    "token",
    ["t\r\nX-Injected: 1", "t\nX-Injected: 1", "t\rx", "t\x00", "t x", "t\tx", "t\x7f", "t\u2028", "\ud800"],
)
def test_a_token_that_would_end_its_header_is_no_token(token: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": token})
        return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')

    with scripted(script) as server:
        assert probe(server.address, USER, PASSWORD, HERE).reason is Reason.TOKEN_INVALID_RESPONSE
    assert len(server.requests) == 2
    nothing_injected(server)


@pytest.mark.parametrize("location", ["/v2/\tx", "/v2/ HTTP/1.1", "/v2/?a=\x01", "/\u00a0/v2/", "//evil/v2/"])
def test_a_location_with_blanks_is_not_followed(location: str) -> None:
    with scripted(lambda request: Reply(302, [("Location", location)])) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert result.reason in (Reason.REDIRECT_BLOCKED, Reason.NOT_A_REGISTRY)
    assert len(server.requests) == 1


@pytest.mark.parametrize("password", ["a\r\nX-Injected: 1", 'a&grant_type=x"', "p\u00e4ss\n\n"])
def test_a_password_is_one_value_in_header_and_form(password: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(405) if request.method == "GET" else json_reply({"error": "invalid_grant"}, 400)
        return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')

    with scripted(script) as server:
        assert probe(server.address, USER, password, HERE).reason is Reason.BAD_CREDENTIALS
    nothing_injected(server)
    form = dict(parse_qsl(server.requests[2].body.decode(), keep_blank_values=True))
    assert (form["username"], form["password"], form["grant_type"]) == (USER, password, "password")


@pytest.mark.parametrize("username", ["robot$a&scope=x", "a b", "名字", "a#?/"])
def test_a_user_name_is_one_parameter(username: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(401)
        return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')

    with scripted(script) as server:
        assert probe(server.address, username, PASSWORD, HERE).reason is Reason.BAD_CREDENTIALS
    assert dict(parse_qsl(urlsplit(server.requests[1].target).query))["account"] == username
    nothing_injected(server)


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("/v2/ HTTP/1.1\r\nX-Injected: 1", ""),
        ("/v2/", EVIL),
        ("/v2/", "a\nb"),
        ("/v2/\x7f", ""),
        ("/v2/ü", ""),
    ],
)
def test_a_request_with_a_line_end_is_not_sent(target: str, value: str) -> None:
    """Whoever calls: the last gate."""
    ours, theirs = socket.socketpair()
    connection = Connection(Dialer(Deadline(60), Trace(), 5), "registry.example", 80)
    connection.sock, connection.timeout = TcpSocket(ours), 60
    with theirs, ours:
        with pytest.raises(ValueError, match=r"control character|ordinal not in range"):
            connection.request("GET", target, None, {"Authorization": value})
        ours.shutdown(socket.SHUT_WR)
        assert theirs.recv(10) == b""
