"""Tests of what a form holds: started, asked about, forgotten after an hour. Owns Trial.

The typed values live in the memory of the thread that tests them and nowhere else, but for the host and user name of a
registry that asked to be left alone (pauses.py). So does what a server said: who asks another process than the one that
tested is told the verdict without it.
"""

from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from django.utils import timezone

from registries.domain.access import Access
from registries.domain.errors import ConsoleError, NotFound
from registries.domain.registry import Credential
from registries.models import Trial
from registries.runs.threads import Background
from registries.service.tests import Tests
from registries.verification.outcome import Outcome

KEPT = timedelta(hours=1)
DETAILS_KEPT = 256


class Trials:
    def __init__(self, tests: Tests, background: Background, patience: timedelta) -> None:
        self._tests = tests
        self._background = background
        self._patience = patience
        self._details: OrderedDict[UUID, str] = OrderedDict()

    def begin(self, *, access: Access, namespace: str, credential: Credential) -> UUID:
        """Start a test. What is wrong is raised here, by the service, before anything is sent."""
        self._tests.admit_trial(access=access, namespace=namespace, credential=credential)
        Trial.objects.filter(started_at__lt=timezone.now() - KEPT).delete()
        trial = Trial.objects.create(id=uuid4(), person=access.person[:150])

        def work() -> None:
            outcome = Outcome.abandoned("interrupted")
            try:
                outcome = self._tests.try_connection(
                    access=access, namespace=namespace, credential=credential
                )
            except ConsoleError as error:
                outcome = Outcome.abandoned(error.problem or error.reason)
            finally:
                self._finish(trial.id, outcome)

        self._background.submit(work)
        return trial.id

    def ask(self, *, access: Access, trial_id: UUID) -> Outcome | None:
        """What came of it, or None while it is under way. NotFound, also for somebody else's."""
        trial = Trial.objects.filter(pk=trial_id, person=access.person).first()
        if trial is None:
            raise NotFound(str(trial_id))
        if trial.finished_at is None:
            lost = timezone.now() - trial.started_at > self._patience
            return Outcome.abandoned("interrupted") if lost else None
        return replace(Outcome.from_json(trial.outcome), detail=self._details.get(trial_id, ""))

    def _finish(self, trial_id: UUID, outcome: Outcome) -> None:
        self._details[trial_id] = outcome.detail
        while len(self._details) > DETAILS_KEPT:
            self._details.popitem(last=False)
        Trial.objects.filter(pk=trial_id).update(finished_at=timezone.now(), outcome=outcome.to_json())
