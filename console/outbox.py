"""What clients have not read yet: a thread of the server hands a response over, and does not wait for its reader."""

import errno
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import ref

MOST = 6 * 2**20
"""Bytes kept for one connection. A page of the API's list has 4 MiB at most."""
MOST_IN_ALL = 96 * 2**20
SILENT = 15.0
"""Seconds without progress after which the connection is closed."""
RATE = 32 * 1024
"""Bytes a second that a client takes at least while something waits for it, on average."""


class Budget:
    """The bytes that all connections keep together."""

    def __init__(self) -> None:
        self.used = 0
        self.lock = threading.Lock()

    def add(self, count: int) -> None:
        with self.lock:
            self.used += count


class Outbox:
    """A socket whose `sendall` keeps what the client does not take at once. Everything else is the socket's.

    `on_waiting` is called, in the thread that sends, when something begins to wait: the poller then calls `flush`
    whenever the client takes more. Raises ConnectionResetError for a broken connection, and when the client takes
    nothing for SILENT seconds, or on average less than RATE.
    """

    def __init__(self, sock: socket.socket, budget: Budget, on_waiting: Callable[["Outbox"], None]) -> None:
        self._sock = sock
        self._budget = budget
        self._on_waiting = on_waiting
        self._pieces: deque[memoryview] = deque()
        self._kept = 0
        self._progress = time.monotonic()
        self._due = 0.0
        """The moment until which a client at RATE has taken everything that waits."""
        self._changed = threading.Condition()
        self._broken = False
        self.connection: ref[Any] | None = None
        """The connection of the worker. It refers to this: a cycle would keep what was received until Python's next
        look at all objects, long after the end of the connection."""
        self.read_until = float("inf")
        """The moment after which a thread reads no more of a request, on the monotonic clock."""

    def fileno(self) -> int:
        """The poller asks it for each event."""
        return self._sock.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    @property
    def is_waiting(self) -> bool:
        return bool(self._pieces)

    @property
    def kept(self) -> int:
        """Bytes that wait."""
        return self._kept

    @property
    def is_stuck(self) -> bool:
        """Whether the client takes nothing, or so little that it would keep memory and threads for ever."""
        now = time.monotonic()
        return self.is_waiting and (now - self._progress > SILENT or now > self._due)

    def setblocking(self, _blocking: bool) -> None:
        """Changes nothing: a thread that reads waits for SO_RCVTIMEO, and the main loop never waits."""

    def recv_now(self, count: int) -> bytes:
        """BlockingIOError if nothing has come."""
        return self._sock.recv(count, socket.MSG_DONTWAIT)

    def recv(self, count: int) -> bytes:
        """BlockingIOError after `read_until`."""
        if time.monotonic() > self.read_until:
            raise BlockingIOError
        return self._sock.recv(count)

    def sendall(self, data: bytes) -> None:
        """Returns when the data is sent or kept. While too much is kept, waits for the client."""
        with self._changed:
            rest = memoryview(data)
            if not self._pieces:
                self._progress = time.monotonic()
                rest = self._send(rest)
            if not rest:
                return
            while self._kept and (self._kept + len(rest) > MOST or self._budget.used > MOST_IN_ALL):
                self._changed.wait(SILENT / 4)
                if self._broken or self.is_stuck:
                    raise _reset()
            if self._broken:
                raise _reset()
            begins = not self._pieces
            self._keep(rest)
        if begins:
            self._on_waiting(self)

    def send_now(self, data: bytes) -> None:
        """Sends a few bytes while nothing waits, if the client takes them."""
        with suppress(OSError):
            self._sock.send(data, socket.MSG_DONTWAIT)

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def flush(self) -> bool:
        """Sends what the client takes now. True when nothing waits any more. OSError for a closed connection."""
        with self._changed:
            while self._pieces:
                rest = self._send(self._pieces[0])
                sent = len(self._pieces[0]) - len(rest)
                self._count(-sent)
                if rest:
                    self._pieces[0] = rest
                    break
                self._pieces.popleft()
            self._changed.notify_all()
            return not self._pieces

    def give_up(self) -> None:
        """Forgets what waits, and ends the connection for the thread that may still send."""
        with self._changed:
            self._broken = True
            self._count(-self._kept)
            self._pieces.clear()
            self._changed.notify_all()
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already

    def _send(self, data: memoryview) -> memoryview:
        """What is left of the data after the socket took as much as it has room for. ConnectionResetError for every
        broken connection: also one that the kernel gave up (ETIMEDOUT), or without a route to the client."""
        while data:
            try:
                sent = self._sock.send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return data
            except OSError:
                raise _reset() from None
            data = data[sent:]
            self._progress = time.monotonic()
        return data

    def _keep(self, data: memoryview) -> None:
        begun = self._due if self._pieces else time.monotonic() + SILENT
        self._due = begun + len(data) / RATE
        self._pieces.append(data)
        self._count(len(data))

    def _count(self, change: int) -> None:
        self._kept += change
        self._budget.add(change)


def _reset() -> ConnectionResetError:
    """The error of a client that is gone. gunicorn logs one without this number with a traceback."""
    return ConnectionResetError(errno.ECONNRESET, "The client reads nothing.")
