"""Large answers that clients do not read: the server keeps a bounded number of their bytes, and answers others."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from console import outbox as outbox_module
from console.outbox import MOST_IN_ALL, RATE, SILENT, Budget, Outbox
from tests.peers.answering import ANSWER
from tests.peers.command import ROOT, environment
from tests.peers.ports import free_port

CLIENTS = 150
"""Their answers are many times what is kept."""
SOON = 20.0


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    number, folder = free_port(), tmp_path_factory.mktemp("unread")
    command = [sys.executable, "-m", "tests.peers.answering", f"127.0.0.1:{number}"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=subprocess.PIPE) as server:
        assert server.stdout
        assert server.stdout.readline() == b"serves\n"
        yield number
        server.terminate()


def waiting(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/budget", timeout=SOON) as answer:
        return int(answer.read())


def asks(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return client


def received(client: socket.socket) -> int:
    """The bytes until the end, or until the server closes the connection."""
    count = 0
    client.settimeout(SOON)
    try:
        while count < ANSWER and (piece := client.recv(2**20)):
            count += len(piece)
    except ConnectionResetError:
        pass
    return count


def test_what_waits_is_bounded(port: int) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(asks(port)) for _ in range(CLIENTS)]
        end, highest = time.monotonic() + SOON, 0
        while highest < MOST_IN_ALL / 2 and time.monotonic() < end:
            highest = max(highest, waiting(port))
        assert highest >= MOST_IN_ALL / 2, "they are kept at all"
        later = stack.enter_context(asks(port))
        assert received(later) >= ANSWER, "who reads gets the whole answer"
        time.sleep(2)
        assert waiting(port) <= MOST_IN_ALL
        assert any(received(it) >= ANSWER for it in clients), "not all were given up"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [time.monotonic()]
    monkeypatch.setattr(outbox_module.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("size", [2**20, 2**21, 4 * 2**20])
@pytest.mark.parametrize("pace", [0.5, 2.0])
def test_a_client_that_reads_too_little_is_stuck(clock: list[float], size: int, pace: float) -> None:
    """It takes some bytes every few seconds, so it is never silent."""
    server, client = socket.socketpair()
    with server, client:
        outbox = Outbox(server, Budget(), lambda outbox: None)
        while not outbox.is_waiting:
            outbox.sendall(b"x" * 2**16)
        outbox.sendall(b"x" * size)
        step = SILENT / 3
        while outbox.is_waiting and not outbox.is_stuck:
            client.recv(round(RATE * pace * step))
            outbox.flush()
            clock[0] += step

        assert outbox.is_waiting is (pace < 1)


def test_who_takes_all_again_and_again_is_never_stuck(clock: list[float]) -> None:
    server, client = socket.socketpair()
    with server, client:
        outbox = Outbox(server, Budget(), lambda outbox: None)
        for _ in range(20):
            while not outbox.is_waiting:
                outbox.sendall(b"x" * 2**16)
            clock[0] += SILENT * 0.9
            assert not outbox.is_stuck
            while outbox.is_waiting:
                client.recv(2**20)
                outbox.flush()
