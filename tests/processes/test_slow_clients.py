"""Clients that send slowly or nothing hold no thread: the console answers others meanwhile."""

import os
import re
import resource
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from console.receiving import HEAD_SECONDS, MOST_RECEIVED
from console.worker import MOST_UNREAD
from tests.peers.command import Serving
from tests.peers.prepared import ready_folder
from tests.processes.serving import children_of
from tests.soak.soak import memory

CLIENTS = 48
SOON = 8.0
"""Seconds. A thread that waited for one of the clients would do so for ten (HEAD_SECONDS, BODY_SECONDS) and more."""
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


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_client_that_ends_in_the_middle_is_gone_at_once(console: Serving, start: bytes) -> None:
    """A connection at its end can always be read: one that is kept takes the whole processor until its time is up."""
    with socket.create_connection(("127.0.0.1", console.port), timeout=2 * HEAD_SECONDS) as client:
        client.sendall(start)
        client.shutdown(socket.SHUT_WR)
        begun = time.monotonic()
        assert client.recv(1) == b""
    assert time.monotonic() - begun < SOON


def test_health_is_answered_while_bodies_hold_every_thread(console: Serving) -> None:
    head = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n\r\nx"
    with ExitStack() as stack:
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(("127.0.0.1", console.port))).sendall(head)
        time.sleep(0.1)
        with urllib.request.urlopen(f"http://127.0.0.1:{console.port}/healthz", timeout=SOON) as answer:
            assert answer.status == 200


def answered(console: Serving, path: str = "/login/") -> float:
    """The seconds until a page is answered."""
    begun = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{console.port}{path}", timeout=SOON) as answer:
        assert answer.status == 200
    return time.monotonic() - begun


@pytest.mark.parametrize("chunked", [False, True])
def test_slow_bodies_hold_no_page_up(console: Serving, chunked: bool) -> None:
    framing = "Transfer-Encoding: chunked\r\n\r\n5\r\nx" if chunked else "Content-Length: 900\r\n\r\nx"
    head = f"POST /login/ HTTP/1.1\r\nHost: localhost\r\n{framing}".encode()
    with ExitStack() as stack:
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(("127.0.0.1", console.port))).sendall(head)
        time.sleep(0.1)
        assert answered(console) < SOON


def test_clients_that_read_nothing_hold_no_page_up(console: Serving) -> None:
    script = re.search(r'/static/[^"]*htmx[^"]*\.js', console.get("/login/")[1])
    assert script is not None
    with ExitStack() as stack:
        for _ in range(CLIENTS):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", console.port))
            client.sendall(_get(script[0]) * 200)  # 10 MB of answers, which is more than the system buffers
        time.sleep(3)
        assert answered(console) < SOON


SLOW = {
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "asks first": b"Content-Length: 5000\r\nExpect: 100-continue\r\n\r\nab",
    "looks like its end": b"Transfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n1\r\n",
}


@pytest.mark.parametrize("rest", SLOW.values(), ids=SLOW)
def test_slow_bodies_hold_no_body_of_another_kind_up(console: Serving, rest: bytes) -> None:
    head = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\n"
    with ExitStack() as stack:
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(("127.0.0.1", console.port))).sendall(head + rest)
        time.sleep(0.1)
        for body in (
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
            b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\nabcde",
        ):
            begun = time.monotonic()
            with socket.create_connection(("127.0.0.1", console.port), timeout=60) as client:
                client.sendall(head + body)
                received = client.recv(65536)
                while b"\r\n\r\n" in received and received.startswith(b"HTTP/1.1 100"):
                    received = received.partition(b"\r\n\r\n")[2] or client.recv(65536)
            assert received.startswith(b"HTTP/1.1 403")  # no CSRF token: the application has read it
            assert time.monotonic() - begun < SOON


LAST = {
    "asked to close": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "an old version": b"GET /login/ HTTP/1.0\r\nHost: localhost\r\n\r\n",
    "not readable": b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
    "more than was asked for": b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n" + b"x" * 5000,
}


@pytest.mark.parametrize("request_text", LAST.values(), ids=LAST)
def test_clients_that_leave_their_connection_open_hold_nobody_up(
    console: Serving, request_text: bytes
) -> None:
    """The server has answered them for the last time. It waits for their end without waiting."""
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", console.port))) for _ in range(CLIENTS)
        ]
        for client in clients:
            client.sendall(request_text)
        assert all(client.recv(5) == b"HTTP/" for client in clients)
        begun = time.monotonic()
        for path in ("/healthz", "/login/"):
            assert answered(console, path) < SOON
        for client in clients:
            client.settimeout(SOON)
            while client.recv(65536):
                pass  # until the server closes
        assert time.monotonic() - begun < 2 * SOON


def test_a_server_without_a_free_file_goes_on(console: Serving) -> None:
    """More idle connections than the process may have files: the oldest make room, whatever uses the files."""
    (worker,) = children_of(console.process.pid)
    limits = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    few = len(list(Path(f"/proc/{worker}/fd").iterdir())) + CLIENTS
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (few, limits[1]))
    try:
        with ExitStack() as stack:
            for _ in range(4):
                for start in (_get("/healthz"), b"GET / HT"):
                    for _ in range(CLIENTS):
                        client = stack.enter_context(socket.create_connection(("127.0.0.1", console.port)))
                        client.sendall(start)
            assert answered(console, "/healthz") < SOON  # other pages may need a file
    finally:
        resource.prlimit(worker, resource.RLIMIT_NOFILE, limits)
    assert children_of(console.process.pid) == [worker]


def test_a_client_that_made_room_a_moment_ago_is_not_heard_any_more(console: Serving) -> None:
    """All in one moment: a new connection takes the place of the oldest, which sends."""
    (worker,) = children_of(console.process.pid)
    with ExitStack() as stack:

        def client() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", console.port)))

        clients = [client() for _ in range(MOST_UNREAD)]
        clients[-1].sendall(_get("/healthz"))
        assert clients[-1].recv(9) == b"HTTP/1.1 ", "all are accepted"
        client()  # waits for a request in its place
        time.sleep(0.3)
        os.kill(worker, signal.SIGSTOP)
        try:
            client(), client()
            for old in clients[:5]:
                old.sendall(b"GET")
        finally:
            os.kill(worker, signal.SIGCONT)
        assert answered(console, "/healthz") < SOON
    assert children_of(console.process.pid) == [worker]


def test_the_end_of_an_answer_arrives_though_the_client_still_sends(console: Serving) -> None:
    head = b"GET /login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", console.port), timeout=SOON) as client:
        client.sendall(head + b"x" * 1000)
        time.sleep(0.1)
        client.sendall(b"x" * 1000)  # a reset would take the answer away
        received = b""
        while data := client.recv(1024):
            received += data
    assert received.endswith(b"</html>\n")


@pytest.mark.parametrize(
    "framing", ["Content-Length: 2097152\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1fffff\r\n"]
)
def test_bodies_that_do_not_end_take_little_memory(console: Serving, framing: str) -> None:
    """They are twice what is kept. Nobody is logged in."""
    data = f"POST /login/ HTTP/1.1\r\nHost: localhost\r\n{framing}".encode() + b"x" * (2**21 - 2048)
    before = memory(console)
    with ExitStack() as stack:
        small = stack.enter_context(socket.create_connection(("127.0.0.1", console.port), timeout=SOON))
        small.sendall(
            b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n" + b"x" * 80_000
        )
        for _ in range(2 * MOST_RECEIVED // 2**21):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", console.port), timeout=SOON))
            with suppress(ConnectionError):
                client.sendall(data)
            small.sendall(b"x" * 100)
        assert answered(console) < SOON
        grown = memory(console) - before
        small.sendall(b"x" * 5_200)
        assert small.recv(100).startswith(b"HTTP/1.1 403"), "the others have sent more"
    assert grown < 1.7 * MOST_RECEIVED / 2**20


def test_bodies_that_do_not_end_do_not_add_up(console: Serving) -> None:
    """Nothing of a connection outlives it until Python looks for garbage, which it does seldom."""
    head = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2097152\r\n\r\n"
    grown: list[float] = []
    for _ in range(6):
        with ExitStack() as stack:
            for _ in range(MOST_RECEIVED // 2**21):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", console.port)))
                client.sendall(head + b"x" * (2**21 - 2048))
        assert answered(console) < SOON
        grown.append(memory(console))
    assert max(grown[3:]) < min(grown[:3]) + 1.7 * MOST_RECEIVED / 2**20, grown


def test_a_request_in_pieces_is_answered(console: Serving) -> None:
    body = b"username=nobody&password=" + b"x" * 70_000
    head = f"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", console.port), timeout=30) as client:
        for piece in (head[:20], head[20:], body[:1], body[1:60_000], body[60_000:]):
            client.sendall(piece)
            time.sleep(0.05)
        assert client.recv(100).startswith(b"HTTP/1.1 403")  # no CSRF token: the application has read it


def test_pipelined_requests_are_answered_in_order(console: Serving) -> None:
    asked = _get("/healthz") + _get("/no-such-page/", last=True)
    with socket.create_connection(("127.0.0.1", console.port), timeout=30) as client:
        client.sendall(asked)
        received = b""
        while piece := client.recv(65536):
            received += piece

    assert received.count(b"HTTP/1.1 ") == 2
    assert received.startswith(b"HTTP/1.1 200")


def test_a_large_answer_arrives_whole(console: Serving) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", console.port))
        client.settimeout(30)
        client.sendall(_get("/login/") * 200 + _get("/healthz", last=True))
        received = 0
        answers = 0
        while piece := client.recv(8192):
            received += len(piece)
            answers += piece.count(b"HTTP/1.1 200")
            time.sleep(0.0005)

    assert received > 200 * 3000
    assert answers >= 190  # a status line may fall between two pieces


def _get(path: str, *, last: bool = False) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{'Connection: close' if last else 'X: y'}\r\n\r\n".encode()
