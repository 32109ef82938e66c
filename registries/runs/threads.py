"""Work that outlives its request: a few daemon threads and a queue. Knows no domain.

Threads start with the first piece of work, so after the server has forked. A process that ends does not
wait for them: what they were doing is written down as under way, and found out of date by the next one.
"""

import logging
import queue
import threading
from collections.abc import Callable

from django.db import close_old_connections, connections

log = logging.getLogger(__name__)

Work = Callable[[], object]


class Background:
    """At most `threads` pieces of work at once; with none, work is done at once by the caller."""

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
        """Take one piece of work after the other; `_free` counts the threads that nothing was put down for."""
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
