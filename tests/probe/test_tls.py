"""Certificates and TLS handshakes: which certificates are trusted, and the result for the others."""

import itertools
import socket
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from registries.probe import Policy, Reason, probe
from tests.peers.basic_registry import PASSWORD, USER, registry, run_probe
from tests.peers.certificates import Authority
from tests.peers.scripted import HERE, Reply, scripted, silent_port

pytest_plugins = ("tests.peers.authorities", "tests.peers.clock")


def test_a_trusted_certificate_is_believed(authority: Authority, trusting: Policy) -> None:
    result, server = run_probe(authority, authority.issue("localhost"), trusting)
    assert result.reason is Reason.OK
    assert (result.requests, server.connections) == (2, 1)
    assert [step.name for step in result.steps] == ["resolve", "connect", "tls", "ping", "confirm"]


def test_a_ca_may_come_from_a_file(authority: Authority) -> None:
    policy = replace(HERE, ca_file=str(authority.root.certificate_file))
    assert run_probe(authority, authority.issue("localhost"), policy)[0].reason is Reason.OK


def test_host_header_and_server_name_stay_when_the_address_is_pinned(
    authority: Authority, trusting: Policy
) -> None:
    context = authority.server_context(authority.issue("registry.example"))
    names: list[str | None] = []
    context.sni_callback = lambda connection, name, context: names.append(name)
    with scripted(registry, tls=context) as server:
        policy = replace(trusting, resolver=lambda host, port: ["127.0.0.1"])
        result = probe(f"registry.example:{server.port}", USER, PASSWORD, policy)
    assert result.reason is Reason.OK
    assert names == ["registry.example"]
    assert server.requests[0].header("host") == f"registry.example:{server.port}"


def test_verification_can_be_skipped_and_the_result_says_so(authority: Authority) -> None:
    pair = authority.expired("other.example")
    result, _ = run_probe(authority, pair, replace(HERE, skip_tls_verify=True))
    assert (result.reason, result.warnings) == (Reason.OK, ("tls_not_verified",))


@pytest.mark.filterwarnings("error")
def test_skipping_verification_warns_nobody_else(authority: Authority) -> None:
    pair = authority.issue("other.example")
    assert run_probe(authority, pair, replace(HERE, skip_tls_verify=True))[0].ok


def test_a_client_certificate_that_is_demanded_fails_the_handshake(
    authority: Authority, trusting: Policy
) -> None:
    result, server = run_probe(authority, authority.issue("localhost"), trusting, client_certificate=True)
    assert result.reason in (Reason.TLS_HANDSHAKE_FAILED, Reason.CONNECTION_RESET)
    assert server.requests == []


def test_an_old_protocol_fails_the_handshake(trusting: Policy) -> None:
    def alert(connection: socket.socket) -> bool:
        connection.recv(4096)
        connection.sendall(bytes.fromhex("15030100020246"))  # alert: protocol version
        return False

    with scripted(registry, greet=alert) as server:
        result = probe(server.netloc, USER, PASSWORD, trusting)
    assert result.reason is Reason.TLS_HANDSHAKE_FAILED
    assert "alert protocol version" in result.detail
    assert [(step.name, step.ok) for step in result.steps][-1] == ("tls", False)


def test_a_plain_http_server_is_recognised_and_never_fallen_back_to(trusting: Policy) -> None:
    def talk(connection: socket.socket) -> bool:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return False

    with scripted(registry, greet=talk) as server:
        result = probe(server.netloc, USER, PASSWORD, trusting)
    assert result.reason is Reason.PLAIN_HTTP_SERVER
    assert server.connections == 1
    assert server.requests == []


def test_a_server_that_hangs_up_during_the_handshake_is_a_reset(trusting: Policy) -> None:
    with scripted(registry, greet=lambda connection: bool(connection.recv(4096)) and False) as server:
        assert probe(server.netloc, USER, PASSWORD, trusting).reason is Reason.CONNECTION_RESET


def test_https_is_never_spoken_when_http_was_typed(authority: Authority, trusting: Policy) -> None:
    with scripted(registry, tls=authority.server_context(authority.issue("localhost"))) as server:
        result = probe(f"http://localhost:{server.port}", USER, PASSWORD, trusting)
    assert result.reason in (Reason.HTTPS_REQUIRED, Reason.CONNECTION_RESET)
    assert server.requests == []


@pytest.mark.parametrize("around", ["# 公司根证书\n{}", "subject=CN = x\r\n{}\r\n", "{0}\n{0}"])
def test_a_ca_may_stand_among_other_text(authority: Authority, around: str) -> None:
    policy = replace(HERE, ca_pem=around.format(authority.root.pem))
    assert run_probe(authority, authority.issue("localhost"), policy)[0].reason is Reason.OK


EMPTY_BLOCK = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


@pytest.mark.parametrize(
    "policy",
    [
        Policy(ca_pem="nonsense"),
        Policy(ca_pem="证书"),
        Policy(ca_pem=EMPTY_BLOCK),
        Policy(ca_file="/no/such/file"),
        Policy(ca_file="/"),
    ],
)
def test_an_unreadable_ca_is_a_result(policy: Policy) -> None:
    with silent_port() as port:
        result = probe(f"localhost:{port}", USER, PASSWORD, replace(policy, allow_loopback=True))
    assert (result.reason, result.cause) == (Reason.TLS_UNTRUSTED, "bad_ca")
    assert "配置的 CA 证书无法读取" in result.hint("zh")


def test_a_servers_own_certificate_can_be_trusted_though_a_ca_issued_it(authority: Authority) -> None:
    pair = authority.issue("localhost")
    assert run_probe(authority, pair, replace(HERE, ca_pem=pair.pem))[0].reason is Reason.OK


def test_what_the_system_trusts_is_trusted_beside_what_is_configured(
    authority: Authority, other_authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root.certificate_file))
    policy = replace(HERE, ca_pem=other_authority.root.pem)
    assert run_probe(authority, authority.issue("localhost"), policy)[0].reason is Reason.OK


def test_the_bundle_that_comes_with_requests_is_not_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(authority.root.certificate_file))
    assert run_probe(authority, authority.issue("localhost"), HERE)[0].reason is Reason.TLS_UNTRUSTED


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_does_not_change_the_trust(
    authority: Authority, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(authority.root.certificate_file))
    assert run_probe(authority, authority.issue("localhost"), HERE)[0].reason is Reason.TLS_UNTRUSTED


def test_session_keys_are_not_written_down(
    authority: Authority, trusting: Policy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert run_probe(authority, authority.issue("localhost"), trusting)[0].ok
    assert not (tmp_path / "keys").exists()


def test_a_slow_handshake_is_not_the_pings_time(
    authority: Authority, trusting: Policy, clock: SimpleNamespace
) -> None:
    def slowly(connection: socket.socket) -> bool:
        began = bool(connection.recv(1, socket.MSG_PEEK))
        clock.now += 0.3
        return began

    context = authority.server_context(authority.issue("localhost"))
    with scripted(registry, tls=context, greet=slowly) as server:
        result = probe(server.address, USER, PASSWORD, trusting)
    spent = {step.name: step.milliseconds for step in result.steps}
    assert spent == {"resolve": 0, "connect": 0, "tls": 300, "ping": 0, "confirm": 0}


def test_a_dripping_server_cannot_stretch_a_test_over_tls(authority: Authority, trusting: Policy) -> None:
    """TLS takes the descriptor from the connected socket. The deadline limits the reads of the TLS socket, too."""
    policy = replace(trusting, total_timeout=0.5)
    reply = Reply(raw=b"HTTP/1.1 200 OK\r\nX: ", pieces=itertools.repeat(b"x", 1200), pause=0.05)
    context = authority.server_context(authority.issue("localhost"))
    with scripted(lambda request: reply, tls=context) as server:
        started = time.monotonic()
        result = probe(server.address, USER, PASSWORD, policy)
        seconds = time.monotonic() - started
    assert result.reason is Reason.TIMEOUT
    assert seconds < 30, "the server sends for a minute"
