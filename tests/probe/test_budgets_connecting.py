"""The time to connect: silent TLS servers, dead addresses and slow DNS."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from registries.probe import Reason, probe
from registries.probe.connection import Dialer
from tests.peers.scripted import HERE, registry_ok, scripted, unauthorized
from tests.probe.timed import SHORT, SLACK, timed

pytest_plugins = ("tests.peers.clock",)


def test_a_silent_tls_server_runs_into_the_connect_timeout() -> None:
    stop = threading.Event()
    with scripted(lambda request: registry_ok(), greet=lambda connection: stop.wait(100)) as server:
        result, seconds = timed(server.netloc, replace(HERE, connect_timeout=0.3))
        stop.set()
    assert result.reason is Reason.TIMEOUT
    assert seconds < 0.3 + SLACK


@contextmanager
def dead_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A listener with a full backlog: the kernel drops further connections."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        yield port


def test_a_dead_address_runs_into_the_connect_timeout() -> None:
    with dead_port() as port:
        policy = replace(HERE, connect_timeout=0.3, read_timeout=0.3)
        result, seconds = timed(f"http://127.0.0.1:{port}", policy)
    assert result.reason is Reason.TIMEOUT
    assert seconds < 0.6 + SLACK


def test_a_dead_address_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """All addresses share the connect timeout. The test records the share of each; the dead address times out."""
    given: dict[str, float] = {}
    opened = Dialer._open

    def note(self: Dialer, address: str, port: int, seconds: float) -> socket.socket:
        given[address] = seconds
        return opened(self, address, port, 0.3 if address == "127.0.0.2" else seconds)

    monkeypatch.setattr(Dialer, "_open", note)
    with scripted(lambda request: unauthorized("Negotiate")) as server, dead_port("127.0.0.2", server.port):
        policy = replace(HERE, connect_timeout=100, resolver=lambda host, port: ["127.0.0.2", "127.0.0.1"])
        result = probe(f"http://registry.example:{server.port}", "admin", "secret", policy)
    assert result.reason is Reason.UNSUPPORTED_AUTH
    assert 50 - SLACK < given["127.0.0.2"] <= 50
    assert 100 - SLACK < given["127.0.0.1"] < 100, "the time that the dead address left"


def test_slow_dns_is_given_up() -> None:
    released = threading.Event()

    def resolver(host: str, port: int) -> list[str]:
        released.wait(100)
        return ["127.0.0.1"]

    result, seconds = timed("registry.example", replace(HERE, connect_timeout=0.2, resolver=resolver))
    assert (result.reason, result.cause) == (Reason.DNS_FAILED, "dns_timeout")
    assert "DNS 服务器没有及时应答" in result.hint("zh")
    assert seconds < 0.2 + SLACK
    late, seconds = timed("registry.example", replace(SHORT, resolver=resolver))
    assert late.reason is Reason.TIMEOUT
    assert seconds < SHORT.total_timeout + SLACK
    released.set()
