"""One test in the background: of a stored registry, or of the values in a form.

Typed values are kept in the memory of the thread that tests them and nowhere else; only the host and user name of a
registry that asked for a pause are stored. The registry's own words are kept in memory as well, so another process
reports the verdict without them.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue
from uuid import UUID, uuid4

from django.utils import timezone

from registries.domain.access import OWNER_MAX, Access
from registries.domain.errors import ConsoleError, NotFound, Problem, TooManyRequests, Unavailable
from registries.domain.registry import Key
from registries.models import Trial
from registries.probe.schedule import registry_of
from registries.runs.threads import Background
from registries.service.tests import Tests, Typed
from registries.verification.history import Check, NotTested, Tested, from_json, to_json

KEPT = timedelta(hours=1)
"""How long the outcome of a test of typed values is kept."""
DETAILS_KEPT = 256

Ended = Callable[[Tested], object]
"""Called with the outcome of a test."""


@dataclass(eq=False)
class SingleTests:
    """Tests in the background threads, in the lane of their registry. A test that waits too long for it ends as
    `registry_busy`. `lost_after`: a test that takes longer was lost with its process.

    Every start raises TooManyRequests if too many tests of the person wait.
    """

    _tests: Tests
    _background: Background
    _lost_after: timedelta
    _details: OrderedDict[UUID, str] = field(default_factory=OrderedDict)

    def start(self, *, access: Access, key: Key, image: str = "") -> Check:
        """The test of a stored registry: started now, or under way already. Raises the errors of `begin_test`."""
        check, new = self._tests.begin_test(access=access, key=key, image=image)
        if new:
            self._submit_stored(access, check, image, lambda outcome: None)
        return check

    def wait_for(self, *, access: Access, key: Key, image: str = "") -> Tested | Check:
        """The outcome of a test that is started now, or the test that is under way already."""
        check, new = self._tests.begin_test(access=access, key=key, image=image)
        return self._awaited(partial(self._submit_stored, access, check, image)) if new else check

    def wait_for_typed(self, *, access: Access, typed: Typed) -> Tested:
        """The outcome of a test of typed values. Raises the errors of `admit_trial`."""
        self._tests.admit_trial(access=access, typed=typed)
        return self._awaited(partial(self._submit_typed, access, typed))

    def start_typed(self, *, access: Access, typed: Typed) -> UUID:
        """Start a test of typed values. Raises the errors of `admit_trial`, before anything is sent."""
        self._tests.admit_trial(access=access, typed=typed)
        Trial.objects.filter(started_at__lt=timezone.now() - KEPT).delete()
        test_id = Trial.objects.create(id=uuid4(), owner=access.owner[:OWNER_MAX]).id
        try:
            self._submit_typed(access, typed, partial(self._finish, test_id))
        except TooManyRequests:
            Trial.objects.filter(pk=test_id).delete()
            raise
        return test_id

    def outcome(self, *, access: Access, test_id: UUID) -> Tested | None:
        """The outcome of a test of typed values, or None while it is under way.

        NotFound if there is no such test of this person.
        """
        row = Trial.objects.filter(pk=test_id, owner=access.owner[:OWNER_MAX]).first()
        if row is None:
            raise NotFound(str(test_id))
        if row.finished_at is None:
            lost = timezone.now() - row.started_at > self._lost_after
            return NotTested(Problem.INTERRUPTED) if lost else None
        tested = from_json(row.outcome)
        if isinstance(tested, NotTested):
            return tested
        return replace(tested, detail=self._details.get(test_id, ""))

    def _submit_stored(self, access: Access, check: Check, image: str, ended: Ended) -> None:
        tests = self._tests

        def late() -> Tested:
            return tests.abandon_test(check=check, error=Unavailable(check.lane, Problem.REGISTRY_BUSY))

        try:
            self._submit(
                partial(tests.finish_test, access=access, check=check, image=image),
                late,
                access.owner,
                check.lane,
                ended,
            )
        except TooManyRequests as error:
            tests.abandon_test(check=check, error=error)
            raise

    def _submit_typed(self, access: Access, typed: Typed, ended: Ended) -> None:
        attempt = partial(self._tests.try_connection, access=access, typed=typed)
        late = partial(NotTested, Problem.REGISTRY_BUSY)
        self._submit(attempt, late, access.owner, registry_of(typed.credential.address), ended)

    def _submit(
        self, attempt: Callable[[], Tested], late: Callable[[], Tested], person: str, lane: str, ended: Ended
    ) -> None:
        """`ended` gets the outcome, whatever happens."""

        def work(test: Callable[[], Tested]) -> None:
            outcome: Tested = NotTested(Problem.INTERRUPTED)
            try:
                outcome = test()
            except ConsoleError as error:
                outcome = NotTested(error.code)
            finally:
                ended(outcome)

        self._background.submit(partial(work, attempt), person, lane, partial(work, late))

    def _awaited(self, submit: Callable[[Ended], None]) -> Tested:
        outcomes: SimpleQueue[Tested] = SimpleQueue()
        submit(outcomes.put)
        try:
            return outcomes.get(timeout=self._lost_after.total_seconds())
        except Empty:
            return NotTested(Problem.INTERRUPTED)

    def _finish(self, test_id: UUID, outcome: Tested) -> None:
        self._details[test_id] = "" if isinstance(outcome, NotTested) else outcome.detail
        while len(self._details) > DETAILS_KEPT:
            self._details.popitem(last=False)
        Trial.objects.filter(pk=test_id).update(finished_at=timezone.now(), outcome=to_json(outcome))
