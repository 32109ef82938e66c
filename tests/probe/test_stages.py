"""The step in which a probe failed: always exactly one, the last."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from registries.probe import Policy, Reason, Result, probe
from registries.probe.trace import Trace
from tests.peers.scripted import HERE, Reply, json_reply, unauthorized
from tests.peers.token_registry import PASSWORD, USER, TokenRegistry, run_probe

SCOPED = unauthorized('Bearer realm="x",error="insufficient_scope",scope="registry:x:*"')


def _probed(registry: TokenRegistry) -> Callable[[], Result]:
    return lambda: run_probe(registry)[0]


def _nowhere(policy: Policy) -> Callable[[], Result]:
    return lambda: probe("registry.example", USER, PASSWORD, policy)


FAILURES = {
    "an address that is refused": (
        _nowhere(replace(HERE, resolver=lambda host, port: ["169.254.169.254"])),
        Reason.BLOCKED_ADDRESS,
        "resolve",
    ),
    "a CA that cannot be read": (_nowhere(replace(HERE, ca_pem="nonsense")), Reason.TLS_UNTRUSTED, "tls"),
    "no challenge": (_probed(TokenRegistry(challenge="")), Reason.BAD_CHALLENGE, "ping"),
    "a realm that is no URL": (_probed(TokenRegistry(realm="/token")), Reason.BAD_CHALLENGE, "ping"),
    "another scheme": (_probed(TokenRegistry(challenge="Negotiate")), Reason.UNSUPPORTED_AUTH, "ping"),
    "a realm that is refused": (
        _probed(TokenRegistry(realm="http://169.254.169.254/t")),
        Reason.REALM_BLOCKED,
        "resolve",
    ),
    "a wrong password": (_probed(TokenRegistry(token=Reply(401))), Reason.BAD_CREDENTIALS, "token"),
    "a token that is none": (
        _probed(TokenRegistry(token=json_reply({}))),
        Reason.TOKEN_INVALID_RESPONSE,
        "token",
    ),
    "a token that is not believed": (
        _probed(TokenRegistry(confirmed=unauthorized('Bearer realm="x"'))),
        Reason.TOKEN_REJECTED,
        "confirm",
    ),
    "an account that is refused": (
        _probed(TokenRegistry(confirmed=Reply(403))),
        Reason.ACCESS_DENIED,
        "confirm",
    ),
    "a scope that does not help": (
        _probed(TokenRegistry(confirmed=SCOPED)),
        Reason.ACCESS_DENIED,
        "confirm",
    ),
    "a registry in trouble": (
        _probed(TokenRegistry(confirmed=Reply(500))),
        Reason.SERVER_ERROR,
        "confirm",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_test_failed_in_its_last_stage_and_in_no_other(name: str) -> None:
    act, reason, stage = FAILURES[name]
    result = act()
    assert result.reason is reason
    assert [step.name for step in result.steps if not step.ok] == [stage]
    assert not result.steps[-1].ok


def test_what_belongs_to_a_step_counts_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the trusted CAs comes before the handshake, reading what the server shows after it."""
    now = [0.0]
    monkeypatch.setattr("registries.probe.trace.time", SimpleNamespace(monotonic=lambda: now[0]))
    trace = Trace()
    with trace.part_of("tls"):
        now[0] += 0.02
    with trace.step("ping", "host"):
        with trace.step("tls", "host"):
            now[0] += 0.005
        with trace.part_of("tls"):
            now[0] += 0.08
        now[0] += 0.001

    assert [(step.name, step.milliseconds) for step in trace.steps] == [("tls", 105.0), ("ping", 1.0)]
    assert trace.milliseconds == 106.0
