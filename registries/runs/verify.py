"""Runs that test. Worker threads only probe; the run's thread reads credentials and records verdicts.

The probe's Schedule decides the order: one test at a time per host. After a host has refused a user name, or has asked
for a pause (Retry-After), the other items with this host and user name are left alone.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, cast

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, ConsoleError, Problem, Unavailable
from registries.domain.registry import Credential, RegistrySecret
from registries.limits import Pauses
from registries.probe import LEAVE_ALONE, Reason, Result, Schedule, Slot, registry_of
from registries.runs.execution import Execution
from registries.runs.run import Item, ItemOutcome, ItemQueue, ItemState, Kind, Step
from registries.runs.threads import Background
from registries.service.registries import Registries
from registries.service.tests import Tests
from registries.verification.history import Check, NotTested

KEPT = 10

Tested = tuple[Check, Result | ConsoleError]
LeftAlone = Sequence[tuple[Item, ItemOutcome]]

log = logging.getLogger(__name__)


class Sharing(Protocol):
    """Knows which registries have the same credential: one test of it is the test of all."""

    def digests(self, registries: Sequence[RegistrySecret]) -> Mapping[str, str]:
        """The digest of the credential of each registry, by uid. Unknown ones, and those that were changed since they
        were read last, are left out."""
        ...

    def digest(self, credential: Credential) -> str: ...

    def same(self, one: str, other: str) -> bool:
        """Whether two digests are of one credential. Those of two that are tested apart differ, too."""
        ...

    def shared(self, uids: Sequence[str], result: Result, at: datetime) -> None:
        """Takes note that the verdict of a test of another registry was written to these."""
        ...


@dataclass(frozen=True, slots=True)
class Group:
    """Items with the credential of another item, which gets the one test."""

    digest: str = ""
    copies: Sequence[Item] = ()


class HostQueue(ItemQueue):
    """The waiting items, in the order of the probe's Schedule. `groups` has the copies of an item, by its id."""

    def __init__(self, slots: Sequence[Slot], groups: dict[int, Group]) -> None:
        super().__init__(())
        self._schedule = Schedule(slots)
        self._under_way: dict[int, Slot] = {}
        self._groups = groups

    def take(self) -> Item | None:
        slot = self._schedule.take()
        if slot is None:
            return None
        item = cast(Item, slot.key)
        self._under_way[item.id] = slot
        return item

    def put_back(self, items: Sequence[Item]) -> None:
        raise NotImplementedError("a step of a test returns its errors, so no item is put back")

    def digest_of(self, item: Item) -> str:
        """The digest of the credential that an item has in common with its copies; "" without copies."""
        return self._groups.get(item.id, Group()).digest

    def take_copies(self, item: Item) -> Sequence[Item]:
        """The copies of an item. From now on it has none."""
        return self._groups.pop(item.id, Group()).copies

    def test_next(self, item: Item, group: Group) -> LeftAlone:
        """Tests the first of these after an item under way, for the others as well."""
        if not group.copies:
            return ()
        first, *others = group.copies
        self._groups[first.id] = Group(group.digest, others)
        slot = self._under_way[item.id]
        return self._left_alone(self._schedule.add(Slot(first, slot.registry, slot.username)))

    def ended(self, item: Item, outcome: ItemOutcome) -> LeftAlone:
        """Copies without a verdict by now are left alone with a refused item, and else one of them is tested."""
        if item.id not in self._under_way:  # a copy
            return ()
        reason = Reason(outcome.reason) if outcome.reason else None
        group = self._groups.pop(item.id, Group())
        if reason in LEAVE_ALONE:
            more: LeftAlone = [(it, _left_alone_for(reason)) for it in group.copies]
        else:
            more = self.test_next(item, group)
        slot = self._under_way.pop(item.id)
        return [*more, *self._left_alone(self._schedule.ended(slot, reason))]

    def refuse(self, host: str, username: str, reason: Reason) -> LeftAlone:
        """Leave the items of a host and user name alone, because of an earlier test."""
        return self._left_alone(self._schedule.refuse(host, username, reason))

    @property
    def is_empty(self) -> bool:
        return not self._schedule.waiting

    def _left_alone(self, slots: Sequence[tuple[Slot, Reason]]) -> LeftAlone:
        return [
            (item, _left_alone_for(reason))
            for slot, reason in slots
            for item in (cast(Item, slot.key), *self.take_copies(cast(Item, slot.key)))
        ]


@dataclass(eq=False)
class VerifyKind(Kind[Tested]):
    """`workers` has the threads that probe. `pauses` knows the hosts that asked for a pause.

    With `sharing`, registries with the same credential are tested once, and each gets the verdict. Runs of people have
    none: everybody tests in their own name.
    """

    name = "verify"
    action = Action.TEST
    permission = Permission.TEST
    cancellable = True
    one_per_person = True
    kept = KEPT
    failures_listed = 100
    begins_soon = True

    _registries: Registries
    _tests: Tests
    _pauses: Pauses
    workers: Background
    at_once: int
    _sharing: Sharing | None = None

    def queue(self, run: Execution[Tested]) -> ItemQueue:
        """Leaves alone at once what was refused earlier in this run, and what is paused in its namespace."""
        items = run.items()
        found, _ = self._registries.by_uid(access=run.access, uids=[item.uid for item in items])
        places = {it.uid: (registry_of(it.address), it.username) for it in found}
        waiting: list[Item] = []
        refused: list[tuple[str, str, Reason]] = []
        paused = self._pauses.active()
        for item in items:
            place = places.get(item.uid, ("", str(item.id)))
            if item.state is ItemState.WAITING and (item.key.namespace, *place) in paused:
                run.write([item], _left_alone_for(Reason.RATE_LIMITED))
            elif item.state is ItemState.WAITING:
                waiting.append(item)
            elif item.reason in LEAVE_ALONE:
                refused.append((*place, Reason(item.reason)))
        groups = self._groups(waiting, found)
        copies = {it.id for group in groups.values() for it in group.copies}
        slots = [Slot(it, *places.get(it.uid, ("", str(it.id)))) for it in waiting if it.id not in copies]
        queue = HostQueue(slots, groups)
        for host, username, reason in refused:
            for item, outcome in queue.refuse(host, username, reason):
                run.write([item], outcome)
        return queue

    def begin(self, item: Item, run: Execution[Tested]) -> Step[Tested] | None:
        begin, credential_of = self._tests.begin_test_of_run, self._tests.credential
        try:
            check = run.patiently(lambda: begin(access=run.access, key=item.key, uid=item.uid))
        except Conflict as error:
            if error.problem is not Problem.UNDER_WAY:
                raise
            run.end([item], ItemOutcome(ItemState.LEFT_ALONE, problem=error.code))
            return None
        try:
            check, credential = run.patiently(partial(credential_of, access=run.access, check=check))
            attempt = self.attempt(item, credential)
        except ConsoleError as error:
            abandoned = self._tests.abandon_test(check=check, error=error)
            run.fail(item, error, problem=abandoned.problem)
            return None
        self._part_from_copies(item, credential, run)
        return probe_step(check, attempt)

    def attempt(self, item: Item, credential: Credential) -> Callable[[], Result]:
        """The probe of one test."""
        return partial(self._tests.probe, credential)

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
                self._write_to_copies(item, recorded, run)
                took = round(recorded.duration_ms)
                run.end([item], ItemOutcome(ItemState.DONE, recorded.reason, duration_ms=took))

    def _groups(self, items: Sequence[Item], found: Sequence[RegistrySecret]) -> dict[int, Group]:
        """The copies of each item that is tested for others as well, by its id."""
        if self._sharing is None:
            return {}
        digests, of_digest = self._sharing.digests(found), dict[str, list[Item]]()
        for it in items:
            if it.uid in digests:
                of_digest.setdefault(digests[it.uid], []).append(it)
        return {its[0].id: Group(digest, its[1:]) for digest, its in of_digest.items() if its[1:]}

    def _part_from_copies(self, item: Item, credential: Credential, run: Execution[Tested]) -> None:
        """Tests the copies of an item apart from it, if its credential was changed meanwhile."""
        queue = cast(HostQueue, run.queue)
        digest = queue.digest_of(item)
        if (
            self._sharing is None
            or not digest
            or self._sharing.same(digest, self._sharing.digest(credential))
        ):
            return
        for other, outcome in queue.test_next(item, Group(digest, queue.take_copies(item))):
            run.write([other], outcome)

    def _write_to_copies(self, item: Item, result: Result, run: Execution[Tested]) -> None:
        """Gives the verdict to the registries that still have the credential that was tested, and ends their items."""
        queue = cast(HostQueue, run.queue)
        digest = queue.digest_of(item)
        if self._sharing is None or not digest or result.reason is Reason.RATE_LIMITED:
            return
        copies, at, written = queue.take_copies(item), datetime.now(UTC), []
        found, _ = self._registries.by_uid(access=run.access, uids=[it.uid for it in copies])
        digests, present = self._sharing.digests(found), {it.uid: it for it in found}
        for it in copies:
            own = digests.get(it.uid, "")
            if not self._sharing.same(own, digest):
                for other, outcome in queue.test_next(item, Group(own, [it])):
                    run.write([other], outcome)
                continue
            run.beat()  # there may be thousands
            write = partial(self._tests.verdicts.write, access=run.access, registry=present[it.uid])
            try:
                if not run.lost:
                    run.patiently(partial(write, result=result, at=at))
                    written.append(it)
            except ConsoleError as error:
                run.fail(it, error)
        self._sharing.shared([it.uid for it in written], result, at)
        run.end(written, ItemOutcome(ItemState.DONE, result.reason))

    def recover(self, access: Access, items: Sequence[Item]) -> None:
        self._tests.abandon_lost_tests(access=access, uids=[item.uid for item in items])


def probe_step(check: Check, attempt: Callable[[], Result]) -> Step[Tested]:
    """The step of one test, in the lane of its registry."""
    busy = Unavailable(check.lane, Problem.REGISTRY_BUSY)
    return Step(partial(_probe, check, attempt), check.lane, lambda: (check, busy))


def _probe(check: Check, attempt: Callable[[], Result]) -> Tested:
    """Runs in a worker thread. Returns every error, since the check has to be ended after any of them."""
    try:
        return check, attempt()
    except ConsoleError as error:
        return check, error
    except Exception:
        log.exception("a test failed")
        return check, Unavailable(str(check.key), Problem.INTERRUPTED)


def _left_alone_for(reason: Reason) -> ItemOutcome:
    return ItemOutcome(ItemState.LEFT_ALONE, reason.value, "left_alone")
