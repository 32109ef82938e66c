"""Runs that change a credential: one registry, and its copies after it.

The old and the new values are sealed in the database before anything is written, so any process can go on. What was
written already is told by comparing, not by a record: a write and its record cannot be one step on a cluster.

The first registry is alone, and is tested with its stored values. If it does not connect, it gets its old values back
and nothing else is touched. Then several are written at once on a cluster, and recorded together; an embedded store
shares the database, and each is written in one transaction with the state of its item. Those with the credential of the
first one get its verdict. A later failure stops the run: what is under way ends, and the person tries again, rolls all
back, or leaves it so.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID
from weakref import WeakKeyDictionary

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import ConsoleError, Problem, Unavailable
from registries.domain.registry import Draft, RegistrySecret, VerifyStatus
from registries.probe import Reason, Result
from registries.probe.schedule import LEAVE_ALONE
from registries.runs.execution import Execution
from registries.runs.rotation_queue import RotationQueue
from registries.runs.rotation_rows import RotationRows, Target
from registries.runs.run import DONE, Item, ItemOutcome, ItemQueue, ItemState, Kind, Step
from registries.runs.single import SingleTests
from registries.runs.threads import Background
from registries.runs.verify import Tested, probe_step
from registries.service.replacement import Change, Renewal, Replacement, same_spec
from registries.service.tests import Tests
from registries.verification.history import NotTested

AT_ONCE = 128
"""Registries of one run that are begun and not recorded: the workers go on while the run records."""

ROLLED_BACK = ItemOutcome(ItemState.LEFT_ALONE, problem=Problem.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Written:
    """The result of a step that writes."""

    target: Target
    change: Change | Renewal


Outcome = Written | Tested


class RotateKind(Kind[Outcome]):
    """`writers` write at the same time. Without them, the run's own thread writes, each item in one transaction.
    `testers` has the threads that probe. `single` tests registries in the background whose verdict is not known.
    """

    name = "rotate"
    action = Action.PASSWORD
    permission = Permission.CREATE
    listed = False
    cancellable = True
    halts = True
    recorded_at_once = AT_ONCE

    def __init__(
        self,
        rows: RotationRows,
        replacement: Replacement,
        tests: Tests,
        single: SingleTests,
        testers: Background,
        writers: Background | None,
    ) -> None:
        self._rows = rows
        self._replacement = replacement
        self._tests = tests
        self._single = single
        self._testers = testers
        self._in_transactions = writers is None
        self.workers = writers or Background(0, "rotate")
        self.at_once = AT_ONCE
        self._begun: WeakKeyDictionary[Execution[Outcome], dict[int, Target]] = WeakKeyDictionary()
        """The targets of a run that begin next, read together."""

    def queue(self, run: Execution[Outcome]) -> ItemQueue:
        return RotationQueue(run.items())

    def begin(self, item: Item, run: Execution[Outcome]) -> Step[Outcome] | None:
        target = self._next(item, run)
        if not self._in_transactions:
            return Step(partial(self._write, item, target, run))
        try:
            changed = self._put(item, target, run, ends=target.undoing or not target.first)
        except ConsoleError:
            self._rows.begun([item.id])  # a roll back says that others have changed it
            raise
        return self._then(target, changed, run)

    def record(self, results: Sequence[tuple[Item, Outcome]], run: Execution[Outcome]) -> None:
        self._record_changes([(it, its) for it, its in results if isinstance(its, Written)], run)
        for item, result in results:
            if not isinstance(result, Written):
                self._record_test(item, result, run)

    def waits(self, items: Sequence[Item], run: Execution[Outcome]) -> None:
        if not run.lost:
            self._rows.begun([it.id for it in items if not it.retried], begun=False)

    def finish(self, run_id: UUID) -> None:
        self._rows.forget(run_id)

    def recover(self, access: Access, items: Sequence[Item]) -> None:
        self._tests.abandon_lost_tests(access=access, uids=[item.uid for item in items])

    def _next(self, item: Item, run: Execution[Outcome]) -> Target:
        """The target of an item. Reads those that begin with it as well, and notes on a cluster that they may be
        written from now on."""
        known = self._begun.setdefault(run, {})
        if item.id not in known:
            ids = [item.id, *(it.id for it in run.queue.coming(run.room - 1))]
            found = self._rows.targets(ids)
            targets = self._with_verdict({it: found[it] for it in ids if it in found}, found.values())
            if not self._in_transactions:
                self._rows.begun(ids)
                targets = {id_: self._with_known(it) for id_, it in targets.items()}
            known |= targets
        if item.id not in known:
            raise Unavailable(str(item.key), Problem.PASSWORD_FORGOTTEN)
        return known.pop(item.id)

    def _with_verdict(self, targets: dict[int, Target], found: Iterable[Target]) -> dict[int, Target]:
        """The targets with the verdict on the first one, where they get the same credential."""
        first = next((it for it in found if it.first), None)
        if first is None or first.undoing or first.uid in {it.uid for it in targets.values()}:
            return targets
        key, values = first.new.key, first.new
        verdict = self._replacement.verdict(key=key, uid=first.uid, values=values)
        return {
            id_: replace(it, new=replace(it.new, verification=verdict)) if _alike(it.new, values) else it
            for id_, it in targets.items()
        }

    def _with_known(self, target: Target) -> Target:
        values, _ = target.ways
        known = self._replacement.known(key=values.key, uid=target.uid, values=values)
        return replace(target, known=known)

    def _write(self, item: Item, target: Target, run: Execution[Outcome]) -> Written | None:
        """Runs in a worker thread."""
        if run.stopped:
            return None
        old, new = target.ways
        change = self._replacement.change(
            access=run.access,
            uid=target.uid,
            old=old,
            new=new,
            replacing=target.replacing,
            known=target.known,
            again=item.retried and not target.first,
        )
        return Written(target, change)

    def _renew(self, target: Target, uid: str, run: Execution[Outcome]) -> Written:
        """Creates a registry again, in a worker thread."""
        old, new = target.ways
        return Written(target, self._replacement.renew(access=run.access, uid=uid, old=old, new=new))

    def _record_changes(self, written: Sequence[tuple[Item, Written]], run: Execution[Outcome]) -> None:
        done = [(it, its.target, its.change) for it, its in written if isinstance(its.change, Change)]
        renewals = [(it, its.target, its.change) for it, its in written if isinstance(its.change, Renewal)]
        self._record_done(done, run)
        for item, target, change in () if run.lost else done:
            try:
                if change.secret_waits:
                    run.patiently(partial(self._replacement.keep_secret, change.registry.key))
                    self._end([(item, target)], run)
                step = self._then(target, change.registry, run)
            except ConsoleError as error:
                run.fail(item, error)
            else:
                if step:
                    run.go_on(item, step)
        if run.stopped:
            self.waits([it for it, _, _ in renewals], run)
            return
        if renewals:
            self._rows.replacing([item.id for item, _, _ in renewals])
        for item, target, renewal in renewals:
            run.go_on(item, Step(partial(self._renew, target, renewal.uid, run)))

    def _record_done(self, done: Sequence[tuple[Item, Target, Change]], run: Execution[Outcome]) -> None:
        if not done:
            return
        with run.atomic():
            self._replacement.record(access=run.access, changes=[it for _, _, it in done])
            if run.lost:
                return
            for item, target, change in done:
                if change.registry.uid != target.uid:
                    self._rows.now(item.id, change.registry.uid)
            self._end([(item, it) for item, it, change in done if not change.secret_waits], run)

    @staticmethod
    def _end(written: Sequence[tuple[Item, Target]], run: Execution[Outcome]) -> None:
        """Ends items that were written. The first one is tested before."""
        run.end([item for item, it in written if it.undoing], ROLLED_BACK)
        run.end([item for item, it in written if not (it.undoing or it.first)], DONE)

    def _then(self, target: Target, changed: RegistrySecret, run: Execution[Outcome]) -> Step[Outcome] | None:
        """What follows a write: the test of the first registry, or one in the background without a verdict."""
        if target.undoing:
            return None
        if target.first:
            return self._test(changed, run)
        if changed.verification.status is VerifyStatus.UNTESTED:
            with suppress(ConsoleError):  # too many tests: the schedule tests it later
                self._single.start(access=_tester(run), key=changed.key)
        return None

    def _record_test(self, item: Item, tested: Tested, run: Execution[Outcome]) -> None:
        check, result = tested
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
        elif recorded.ok or target.anyway:
            took = round(recorded.duration_ms)
            run.end([item], ItemOutcome(ItemState.DONE, recorded.reason, duration_ms=took))
            if not recorded.ok and any(it.state is ItemState.WAITING for it in run.items()):
                run.halt()  # the person decides about the others
        elif recorded.reason is Reason.RATE_LIMITED or (
            target.doubtful and recorded.reason not in LEAVE_ALONE
        ):
            # Nobody knows which value is right, so both are kept until the person tries again.
            run.end([item], ItemOutcome(ItemState.FAILED, recorded.reason))
            run.halt()
        else:
            self._roll_back(item, recorded.reason, run)

    def _roll_back(self, item: Item, reason: Reason, run: Execution[Outcome]) -> None:
        def put() -> RegistrySecret:
            target = self._rows.target(item.id)  # the attempt before may have begun to replace it
            return self._put(item, replace(target, undoing=True), run, ends=False)

        try:
            run.patiently(put)
        except ConsoleError as error:
            run.fail(item, error)
        else:
            run.end([item], ItemOutcome(ItemState.FAILED, reason, Problem.ROLLED_BACK))

    def _put(self, item: Item, target: Target, run: Execution[Outcome], *, ends: bool) -> RegistrySecret:
        """Writes one registry in this thread. It `ends` in the transaction of the write, where the store has one."""

        def written(changed: RegistrySecret) -> None:
            self._rows.begun([item.id])
            if changed.uid != target.uid:
                self._rows.now(item.id, changed.uid)
            if ends:
                run.end([item], ROLLED_BACK if target.undoing else DONE)

        old, new = target.ways
        return self._replacement.put(
            access=run.access,
            uid=target.uid,
            old=old,
            new=new,
            replacing=target.replacing,
            replace_now=partial(self._rows.replacing, [item.id]),
            and_then=written,
        )

    def _test(self, changed: RegistrySecret, run: Execution[Outcome]) -> Step[Outcome]:
        """Tests the stored values of a registry, in place of a test that is under way."""
        self._tests.end_test(uid=changed.uid)
        begin, attempt_of = self._tests.begin_test_of_run, self._tests.attempt
        check = run.patiently(lambda: begin(access=_tester(run), key=changed.key, uid=changed.uid))
        try:
            check, attempt = run.patiently(partial(attempt_of, access=_tester(run), check=check))
        except ConsoleError as error:
            self._tests.abandon_test(check=check, error=error)
            raise
        step = probe_step(check, attempt)
        return Step(step.call, step.lane, step.late, self._testers)


def _tester(run: Execution[Outcome]) -> Access:
    """The person. In the audit log, the run is the changes alone, without their tests."""
    return replace(run.access, run=None)


def _alike(one: Draft, other: Draft) -> bool:
    """Whether a test of one is a test of the other."""
    return same_spec(one, other) and (one.password, one.probe_image) == (other.password, other.probe_image)
