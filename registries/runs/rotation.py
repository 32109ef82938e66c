"""Runs that change a credential: one registry, and its copies after it.

The old and the new values are sealed in the database before anything is written, so any process can go on. What was
written already is told by comparing, not by a record: a write and its record cannot be one step on a cluster.

The first registry is tested with its stored values. If it does not connect, it gets its old values back and nothing
else is touched. A later failure stops the run: the person tries again, rolls all back, or leaves it so.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, ConsoleError, NotFound, Problem, Unavailable
from registries.domain.registry import Draft, RegistrySecret
from registries.probe import Reason, Result
from registries.runs.engine import AccessNow, Runs
from registries.runs.execution import Execution, ItemQueue, Kind, Step
from registries.runs.loop import repeat
from registries.runs.rotation_rows import RotationRows, Target
from registries.runs.run import Item, ItemOutcome, ItemState
from registries.runs.single import SingleTests
from registries.runs.tests import Tested, probe_step
from registries.runs.threads import Background
from registries.service.registries import Registries
from registries.service.replacement import Replacement
from registries.service.tests import Tests
from registries.verification.outcome import NotTested

LOOK = 5.0
"""Seconds between two looks for lost runs."""

log = logging.getLogger(__name__)

ROLLED_BACK = ItemOutcome(ItemState.LEFT_ALONE, problem=Problem.ROLLED_BACK)
SKIPPED = ItemOutcome(ItemState.LEFT_ALONE, problem=Problem.SKIPPED)


class RotationQueue(ItemQueue):
    """The items one after the other. When the first is rolled back, the others are not touched."""

    def ended(self, item: Item, outcome: ItemOutcome) -> Sequence[tuple[Item, ItemOutcome]]:
        if (outcome.state, outcome.problem) != (ItemState.FAILED, Problem.ROLLED_BACK):
            return ()
        rest = tuple(self._items)
        self._items.clear()
        return [(it, SKIPPED) for it in rest]


class RotateKind(Kind[Tested]):
    """`workers` has the threads that probe. `single` tests the registries after the first in the background."""

    name = "rotate"
    action = Action.PASSWORD
    permission = Permission.CREATE
    listed = False
    cancellable = True
    at_once = 1

    def __init__(
        self,
        rows: RotationRows,
        replacement: Replacement,
        tests: Tests,
        single: SingleTests,
        workers: Background,
    ) -> None:
        self._rows = rows
        self._replacement = replacement
        self._tests = tests
        self._single = single
        self.workers = workers

    def queue(self, run: Execution[Tested]) -> ItemQueue:
        return RotationQueue(item for item in run.items() if item.state is ItemState.WAITING)

    def begin(self, item: Item, run: Execution[Tested]) -> Step[Tested] | None:
        try:
            target = self._rows.target(item.id)
            if target.undoing:
                self._put(item, target, run, undo=True)
                run.end([item], ROLLED_BACK)
                return None
            changed = self._put(item, target, run)
            if target.first:
                return self._test(changed, run)
        except ConsoleError as error:
            run.fail(item, error)
            run.halt()
            return None
        with suppress(ConsoleError):  # too many tests: the schedule tests it later
            self._single.start(access=_tester(run), key=changed.key)
        run.end([item], ItemOutcome(ItemState.DONE))
        return None

    def record(self, results: Sequence[tuple[Item, Tested]], run: Execution[Tested]) -> None:
        for item, (check, result) in results:
            recorded: Result | NotTested
            if isinstance(result, ConsoleError):
                recorded = self._tests.abandon_test(check=check, error=result)
            else:
                recorded = self._tests.record_test(
                    access=_tester(run), check=check, result=result, again=run.pause_for_retry
                )
            target = self._rows.target(item.id)
            if isinstance(recorded, NotTested):
                run.fail(item, Unavailable(str(item.key), recorded.problem))
                run.halt()
            elif recorded.ok or target.anyway:
                took = round(recorded.duration_ms)
                run.end([item], ItemOutcome(ItemState.DONE, recorded.reason, duration_ms=took))
                if not recorded.ok and any(it.state is ItemState.WAITING for it in run.items()):
                    run.halt()  # the person decides about the others
            elif recorded.reason is Reason.RATE_LIMITED:
                run.end([item], ItemOutcome(ItemState.FAILED, recorded.reason))
                run.halt()
            else:
                self._roll_back(item, target, recorded.reason, run)

    def finish(self, run_id: UUID) -> None:
        self._rows.forget(run_id)

    def recover(self, access: Access, items: Sequence[Item]) -> None:
        self._tests.abandon_lost_tests(access=access, uids=[item.uid for item in items])

    def _roll_back(self, item: Item, target: Target, reason: Reason, run: Execution[Tested]) -> None:
        try:
            self._put(item, target, run, undo=True)
        except ConsoleError as error:
            run.fail(item, error)
            run.halt()
        else:
            run.end([item], ItemOutcome(ItemState.FAILED, reason, Problem.ROLLED_BACK))

    def _put(
        self, item: Item, target: Target, run: Execution[Tested], *, undo: bool = False
    ) -> RegistrySecret:
        """Stores the new values of an item, or with `undo` the old ones."""
        self._rows.begun(item.id)

        def put() -> RegistrySecret:
            now = self._rows.target(item.id)
            return self._replacement.put(
                access=run.access,
                uid=now.uid,
                old=now.new if undo else now.old,
                new=now.old if undo else now.new,
                replacing=now.replacing,
                replace_now=partial(self._rows.replacing, item.id),
            )

        changed = run.patiently(put)
        if changed.uid != target.uid:
            self._rows.now(item.id, changed.uid)
        return changed

    def _test(self, changed: RegistrySecret, run: Execution[Tested]) -> Step[Tested]:
        """Tests the stored values of a registry, in place of a test that is under way."""
        self._tests.end_test(uid=changed.uid)
        begin, attempt_of = self._tests.begin_test_of_run, self._tests.attempt
        check = run.patiently(lambda: begin(access=_tester(run), key=changed.key, uid=changed.uid))
        try:
            return probe_step(check, run.patiently(lambda: attempt_of(access=_tester(run), check=check)))
        except ConsoleError as error:
            self._tests.abandon_test(check=check, error=error)
            raise


def _tester(run: Execution[Tested]) -> Access:
    """The person. In the audit log, the run is the changes alone, without their tests."""
    return replace(run.access, run=None)


class Rotations:
    """The person's side of these runs. The methods with `run_id` raise the errors of Runs."""

    def __init__(
        self, runs: Runs, rows: RotationRows, replacement: Replacement, registries: Registries
    ) -> None:
        self.runs = runs
        self._rows = rows
        self._replacement = replacement
        self._registries = registries

    def begin(
        self,
        *,
        access: Access,
        registries: Sequence[RegistrySecret],
        changes: Mapping[str, Any],
        generation: str | None = None,
        anyway: bool = False,
        access_now: AccessNow | None = None,
        sealed: Callable[[], bool] | None = None,
    ) -> UUID:
        """Starts to change these registries, the first one first. `changes` are fields of Draft. With `anyway`, a
        first one that does not connect keeps its new values.

        `sealed` is called once the values are safe and before anything is written. It returns whether the old values
        are certainly of no use any more. After an error of it, nothing is kept.

        Reads everything as the person before anything is written: NotFound, Forbidden, Conflict, Unavailable;
        Conflict `changed` when the first has another generation; Invalid for the password.
        """
        if generation not in (None, registries[0].generation):
            raise Conflict(str(registries[0].key), Problem.CHANGED)
        old: dict[str, Draft] = {}
        for it in registries:
            old[it.uid] = self._replacement.before(access=access, key=it.key, uid=it.uid)
            if "password" in changes:
                self._registries.require_password(it, changes["password"])
        run_id = self.runs.propose(access=access, registries=registries)
        self._rows.add(run_id, changes, old, anyway=anyway, by_token=access_now is not None)
        if sealed is not None:
            try:
                certain = sealed()
            except BaseException:
                self._rows.forget(run_id)
                raise
            if certain:
                self._rows.keep_new(run_id)
        self.runs.start(access=access, run_id=run_id, access_now=access_now)
        return run_id

    def retry(self, *, access: Access, run_id: UUID, access_now: AccessNow | None = None) -> None:
        """Goes on with what failed or waits. Conflict `already_running`, `password_forgotten`."""
        self._require_kept(access, run_id)
        self._continue(access, run_id, access_now, self._rows.retry)

    def resume_lost(self, access_now: AccessNow) -> None:
        """Goes on with the runs whose process was lost, with the rights that their people have now.

        A person of a cluster has none without a session: such a run waits for its person.
        """
        for run_id, person, owner in self._rows.lost():
            with suppress(ConsoleError):  # also where another process was first
                access = access_now(Access(person=person, owner=owner))
                self.runs.start(access=access, run_id=run_id)
                log.info("goes on with the change of passwords %s of %s", run_id, person)

    def keep_resuming(self, access_now: AccessNow) -> None:
        """Looks for lost runs for ever, in its own thread. Several processes may do so at once."""
        repeat(partial(self.resume_lost, access_now), LOOK, "going on with lost runs failed")

    def roll_back(self, *, access: Access, run_id: UUID, access_now: AccessNow | None = None) -> None:
        """Writes the old values back to everything that was changed. The conflicts of `retry`."""
        self._require_kept(access, run_id)
        self._continue(access, run_id, access_now, self._rows.undo)

    def _continue(
        self, access: Access, run_id: UUID, access_now: AccessNow | None, prepare: Callable[[UUID], None]
    ) -> None:
        def prepared() -> None:
            prepare(run_id)
            self._rows.continued(run_id, by_token=access_now is not None)

        self.runs.start(access=access, run_id=run_id, access_now=access_now, prepare=prepared)

    def leave(self, *, access: Access, run_id: UUID) -> None:
        """Ends a stopped run as it stands, and forgets the passwords. The conflicts of `retry`."""
        self._require_kept(access, run_id)
        self.runs.close(access=access, run_id=run_id, outcome=SKIPPED)

    def is_undone(self, *, access: Access, run_id: UUID) -> bool:
        """Whether the run writes the old values back. False once the values are forgotten."""
        self.runs.view(access=access, run_id=run_id)
        with suppress(NotFound):
            return self._rows.undoing(run_id)
        return False

    def _require_kept(self, access: Access, run_id: UUID) -> None:
        self.runs.view(access=access, run_id=run_id)
        if not self._rows.is_kept(run_id):
            raise Conflict(str(run_id), Problem.PASSWORD_FORGOTTEN)
