"""Which private hosts a registry may name as its token service."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.probe import Policy, Reason, probe
from registries.probe.realm_hosts import belongs, is_named, is_public_suffix
from tests.peers.connect_proxy import connect_proxy
from tests.peers.scripted import HERE, basic, scripted
from tests.peers.token_registry import PASSWORD, USER, TokenRegistry

TOGETHER = [
    ("registry.corp.example", "gitlab.corp.example"),
    ("registry.corp.example", "corp.example"),
    ("registry.gitlab.corp.example", "gitlab.corp.example"),
    ("registry.corp.example", "a.b.corp.example"),
    ("registry.example.co.uk", "auth.example.co.uk"),
    ("harbor.example.com.cn", "auth.example.com.cn"),
    ("harbor.example.cn", "auth.example.cn"),
    ("example.com", "auth.example.com"),
    ("example.co.uk", "auth.example.co.uk"),
    ("core.harbor.svc.cluster.local", "token.harbor.svc.cluster.local"),
    ("harbor.localhost", "auth.localhost"),
    ("localhost", "auth.localhost"),
    ("registry", "registry"),
    ("10.0.0.1", "10.0.0.1"),
    ("registry-vpc.cn-hangzhou.aliyuncs.com", "dockerauth-vpc.cn-hangzhou.aliyuncs.com"),
    ("crpi-a1b2c3d4.cn-hangzhou.personal.cr.aliyuncs.com", "dockerauth.cn-hangzhou.aliyuncs.com"),
    (
        "crpi-a1b2c3d4-vpc.cn-zhangjiakou.personal.cr.aliyuncs.com",
        "dockerauth-vpc.cn-zhangjiakou.aliyuncs.com",
    ),
    ("team-registry-vpc.cn-hangzhou.cr.aliyuncs.com", "dockerauth-ee-vpc.cn-hangzhou.aliyuncs.com"),
]
APART = [
    ("registry.corp.example", "gitlab.other.example"),
    ("registry.corp.example", "example"),
    ("registry.corp.example", "evilcorp.example"),
    ("registry.corp.example", "corp.example.evil.example"),
    ("registry.corp.example", "10.0.0.1"),
    ("corp.example", "other.example"),
    ("evil.com", "victim.com"),
    ("evil.co.uk", "victim.co.uk"),
    ("evil.com.cn", "victim.com.cn"),
    ("evil.ac.jp", "victim.ac.jp"),
    ("evil.gouv.fr", "victim.gouv.fr"),
    ("evil.police.uk", "victim.police.uk"),
    ("evil.tokyo.jp", "victim.tokyo.jp"),
    ("evil.chiyoda.tokyo.jp", "victim.chiyoda.tokyo.jp"),
    ("evil.roma.it", "victim.roma.it"),
    ("evil.xn--55qx5d.cn", "victim.xn--55qx5d.cn"),
    ("evil.github.io", "victim.github.io"),
    ("evil.s3.amazonaws.com", "victim.s3.amazonaws.com"),
    ("a-10-0-0-1.nip.io", "a-10-0-0-2.nip.io"),
    ("10.0.0.1.nip.io", "10.0.0.2.nip.io"),
    ("10.0.0.1.sslip.io", "9.0.0.1.sslip.io"),
    ("evil.cn-hangzhou.cr.aliyuncs.com", "victim.cn-hangzhou.cr.aliyuncs.com"),
    ("crpi-evil.cn-hangzhou.personal.cr.aliyuncs.com", "crpi-victim.cn-hangzhou.personal.cr.aliyuncs.com"),
    ("evil.example", "dockerauth-vpc.cn-hangzhou.aliyuncs.com"),
    ("a.one.svc.cluster.local", "kubernetes.default.svc.cluster.local"),
    ("one.svc.cluster.local", "two.svc.cluster.local"),
    ("registry", "vault"),
    ("registry.lan", "vault.lan"),
    ("registry.svc", "kubernetes.svc"),
    ("10.0.0.1", "10.0.0.2"),
    ("10.0.0.1", "a.0.0.1"),
    ("fd12::1", "fd12::2"),
    ("localhost", "127.0.0.1"),
]


@pytest.mark.parametrize(("registry", "realm"), TOGETHER)
def test_hosts_under_one_parent_belong_together(registry: str, realm: str) -> None:
    assert belongs(realm, registry)


@pytest.mark.parametrize(("registry", "realm"), APART)
def test_other_hosts_do_not(registry: str, realm: str) -> None:
    assert not belongs(realm, registry)


@given(st.lists(st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True), min_size=1, max_size=5).map(".".join))
def test_nobody_belongs_to_a_public_suffix(domain: str) -> None:
    assert belongs(f"a.{domain}", f"b.{domain}") is not is_public_suffix(domain)


@pytest.mark.parametrize(
    ("entry", "host", "port", "named"),
    [
        ("vault.example", "vault.example", 443, True),
        ("vault.example:8443", "vault.example", 443, False),
        ("vault.example:8443", "vault.example", 8443, True),
        (".corp.example", "auth.corp.example", 443, True),
        ("10.0.0.0/24", "10.0.0.7", 443, True),
        ("10.0.0.0/24", "10.0.1.7", 443, False),
        ("10.0.0.0/24", "vault.example", 443, False),
        ("vault.example", "evilvault.example", 443, False),
    ],
)
def test_a_setting_names_hosts_as_no_proxy_does(entry: str, host: str, port: int, named: bool) -> None:
    assert is_named(host, port, Policy(realm_hosts=(entry,))) is named


def probe_with(
    realm: str, registry: str, inside: dict[str, str], realm_hosts: tuple[str, ...] = ()
) -> tuple[str, str | None, bool]:
    """Reason and cause of a probe of `registry`, whose realm is at another host, and whether the password was sent.
    All connections lead to the same server, by a proxy that takes addresses."""
    script = TokenRegistry(realm=f"http://{realm}/service/token")
    with scripted(script) as server, connect_proxy(server) as proxy:
        policy = replace(
            HERE,
            proxy=f"http://127.0.0.1:{proxy.port}",
            resolver=lambda host, port: [inside[host]],
            realm_hosts=realm_hosts,
        )
        result = probe(f"http://{registry}", USER, PASSWORD, policy)
    return result.reason, result.cause, basic(USER, PASSWORD) in server.authorizations()


def test_a_private_realm_beside_a_private_registry() -> None:
    inside = {
        "registry.corp.example": "10.0.0.1",
        "gitlab.corp.example": "10.0.0.2",
        "vault.example": "10.0.0.3",
    }
    registry = "registry.corp.example"

    assert probe_with("gitlab.corp.example:8080", registry, inside) == (Reason.OK, None, True)
    assert probe_with("vault.example", registry, inside) == (Reason.REALM_BLOCKED, "realm_elsewhere", False)
    assert probe_with("vault.example", registry, inside, realm_hosts=("vault.example",)) == (
        Reason.OK,
        None,
        True,
    )


@pytest.mark.parametrize(
    "address", ["10.0.0.2", "[fd12::2]", "8.8.8.8", "[2606:4700::1]", "127.0.0.1", "[::ffff:10.0.0.1]"]
)
def test_a_realm_at_an_address_is_the_registrys_own(address: str) -> None:
    inside = {"registry.corp.example": "10.0.0.1"}
    reason, cause, sent = probe_with(address, "registry.corp.example", inside)

    assert (reason, sent) == (Reason.REALM_BLOCKED, False)
    assert cause in ("realm_elsewhere", "realm_inside")


def test_the_registrys_own_address_is_taken() -> None:
    inside = {"registry.corp.example": "10.0.0.1"}
    assert probe_with("10.0.0.1:8080", "registry.corp.example", inside) == (Reason.OK, None, True)
    assert probe_with("10.0.0.1:8080", "10.0.0.1", inside) == (Reason.OK, None, True)


def test_one_private_address_of_several_is_enough_to_be_inside() -> None:
    def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "registry.example" else ["8.8.8.8", "10.0.0.1"]

    with scripted(TokenRegistry(realm="http://auth.other.example/token")) as server:
        policy = replace(HERE, resolver=resolver)
        result = probe(f"http://registry.example:{server.port}", USER, PASSWORD, policy)
    assert (result.reason, result.cause) == (Reason.REALM_BLOCKED, "realm_elsewhere")
    assert result.steps[-1].host == "", "the host was not judged"
    assert all("CONSOLE_PROBE_REALM_HOSTS" in result.hint(language) for language in ("zh", "en"))


def test_a_public_realm_may_be_anywhere() -> None:
    inside = {"registry.corp.example": "10.0.0.1", "auth.other.example": "8.8.8.8"}
    assert probe_with("auth.other.example", "registry.corp.example", inside) == (Reason.OK, None, True)
