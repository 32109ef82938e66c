"""The checks that run by themselves: a loop in every process that serves.

No process leads. Each one claims what is due in the database, one credential of a host at a time, tests it once, and
writes the verdict to all registries that have it. What a dead process had claimed is due again when its claim ends.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from os import getpid
from socket import gethostname

from django.db import transaction
from django.utils import timezone

from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.errors import Conflict, ConsoleError, Forbidden, NotFound, Problem, Unavailable
from registries.domain.registry import Key
from registries.index.search import Index
from registries.limits import Pauses
from registries.models import ScheduledRegistry
from registries.probe.result import Result
from registries.runs.threads import Background, repeat
from registries.schedule import claims, joining, rows, telling
from registries.schedule.claims import Claim
from registries.schedule.digest import CredentialDigest, fingerprint, shared_digest
from registries.schedule.expiry import Expiries
from registries.schedule.intervals import Intervals
from registries.schedule.placing import Placing
from registries.service.tests import Tests
from registries.stores.base import Store
from registries.verification.history import SCHEDULED, Check, from_json

AT_ONCE = 4
"""Tests of the schedule at the same time in one process. They have hours, and people's tests come first."""
PAUSE = 2.0
"""Seconds between two looks for what is due."""
LATER = timedelta(minutes=1)
"""After this time, something is tried again that could not be done now."""
UNREADABLE_FOR = timedelta(hours=1)
"""After this time, a credential is tried again that no registry lets the console read."""
UNREADABLE = (Problem.KEY_MISSING, Problem.SEAL_BROKEN)
WRITES = 25
"""Verdicts that are written at once. Then the claim is held for longer."""
RESTS = 12
"""A write takes a thirteenth of the time. With a seventh, too many pages come just after a write, and are slower."""
LONGEST_REST = 1.0
"""Seconds."""

log = logging.getLogger(__name__)


class Schedule:
    """The parts of the schedule. `interval` is the default; None: off. `secret` is a text that all processes share, and
    `patience` is longer than any test."""

    def __init__(
        self,
        index: Index,
        store: Store,
        tests: Tests,
        pauses: Pauses,
        interval: timedelta | None,
        secret: str,
        patience: timedelta,
        workers: Background,
    ) -> None:
        digest = CredentialDigest(secret)
        self.intervals = Intervals(interval)
        self.expiries = Expiries(index)
        self.sharing = joining.SharedCredentials(digest)
        self.placing = Placing(index, store, digest, self.intervals)
        self.sweep = Sweep(
            intervals=self.intervals,
            placing=self.placing,
            tests=tests,
            index=index,
            pauses=pauses,
            digest=digest,
            lasts=patience,
            workers=workers,
        )

    @property
    def upkeep(self) -> tuple[Callable[[], None], ...]:
        """What runs beside the requests, each in a thread. Somebody may choose an interval at any time."""
        return self.expiries.run, telling.run, self.sweep.run


class Sweep:
    """`lasts` is how long a claim holds: longer than any test with its wait. `workers` share the lanes of all tests."""

    def __init__(
        self,
        *,
        intervals: Intervals,
        placing: Placing,
        tests: Tests,
        index: Index,
        pauses: Pauses,
        digest: CredentialDigest,
        lasts: timedelta,
        workers: Background,
    ) -> None:
        self._intervals = intervals
        self._placing = placing
        self._tests = tests
        self._index = index
        self._pauses = pauses
        self._digest = digest
        self._lasts = lasts
        self._workers = workers
        self._writing = threading.Lock()
        self._free = threading.BoundedSemaphore(max(1, workers.threads))
        self._by = f"{gethostname()[:40]}-{getpid()}"
        # The console tests in its own name, as `manage.py verify` does.
        self._access = Access.from_grants(SCHEDULED, [(EVERYWHERE, Role.ADMIN)])

    def run(self) -> None:
        """Works for ever, in its own thread."""
        repeat(self.turn, PAUSE, "the schedule of checks is interrupted")

    def turn(self) -> int:
        """Does what is due now. Returns the number of claims. With threads it does not wait for their end."""
        if self._index.freshness().problem or not self._intervals.in_use():
            return 0
        self._placing.update(timezone.now())
        begun = 0
        while self._free.acquire(blocking=False):
            claim = None
            try:
                claim = claims.claim_next(timezone.now(), self._by, self._lasts)
            finally:
                if claim is None:
                    self._free.release()
            if claim is None:
                break
            begun += 1
            if claim.due:
                late = partial(self._late, claim)
                self._workers.submit(partial(self._work, claim), lane=claim.host, late=late)
            else:
                self._workers.submit(partial(self._finish, claim))
        return begun

    def _work(self, claim: Claim) -> None:
        """Tests a credential, in the lane of its registry. The verdict is written outside of the lane."""
        tested = False
        with _held_back_after_errors(claim, self._lasts):
            postponed = self._test(claim)
            tested = postponed is None
            if postponed is not None:
                claims.release(claim, due_at=postponed)
        if tested:
            self._workers.submit(partial(self._finish, claim))
        else:
            self._free.release()

    def _finish(self, claim: Claim) -> None:
        """Writes what is confirmed, and ends the claim."""
        with _held_back_after_errors(claim, self._lasts):
            self._write(claim)
            claims.release(claim)
        self._free.release()

    def _late(self, claim: Claim) -> None:
        """The lane of the registry was busy for too long."""
        claims.release(claim, due_at=timezone.now() + LATER)
        self._free.release()

    def _test(self, claim: Claim) -> datetime | None:
        """Tests the credential once. Returns the time of the next try if it could not be tested now."""
        members, wait = self._unpaused(claim, rows.members(claim))
        if wait:
            return timezone.now() + timedelta(seconds=wait)
        if refused_until := joining.waits_until(claim, timezone.now()):
            return refused_until
        for member in members:
            key = Key(member.namespace, member.name)
            try:
                check = self._tests.begin_test_of_run(access=self._access, key=key, uid=member.uid)
            except Conflict as error:
                if error.problem is Problem.UNDER_WAY:
                    return timezone.now() + LATER  # its result comes from somebody else
                continue
            except (NotFound, Forbidden):
                continue
            if (tested := self._probe(claim, member, check)) is None:
                continue
            result, changed = tested
            with transaction.atomic():
                self._tests.keep_result(check=check, result=result)
                rows.record(claim, result, timezone.now(), changed)
            return None
        return timezone.now() + UNREADABLE_FOR

    def _probe(
        self, claim: Claim, member: ScheduledRegistry, check: Check
    ) -> tuple[Result, Sequence[str]] | None:
        """The result, and the uids of the registries that were changed during the test. None if this registry cannot be
        tested, or has another credential by now. Unavailable."""
        try:
            _, credential = self._tests.credential(access=self._access, check=check)
            if self._digest(credential) != shared_digest(claim.digest):
                self._placing.again(member.uid)
                raise Conflict(str(check.key), Problem.CHANGED)
            return self._tests.probe(credential), self._changed(claim)
        except ConsoleError as error:
            self._tests.abandon_test(check=check, error=error)
            if isinstance(error, Unavailable) and error.problem not in UNREADABLE:
                raise
            return None
        except BaseException:
            self._tests.abandon_test(check=check)
            raise

    def _changed(self, claim: Claim) -> Sequence[str]:
        """The registries of a credential whose specification is not that of the tested one any more: no generation of
        theirs was tested. They are placed anew at the next turn."""
        snapshot = self._index.fresh()
        found = [(it, snapshot.find(Key(it.namespace, it.name))) for it in joining.all_members(claim)]
        uids = [
            it.uid for it, now in found if now and now.uid == it.uid and fingerprint(now) != it.fingerprint
        ]
        for uid in uids:
            self._placing.again(uid)
        return uids

    def _unpaused(
        self, claim: Claim, members: list[ScheduledRegistry]
    ) -> tuple[list[ScheduledRegistry], int]:
        """The registries in namespaces that the registry did not ask for a pause: those of another namespace neither
        wait for it nor learn of it. If it asked all of them, the seconds until the first pause ends."""
        paused = {
            namespace: self._pauses.left(namespace, claim.host, claim.username)
            for namespace, host, username in self._pauses.active()
            if (host, username) == (claim.host, claim.username)
        }
        free = [it for it in members if not paused.get(it.namespace)]
        return free, min((paused[it.namespace] for it in members), default=0) if not free else 0

    def _write(self, claim: Claim) -> None:
        """Writes the confirmed verdict to every registry that lacks it. Unavailable."""
        outcome, at = rows.confirmed(claim)
        result = from_json(outcome) if outcome else None
        if not isinstance(result, Result) or at is None:
            return
        members = rows.unwritten(claim)
        tried = {(it.uid, it.fingerprint) for it in members}
        for first in range(0, len(members), WRITES):
            if not claims.extend(claim, timezone.now() + self._lasts):
                return
            with self._writing:
                self._write_some(members[first : first + WRITES], result, at)
        left = {(it.uid, it.fingerprint) for it in rows.unwritten(claim)}
        if left <= tried:  # none joined meanwhile
            rows.all_written(claim, at)

    def _write_some(self, members: Sequence[ScheduledRegistry], result: Result, at: datetime) -> None:
        """Leaves out those whose credential was changed meanwhile: they are placed anew. Then rests for some times as
        long as that took: most pages must not meet the schedule. The index reads and counts the changes here, and not
        in the next page."""
        begun = time.monotonic()
        snapshot = self._index.fresh()
        found = [(it, snapshot.find(Key(it.namespace, it.name))) for it in members]
        same = [now for it, now in found if now and (now.uid, fingerprint(now)) == (it.uid, it.fingerprint)]
        done = self._tests.verdicts.write_all(access=self._access, registries=same, result=result, at=at)
        rows.written([it for it in members if it.uid in done], result.reason.value, at)
        with suppress(Unavailable):
            self._index.count_changes()
        time.sleep(min(LONGEST_REST, RESTS * (time.monotonic() - begun)))


@contextmanager
def _held_back_after_errors(claim: Claim, lasts: timedelta) -> Iterator[None]:
    """Keeps a claim for a while after an error, so that nobody runs into it again at once."""
    try:
        yield
    except Unavailable:
        claims.hold_back(claim, timezone.now() + LATER)  # the store does not answer
    except Exception:
        log.exception("a scheduled check failed")
        claims.hold_back(claim, timezone.now() + lasts)
