"""The sockets of a connection, which this module reads itself.

Python's own sockets ask the kernel three times for one read with a timeout, and let other threads in each time: with
many tests at once that is most of the work. Here it is once or twice.

OpenSSL goes on reading while a server sends what is no data: a flood of session tickets or key updates keeps one call
of Python's own TLS socket for ever, whatever its timeout. Here OpenSSL gets a block at a time, and between two
blocks the timeout and the number of bytes count.
"""

import http.client
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_BLOCK = 16 * 1024
_HANDSHAKE = 512 * 1024
"""Bytes that a server may send besides its answers: certificates, session tickets, and the frames of records."""


class TooMuch(http.client.HTTPException):
    """A response that does not end: http.client reads any number of interim responses and of trailers, and OpenSSL any
    number of session tickets."""


class TcpSocket:
    """A connected socket, which belongs to it. A timeout is that of one whole call."""

    def __init__(self, connection: socket.socket, seconds: float = 0.0) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._incoming = select.poll()
        self._incoming.register(connection, select.POLLIN)
        self.settimeout(seconds)

    def settimeout(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def readable(self, seconds: float) -> bool:
        """Whether there is something to read within so many seconds: bytes, or the end."""
        return bool(self._incoming.poll(max(seconds, 0.0) * 1000))

    def recv(self, size: int) -> bytes:
        """At most so many bytes; b"" at the end."""
        return self._received(lambda: self._connection.recv(size))

    def recv_into(self, buffer: memoryview | bytearray) -> int:
        """0 at the end."""
        return self._received(lambda: self._connection.recv_into(buffer))

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self._connection.send(view) :]
            except BlockingIOError:
                outgoing = select.poll()
                outgoing.register(self._connection, select.POLLOUT)
                self._wait(outgoing)

    def close(self) -> None:
        self._connection.close()

    def _received(self, call: Callable[[], T]) -> T:
        while True:
            self._wait(self._incoming)
            try:
                return call()
            except BlockingIOError:
                continue  # a false alarm

    def _wait(self, ready: select.poll) -> None:
        remaining = self._until - time.monotonic()
        if remaining <= 0 or not ready.poll(remaining * 1000):
            raise TimeoutError


class TlsSocket:
    """A client's connection, after the handshake. As with Python's own TLS socket, a timeout is that of one whole call.

    `connection` belongs to it, also when the handshake fails. The last message of the handshake may wait for the first
    bytes that are sent: then both go in one packet.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, name: str, seconds: float) -> None:
        self._connection = TcpSocket(connection, seconds)
        self._left = _HANDSHAKE
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._run(self.tls.do_handshake)

    def settimeout(self, seconds: float) -> None:
        self._connection.settimeout(seconds)

    def readable(self, seconds: float) -> bool:
        return self._connection.readable(seconds)

    def allow(self, size: int) -> None:
        """Allows so many more bytes from the server, for an answer."""
        self._left += size

    def recv_into(self, buffer: memoryview | bytearray) -> int:
        """0 at the end, also at one without the message that TLS has for it: http.client knows what is missing."""
        if not (self._incoming.pending or self.tls.pending()):
            self._feed()  # OpenSSL would only say that it wants more
        try:
            return self._run(lambda: self.tls.read(len(buffer), buffer))  # type: ignore[return-value]
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return 0

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._run(lambda: self.tls.write(view)) :]  # noqa: B023  called at once
        self.flush()

    def flush(self) -> None:
        """Sends what OpenSSL has written."""
        if data := self._outgoing.read():
            self._connection.sendall(data)

    def close(self) -> None:
        self._connection.close()

    def _run(self, call: Callable[[], T]) -> T:
        """Repeats a call of OpenSSL with more bytes of the server until it is done. TimeoutError; TooMuch."""
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                pass  # what fails below must not have this error as its context
            except ssl.SSLError:
                self._flush_alert()
                raise
            self.flush()
            self._feed()

    def _feed(self) -> None:
        if self._left <= 0:
            raise TooMuch
        data = self._connection.recv(_BLOCK)
        self._left -= len(data)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush_alert(self) -> None:
        """Tells the server why the handshake ends."""
        try:
            self.flush()
        except OSError:
            return
