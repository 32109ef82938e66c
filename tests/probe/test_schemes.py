"""Redirects, realms and proxies across http and https: where the password may be sent."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from registries.probe import Policy, Reason, probe
from tests.peers.basic_registry import PASSWORD, USER, registry
from tests.peers.certificates import Authority
from tests.peers.connect_proxy import connect_proxy
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    ScriptedServer,
    basic,
    json_reply,
    registry_ok,
    scripted,
    unauthorized,
)
from tests.peers.token_registry import PASSWORD as TOKEN_PASSWORD
from tests.peers.token_registry import USER as TOKEN_USER
from tests.peers.token_registry import TokenRegistry

pytest_plugins = ("tests.peers.authorities",)


@pytest.fixture
def secure(authority: Authority) -> Iterator[ScriptedServer]:
    with scripted(registry, tls=authority.server_context(authority.issue("localhost"))) as server:
        yield server


@pytest.fixture
def both(authority: Authority) -> Iterator[ScriptedServer]:
    """One port with http, which redirects, and https."""
    context = authority.server_context(authority.issue("localhost"))

    def greet(connection: socket.socket) -> bool:
        if connection.recv(1, socket.MSG_PEEK) == b"\x16":
            return True
        connection.recv(65536)
        connection.sendall(Reply(301, [("Location", server.url("/v2/"))], close=True).head())
        return False

    with scripted(registry, tls=context, greet=greet) as server:
        yield server


def test_a_redirect_from_http_to_https_of_the_same_port_is_followed(
    both: ScriptedServer, trusting: Policy
) -> None:
    result = probe(f"http://{both.netloc}", USER, PASSWORD, trusting)
    assert result.reason is Reason.OK
    assert "redirected_to_https" in result.warnings
    assert both.authorizations() == [None, basic(USER, PASSWORD)], "the password went over https"
    assert result.registry_host == both.netloc


def test_a_certificate_that_is_not_verified_is_told_after_a_redirect_too(both: ScriptedServer) -> None:
    result = probe(f"http://{both.netloc}", USER, PASSWORD, replace(HERE, skip_tls_verify=True))
    assert (result.reason, result.warnings) == (Reason.OK, ("redirected_to_https", "tls_not_verified"))


@pytest.mark.parametrize("first", [unauthorized("Basic"), registry_ok()])
def test_the_password_does_not_follow_a_redirect_to_another_port(
    secure: ScriptedServer, trusting: Policy, first: Reply
) -> None:
    secure.script = lambda request: first
    with scripted(lambda request: Reply(301, [("Location", secure.url("/v2/"))])) as plain:
        result = probe(plain.address, USER, PASSWORD, trusting)
    assert (result.reason, result.cause) == (Reason.REDIRECT_BLOCKED, "redirect_port")
    assert "with that port" in result.hint("en")
    assert plain.authorizations() + secure.authorizations() == [None, None]


def test_a_token_may_follow_a_redirect_to_https_on_another_port(
    secure: ScriptedServer, trusting: Policy
) -> None:
    """The password goes to the token service, which is judged by itself."""
    secure.script = token = TokenRegistry(realm=secure.url("/service/token"))
    with scripted(lambda request: Reply(301, [("Location", secure.url("/v2/"))])) as plain:
        assert probe(plain.address, TOKEN_USER, TOKEN_PASSWORD, trusting).reason is Reason.OK
    assert token.realm.startswith("https://")


def test_nothing_is_said_of_certificates_where_none_was_needed() -> None:
    with scripted(registry) as plain:
        assert probe(plain.address, USER, PASSWORD, replace(HERE, skip_tls_verify=True)).warnings == ()


def test_a_redirect_from_https_to_http_is_blocked(secure: ScriptedServer, trusting: Policy) -> None:
    with scripted(registry) as plain:
        secure.script = lambda request: Reply(301, [("Location", plain.url("/v2/"))])
        result = probe(secure.address, USER, PASSWORD, trusting)
    assert result.reason is Reason.REDIRECT_BLOCKED
    assert plain.requests == []


def test_the_password_does_not_follow_a_plain_realm_behind_https(
    secure: ScriptedServer, trusting: Policy
) -> None:
    with scripted(lambda request: json_reply({"token": "x"})) as service:
        secure.script = lambda request: unauthorized(f'Bearer realm="{service.url("/token")}"')
        result = probe(secure.address, USER, PASSWORD, trusting)
    assert result.reason is Reason.REALM_INSECURE
    assert [(step.name, step.ok) for step in result.steps if not step.ok] == [("ping", False)]
    assert service.connections == 0


def test_a_plain_realm_counts_as_behind_https_after_a_redirect(
    secure: ScriptedServer, trusting: Policy
) -> None:
    with scripted(lambda request: Reply(301, [("Location", secure.url("/v2/"))])) as plain:
        secure.script = lambda request: unauthorized(f'Bearer realm="{plain.url("/token")}"')
        assert probe(plain.address, USER, PASSWORD, trusting).reason is Reason.REALM_INSECURE


def test_a_plain_realm_falls_back_to_an_offered_basic(secure: ScriptedServer, trusting: Policy) -> None:
    def script(request: Request) -> Reply:
        if request.authorization == basic(USER, PASSWORD):
            return registry_ok()
        return unauthorized('Bearer realm="http://localhost/token"', "Basic")

    secure.script = script
    assert probe(secure.address, USER, PASSWORD, trusting).reason is Reason.OK


def test_a_token_service_with_a_bad_certificate_is_named(
    secure: ScriptedServer, trusting: Policy, other_authority: Authority
) -> None:
    pair = other_authority.issue("localhost", send_root=True)
    with scripted(lambda request: json_reply({}), tls=other_authority.server_context(pair)) as service:
        secure.script = lambda request: unauthorized(f'Bearer realm="{service.url("/token")}"')
        result = probe(secure.address, USER, PASSWORD, trusting)
    assert (result.reason, result.cause) == (Reason.TOKEN_SERVICE_UNREACHABLE, "tls_untrusted")
    assert result.tls is not None
    assert result.tls.ca_pem == other_authority.root.pem
    assert service.requests == []


def test_the_registrys_ca_holds_for_its_token_service(
    secure: ScriptedServer, trusting: Policy, authority: Authority
) -> None:
    def token(request: Request) -> Reply:
        return json_reply({"token": "t"}) if request.authorization == basic(USER, PASSWORD) else Reply(401)

    def script(request: Request) -> Reply:
        if request.authorization == "Bearer t":
            return registry_ok()
        return unauthorized(f'Bearer realm="{service.url("/token")}"')

    with scripted(token, tls=authority.server_context(authority.issue("localhost"))) as service:
        secure.script = script
        assert probe(secure.address, USER, PASSWORD, trusting).reason is Reason.OK


@pytest.mark.parametrize(
    ("name", "reason"), [("registry.example", Reason.OK), ("localhost", Reason.TLS_HOSTNAME_MISMATCH)]
)
def test_https_goes_through_a_proxy_as_a_tunnel(
    authority: Authority, trusting: Policy, name: str, reason: Reason
) -> None:
    """The proxy only passes bytes on. It gets the judged address; SNI and certificate are of the name."""
    with (
        scripted(registry, tls=authority.server_context(authority.issue(name))) as server,
        connect_proxy(server) as proxy,
    ):
        policy = replace(
            trusting, proxy=f"http://p:q@127.0.0.1:{proxy.port}", resolver=lambda host, port: ["8.8.8.8"]
        )
        result = probe(f"registry.example:{server.port}", USER, PASSWORD, policy)
    assert result.reason is reason
    assert {request.header("host") for request in server.requests} <= {f"registry.example:{server.port}"}
    for asked in proxy.heads:
        assert asked.startswith(f"CONNECT 8.8.8.8:{server.port} HTTP/1.1\r\nHost: 8.8.8.8:".encode())
        assert b"Proxy-Authorization: Basic cDpx" in asked
        assert b"\r\nAuthorization" not in asked
    assert len(proxy.heads) == (1 if result.ok else 2)
    assert result.ok or (result.tls is not None and result.tls.names == ("localhost",))
