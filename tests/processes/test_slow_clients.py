"""Clients that send slowly or nothing hold no thread: the console answers others meanwhile."""

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.peers.command import Serving
from tests.peers.prepared import ready_folder

CLIENTS = 48
SOON = 4.0
STARTS = {
    "silent": b"",
    "one byte": b"G",
    "an empty head": b"\r\n\r\n",
    "a part of the line": b"GET /log-in",
    "a head without end": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Serving(ready_folder(tmp_path_factory.mktemp("slow") / "data"), "serve") as console:
        yield console


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_others_are_answered(console: Serving, start: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(("127.0.0.1", console.port))).sendall(start)
        time.sleep(0.1)
        for path in ("/healthz", "/login/"):
            begun = time.monotonic()
            with urllib.request.urlopen(f"http://127.0.0.1:{console.port}{path}", timeout=SOON) as answer:
                assert answer.status == 200
            assert time.monotonic() - begun < SOON


def test_health_is_answered_while_bodies_hold_every_thread(console: Serving) -> None:
    head = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n\r\nx"
    with ExitStack() as stack:
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(("127.0.0.1", console.port))).sendall(head)
        time.sleep(0.1)
        with urllib.request.urlopen(f"http://127.0.0.1:{console.port}/healthz", timeout=SOON) as answer:
            assert answer.status == 200
