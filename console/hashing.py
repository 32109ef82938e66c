"""Django's password hasher with seats: a hash costs a third of a second of processor time.

Without them a few log-ins at once would take the processors from all other requests.
"""

import os
import threading

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from registries.domain.errors import Problem, TooManyRequests

AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
"""Hashes at the same time in this process. Half of the processors stay for other requests."""
WAITING = 6
"""Requests that wait for a hash. Each holds a thread of the server."""
PATIENCE = 5.0
"""Seconds that one waits."""


class SeatedHasher(PBKDF2PasswordHasher):
    """Raises TooManyRequests `hashing` when too many hashes are asked for. Hashes are those of Django."""

    _seats = threading.Semaphore(AT_ONCE)
    _queue = threading.Semaphore(AT_ONCE + WAITING)

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Every way to check or to set a password comes through here."""
        if not self._queue.acquire(blocking=False):
            raise _busy()
        try:
            if not self._seats.acquire(timeout=PATIENCE):
                raise _busy()
            try:
                return super().encode(password, salt, iterations)
            finally:
                self._seats.release()
        finally:
            self._queue.release()


def _busy() -> TooManyRequests:
    return TooManyRequests(retry_after=round(PATIENCE), problem=Problem.HASHING)
