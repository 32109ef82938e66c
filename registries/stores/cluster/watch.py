"""Follows one collection of the API server: list, then watch, and again after every failure.

A watch that the server ends is continued at its last version. After any other end (a broken connection, an expired
version, a server restored from a backup) everything is listed again, since only a list shows what was missed.
"""

import logging
import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from registries.cluster.connection import Connection, Json
from registries.cluster.failures import Expired
from registries.domain.errors import ConsoleError, Problem, TooManyRequests, Unavailable
from registries.domain.resource import newer
from registries.stores.base import Freshness

log = logging.getLogger(__name__)

WATCH_SECONDS = (240, 300)
"""Duration of a watch, chosen at random between the two, so that not all watches are renewed at once."""
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each retry. The last value is used for all further retries."""
REFUSALS, REFUSED_PAUSE = 10, 60.0
"""Seconds before a retry of an optional watch, after so many refusals. An API server that has just started does not
know all roles."""
CHECK_EVERY = 5.0
"""Seconds between two checks of the server: a broken connection does not report itself."""


@dataclass(frozen=True, slots=True)
class Listing:
    """`items` are what Sink.taken made of them."""

    items: Sequence[Any]
    version: str
    another_history: bool
    """The list is older than what was seen before, though it is the newest: the server was restored from a backup."""


class Sink:
    """The receiver of a watcher. All calls come from the watcher's thread."""

    def begun(self) -> None:
        """A list is about to be read, from its first item."""

    def taken(self, item: Json) -> Any:
        """What is kept of an item of a list that is being read."""
        raise NotImplementedError

    def listed(self, listing: Listing) -> None:
        raise NotImplementedError

    def happened(self, event: str, item: Json) -> None:
        """`event` is ADDED, MODIFIED, DELETED or BOOKMARK."""
        raise NotImplementedError

    def wants_list(self) -> bool:
        """Whether everything is to be listed again now."""
        return False

    def answered(self) -> None:
        """The server answered."""

    def lost(self, problem: Problem) -> None:
        """The server does not answer, or refuses."""


class Sources:
    """What the watchers of one process know of the server, by their names. Everything is known when each of them has
    listed once. Not thread-safe."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._listed: set[str] = set()
        self._refused: set[str] = set()
        self._problems: dict[str, Problem] = {}
        self._answered_at: datetime | None = None
        self._silent_at = float("-inf")

    @property
    def is_known(self) -> bool:
        return self._listed >= self._names

    @property
    def problem(self) -> Problem | None:
        return next((self._problems[name] for name in sorted(self._problems)), None)

    def freshness(self) -> Freshness:
        steady = time.monotonic() - self._silent_at
        return Freshness(self.problem, self._answered_at if self.problem else None, self.is_known, steady)

    def answered(self, name: str) -> None:
        self._problems.pop(name, None)
        self._refused.discard(name)
        self._listed.add(name)
        if not self._problems:
            self._answered_at = datetime.now(UTC)

    def lost(self, name: str, problem: Problem) -> None:
        self._problems[name] = problem
        if problem != Problem.CLUSTER_FORBIDDEN:
            self._silent_at = time.monotonic()

    def refused(self, name: str) -> bool:
        """Notes that the others go on without this one, whose namespace cannot be read. Returns whether that is new.
        The last one is a problem."""
        if name in self._refused:
            return False
        if self._refused | {name} == self._names:
            self.lost(name, Problem.CLUSTER_FORBIDDEN)
            return False
        self._problems.pop(name, None)
        self._listed.add(name)
        self._refused.add(name)
        return True


class Watcher:
    """One daemon thread that follows the collection at `path`, or its objects with the labels of a selector.

    An optional watch is one that the console can do without, when its account lacks the right.
    """

    def __init__(
        self, connection: Connection, path: str, sink: Sink, *, selector: str = "", optional: bool = False
    ) -> None:
        self._connection = connection
        self._path = path
        self._sink = sink
        self._selector = {"labelSelector": selector} if selector else {}
        self._optional = optional
        self._stop = threading.Event()
        self._failures = self._refusals = 0
        self._seen = ""
        self._expired = False

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"watch {self._path}", daemon=True).start()

    def stop(self) -> None:
        """Ends the thread at its next event or pause. As a daemon it does not keep the process alive."""
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
                self._refusals += error.problem == Problem.CLUSTER_FORBIDDEN
                settled = self._optional and self._refusals >= REFUSALS
                self._failed(error.problem or Problem.CLUSTER_FAILED, REFUSED_PAUSE if settled else 0.0)
            except Exception:
                log.exception("following %s failed", self._path)
                version = ""
                self._failed(Problem.CLUSTER_FAILED)

    def _failed(self, problem: Problem, pause: float = 0.0) -> None:
        """Waits before the next attempt. A single failure is not reported, only one that repeats."""
        if self._failures or not self._seen:
            self._sink.lost(problem)
            if self._failures <= 1:
                log.warning("%s cannot be watched: %s", self._path, problem)
        pause = max(pause, PAUSES[min(self._failures, len(PAUSES) - 1)])
        self._failures += 1
        self._stop.wait(pause * random.uniform(0.8, 1.2))

    def _list(self) -> str:
        """Lists everything. Returns the version to watch from.

        The list comes from the cache of the API server, at a tenth of the cost, but never from a cache that is older
        than the last known version.
        """
        expired, self._expired = self._expired, False
        query = {} if expired else {"resourceVersion": self._seen or "0"}
        if self._seen and not expired:
            query["resourceVersionMatch"] = "NotOlderThan"
        query |= self._selector
        self._sink.begun()
        items, answer = self._connection.list_all(
            self._path, subject=self._path, query=query, take=self._sink.taken
        )
        version = str((answer.get("metadata") or {}).get("resourceVersion") or "0")
        another = expired and newer(self._seen, version)
        self._sink.listed(Listing(items, version, another))
        self._heard(version)
        return version

    def _follow(self, version: str) -> str:
        """Passes events on until the server ends the watch. Returns the last version, or "" to list again."""
        begun = time.monotonic()
        for event in self._events(version):
            item = event.get("object") or {}
            version = str((item.get("metadata") or {}).get("resourceVersion") or version)
            if event.get("type") in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"):
                self._sink.happened(str(event["type"]), item)
            self._heard(version)
            if self._sink.wants_list():
                return ""
        if time.monotonic() - begun < 1.0:
            self._stop.wait(0.5)  # no tight loop with a server that ends every watch at once
        return "" if self._sink.wants_list() else version

    def _events(self, version: str) -> Iterator[Json]:
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),
            **self._selector,
        }
        return self._connection.watch(self._path, subject=self._path, query=query, stop=self._stop)

    def _heard(self, version: str) -> None:
        if self._failures:
            log.warning("%s is watched again", self._path)
        self._failures = self._refusals = 0
        self._seen = version
        self._sink.answered()


@dataclass(eq=False)
class HealthCheck:
    """Checks every few seconds whether the server answers, since a watch may have no event for a minute."""

    _connection: Connection
    _path: str
    _sink: Sink
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self._run, name="health check", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(CHECK_EVERY):
            try:
                self._connection.call("GET", self._path, subject=self._path, read=CHECK_EVERY)
            except (Unavailable, TooManyRequests) as error:
                self._sink.lost(error.code)
            except Exception:
                log.exception("the pulse failed")
            else:
                self._sink.answered()
