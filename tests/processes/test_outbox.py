"""A client that breaks while a response is sent is a closed connection for the server, which logs nothing of it."""

import errno
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from console.outbox import MOST, Budget, Outbox

BLOCK = b"x" * 2**16


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end of a TCP connection, and a client that reads nothing."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listener.getsockname()))
        yield stack.enter_context(listener.accept()[0]), client


def times_out(server: socket.socket, _client: socket.socket) -> None:
    """The kernel gives the connection up, as after minutes without an acknowledgement."""
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 50)


def resets(_server: socket.socket, client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def shuts_down(server: socket.socket, _client: socket.socket) -> None:
    server.shutdown(socket.SHUT_WR)


def send_on(outbox: Outbox) -> None:
    for _ in range(200):
        outbox.sendall(BLOCK)
        outbox.flush()
        time.sleep(0.01)


@pytest.mark.parametrize("breaks", [times_out, resets, shuts_down])
@pytest.mark.parametrize("waits", [True, False])
def test_a_broken_connection_is_a_reset_one(
    pair: tuple[socket.socket, socket.socket],
    breaks: Callable[[socket.socket, socket.socket], None],
    waits: bool,
) -> None:
    server, client = pair
    outbox = Outbox(server, Budget(), lambda outbox: None)
    if waits:
        while not outbox.is_waiting:
            outbox.sendall(BLOCK)
    breaks(server, client)
    with pytest.raises(ConnectionResetError) as caught:
        send_on(outbox)
    assert caught.value.errno == errno.ECONNRESET, "gunicorn logs every other number with a traceback"


def test_a_client_that_reads_nothing_is_a_reset_one(pair: tuple[socket.socket, socket.socket]) -> None:
    outbox = Outbox(pair[0], Budget(), lambda outbox: None)
    while not outbox.is_waiting:
        outbox.sendall(BLOCK)
    outbox.give_up()
    with pytest.raises(ConnectionResetError) as caught:
        outbox.sendall(b"x" * MOST)
    assert caught.value.errno == errno.ECONNRESET
