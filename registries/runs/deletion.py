"""删除选中: exactly the registries that were shown. Writes the items of runs.py's Run.

Nothing is deleted twice. Where the store shares the database, an item's state changes together with its
registry, one by one. A cluster takes part in no transaction: there several are deleted at once, each by its
uid, and written down together; while it is away the run waits. What was perhaps deleted, and by a lost process
not written down, is gone when it is tried again, and counts as done.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from uuid import UUID

from django.db.models import QuerySet

from registries.domain.access import Access, Permission
from registries.domain.errors import ConsoleError, Forbidden, NotFound, Refused, TooManyRequests
from registries.domain.registry import Key
from registries.index.search import Index
from registries.models import RunItem
from registries.runs.engine import BEAT, PAUSE, Heart, ItemState, Patience, Runs, is_away
from registries.runs.threads import Background
from registries.service.registries import Registries

AGAIN = "again"
"""The mark on items that may have been deleted before."""
TURN = 0.25
"""Seconds that a worker deletes for one run before another run's turn comes, and what was done is written down."""
QUEUED = 2
"""Turns per worker, so that none waits for the one who writes down."""
WRITTEN_AT_ONCE = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    item: RunItem
    access: Access
    error: ConsoleError | None = None


@dataclass(slots=True)
class _Job:
    """What a run and its workers share. Every turn puts into `ended` once, what came of it."""

    remaining: deque[RunItem]
    access: Access
    going: bool = True
    ended: SimpleQueue[list[Outcome]] = field(default_factory=SimpleQueue)


class DeleteRuns(Runs):
    """`workers` deletes that many at once; without it, one after the other in transactions."""

    kind = "delete"

    def __init__(
        self,
        registries: Registries,
        index: Index,
        background: Background,
        access_now: Callable[[Access], Access],
        atomic: Callable[[], AbstractContextManager[object]],
        workers: Background | None = None,
    ) -> None:
        super().__init__(background, access_now, atomic)
        self._registries = registries
        self._index = index
        self._workers = workers

    def _lost(self, access: Access, items: QuerySet[RunItem]) -> None:
        if self._workers is not None:
            items.update(problem=AGAIN)

    def _work(self, run_id: UUID, access: Access) -> None:
        heart = Heart(run_id, access, self._access_now)
        waiting = RunItem.objects.filter(run=run_id, state=ItemState.WAITING)
        if self._workers is None:
            ended = self._one_by_one(list(waiting.values_list("pk", flat=True)), heart)
        else:
            ended = self._together(list(waiting), heart, self._workers)
        if ended:
            self._end(run_id)

    def _one_by_one(self, pks: Sequence[int], heart: Heart) -> bool:
        for pk in pks:
            if not heart.beat():
                return False
            self._delete(pk, heart)
        return not heart.over

    def _delete(self, pk: int, heart: Heart) -> None:
        row = RunItem.objects.filter(pk=pk)
        item = row.get()
        try:
            self._registries.delete(
                access=heart.access,
                key=Key(item.namespace, item.name),
                uid=item.uid,
                and_then=lambda: row.update(state=ItemState.DONE),
            )
        except ConsoleError as error:
            if not heart.is_over(error):
                problem = item_problem(error, heart.access, item.namespace)
                row.update(state=ItemState.FAILED, problem=problem)

    def _together(self, items: Sequence[RunItem], heart: Heart, workers: Background) -> bool:
        """Keep the workers busy and write down what they did; False when the run was cancelled."""
        job, patience, turns = _Job(deque(items), heart.access), Patience(self._index.freshness), 0
        while True:
            job.going, job.access = job.going and heart.beat(), heart.access
            while job.going and job.remaining and turns < QUEUED * max(workers.threads, 1):
                workers.submit(partial(self._turn, job))
                turns += 1
            if not turns:
                return job.going
            news = _drain(job.ended)
            turns -= len(news)
            ended = [it for turn in news for it in turn if it.error is None or not heart.is_over(it.error)]
            put_off = [it.item for it in ended if patience.has_it(it.error)]
            self._write_down([it for it in ended if it.item not in put_off])
            if put_off:
                self._put_off(put_off)
                job.remaining.extendleft(reversed(put_off))

    def _turn(self, job: _Job) -> None:
        """In a worker: delete for a while, until the run is cancelled, or until the cluster is away."""
        ended: list[Outcome] = []
        try:
            over = time.monotonic() + TURN
            while job.going and time.monotonic() < over and not (ended and is_away(ended[-1].error)):
                ended.append(self._attempt(job.remaining.popleft(), job.access))
        except IndexError:
            return  # nothing remains
        finally:
            job.ended.put(ended)

    @staticmethod
    def _put_off(items: Sequence[RunItem]) -> None:
        """The cluster is away: wait a little, and remember that these may have been deleted all the same."""
        for item in items:
            item.problem = AGAIN
        RunItem.objects.filter(pk__in=[item.pk for item in items]).update(problem=AGAIN)
        time.sleep(PAUSE)

    def _attempt(self, item: RunItem, access: Access) -> Outcome:
        again = item.problem == AGAIN
        try:
            self._registries.remove(
                access=access, key=Key(item.namespace, item.name), uid=item.uid, again=again
            )
        except ConsoleError as error:
            already = isinstance(error, NotFound) and again
            done = already and access.may(Permission.DELETE, item.namespace)
            return Outcome(item, access, None if done else error)
        except Exception:
            log.exception("a deletion failed")
            return Outcome(item, access, ConsoleError(item.name, "failed"))
        return Outcome(item, access)

    def _write_down(self, outcomes: Sequence[Outcome]) -> None:
        done = [it for it in outcomes if it.error is None]
        for first in range(0, len(done), WRITTEN_AT_ONCE):
            some = done[first : first + WRITTEN_AT_ONCE]
            deleted = [(Key(it.item.namespace, it.item.name), it.item.uid) for it in some]
            with self._atomic():
                self._registries.record_deletions(access=some[0].access, deleted=deleted)
                RunItem.objects.filter(pk__in=[it.item.pk for it in some]).update(
                    state=ItemState.DONE, problem=""
                )
        with self._atomic():
            for it in outcomes:
                if it.error is not None:
                    problem = item_problem(it.error, it.access, it.item.namespace)
                    RunItem.objects.filter(pk=it.item.pk).update(state=ItemState.FAILED, problem=problem)


def _drain(turns: SimpleQueue[list[Outcome]]) -> list[list[Outcome]]:
    """All that have ended, waiting for the first one; none when it takes longer than a beat."""
    ended: list[list[Outcome]] = []
    try:
        ended.append(turns.get(timeout=BEAT))
        while True:
            ended.append(turns.get_nowait())
    except Empty:
        return ended


def item_problem(error: ConsoleError, access: Access, namespace: str) -> str:
    """The code of what went wrong with one item: `gone` where the person may know that it was there."""
    if isinstance(error, NotFound) and access.may(Permission.SEE, namespace):
        return "gone"
    by_reason = isinstance(error, Forbidden | TooManyRequests) and not isinstance(error, Refused)
    return (error.reason if by_reason else error.problem or error.reason)[:64]
