"""Where a token service may be, and the result when it cannot be reached."""

from dataclasses import replace

import pytest

from registries.probe import Reason, probe
from registries.verification.history import kept
from tests.peers.connect_proxy import connect_proxy
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    basic,
    registry_ok,
    scripted,
    silent_port,
    unauthorized,
)
from tests.peers.token_registry import PASSWORD, TOKEN, USER, TokenRegistry, run_probe, serving


def test_a_token_service_elsewhere_gets_the_password_and_the_registry_only_the_token() -> None:
    registry = TokenRegistry()
    with scripted(registry) as service, scripted(registry) as server:
        registry.realm = service.url("/service/token")
        result = probe(server.address, USER, PASSWORD, HERE)
    assert result.reason is Reason.OK
    assert result.token_host == service.netloc
    assert server.authorizations() == [None, f"Bearer {TOKEN}"]
    assert service.authorizations() == [basic(USER, PASSWORD), None, None]


@pytest.mark.parametrize(
    "realm",
    ["http://169.254.169.254/token", "http://[fe80::1]/token", "http://100.100.100.200/", "http://0.0.0.0/"],
)
def test_a_realm_at_a_refused_address_is_blocked(realm: str) -> None:
    result, server = run_probe(TokenRegistry(realm=realm))
    assert result.reason is Reason.REALM_BLOCKED
    assert (result.detail, result.token_host) == ("", None), "the host was not judged"
    assert server.authorizations() == [None]


@pytest.mark.parametrize(
    ("challenge", "detail"),
    [
        ('realm="http://h:%!s(<nil>)/v2/token",service="s"', "realm: http://h:%!s(<nil>)/v2/token"),
        ('realm="/service/token"', "realm: /service/token"),
        ('realm="//auth.example.com/token"', "realm: //auth.example.com/token"),
        ('realm="${EXTERNAL_URL}/token"', "realm: ${EXTERNAL_URL}/token"),
        ('realm="http://"', "realm: http://"),
        ('realm="https://a.example:99999/t"', "realm: https://a.example:99999/t"),
        ("realm=auth.example.com/token,service=s", "realm: auth.example.com/token"),
        ('realm="http://a\tb/<script>"', "realm: http://a b/<script>"),
        ('realm="http://bot:pa@s/s@h.example/t"', "realm: http://***@h.example/t"),
        ('realm="bot:pass@h.example/t"', "realm: ***@h.example/t"),
        (f'realm="/{"x" * 400}"', f"realm: /{'x' * 291}…"),
        (f'realm="/{"x" * 4000}"', "Bearer"),
        ('realm=""', "Bearer"),
        ("service=s", "Bearer"),
    ],
)
def test_a_realm_that_cannot_be_used_is_shown_and_not_stored(challenge: str, detail: str) -> None:
    with scripted(lambda request: unauthorized(f"Bearer {challenge}")) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert (result.reason, result.detail) == (Reason.BAD_CHALLENGE, detail)
    assert not result.quoted
    assert kept(result).detail == ""
    assert server.authorizations() == [None]


def test_a_realm_whose_name_leads_to_a_refused_address_is_blocked() -> None:
    def resolver(host: str, port: int) -> list[str]:
        return {"registry.example": ["127.0.0.1"], "auth.example": ["8.8.8.8", "169.254.169.254"]}[host]

    registry = TokenRegistry(realm="http://auth.example/token")
    with serving(registry) as server:
        policy = replace(HERE, resolver=resolver)
        result = probe(f"http://registry.example:{server.port}", USER, PASSWORD, policy)
    assert result.reason is Reason.REALM_BLOCKED
    assert server.authorizations() == [None]


def test_a_realm_whose_dns_answer_changes_is_resolved_once() -> None:
    """DNS rebinding between two challenges that name the same host."""
    answers = [["169.254.169.254"], ["127.0.0.1"]]

    def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "registry.example" else answers.pop(0)

    challenge = 'Bearer realm="{realm}", Bearer realm="{realm}"'
    with serving(TokenRegistry(challenge=challenge, realm="http://auth.example/token")) as server:
        policy = replace(HERE, resolver=resolver)
        result = probe(f"http://registry.example:{server.port}", USER, PASSWORD, policy)
    assert result.reason is Reason.REALM_BLOCKED
    assert len(answers) == 1


@pytest.mark.parametrize(
    "realm", ["http://10.0.0.1/token", "http://auth.localhost/token", "http://[fd12::1]/t"]
)
def test_a_realm_may_not_lie_further_inside_than_a_public_registry(realm: str) -> None:
    with scripted(TokenRegistry(realm=realm)) as server, connect_proxy(server) as proxy:
        policy = replace(
            HERE, proxy=f"http://127.0.0.1:{proxy.port}", resolver=lambda host, port: ["8.8.8.8"]
        )
        result = probe("http://registry.example", USER, PASSWORD, policy)
    assert (result.reason, result.cause) == (Reason.REALM_BLOCKED, "realm_inside")
    assert server.authorizations() == [None]


def test_a_token_service_that_refuses_connections_is_named() -> None:
    with silent_port() as port:
        result, _ = run_probe(TokenRegistry(realm=f"http://localhost:{port}/token"))
    assert (result.reason, result.cause) == (Reason.TOKEN_SERVICE_UNREACHABLE, "connection_refused")
    assert result.message("zh") == f"无法访问令牌服务 localhost:{port}（连接被拒绝，端口未监听）"
    assert result.message("en") == f"Token service localhost:{port} unreachable (Connection refused)"
    assert "Check the port" in result.hint("en")
    assert [(s.name, s.ok) for s in result.steps][-1] == ("connect", False)


def test_a_token_service_without_a_name_is_named() -> None:
    def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "registry.example" else []

    with serving(TokenRegistry(realm="http://auth.internal/token")) as server:
        policy = replace(HERE, resolver=resolver)
        result = probe(f"http://registry.example:{server.port}", USER, PASSWORD, policy)
    assert (result.reason, result.cause) == (Reason.TOKEN_SERVICE_UNREACHABLE, "dns_failed")


def test_a_token_service_that_hangs_up_is_named() -> None:
    result, _ = run_probe(TokenRegistry(token=Reply(raw=b"", close=True)))
    assert (result.reason, result.cause) == (Reason.TOKEN_SERVICE_UNREACHABLE, "connection_reset")


def test_a_realm_that_was_not_taken_is_not_named() -> None:
    def script(request: Request) -> Reply:
        if request.authorization == basic(USER, PASSWORD):
            return registry_ok()
        return unauthorized('Bearer realm="http://169.254.169.254/token"', "Basic")

    with scripted(script) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert (result.reason, result.token_host) == (Reason.OK, None)


def test_of_several_broken_realms_the_first_is_told() -> None:
    challenge = 'Bearer realm="http://169.254.169.254/token", Bearer realm="/relative"'
    assert run_probe(TokenRegistry(challenge=challenge))[0].reason is Reason.REALM_BLOCKED
