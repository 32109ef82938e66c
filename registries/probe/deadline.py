"""The hard time limit of a probe."""

import time
from typing import Protocol


class Socket(Protocol):
    """The part of a socket that is used here."""

    def settimeout(self, seconds: float, /) -> None: ...


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

    def limit(self, connection: Socket, seconds: float) -> None:
        """Limits the next read or write of a socket to `seconds` and to this deadline; TimeoutError after it. To be
        called before each of them: a timeout starts again with each byte, so a server that sends one byte at a time
        could extend a probe without limit."""
        if self.expired:
            raise TimeoutError
        connection.settimeout(self.within(seconds))
