"""The main loop of the server without its threads: when it gives a request up, and which thread answers one."""

import selectors
import socket
from collections import Counter, deque
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from console import outbox, receiving, worker
from console.dispatcher import Dispatcher
from console.outbox import Budget, Outbox
from console.receiving import BODY_RATE, BODY_SECONDS, HEAD_SECONDS
from console.turns import Turns
from console.worker import CLEARING, Worker
from tests.clock import Clock

HEAD = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\n"
STARTS = {
    "nothing": (b"", HEAD_SECONDS),
    "a byte": (b"P", HEAD_SECONDS),
    "a part of the head": (HEAD, HEAD_SECONDS),
    "a head": (HEAD + b"Content-Length: 90\r\n\r\n", BODY_SECONDS),
    "a part of the body": (HEAD + b"Content-Length: 90\r\n\r\nx", BODY_SECONDS),
    "a part of the chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", BODY_SECONDS),
    "a part of much": (HEAD + b"Content-Length: %d\r\n\r\nx" % BODY_RATE, BODY_SECONDS + 1),
}
"""What a client sends at once, and the seconds that it has for the rest."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, outbox, receiving, worker)


class Loop:
    """A worker with one connection, whose other end is `client`."""

    def __init__(self) -> None:
        self.client, served = socket.socketpair()
        self.worker: Any = Worker.__new__(Worker)
        self.worker.pending_conns, self.worker.nr_conns = deque(), 1
        self.worker.poller = selectors.DefaultSelector()
        self.worker._addresses, self.worker._sending = Counter({"h": 1}), {}
        self.worker._budget, self.worker._cleared = Budget(), float("-inf")
        self.worker._lingering = SimpleNamespace(end_old=lambda: None)
        sock = Outbox(served, self.worker._budget, lambda _it: None)
        self.conn = SimpleNamespace(sock=sock, host="h", close=served.close)
        self.worker._await_request(self.conn)

    def send(self, data: bytes) -> None:
        if data:
            self.client.sendall(data)
            self.worker._read(self.conn, self.conn.sock)

    @property
    def is_dropped(self) -> bool:
        self.worker.murder_pending()
        return self.conn not in self.worker.pending_conns


@pytest.fixture
def loop(clock: Clock) -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.client.close()
    loop.worker.poller.close()


@pytest.mark.parametrize("start", STARTS)
def test_a_request_that_does_not_come_is_given_up(loop: Loop, clock: Clock, start: str) -> None:
    sent, seconds = STARTS[start]
    loop.send(sent)

    clock.advance(seconds - CLEARING)
    assert not loop.is_dropped
    clock.advance(3 * CLEARING)
    assert loop.is_dropped
    assert loop.client.recv(1) == b""


@pytest.mark.parametrize("start", ["nothing", "a head"])
def test_a_byte_now_and_then_gains_no_time(loop: Loop, clock: Clock, start: str) -> None:
    loop.send(STARTS[start][0])

    for _ in range(round(HEAD_SECONDS)):
        assert not loop.is_dropped
        clock.advance(1)
        loop.send(b"x")

    clock.advance(CLEARING)
    assert loop.is_dropped


@pytest.mark.parametrize(
    ("head", "thread"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", "health"),
        (b"HEAD /healthz HTTP/1.1\r\n\r\n", "health"),
        (b"GET /healthz/ HTTP/1.1\r\n\r\n", "pool"),
        (b"POST /healthz HTTP/1.1\r\n\r\n", "pool"),
        (b"GET / HTTP/1.1\r\n\r\n", "pool"),
    ],
)
def test_health_has_a_thread_of_its_own(head: bytes, thread: str) -> None:
    """Whoever holds all other threads, and whatever waits for them."""
    begun: list[str] = []
    dispatcher: Any = Dispatcher.__new__(Dispatcher)
    dispatcher._health, dispatcher._late, dispatcher.tpool = "health", "late", "pool"
    dispatcher._turns = Turns(8)
    dispatcher._begin = lambda pool, conn, turn=None: begun.append(pool)
    conn = SimpleNamespace(unread=False, client=("10.0.0.1", 5))

    dispatcher.dispatch(conn, head, len(head))

    assert begun == [thread]
