"""The hard time limit of a probe: a clock, and a watchdog that closes connections."""

import contextlib
import socket
import threading
import time
from types import TracebackType


class Deadline:
    """`seconds` from now, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds, never negative."""
        return max(self._end - time.monotonic(), 0.0)

    @property
    def expired(self) -> bool:
        return self.remaining <= 0.0

    def within(self, seconds: float) -> float:
        """The smaller of `seconds` and the remaining time, at least one millisecond: 0 would mean non-blocking."""
        return max(min(seconds, self.remaining), 0.001)


class Watchdog:
    """Shuts down every guarded connection when the deadline passes. A read timeout starts again with each byte, so
    a server that sends one byte at a time could extend a probe without limit."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._lock = threading.Lock()
        self._guarded: list[socket.socket] = []
        self._timer = threading.Timer(deadline.remaining, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "Watchdog":
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._guarded:
                connection.close()
            self._guarded.clear()

    def guard(self, connection: socket.socket) -> None:
        """Guards a connection. The watchdog keeps a duplicate: TLS takes the descriptor from the socket object, and
        closing a descriptor in use could close another file that got the same number."""
        duplicate = connection.dup()
        with self._lock:
            self._guarded.append(duplicate)
        if self._deadline.expired:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            for connection in self._guarded:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
