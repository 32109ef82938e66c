"""Follows one kind of object on the cluster: list once, then watch, and begin again whatever happens.

A watch that the server ends is continued where it stood. After anything else, a cut, an expired version, a
server that is away for an hour and comes back with another history, everything is listed again: only a list
tells what was missed. May import client.py, the journal's order of versions and the errors.
"""

import logging
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from registries.cluster.connection import Connection, Json
from registries.cluster.failures import FAILED, Expired
from registries.domain.errors import ConsoleError, Problem, TooManyRequests, Unavailable
from registries.stores.cluster.cache import newer

log = logging.getLogger(__name__)

WATCH_SECONDS = (240, 300)
"""After so long the server ends a watch; at random, so that not all come back at once."""
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each further attempt; the last one for ever."""
BEAT = 5.0
"""Seconds between two questions whether the server is there: a dead connection says nothing by itself."""


@dataclass(frozen=True, slots=True)
class Listing:
    items: tuple[Json, ...]
    version: str
    another_history: bool
    """Older than what was seen before, though it is the server's last word: a restored backup."""


class Sink(Protocol):
    """Where it goes; all calls come from the watcher's thread."""

    def listed(self, listing: Listing) -> None: ...

    def happened(self, event: str, item: Json) -> None:
        """`event` is ADDED, MODIFIED or DELETED."""
        ...

    def sign(self) -> None:
        """The server was heard of."""
        ...

    def lost(self, problem: Problem) -> None:
        """It cannot be followed now; a code of failures.py."""
        ...


class Watcher:
    """One daemon thread. `path` is that of the collection."""

    def __init__(self, connection: Connection, path: str, sink: Sink) -> None:
        self._connection = connection
        self._path = path
        self._sink = sink
        self._stop = threading.Event()
        self._failures = 0
        self._seen = ""
        self._expired = False

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"watch {self._path}", daemon=True).start()

    def stop(self) -> None:
        """It ends with its next event or pause; being a daemon, it keeps no process from ending."""
        self._stop.set()

    def _run(self) -> None:
        version = ""
        while not self._stop.is_set():
            try:
                version = self._follow(version or self._list())
            except Expired:
                version, self._expired = "", True
            except TooManyRequests as error:
                version = ""
                self._failed(Problem.TOO_MANY_REQUESTS, error.retry_after)
            except ConsoleError as error:
                version = ""
                self._failed(error.problem or FAILED)
            except Exception:
                log.exception("following %s failed", self._path)
                version = ""
                self._failed(FAILED)

    def _failed(self, problem: Problem, pause: float = 0.0) -> None:
        """Wait a little. A single cut is no news: it is told only when the next attempt fails as well."""
        if self._failures or not self._seen:
            self._sink.lost(problem)
            if self._failures <= 1:
                log.warning("the cluster cannot be followed: %s (%s)", problem, self._path)
        pause = max(pause, PAUSES[min(self._failures, len(PAUSES) - 1)])
        self._failures += 1
        self._stop.wait(pause * random.uniform(0.8, 1.2))

    def _list(self) -> str:
        """List everything; returns the version to watch from.

        From the server's cache, which costs a tenth, but never from one that is older than what was seen.
        """
        expired, self._expired = self._expired, False
        query = {"resourceVersion": self._seen or "0"}
        if self._seen:
            query["resourceVersionMatch"] = "NotOlderThan"
        answer = self._connection.call(
            "GET",
            self._path,
            subject=self._path,
            query={} if expired else query,
            read=self._connection.timeouts.listing,
        )
        version = str((answer.get("metadata") or {}).get("resourceVersion") or "0")
        another = expired and newer(self._seen, version)
        self._sink.listed(Listing(tuple(answer.get("items") or ()), version, another))
        self._heard(version)
        return version

    def _follow(self, version: str) -> str:
        """Pass on what happens until the server ends the watch; returns the version that it stood at."""
        begun = time.monotonic()
        for event in self._events(version):
            item = event.get("object") or {}
            version = str((item.get("metadata") or {}).get("resourceVersion") or version)
            if event.get("type") in ("ADDED", "MODIFIED", "DELETED"):
                self._sink.happened(str(event["type"]), item)
            self._heard(version)
        if time.monotonic() - begun < 1.0:
            self._stop.wait(0.5)  # a server that ends watches at once is not asked in a tight loop
        return version

    def _events(self, version: str) -> Iterator[Json]:
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),
        }
        return self._connection.watch(self._path, subject=self._path, query=query, stop=self._stop)

    def _heard(self, version: str) -> None:
        if self._failures:
            log.warning("the cluster is followed again: %s", self._path)
        self._failures, self._seen = 0, version
        self._sink.sign()


class Pulse:
    """Asks whether the server is there, every few seconds, since a watch may be silent for a minute."""

    def __init__(self, connection: Connection, path: str, sink: Sink) -> None:
        self._connection = connection
        self._path = path
        self._sink = sink
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="pulse", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(BEAT):
            try:
                self._connection.call("GET", self._path, subject=self._path, read=BEAT)
            except (Unavailable, TooManyRequests) as error:
                self._sink.lost(error.code)
            except Exception:
                log.exception("the pulse failed")
            else:
                self._sink.sign()
