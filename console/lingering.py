"""Connections after their last response, until the client has closed them as well.

The last bytes of a response get lost when a connection is closed while something of the client is unread, so the server
first ends its own side and reads on for a moment (RFC 9112, 9.6). gunicorn does that in its main loop and waits there:
two seconds for each client that leaves its connection open.
"""

import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn

SECONDS = 2.0
MOST_READ = 64 * 1024
MOST = 600
"""Connections. The oldest makes room for the newest."""


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """`lingering` has to be set."""

    lingering: "Lingering"

    def close(self, graceful: bool = False) -> None:
        if not (graceful and self.lingering.add(self)):
            super().close()


class Lingering:
    """Used by the main loop. `ended` is called for each connection that was added, once it is closed."""

    def __init__(self, poller: selectors.BaseSelector, ended: Callable[[Any], None]) -> None:
        self._poller = poller
        self._ended = ended
        self._left: dict[Any, int] = {}
        """Bytes that are still read, by connection, the oldest first."""

    def __contains__(self, conn: Any) -> bool:
        return conn in self._left

    def add(self, conn: Any) -> bool:
        """False for a connection that is broken."""
        if len(self._left) >= MOST:
            self._end(next(iter(self._left)))
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self._poller.register(conn.sock, selectors.EVENT_READ, partial(self._read, conn))
        except OSError:
            return False
        conn.sock.read_until = float("inf")
        conn.timeout = time.monotonic() + SECONDS
        self._left[conn] = MOST_READ
        return True

    def end_old(self) -> None:
        now = time.monotonic()
        for conn in [it for it in self._left if it.timeout <= now]:
            self._end(conn)

    def _read(self, conn: Any, client: Any) -> None:
        try:
            data = client.recv_now(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._left[conn] -= len(data)
        if not data or self._left[conn] <= 0:
            self._end(conn)

    def _end(self, conn: Any) -> None:
        del self._left[conn]
        self._poller.unregister(conn.sock)
        conn.close()
        self._ended(conn)
