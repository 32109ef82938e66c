"""Daemon threads and a queue, for work that goes on after its request.

The threads start with the first work, so after the server has forked. A process that ends does not wait for them. The
database then says that their work is under way, and the next process finds that it is out of date.
"""

import logging
import queue
import threading
from collections.abc import Callable

from django.db import close_old_connections, connections

log = logging.getLogger(__name__)

Work = Callable[[], object]


class Background:
    """Does work in up to `threads` threads. With 0 threads, `submit` does the work itself."""

    def __init__(self, threads: int, name: str) -> None:
        self.threads = threads
        self._name = name
        self._queue: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._started = 0
        self._free = 0
        self._lock = threading.Lock()

    def submit(self, work: Work) -> None:
        if not self.threads:
            work()
            return
        with self._lock:
            if self._free:
                self._free -= 1
            elif self._started < self.threads:
                self._started += 1
                threading.Thread(
                    target=self._serve, name=f"{self._name}-{self._started}", daemon=True
                ).start()
            self._queue.put(work)

    def _serve(self) -> None:
        """Does work until the process ends. `_free` counts the idle threads without work in the queue."""
        while True:
            work = self._queue.get()
            close_old_connections()
            try:
                work()
            except Exception:
                log.exception("background work failed in %s", self._name)
            finally:
                connections.close_all()
            with self._lock:
                if self._queue.empty():
                    self._free += 1
