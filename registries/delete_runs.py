"""删除选中: exactly the registries that were shown. Writes the items of runs.py's Run.

Nothing is deleted twice. Where the store shares the database, an item's state changes together with its
registry, one by one. A cluster takes part in no transaction: there several are deleted at once, each by its
uid, and written down together; while it is away the run waits. What was perhaps deleted, and by a lost process
not written down, is gone when it is tried again, and counts as done.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from uuid import UUID

from django.db.models import QuerySet

from registries.access import Access, Permission
from registries.background import Background
from registries.domain import Key
from registries.errors import ConsoleError, Forbidden, NotFound, TooManyRequests, Unavailable
from registries.models import RunItem
from registries.runs import BEAT, Heart, ItemState, Runs
from registries.service import RegistryService

AGAIN = "again"
"""The mark on items that may have been deleted before."""
PATIENCE = 300.0
"""Seconds that a run waits for a cluster that is away; after that its items fail."""
SETTLING = 15.0
"""Seconds after it was away in which a refusal is not believed: an API server that has just started knows no roles."""
PAUSE = 1.0
IN_FLIGHT = 2
"""Deletions handed out per worker, so that none waits for the one who writes down."""


@dataclass(frozen=True, slots=True)
class Outcome:
    item: RunItem
    access: Access
    error: ConsoleError | None = None


class _Patience:
    """Which errors of a cluster are waited for. Told of every outcome, in its order."""

    def __init__(self) -> None:
        self._well = time.monotonic()
        self._away = -SETTLING

    def has_it(self, error: ConsoleError | None) -> bool:
        now = time.monotonic()
        if error is None:
            self._well = now
            return False
        if isinstance(error, TooManyRequests) or (isinstance(error, Unavailable) and error.passing):
            self._away = now
            return now - self._well < PATIENCE
        return isinstance(error, Unavailable | Forbidden) and now - self._away < SETTLING


class DeleteRuns(Runs):
    """`workers` deletes that many at once; without it, one after the other in transactions."""

    kind = "delete"

    def __init__(
        self,
        service: RegistryService,
        background: Background,
        access_now: Callable[[Access], Access],
        atomic: Callable[[], AbstractContextManager[object]],
        workers: Background | None = None,
    ) -> None:
        super().__init__(background, access_now, atomic)
        self._service = service
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
            self._service.delete(
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
        outcomes: SimpleQueue[Outcome] = SimpleQueue()
        remaining = deque(items)
        under_way, going, patience = 0, True, _Patience()
        while True:
            going = going and heart.beat()
            while going and remaining and under_way < IN_FLIGHT * max(workers.threads, 1):
                workers.submit(partial(self._attempt, remaining.popleft(), heart.access, outcomes))
                under_way += 1
            if not under_way:
                return going
            ended = _drain(outcomes)
            under_way -= len(ended)
            ended = [it for it in ended if it.error is None or not heart.is_over(it.error)]
            put_off = [it.item for it in ended if patience.has_it(it.error)]
            self._write_down([it for it in ended if it.item not in put_off])
            if put_off:
                self._put_off(put_off)
                remaining.extendleft(reversed(put_off))

    @staticmethod
    def _put_off(items: Sequence[RunItem]) -> None:
        """The cluster is away: wait a little, and remember that these may have been deleted all the same."""
        for item in items:
            item.problem = AGAIN
        RunItem.objects.filter(pk__in=[item.pk for item in items]).update(problem=AGAIN)
        time.sleep(PAUSE)

    def _attempt(self, item: RunItem, access: Access, outcomes: SimpleQueue[Outcome]) -> None:
        """In a worker: exactly one outcome, whatever happens."""
        error: ConsoleError | None = ConsoleError(item.name, "failed")
        try:
            self._service.remove(access=access, key=Key(item.namespace, item.name), uid=item.uid)
            error = None
        except ConsoleError as refused:
            already = isinstance(refused, NotFound) and item.problem == AGAIN
            error = None if already and access.may(Permission.DELETE, item.namespace) else refused
        finally:
            outcomes.put(Outcome(item, access, error))

    def _write_down(self, outcomes: Sequence[Outcome]) -> None:
        done = [it for it in outcomes if it.error is None]
        with self._atomic():
            if done:
                deleted = [(Key(it.item.namespace, it.item.name), it.item.uid) for it in done]
                self._service.record_deletions(access=done[0].access, deleted=deleted)
                RunItem.objects.filter(pk__in=[it.item.pk for it in done]).update(
                    state=ItemState.DONE, problem=""
                )
            for it in outcomes:
                if it.error is not None:
                    problem = item_problem(it.error, it.access, it.item.namespace)
                    RunItem.objects.filter(pk=it.item.pk).update(state=ItemState.FAILED, problem=problem)


def _drain(outcomes: SimpleQueue[Outcome]) -> list[Outcome]:
    """All that there are, waiting for the first one; none when it takes longer than a beat."""
    ended: list[Outcome] = []
    try:
        ended.append(outcomes.get(timeout=BEAT))
        while True:
            ended.append(outcomes.get_nowait())
    except Empty:
        return ended


def item_problem(error: ConsoleError, access: Access, namespace: str) -> str:
    """The code of what went wrong with one item: `gone` where the person may know that it was there."""
    if isinstance(error, NotFound) and access.may(Permission.SEE, namespace):
        return "gone"
    by_reason = isinstance(error, Forbidden | TooManyRequests)
    return (error.reason if by_reason else error.problem or error.reason)[:64]
