"""Django's password hasher with seats: a hash costs a third of a second of processor time.

Without them a few log-ins at once would take the processors from all other requests.
"""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from registries.domain.errors import Problem, TooManyRequests

AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
"""Hashes at the same time in this process. Half of the processors stay for other requests."""
WAITING = 6
"""Requests that wait for a hash. Each holds a thread of the server."""
PATIENCE = 5.0
"""Seconds that one waits."""
NICENESS = 10
"""Of the thread that hashes, above that of the process: other requests come first on a busy processor."""


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
                with ThreadPoolExecutor(1, initializer=_give_way) as thread:
                    return thread.submit(super().encode, password, salt, iterations).result()
            finally:
                self._seats.release()
        finally:
            self._queue.release()


def _give_way() -> None:
    """Lowers the priority of this thread. Linux alone has one for each thread, which never rises again."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def _busy() -> TooManyRequests:
    return TooManyRequests(retry_after=round(PATIENCE), problem=Problem.HASHING)
