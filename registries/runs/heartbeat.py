"""Signs of life of a run, and when it retries after an error."""

import time
from collections.abc import Callable
from uuid import UUID

from django.utils import timezone

from registries.domain.access import Access
from registries.domain.errors import ConsoleError, Forbidden, Problem, TooManyRequests, Unavailable
from registries.models import Run
from registries.runs.run import LOST_AFTER, RunState
from registries.stores.base import Freshness

BEAT = 2.0
"""Seconds between heartbeats. Every heartbeat also looks up the person's access."""
SURE_FOR = LOST_AFTER.total_seconds() / 2
"""Seconds after a heartbeat in which no other process can have claimed the run."""
LOOK = 0.05
"""Seconds between two looks while a worker waits for a heartbeat."""
RETRY_FOR = 300.0
"""Seconds of retries while a cluster does not answer. Items fail after that."""
SETTLING = 15.0
"""Seconds after an outage in which a refusal is retried: an API server that has just started knows no roles."""


class Heartbeat:
    """Says in the database that a run is alive, and keeps the person's access up to date.

    `fence` is the number of this process's claim. After a long sleep another process may have claimed the run: then
    this one is `lost`, and may neither act nor record.
    """

    def __init__(
        self, run_id: UUID, fence: int, access: Access, access_now: Callable[[Access], Access]
    ) -> None:
        self._run_id = run_id
        self._mine = Run.objects.filter(pk=run_id, fence=fence)
        self.run = self._mine.filter(state=RunState.RUNNING)
        self._access_now = access_now
        self._last = self._confirmed = time.monotonic()
        self.access = access.in_run(run_id)
        self.stopped = False
        """The run was cancelled or lost, or the person's session has ended."""
        self.lost = False
        """Another process has claimed the run. What is not known for sure may not be recorded then."""
        self._session_ended = False

    @property
    def interval(self) -> float:
        return BEAT

    def beat(self) -> bool:
        """Call it often, from the run's thread. False if the run is stopped."""
        now = time.monotonic()
        if now - self._last < self.interval:
            return not self.stopped
        self._last = now
        if not self.stopped:
            try:
                self.access = self._access_now(self.access).in_run(self._run_id)
            except Unavailable as error:
                self.ends_session(error)
                self.stopped = True
            else:
                self.stopped = not self.run.update(beat_at=timezone.now())
        if self.stopped and not self._mine.exists():
            self.lost = True
        self._confirmed = now
        return not self.stopped

    def is_held(self) -> bool:
        """Whether this process still has the run. Waits after a sleep, until the run's thread has looked."""
        while not self.lost and time.monotonic() - self._confirmed > SURE_FOR:
            time.sleep(LOOK)
        return not self.lost

    def halt(self) -> None:
        """Begins no further item, as `cancel` does. The person decides how the run goes on."""
        self.stopped = True
        self.run.update(state=RunState.CANCELLED, finished_at=timezone.now())

    def ends_session(self, error: ConsoleError) -> bool:
        """Whether the error says that the person's session has ended. If so, the run is cancelled.

        The item of the error still waits: the person can resume the run after the next login.
        """
        if error.problem != Problem.SESSION_ENDED:
            return False
        if not self._session_ended:
            self._session_ended = True
            self.halt()
        return True


class RetryPolicy:
    """Decides whether a run retries after an error of the cluster. Call it once per attempt, in order.

    `freshness` adds what the rest of the process knows: the first answer after a restart may be a refusal.
    """

    def __init__(self, freshness: Callable[[], Freshness]) -> None:
        self._freshness = freshness
        self._last_success = time.monotonic()
        self._last_outage = -SETTLING

    def succeeded(self) -> None:
        self._last_success = time.monotonic()

    def allows(self, error: ConsoleError) -> bool:
        now = time.monotonic()
        if isinstance(error, TooManyRequests) or (isinstance(error, Unavailable) and error.passing):
            self._last_outage = now
            return now - self._last_success < RETRY_FOR
        if not isinstance(error, Unavailable | Forbidden):
            return False
        return min(now - self._last_outage, self._freshness().steady) < SETTLING
