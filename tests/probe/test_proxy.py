"""Proxies: which requests use them, and that they bypass no rule."""

from dataclasses import replace

import pytest

from registries.probe import Policy, Reason, probe
from registries.probe.proxy import proxy_for
from tests.peers.connect_proxy import connect_proxy
from tests.peers.scripted import HERE, Reply, Request, basic, registry_ok, scripted, silent_port, unauthorized
from tests.peers.token_registry import PASSWORD, USER, TokenRegistry


def _basic_only(request: Request) -> Reply:
    return registry_ok() if request.authorization else unauthorized("Basic")


def _unknown(host: str, port: int) -> list[str]:
    raise OSError("no such name")


def _proxy_for_plain_text(request: Request) -> Reply:
    """A forward proxy (RFC 9112, 3.2.2) in front of a registry with Basic authentication."""
    if request.header("proxy-authorization") is None:
        return Reply(407, [("Proxy-Authenticate", "Basic")])
    return _basic_only(request)


def test_a_proxy_that_resolves_names_gets_them() -> None:
    with scripted(_proxy_for_plain_text) as proxy:
        policy = replace(
            HERE, proxy=f"http://p:q@127.0.0.1:{proxy.port}", resolver=_unknown, proxy_resolves=True
        )
        result = probe("http://registry.example", "admin", "x", policy)
        assert result.reason is Reason.OK
        assert [request.target for request in proxy.requests] == ["http://registry.example/v2/"] * 2
        without_password = replace(policy, proxy=f"http://127.0.0.1:{proxy.port}")
        assert probe("http://registry.example", "a", "x", without_password).reason is Reason.PROXY_ERROR
        assert probe("registry.example", "a", "x", policy).reason is Reason.PROXY_ERROR, "no CONNECT here"


def test_a_proxy_does_not_open_what_the_rules_close() -> None:
    with scripted(_proxy_for_plain_text) as proxy:
        policy = replace(HERE, proxy=f"http://p:q@127.0.0.1:{proxy.port}")
        assert probe("http://169.254.169.254", "a", "x", policy).reason is Reason.BLOCKED_ADDRESS
        rebound = replace(policy, resolver=lambda host, port: ["169.254.169.254"])
        assert probe("http://registry.example", "a", "x", rebound).reason is Reason.BLOCKED_ADDRESS
    assert proxy.connections == 0


def test_hosts_can_be_exempt_from_the_proxy() -> None:
    with silent_port() as nobody, scripted(_basic_only) as server:
        policy = replace(
            HERE,
            proxy=f"http://127.0.0.1:{nobody}",
            no_proxy=(".corp.example",),
            resolver=lambda host, port: ["127.0.0.1"],
        )
        direct = probe(f"http://harbor.corp.example:{server.port}", "a", "x", policy)
        through = probe(f"http://harbor.example:{server.port}", "a", "x", policy)
        assert probe(server.address, "a", "x", policy).reason is Reason.OK, "localhost never goes through it"
    assert direct.reason is Reason.OK
    assert (through.reason, through.cause) == (Reason.PROXY_ERROR, "connection_refused")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_environment_does_not_redirect_a_test(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    with scripted(_basic_only) as server:
        policy = replace(HERE, resolver=lambda host, port: ["127.0.0.1"])
        assert probe(f"http://registry.example:{server.port}", "a", "x", policy).reason is Reason.OK


@pytest.mark.parametrize(
    ("entry", "exempt"),
    [
        ("*", True),
        ("example", True),
        (".example", True),
        ("HARBOR.Example", True),
        (" harbor.example. ", False),
        ("harbor.example:443", True),
        ("harbor.example:8443", False),
        ("arbor.example", False),
        ("other.example", False),
        ("a.harbor.example", False),
        ("10.0.0.0/8", False),
        ("harbor.example:port", False),
        (":443", False),
        (".", False),
        ("", False),
        ("*.example", True),
        (" *.Example:443 ", True),
        ("*.example:8443", False),
        ("*.harbor.example", False),
        (".harbor.example", False),
        ("..example", False),
        ("*example", False),
        ("*.*.example", False),
        ("har*.example", False),
        ("*.", False),
    ],
)
def test_no_proxy_names_hosts_as_go_has_it(entry: str, exempt: bool) -> None:
    policy = Policy(proxy="http://proxy:3128", no_proxy=(entry,))
    assert (proxy_for(policy, "harbor.example", 443) is None) is exempt


@pytest.mark.parametrize(
    ("entry", "host", "exempt"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.1/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("fd00::/8", "fd12::1", True),
        ("fd00::/8", "10.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("10.1.2.3:80", "10.1.2.3", False),
        ("FD12::0001", "fd12::1", True),
        ("[fd12::1]", "fd12::1", False),
        ("[fd12::1]:443", "fd12::1", True),
        ("[fd12::1]:80", "fd12::1", False),
        ("2.3", "10.1.2.3", True),
        ("10.0.0.0/99", "10.1.2.3", False),
        ("anything", "127.0.0.9", True),
        ("anything", "::1", True),
    ],
)
def test_no_proxy_names_addresses_and_networks(entry: str, host: str, exempt: bool) -> None:
    policy = Policy(proxy="http://proxy:3128", no_proxy=("x.example", entry))
    assert (proxy_for(policy, host, 443) is None) is exempt


def test_a_token_service_may_be_reached_without_the_registrys_proxy() -> None:
    registry = TokenRegistry()
    with scripted(registry) as service, scripted(registry) as server, connect_proxy(server) as proxy:
        registry.realm = f"http://auth.corp.example:{service.port}/service/token"
        policy = replace(
            HERE,
            proxy=f"http://127.0.0.1:{proxy.port}",
            no_proxy=("auth.corp.example",),
            resolver=lambda host, port: ["127.0.0.1"],
        )
        assert probe("http://registry.corp.example", USER, PASSWORD, policy).reason is Reason.OK
    assert basic(USER, PASSWORD) in service.authorizations()
    assert basic(USER, PASSWORD) not in server.authorizations()
    assert set(proxy.targets) == {"127.0.0.1:80"}


@pytest.mark.parametrize(
    "proxy",
    ["socks5://127.0.0.1:1", "https://127.0.0.1:1", "http://", "http://a:99999", "ftp://x", "http://[::1"],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_of_another_kind_is_told_and_not_gone_around(scheme: str, proxy: str) -> None:
    with scripted(_basic_only) as server:
        policy = replace(HERE, proxy=proxy, resolver=lambda host, port: ["127.0.0.1"])
        result = probe(f"{scheme}://registry.example:{server.port}", "a", "x", policy)
    assert (result.reason, result.cause) == (Reason.PROXY_ERROR, "bad_proxy")
    assert "http://host:port" in result.hint("en")
    assert server.connections == 0


def test_a_proxy_may_be_named_without_a_scheme() -> None:
    with scripted(_proxy_for_plain_text) as proxy:
        policy = replace(HERE, proxy=f"p:q@127.0.0.1:{proxy.port}", resolver=_unknown, proxy_resolves=True)
        assert probe("http://registry.example", "admin", "x", policy).reason is Reason.OK


def test_a_proxy_without_a_name_is_the_proxys_fault() -> None:
    def resolver(host: str, port: int) -> list[str]:
        return {"registry.example": ["8.8.8.8"]}.get(host, [])

    policy = replace(HERE, proxy="http://proxy.example", resolver=resolver)
    result = probe("registry.example", "a", "x", policy)
    assert (result.reason, result.cause) == (Reason.PROXY_ERROR, "dns_failed")


def test_a_proxy_gets_the_judged_address_also_for_plain_http() -> None:
    """It replaces the Host header of a forwarded request (RFC 9112, 3.2.2), so a tunnel is used for http as well."""
    with scripted(_basic_only) as server, connect_proxy(server) as proxy:
        policy = replace(
            HERE, proxy=f"http://127.0.0.1:{proxy.port}", resolver=lambda host, port: ["2606:4700::1"]
        )
        assert probe("http://registry.example:5000", "a", "x", policy).reason is Reason.OK
    assert proxy.targets == ["[2606:4700::1]:5000"]
    assert {request.header("host") for request in server.requests} == {"registry.example:5000"}


def test_a_name_that_only_the_proxy_knows_was_not_judged() -> None:
    with scripted(_basic_only) as server, connect_proxy(server) as proxy:
        policy = replace(HERE, proxy=f"http://127.0.0.1:{proxy.port}", resolver=_unknown)
        refused = probe("http://registry.example", "a", "x", policy)
    assert (refused.reason, refused.cause) == (Reason.DNS_FAILED, "proxy_names")
    assert all("CONSOLE_PROBE_PROXY_RESOLVES" in refused.hint(language) for language in ("zh", "en"))
    assert proxy.heads == []


@pytest.mark.parametrize(
    ("status", "readable"),
    [
        ("403 Forbidden", True),
        ("407 Login", True),
        ("502 x", True),
        ("600", True),
        ("20", False),
        ("", False),
    ],
)
def test_a_proxy_that_takes_names_only_is_told(status: str, readable: bool) -> None:
    with scripted(_basic_only) as server, connect_proxy(server, lambda target: status.encode()) as proxy:
        policy = replace(
            HERE, proxy=f"http://127.0.0.1:{proxy.port}", resolver=lambda host, port: ["8.8.8.8", "8.8.4.4"]
        )
        result = probe("registry.example", "a", "x", policy)
    assert result.reason is Reason.PROXY_ERROR
    assert proxy.targets == ["8.8.8.8:443", "8.8.4.4:443"]
    assert ("CONSOLE_PROBE_PROXY_RESOLVES" in result.hint("en")) is readable
    assert "Forbidden" not in result.detail


def test_a_proxy_without_ipv6_gets_the_next_address() -> None:
    def answer(target: str) -> bytes:
        return b"502 No route" if target.startswith("[") else b"200 OK"

    with scripted(_basic_only) as server, connect_proxy(server, answer) as proxy:
        policy = replace(
            HERE,
            proxy=f"http://127.0.0.1:{proxy.port}",
            resolver=lambda host, port: ["2606:4700::1", "8.8.8.8"],
        )
        assert probe("http://registry.example", "a", "x", policy).reason is Reason.OK
    assert proxy.targets == ["[2606:4700::1]:80", "8.8.8.8:80"]


@pytest.mark.parametrize(("private", "blocked"), [(True, False), (False, True)])
def test_only_a_private_registry_behind_a_proxy_may_have_a_private_realm(
    private: bool, blocked: bool
) -> None:
    registry = TokenRegistry(realm="http://auth.corp.example/service/token")

    def resolver(host: str, port: int) -> list[str]:
        return ["10.0.0.3"] if private or host.startswith("auth") else ["8.8.8.8"]

    with scripted(registry) as server, connect_proxy(server) as proxy:
        policy = replace(HERE, proxy=f"http://127.0.0.1:{proxy.port}", resolver=resolver)
        result = probe("http://registry.corp.example", USER, PASSWORD, policy)
    assert (result.reason is Reason.REALM_BLOCKED, result.ok) == (blocked, not blocked)
    assert result.cause == ("realm_inside" if blocked else None)


@pytest.mark.parametrize(("realm", "ok"), [("auth.corp.example", True), ("auth.example.net", False)])
def test_a_realm_that_only_the_proxy_knows_belongs_to_the_registry(realm: str, ok: bool) -> None:
    registry = TokenRegistry(realm=f"http://{realm}/service/token")
    with scripted(lambda request: _forwarded(registry, request)) as proxy:
        policy = replace(HERE, proxy=f"http://127.0.0.1:{proxy.port}", resolver=_unknown, proxy_resolves=True)
        result = probe("http://registry.corp.example", USER, PASSWORD, policy)
    assert (result.reason is Reason.OK) is ok
    assert result.cause == (None if ok else "realm_elsewhere")


def _forwarded(registry: TokenRegistry, request: Request) -> Reply:
    return registry(replace(request, target="/" + request.target.split("/", 3)[3]))
