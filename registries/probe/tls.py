"""TLS over a socket that this module reads itself.

OpenSSL goes on reading while a server sends what is no data: a flood of session tickets or key updates keeps one call
of Python's own TLS socket for ever, whatever its timeout. Here OpenSSL gets a block at a time, and between two
blocks the timeout and the number of bytes count.
"""

import http.client
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


class TlsSocket:
    """A client's connection, after the handshake. As with Python's own TLS socket, a timeout is that of one whole call.

    It has what http.client and urllib3 need of a socket. `connection` belongs to it, also when the handshake fails.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, name: str, seconds: float) -> None:
        self._connection = connection
        self._left = _HANDSHAKE
        self._io_refs, self._is_closed = 0, False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self.settimeout(seconds)
        self._run(self.tls.do_handshake)

    def settimeout(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def allow(self, size: int) -> None:
        """Allows so many more bytes from the server, for an answer."""
        self._left += size

    def recv_into(self, buffer: memoryview | bytearray) -> int:
        """0 at the end, also at one without the message that TLS has for it: http.client knows what is missing."""
        try:
            return self._run(lambda: self.tls.read(len(buffer), buffer))  # type: ignore[return-value]
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return 0

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._run(lambda: self.tls.write(view)) :]  # noqa: B023  called at once

    def fileno(self) -> int:
        return self._connection.fileno()

    def makefile(self, _mode: str, buffering: int = 0) -> socket.SocketIO:
        """Without a buffer. The connection stays open until the file is closed, too."""
        self._io_refs += 1
        return socket.SocketIO(self, "r")  # type: ignore[arg-type]  # it has what is needed

    def close(self) -> None:
        self._is_closed = True
        if self._io_refs <= 0:
            self._connection.close()

    def _decref_socketios(self) -> None:
        """SocketIO calls it when it is closed."""
        self._io_refs -= 1
        if self._is_closed:
            self.close()

    def _run(self, call: Callable[[], T]) -> T:
        """Repeats a call of OpenSSL with more bytes of the server until it is done. TimeoutError; TooMuch."""
        while True:
            try:
                done, is_done = call(), True
            except ssl.SSLWantReadError:
                is_done = False  # what fails below must not have this error as its context
            except ssl.SSLError:
                self._flush_alert()
                raise
            self._flush()
            if is_done:
                return done
            self._feed()

    def _feed(self) -> None:
        if self._left <= 0:
            raise TooMuch
        self._connection.settimeout(self._remaining())
        data = self._connection.recv(_BLOCK)
        self._left -= len(data)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._connection.settimeout(self._remaining())
            self._connection.sendall(data)

    def _flush_alert(self) -> None:
        """Tells the server why the handshake ends."""
        try:
            self._flush()
        except OSError:
            return

    def _remaining(self) -> float:
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining
