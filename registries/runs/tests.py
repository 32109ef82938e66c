"""Runs that test. Worker threads only probe; the run's thread reads credentials and records verdicts.

The probe's Schedule decides the order: one test at a time per host. After a host has refused a user name, or has asked
for a pause (Retry-After), the other items with this host and user name are left alone.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, ConsoleError, Problem, Unavailable
from registries.probe import LEAVE_ALONE, Reason, Result, Schedule, Slot, registry_of
from registries.runs.execution import Execution, ItemQueue, Kind, Step
from registries.runs.run import Item, ItemOutcome, ItemState
from registries.runs.threads import Background
from registries.service.registries import Registries
from registries.service.tests import Tests
from registries.verification.check import Check
from registries.verification.outcome import NotTested
from registries.verification.pauses import Pauses

KEPT = 10

Tested = tuple[Check, Result | ConsoleError]
LeftAlone = Sequence[tuple[Item, ItemOutcome]]

log = logging.getLogger(__name__)


class HostQueue(ItemQueue):
    """The waiting items, in the order of the probe's Schedule."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        super().__init__(())
        self._schedule = Schedule(slots)
        self._under_way: dict[int, Slot] = {}

    def take(self) -> Item | None:
        slot = self._schedule.take()
        if slot is None:
            return None
        item = cast(Item, slot.key)
        self._under_way[item.id] = slot
        return item

    def put_back(self, items: Sequence[Item]) -> None:
        raise NotImplementedError("a step of a test returns its errors, so no item is put back")

    def ended(self, item: Item, outcome: ItemOutcome) -> LeftAlone:
        slot = self._under_way.pop(item.id)
        return _left_alone(self._schedule.ended(slot, Reason(outcome.reason) if outcome.reason else None))

    def refuse(self, host: str, username: str, reason: Reason) -> LeftAlone:
        """Leave the items of a host and user name alone, because of an earlier test."""
        return _left_alone(self._schedule.refuse(host, username, reason))

    @property
    def is_empty(self) -> bool:
        return not self._schedule.waiting


class VerifyKind(Kind[Tested]):
    """`workers` has the threads that probe. `pauses` knows the hosts that asked for a pause."""

    name = "verify"
    action = Action.TEST
    permission = Permission.TEST
    cancellable = True
    one_per_person = True
    kept = KEPT
    failures_listed = 100
    fair = True

    def __init__(
        self,
        registries: Registries,
        tests: Tests,
        pauses: Pauses,
        workers: Background,
        at_once: int,
    ) -> None:
        self._registries = registries
        self._tests = tests
        self._pauses = pauses
        self.workers = workers
        self.at_once = at_once

    def queue(self, run: Execution[Tested]) -> ItemQueue:
        """Leaves alone at once what was refused earlier in this run, and what is paused in its namespace."""
        items = run.items()
        found, _ = self._registries.by_uid(access=run.access, uids=[item.uid for item in items])
        places = {it.uid: (registry_of(it.address), it.username) for it in found}
        slots: list[Slot] = []
        refused: list[tuple[str, str, Reason]] = []
        paused = self._pauses.active()
        for item in items:
            place = places.get(item.uid, ("", str(item.id)))
            if item.state is ItemState.WAITING and (item.key.namespace, *place) in paused:
                run.write([item], _left_alone_for(Reason.RATE_LIMITED))
            elif item.state is ItemState.WAITING:
                slots.append(Slot(item, *place))
            elif item.reason in LEAVE_ALONE:
                refused.append((*place, Reason(item.reason)))
        queue = HostQueue(slots)
        for host, username, reason in refused:
            for item, outcome in queue.refuse(host, username, reason):
                run.write([item], outcome)
        return queue

    def begin(self, item: Item, run: Execution[Tested]) -> Step[Tested] | None:
        begin, attempt_of = self._tests.begin_test_of_run, self._tests.attempt
        try:
            check = run.patiently(lambda: begin(access=run.access, key=item.key, uid=item.uid))
        except Conflict as error:
            if error.problem is not Problem.UNDER_WAY:
                raise
            run.end([item], ItemOutcome(ItemState.LEFT_ALONE, problem=error.code))
            return None
        try:
            attempt = run.patiently(lambda: attempt_of(access=run.access, check=check))
        except ConsoleError as error:
            abandoned = self._tests.abandon_test(check=check, error=error)
            run.fail(item, error, problem=abandoned.problem)
            return None
        busy = Unavailable(check.lane, Problem.REGISTRY_BUSY)
        return Step(partial(_probe, check, attempt), check.lane, lambda: (check, busy))

    def record(self, results: Sequence[tuple[Item, Tested]], run: Execution[Tested]) -> None:
        for item, (check, result) in results:
            if isinstance(result, ConsoleError):
                self._tests.abandon_test(check=check, error=result)
                if not run.lost:
                    run.end([item], ItemOutcome(ItemState.FAILED, problem=result.code))
                continue
            recorded = self._tests.record_test(
                access=run.access, check=check, result=result, again=run.pause_for_retry
            )
            if isinstance(recorded, NotTested):
                run.fail(item, Unavailable(str(check.key), recorded.problem))
            else:
                took = round(recorded.duration_ms)
                run.end([item], ItemOutcome(ItemState.DONE, recorded.reason, duration_ms=took))

    def recover(self, access: Access, items: Sequence[Item]) -> None:
        self._tests.abandon_lost_tests(access=access, uids=[item.uid for item in items])


def _probe(check: Check, attempt: Callable[[], Result]) -> Tested:
    """Runs in a worker thread. Returns every error, since the check has to be ended after any of them."""
    try:
        return check, attempt()
    except ConsoleError as error:
        return check, error
    except Exception:
        log.exception("a test failed")
        return check, Unavailable(str(check.key), Problem.INTERRUPTED)


def _left_alone(slots: Sequence[tuple[Slot, Reason]]) -> LeftAlone:
    return [(cast(Item, slot.key), _left_alone_for(reason)) for slot, reason in slots]


def _left_alone_for(reason: Reason) -> ItemOutcome:
    return ItemOutcome(ItemState.LEFT_ALONE, reason.value, "left_alone")
