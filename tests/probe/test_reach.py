"""Names and addresses: where a probe connects, and where not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from registries.probe import Reason, probe
from registries.probe.fault import Fault
from registries.probe.harbor import HarborAccount, HarborError, HarborRobots
from registries.probe.mirror import look_at_mirror
from registries.probe.policy import Policy
from registries.probe.post import post
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    ScriptedServer,
    registry_ok,
    scripted,
    unauthorized,
)


def _basic_only(request: Request) -> Reply:
    return registry_ok() if request.authorization else unauthorized("Basic")


def test_an_unroutable_address_is_unreachable() -> None:
    policy = replace(HERE, resolver=lambda host, port: ["2001:db8::1"], connect_timeout=0.5)
    result = probe("registry.example", "admin", "secret", policy)
    assert result.reason in (
        Reason.NETWORK_UNREACHABLE,
        Reason.TIMEOUT,
    )  # depends on the routes of the machine


def _unknown(host: str, port: int) -> list[str]:
    raise OSError("no such name")


@pytest.mark.parametrize("resolver", [_unknown, lambda host, port: []])
def test_an_unknown_name_is_told(resolver: Callable[[str, int], list[str]]) -> None:
    result = probe("registry.example", "admin", "secret", replace(HERE, resolver=resolver))
    assert result.reason is Reason.DNS_FAILED
    assert [(step.name, step.ok) for step in result.steps] == [("resolve", False)]


@pytest.mark.parametrize("name", ["localhost", "harbor.localhost", "a.b.localhost"])
def test_localhost_is_loopback_and_dns_is_not_asked(name: str) -> None:
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"]

    with scripted(lambda request: unauthorized("Digest")) as server:
        result = probe(f"http://{name}:{server.port}", "admin", "x", replace(HERE, resolver=resolver))
        assert result.reason is Reason.UNSUPPORTED_AUTH
        assert server.requests[0].header("host") == f"{name}:{server.port}"
        refused = probe(f"http://{name}:{server.port}", "admin", "x", replace(HERE, allow_loopback=False))
    assert refused.reason is Reason.BLOCKED_ADDRESS
    assert asked == []


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["fe80::1%eth0"]],
)
def test_a_name_that_leads_to_a_refused_address_is_refused(answers: list[str]) -> None:
    result = probe(
        "registry.example",
        "admin",
        "x",
        replace(HERE, allow_loopback=False, resolver=lambda host, port: answers),
    )
    assert result.reason is Reason.BLOCKED_ADDRESS
    assert result.connections == 0


def test_private_addresses_can_be_refused() -> None:
    policy = replace(HERE, resolver=lambda host, port: ["10.0.0.1"], allow_private=False)
    assert probe("registry.example", "admin", "x", policy).reason is Reason.BLOCKED_ADDRESS


def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to() -> None:
    """DNS rebinding: a second DNS answer would be another address."""
    answers = [["127.0.0.1"], ["169.254.169.254"], ["169.254.169.254"]]

    with scripted(_basic_only) as server:
        policy = replace(HERE, resolver=lambda host, port: answers.pop(0))
        result = probe(f"http://registry.example:{server.port}", "admin", "secret", policy)
    assert result.reason is Reason.OK
    assert len(answers) == 2
    assert {request.header("host") for request in server.requests} == {f"registry.example:{server.port}"}


def _post(address: str, policy: Policy) -> object:
    try:
        post(f"{address}/hook", b"{}", {}, policy)
    except Fault as fault:
        return fault.reason
    return None


def _mirror(address: str, policy: Policy) -> object:
    return look_at_mirror(address, policy, "library/nginx", "latest").reason


def _harbor(address: str, policy: Policy) -> object:
    with HarborRobots(address, HarborAccount("u", "p"), policy) as harbor:
        try:
            harbor.find("robot$p+ci")
        except HarborError as error:
            return error.problem
    return None


SENDS = (_post, _mirror, _harbor)


@pytest.mark.parametrize("send", SENDS)
def test_no_other_request_asks_for_a_name_twice_either(send: Callable[[str, Policy], object]) -> None:
    """The server closes each connection, so that each request opens one."""

    def closing(request: Request) -> Reply:
        reply = registry_ok()
        return replace(reply, headers=[*reply.headers, ("Connection", "close")], body=b'{"project_id": 7}')

    answers = [["127.0.0.1"], *[["169.254.169.254"]] * 9]
    with scripted(closing) as server:
        policy = replace(HERE, resolver=lambda host, port: answers.pop(0))
        found = send(f"http://registry.example:{server.port}", policy)

    assert found is not Reason.BLOCKED_ADDRESS
    assert len(answers) == 9
    assert server.requests


@pytest.mark.parametrize("send", SENDS)
@pytest.mark.parametrize("answers", [["169.254.169.254"], ["8.8.8.8", "169.254.169.254"]])
def test_no_other_request_reaches_a_forbidden_address_either(
    send: Callable[[str, Policy], object], answers: list[str]
) -> None:
    policy = replace(HERE, resolver=lambda host, port: answers)

    assert send("http://registry.example:9", policy) is Reason.BLOCKED_ADDRESS


def test_a_dead_address_leaves_the_next_its_chance() -> None:
    with scripted(_basic_only) as server:
        policy = replace(HERE, resolver=lambda host, port: ["127.0.0.2", "127.0.0.1"])
        assert probe(f"http://registry.example:{server.port}", "admin", "x", policy).reason is Reason.OK


def test_docker_hub_is_tested_at_its_registry() -> None:
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(f"{host}:{port}")
        return []

    result = probe("docker.io", "admin", "x", replace(HERE, resolver=resolver))
    assert asked == ["registry-1.docker.io:443"]
    assert result.registry_host == "registry-1.docker.io"


def test_ipv6_works(request: pytest.FixtureRequest) -> None:
    try:
        server = ScriptedServer(_basic_only, bind="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    request.addfinalizer(server.stop)
    assert probe(f"http://[::1]:{server.port}", "admin", "x", HERE).reason is Reason.OK
    assert server.requests[0].header("host") == f"[::1]:{server.port}"
