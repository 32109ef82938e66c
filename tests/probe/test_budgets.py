"""Limits of time and requests: a server cannot make a probe take longer, or send more, than allowed."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from registries.probe import Reason, Result, Step, probe
from registries.probe.connection import Connection, Dialer
from registries.probe.deadline import Deadline
from registries.probe.tls import TcpSocket
from registries.probe.trace import Trace
from tests.peers.scripted import (
    HERE,
    V2,
    Reply,
    Request,
    ScriptedServer,
    basic,
    registry_ok,
    scripted,
    unauthorized,
    wait_for,
)
from tests.probe.timed import SHORT, SLACK, timed

pytest_plugins = ("tests.peers.clock",)


def drip(text: bytes = b"x") -> Iterator[bytes]:
    """Sends for at least a minute."""
    return itertools.repeat(text, 1200)


def cut_off(server: ScriptedServer, reached: Callable[[], bool]) -> tuple[Result, float]:
    """A probe whose time ran out after `reached`, and how long it took beyond that. On a slow machine the time may
    run out earlier; then the limit is raised."""
    for seconds in (0.5, 5.0, 50.0):
        result, lasted = timed(server.address, replace(SHORT, total_timeout=seconds))
        if reached():
            return result, lasted - seconds
    pytest.fail("the server was not reached within 50 seconds")


def test_a_silent_server_runs_into_the_read_timeout() -> None:
    with scripted(lambda request: Reply(delay=100)) as server:
        result, seconds = timed(server.address, replace(HERE, read_timeout=0.3))
    assert result.reason is Reason.TIMEOUT
    assert seconds < 0.3 + SLACK


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nX-Header: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nDocker-Distribution-Api-Version: registry/2.0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 60000\r\n\r\n",
    ],
    ids=["status line", "headers", "one header", "body", "endless body", "401"],
)
def test_a_dripping_server_cannot_stretch_a_test(start: bytes) -> None:
    with scripted(lambda request: Reply(raw=start, pieces=drip(), pause=0.05)) as server:
        result, seconds = timed(server.address, SHORT)
    assert result.reason is Reason.TIMEOUT
    assert SHORT.total_timeout <= seconds < SHORT.total_timeout + SLACK
    assert not result.ok


def test_an_endless_chunk_header_cannot_stretch_a_test() -> None:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with scripted(lambda request: Reply(raw=start, pieces=drip(b"0"), pause=0.05)) as server:
        result, seconds = timed(server.address, SHORT)
    assert result.reason is Reason.TIMEOUT
    assert seconds < SHORT.total_timeout + SLACK


@pytest.mark.parametrize("status", [b"100 Continue", b"103 Early Hints"])
def test_endless_interim_responses_cannot_stretch_a_test(status: bytes) -> None:
    interim = b"HTTP/1.1 %s\r\n\r\n" % status
    with scripted(lambda request: Reply(raw=interim, pieces=drip(interim), pause=0.05)) as server:
        result, seconds = timed(server.address, SHORT)
    assert result.reason is Reason.TIMEOUT
    assert seconds < SHORT.total_timeout + SLACK


def test_an_endless_tls_handshake_cannot_stretch_a_test() -> None:
    """The server announces a record of 16 KiB and sends it byte by byte."""
    stop = threading.Event()

    def greet(connection: socket.socket) -> bool:
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while not stop.wait(0.05):
            connection.sendall(b"\x02")
        return False

    with scripted(lambda request: registry_ok(), greet=greet) as server:
        result, seconds = timed(server.netloc, SHORT)
        stop.set()
    assert result.reason is Reason.TIMEOUT
    assert seconds < SHORT.total_timeout + SLACK


def test_a_dripping_proxy_cannot_stretch_a_test() -> None:
    """The proxy sends the head of its answer to CONNECT byte by byte."""

    def greet(connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        with contextlib.suppress(OSError):
            for byte in drip():
                connection.sendall(byte)
                time.sleep(0.05)
        return False

    with scripted(lambda request: registry_ok(), greet=greet) as proxy:
        policy = replace(
            SHORT, proxy=f"http://127.0.0.1:{proxy.port}", resolver=lambda host, port: ["192.0.2.1"]
        )
        result, seconds = timed("registry.example", policy)
    assert result.reason is Reason.TIMEOUT
    assert seconds < SHORT.total_timeout + SLACK


def test_a_server_that_reads_slowly_cannot_stretch_a_test() -> None:
    ours, theirs = socket.socketpair()
    connection = Connection(Dialer(Deadline(0.3), Trace(), 5), "registry.example", 80)
    connection.sock, connection.timeout = TcpSocket(ours), 100

    def read() -> None:
        with contextlib.suppress(OSError):
            while theirs.recv(1024):
                time.sleep(0.05)

    with ours, theirs:
        threading.Thread(target=read, daemon=True).start()
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.send(b"x" * 1_000_000)
    assert time.monotonic() - started < SLACK


@pytest.mark.parametrize(
    ("took", "passed", "waits"), [(3, 0, 3), (1, 0, 2), (60, 0, 10), (3, 2, 1), (3, 4, 0), (0, 1, 1)]
)
def test_a_server_has_as_long_to_close_a_connection_as_it_took_to_answer(
    took: float, passed: float, waits: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most 10 seconds here, and at least a fifth of that."""
    clock = SimpleNamespace(now=50.0)
    monkeypatch.setattr("registries.probe.connection.time", SimpleNamespace(monotonic=lambda: clock.now))
    ours, theirs = socket.socketpair()
    connection = Connection(Dialer(Deadline(100), Trace(), 5), "registry.example", 80)
    connection.sock, connection.timeout = TcpSocket(ours), 100
    with ours, theirs:
        connection.request("GET", "/v2/", None, {})
        clock.now += took
        connection.answered()
    clock.now += passed
    assert connection.closing(10) == pytest.approx(waits)


def test_the_deadline_holds_over_all_requests_together() -> None:
    """Each response arrives in time, but all together take too long."""

    def script(request: Request) -> Reply:
        return replace(registry_ok(), delay=0.35)

    with scripted(script) as server:
        result, seconds = timed(server.address, replace(SHORT, total_timeout=0.6))
    assert result.reason is Reason.TIMEOUT
    assert seconds < 0.6 + SLACK


def test_a_token_service_that_drips_is_named_and_cut_off() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n", pieces=drip(b" "), pause=0.05)
        return unauthorized(f'Bearer realm="http://{request.header("host")}/token"')

    with scripted(script) as server:
        result, beyond = cut_off(
            server, lambda: server.requests[-1:] != [] and server.requests[-1].path == "/token"
        )
    assert (result.reason, result.cause) == (Reason.TOKEN_SERVICE_UNREACHABLE, "timeout")
    assert beyond < SLACK


def test_connections_are_cut_when_the_deadline_passes() -> None:
    cut = threading.Event()

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            cut.set()

    start = b"HTTP/1.1 200 OK\r\nX: "
    with scripted(lambda request: Reply(raw=start, pieces=pieces(), pause=0.02)) as server:
        cut_off(server, lambda: server.requests != [])
        assert wait_for(cut.is_set), "the server sees that the connection is closed"


def test_a_request_with_credentials_is_not_repeated_when_the_connection_breaks() -> None:
    def script(request: Request) -> Reply:
        return Reply(raw=b"", close=True) if request.authorization else unauthorized("Basic")

    with scripted(script) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert result.reason is Reason.CONNECTION_RESET
    assert server.authorizations() == [None, basic("admin", "secret")]


def test_a_server_that_closes_after_each_answer_is_connected_to_again() -> None:
    def script(request: Request) -> Reply:
        reply = registry_ok() if request.authorization else unauthorized("Basic")
        return replace(reply, headers=[*reply.headers, ("Connection", "close")], close=True)

    with scripted(script) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert (result.reason, result.connections) == (Reason.OK, 2)


def test_many_tests_at_once_do_not_disturb_each_other() -> None:
    def script(request: Request) -> Reply:
        if request.authorization is None:
            return unauthorized("Basic")
        return registry_ok() if request.authorization == basic("admin", "secret") else unauthorized("Basic")

    results: dict[int, Result] = {}

    def one(number: int) -> None:
        results[number] = probe(server.address, "admin", "secret" if number % 2 else "wrong", HERE)

    with scripted(script) as server:
        threads = [threading.Thread(target=one, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {n for n, result in results.items() if result.reason is Reason.OK} == set(range(1, 24, 2))
    assert {r.reason for n, r in results.items() if not n % 2} == {Reason.BAD_CREDENTIALS}


def test_nothing_is_left_behind() -> None:
    """No thread and no descriptor stays open: a console runs for months."""

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with scripted(lambda request: Reply(200, V2)) as server:
        probe(server.address, "admin", "secret", HERE)
        before = (threading.active_count(), descriptors())
        for _ in range(5):
            probe(server.address, "admin", "secret", HERE)
        assert wait_for(lambda: threading.active_count() <= before[0] + 1)
        assert wait_for(lambda: descriptors() <= before[1] + 2)


def test_steps_are_named_and_timed(clock: SimpleNamespace) -> None:
    def script(request: Request) -> Reply:
        clock.now += 0.1
        return unauthorized("Negotiate")

    with scripted(script) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert all(isinstance(step, Step) for step in result.steps)
    spent = [(step.name, step.milliseconds) for step in result.steps]
    assert spent == [("resolve", 0), ("connect", 0), ("ping", 100)], "the ping's time is not the connection's"
    assert result.duration_ms == 100
