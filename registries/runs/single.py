"""One test in the background: of a stored registry, or of the values in a form.

Typed values are kept in the memory of the thread that tests them and nowhere else; only the host and user name of a
registry that asked for a pause are stored. The registry's own words are kept in memory as well, so another process
reports the verdict without them.
"""

from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from django.utils import timezone

from registries.domain.access import OWNER_MAX, Access
from registries.domain.errors import ConsoleError, NotFound, Problem
from registries.domain.registry import Credential, Key
from registries.models import Trial
from registries.probe.schedule import registry_of
from registries.runs.threads import Background
from registries.service.tests import Tests
from registries.verification.check import Check
from registries.verification.outcome import NotTested, Tested, from_json, to_json

KEPT = timedelta(hours=1)
"""How long the outcome of a test of typed values is kept."""
DETAILS_KEPT = 256


class SingleTests:
    """`lost_after`: a test that takes longer was lost with its process."""

    def __init__(self, tests: Tests, background: Background, lost_after: timedelta) -> None:
        self._tests = tests
        self._background = background
        self._lost_after = lost_after
        self._details: OrderedDict[UUID, str] = OrderedDict()

    def start(self, *, access: Access, key: Key) -> Check:
        """The test of a stored registry: started now, or under way already. Raises the errors of `begin_test`."""
        check, new = self._tests.begin_test(access=access, key=key)
        if new:
            work = partial(self._tests.finish_test, access=access, check=check)
            lane = registry_of(check.registry.address) if check.registry else ""
            self._background.submit(work, person=access.owner, lane=lane)
        return check

    def start_typed(self, *, access: Access, namespace: str, credential: Credential) -> UUID:
        """Start a test of typed values. Raises the errors of `admit_trial`, before anything is sent."""
        self._tests.admit_trial(access=access, namespace=namespace, credential=credential)
        Trial.objects.filter(started_at__lt=timezone.now() - KEPT).delete()
        test_id = Trial.objects.create(id=uuid4(), owner=access.owner[:OWNER_MAX]).id

        def work() -> None:
            outcome: Tested = NotTested(Problem.INTERRUPTED)
            try:
                outcome = self._tests.try_connection(
                    access=access, namespace=namespace, credential=credential
                )
            except ConsoleError as error:
                outcome = NotTested(error.code)
            finally:
                self._finish(test_id, outcome)

        self._background.submit(work, person=access.owner, lane=registry_of(credential.address))
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

    def _finish(self, test_id: UUID, outcome: Tested) -> None:
        self._details[test_id] = "" if isinstance(outcome, NotTested) else outcome.detail
        while len(self._details) > DETAILS_KEPT:
            self._details.popitem(last=False)
        Trial.objects.filter(pk=test_id).update(finished_at=timezone.now(), outcome=to_json(outcome))
