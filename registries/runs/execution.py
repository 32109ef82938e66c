"""The work on one run: the loop over its items."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar
from uuid import UUID

from django.utils import timezone

from registries.domain.access import Access, Permission
from registries.domain.errors import ConsoleError, NotFound, Problem
from registries.models import Run, RunItem
from registries.runs.heartbeat import Heartbeat, RetryPolicy
from registries.runs.run import RETRIED, Item, ItemOutcome, ItemQueue, ItemState, Kind, Step, read_items
from registries.stores.base import Freshness

PAUSE = 1.0
"""Seconds before a retry."""
GATHER = 0.5
"""Seconds that a run waits for further steps, to record them together."""
WRITTEN_AT_ONCE = 500
"""Rows of one statement. SQLite limits the parameters of a query."""

T = TypeVar("T")
R = TypeVar("R")
log = logging.getLogger(__name__)


class Execution(Heartbeat, Generic[T]):
    """The work on one run, in one thread. A kind uses its public methods."""

    def __init__(
        self,
        run_id: UUID,
        fence: int,
        access: Access,
        access_now: Callable[[Access], Access],
        kind: Kind[T],
        freshness: Callable[[], Freshness],
        atomic: Callable[[], AbstractContextManager[object]],
    ) -> None:
        super().__init__(run_id, fence, access, access_now)
        self.atomic = atomic
        self._kind = kind
        self._retry = RetryPolicy(freshness)
        self._rows = RunItem.objects.filter(run=run_id).order_by("pk")
        self.queue = ItemQueue(())
        """The queue that the kind made for this run."""
        self._under_way = 0
        self._failed: set[int] = set()
        """The items that failed in a worker and are not recorded. No step begins meanwhile, if the kind halts."""
        self._finished: SimpleQueue[tuple[Item, T | None, ConsoleError | None]] = SimpleQueue()
        self.forget = False
        """Whether a deletion keeps nothing for an undo."""
        self._stopped_in_retry = False
        """The run was stopped before a retry. The item of that retry still waits."""

    def items(self) -> list[Item]:
        """All items of the run, those that have ended included."""
        return read_items(self._rows)

    def work(self) -> bool:
        """Do the waiting items. True when all have ended; False when the run was stopped before that."""
        self.forget = Run.objects.filter(pk=self._run_id, forget=True).exists()
        self.queue = self._kind.queue(self)
        while True:
            while self.beat() and self._has_room():
                item = self.queue.take()
                if item is None:
                    break
                self._begin(item)
            if self._under_way:
                self._collect()
            elif self.stopped:
                return False
            elif self.queue.is_empty:
                return True

    def patiently(self, call: Callable[[], R]) -> R:
        """The value of a call, which is retried while the cluster does not answer."""
        while True:
            try:
                value = call()
            except ConsoleError as error:
                if not self.pause_for_retry(error):
                    raise
            else:
                self._retry.succeeded()
                return value

    def pause_for_retry(self, error: ConsoleError) -> bool:
        """Sleep before a retry. False without a retry: the policy does not allow it, or the run was stopped."""
        if not self._retry.allows(error):
            return False
        time.sleep(PAUSE)
        self._stopped_in_retry = not self.beat()
        return not self._stopped_in_retry

    def end(self, items: Sequence[Item], outcome: ItemOutcome) -> None:
        """Record the outcome of items, and the end of further items that end because of them."""
        self.write(items, outcome)
        if outcome.state is ItemState.DONE:
            self._retry.succeeded()
        for item in items:
            for other, its_outcome in self.queue.ended(item, outcome):
                self.write([other], its_outcome)

    def fail(self, item: Item, error: ConsoleError, problem: str = "") -> None:
        """End an item as failed. It still waits if the session ended, or the run was lost or stopped before a retry."""
        if self.lost or self.ends_session(error) or self._stopped_in_retry:
            return
        problem = problem or item_problem(error, self.access, item.key.namespace)
        self.end([item], ItemOutcome(ItemState.FAILED, problem=problem))
        if self._kind.halts:
            self.halt()

    def write(self, items: Sequence[Item], outcome: ItemOutcome) -> None:
        """Store the outcome of items, with a few statements."""
        for first in range(0, len(items), WRITTEN_AT_ONCE):
            keys = [item.id for item in items[first : first + WRITTEN_AT_ONCE]]
            self._rows.filter(pk__in=keys).update(
                state=outcome.state,
                reason=outcome.reason,
                problem=outcome.problem[:64],
                duration_ms=outcome.duration_ms,
                ended_at=timezone.now(),
            )

    @property
    def room(self) -> int:
        """How many further items may begin now, with the one that begins."""
        return self._kind.at_once - self._under_way

    def _has_room(self) -> bool:
        under_way, kind = self._under_way, self._kind
        soon = not under_way or not kind.begins_soon or kind.workers.has_room(self.access.owner)
        return under_way < kind.at_once and soon

    def _begin(self, item: Item) -> None:
        try:
            step = self._kind.begin(item, self)
        except ConsoleError as error:
            self.fail(item, error)
            return
        if step is not None:
            self.go_on(item, step)

    def go_on(self, item: Item, step: Step[T]) -> None:
        """Give a step of an item to a worker: the first one, or one that follows a recorded result."""
        self._under_way += 1
        late = partial(self._perform, item, step.late) if step.late else None
        workers = step.workers or self._kind.workers
        workers.submit(partial(self._perform, item, step.call), self.access.owner, step.lane, late)

    def _perform(self, item: Item, call: Callable[[], T | None]) -> None:
        """Runs in a worker thread. The run hears of every step, whatever happens."""
        result: T | None = None
        failure: ConsoleError | None = ConsoleError(str(item.key), Problem.FAILED)
        try:
            result = call() if self.is_held() and not self._failed else None
            failure = None
        except ConsoleError as error:
            failure = error
        except Exception:
            log.exception("an item of a run failed")
        finally:
            if failure is not None and self._kind.halts:
                self._failed.add(item.id)
            self._finished.put((item, result, failure))

    def _collect(self) -> None:
        """Wait for steps to finish, half a heartbeat at most, and record them."""
        finished = self._drain()
        self._under_way -= len(finished)
        self.beat()
        results = [(item, result) for item, result, _ in finished if result is not None]
        failures = [(item, error) for item, _, error in finished if error is not None]
        idle = [item for item, result, error in finished if result is None and error is None]
        if results:
            self._kind.record(results, self)
        if failures:
            self._retry_or_fail(failures)
            self._failed.difference_update(item.id for item, _ in failures)
        if idle:
            self._kind.waits(idle, self)
            self.queue.put_back(idle)

    def _retry_or_fail(self, failures: Sequence[tuple[Item, ConsoleError]]) -> None:
        retried = []
        with self.atomic():
            for item, error in failures:
                if not self.stopped and not self.ends_session(error) and self._retry.allows(error):
                    retried.append(replace(item, problem=RETRIED))
                else:
                    self.fail(item, error)
        if retried:
            self._rows.filter(pk__in=[item.id for item in retried]).update(problem=RETRIED)
            self.queue.put_back(retried)
            time.sleep(PAUSE)

    def _drain(self) -> list[tuple[Item, T | None, ConsoleError | None]]:
        """Finished steps. Waits for half of those under way, if the kind records many at once, but not for long."""
        finished = []
        enough = min(self._kind.recorded_at_once, (self._under_way + 1) // 2)
        try:
            finished.append(self._finished.get(timeout=self.interval / 2))
            until = time.monotonic() + GATHER
            while len(finished) < enough:
                finished.append(self._finished.get(timeout=max(0.0, until - time.monotonic())))
        except Empty:
            pass
        return finished


def item_problem(error: ConsoleError, access: Access, namespace: str) -> Problem:
    """The code for an item that failed: `gone` only if the person may see the namespace."""
    if isinstance(error, NotFound) and access.may(Permission.SEE, namespace):
        return Problem.GONE
    return error.code
