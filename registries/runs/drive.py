"""One verify run under way. Threads only probe; the one that drives the run reads credentials and records verdicts.

In what order, and who is left alone, is the schedule's word (probe/schedule.py): one test at a time per registry,
none for a user name that it has just refused, in this run or, while its Retry-After lasts, in any other.
"""

import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar, cast

from django.db.models import QuerySet
from django.utils import timezone

from registries.domain.errors import ConsoleError, Unavailable
from registries.domain.registry import Key
from registries.index.search import Index
from registries.models import RunItem
from registries.probe import Reason, Result, Schedule, Slot, registry_of
from registries.runs.deletion import item_problem
from registries.runs.engine import BEAT, PAUSE, Heart, ItemState, Patience
from registries.runs.threads import Background
from registries.service.registries import Registries
from registries.service.tests import Tests
from registries.verification.check import Check

T = TypeVar("T")


class Drive:
    """One run under way, in one thread."""

    def __init__(
        self,
        registries: Registries,
        tests: Tests,
        index: Index,
        probing: Background,
        most: int,
        items: QuerySet[RunItem],
        heart: Heart,
    ) -> None:
        self._registries = registries
        self._tests = tests
        self._probing = probing
        self._most = most
        self._items = items
        self._heart = heart
        self._ended: SimpleQueue[tuple[Slot, Check, Result | ConsoleError | None]] = SimpleQueue()
        self._under_way = 0
        self._schedule = Schedule(())
        self._patience = Patience(index.freshness)
        self._left = False
        """Cancelled while the cluster was waited for: what was tried last is still to be done."""

    def go(self) -> bool:
        """Test until there is nothing left: True; or until the run was cancelled: False."""
        going = True
        while going or self._under_way:
            going = going and self._heart.beat()
            while going and self._under_way < self._most and (slot := self._schedule.take()):
                self._begin(slot)
                going = not self._heart.over and not self._left
            if self._under_way:
                self._await()
            elif not self._schedule.waiting:
                return going
        return False

    def plan(self, pauses: Sequence[tuple[str, str]]) -> None:
        """What is left to do; and who was refused before, in this run, or is not to be troubled yet: `pauses`
        are (registry, user name) pairs."""
        rows = list(self._items.values_list("pk", "uid", "state", "reason"))
        uids = [uid for _, uid, _, _ in rows]
        known = {it.uid: it for it in self._registries.by_uid(access=self._heart.access, uids=uids)}
        slots, refused = [], []
        for pk, uid, state, reason in rows:
            registry = known.get(uid)
            place = (registry_of(registry.address), registry.username) if registry else ("", str(pk))
            if state == ItemState.WAITING:
                slots.append(Slot(pk, *place))
            elif reason in (Reason.BAD_CREDENTIALS, Reason.RATE_LIMITED):
                refused.append((*place, Reason(reason)))
        self._schedule = Schedule(slots)
        refused += [(*place, Reason.RATE_LIMITED) for place in pauses]
        for one in refused:
            self._leave_alone(self._schedule.refuse(*one))

    def _begin(self, slot: Slot) -> None:
        item = self._row(slot).get()
        key = Key(item.namespace, item.name)
        begin, attempt_of = self._tests.begin_test_of_run, self._tests.attempt
        try:
            check = self._patiently(lambda: begin(access=self._heart.access, key=key, uid=item.uid))
        except ConsoleError as error:
            if self._left:
                return
            problem = item_problem(error, self._heart.access, key.namespace)
            state = ItemState.LEFT_ALONE if problem == "under_way" else ItemState.FAILED
            self._end(slot, state, problem=problem)
            return
        try:
            attempt = self._patiently(lambda: attempt_of(access=self._heart.access, check=check))
        except ConsoleError as error:
            abandoned = self._tests.abandon_test(check=check, error=error)
            if not self._heart.is_over(error) and not self._left:
                self._end(slot, ItemState.FAILED, problem=abandoned.problem)
            return
        self._under_way += 1
        self._probing.submit(lambda: self._probe(slot, check, attempt))

    def _patiently(self, call: Callable[[], T]) -> T:
        """What a call gives; while the cluster is away, it is made again and again."""
        while True:
            try:
                given = call()
            except ConsoleError as error:
                if not self._waits_for(error):
                    raise
            else:
                self._patience.has_it(None)
                return given

    def _waits_for(self, error: ConsoleError) -> bool:
        """Wait a little; False for an error that will not pass, and when the run was cancelled meanwhile."""
        if not self._patience.has_it(error):
            return False
        time.sleep(PAUSE)
        self._left = not self._heart.beat()
        return not self._left

    def _probe(self, slot: Slot, check: Check, attempt: Callable[[], Result]) -> None:
        """In a thread of its own; whatever happens, the run hears of it."""
        outcome: Result | ConsoleError | None = None
        try:
            outcome = attempt()
        except ConsoleError as error:
            outcome = error
        finally:
            self._ended.put((slot, check, outcome))

    def _await(self) -> None:
        try:
            slot, check, outcome = self._ended.get(timeout=BEAT / 2)
        except Empty:
            return
        self._under_way -= 1
        if isinstance(outcome, Result):
            recorded = self._tests.record_test(
                access=self._heart.access, check=check, result=outcome, again=self._waits_for
            )
            if self._heart.is_over(Unavailable(str(check.key), recorded.problem)):
                return
            if recorded.problem and self._left:
                return
            state = ItemState.FAILED if recorded.problem else ItemState.DONE
            self._end(slot, state, recorded.reason, recorded.problem, recorded.duration_ms)
            return
        error = outcome or Unavailable(str(check.key), "interrupted")
        self._tests.abandon_test(check=check, error=error)
        self._end(slot, ItemState.FAILED, problem=error.problem)

    def _end(
        self,
        slot: Slot,
        state: ItemState,
        reason: str = "",
        problem: str = "",
        duration_ms: int | None = None,
    ) -> None:
        self._row(slot).update(
            state=state, reason=reason, problem=problem[:64], duration_ms=duration_ms, ended_at=timezone.now()
        )
        self._leave_alone(self._schedule.ended(slot, Reason(reason) if reason else None))

    def _leave_alone(self, slots: Sequence[tuple[Slot, Reason]]) -> None:
        for slot, reason in slots:
            self._row(slot).update(
                state=ItemState.LEFT_ALONE, reason=reason.value, problem="left_alone", ended_at=timezone.now()
            )

    def _row(self, slot: Slot) -> QuerySet[RunItem]:
        return self._items.filter(pk=cast(int, slot.key))
