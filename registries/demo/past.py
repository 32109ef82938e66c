"""The past of the demo's registries: earlier tests, recorded as the schedule would have recorded them.

Days, states and changes of state follow from the tests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.registry import RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import verification_annotations
from registries.models import AuditEntry, ScheduledCredential, ScheduledRegistry, VerificationRecord
from registries.probe import Reason, Result
from registries.schedule.due import RETRIES, first_due
from registries.schedule.rows import observe
from registries.schedule.state import State, Status, step
from registries.verification.history import SCHEDULED, kept, to_json
from registries.wiring import services

TESTS, APART = 10, timedelta(hours=23)
"""The number of earlier tests of a registry, and the time between two of them."""


@dataclass(frozen=True, slots=True)
class PastTest:
    """One test of the history."""

    registry: RegistrySecret
    at: datetime
    result: Result


def past(
    registry: RegistrySecret, newest: Result, last: datetime, *, fine: bool, broken: bool
) -> Iterator[PastTest]:
    """The tests of a registry until `last`, oldest first, with those that confirm a change of its state.

    `fine`: those before the newest one went well. `broken`: the two before it failed.
    """
    success = Result(Reason.OK, steps=newest.steps[:1])
    failure = Result(Reason.CONNECTION_REFUSED, registry_host=newest.registry_host)
    status = Status()
    for back in range(TESTS - 1, -1, -1):
        result = newest
        if back and fine:
            result = success
        elif back in (1, 2) and broken:
            result = failure
        at = last - APART * back
        status = step(status, result.reason, at)
        yield PastTest(registry, at, result)
        while status.state in (State.SUSPECT, State.RECOVERING):
            at += RETRIES[0]
            status = step(status, result.reason, at)
            yield PastTest(registry, at, result)


def record(tests: Sequence[PastTest], access: Access) -> None:
    """Writes the tests to the history and to the schedule, and the newest result of each registry to its resource.

    The newest one is that of the person, with an entry in the audit log; those before were made by the schedule.
    """
    now = datetime.now(UTC)
    newest = {it.registry.uid: it for it in tests}
    services().index.fresh()
    services().schedule.placing.update(now)
    VerificationRecord.objects.bulk_create(
        VerificationRecord(
            uid=it.registry.uid,
            namespace=it.registry.namespace,
            name=it.registry.name,
            person=access.person if it is newest[it.registry.uid] else SCHEDULED,
            started_at=it.at,
            finished_at=it.at,
            outcome=to_json(it.result),
        )
        for it in tests
    )
    with transaction.atomic():
        members = {it.uid: it for it in ScheduledRegistry.objects.all()}
        ScheduledRegistry.objects.all().delete()  # copies join their credential later than its first test
        for it in sorted(tests, key=lambda it: it.at):
            if member := members.pop(it.registry.uid, None):
                member.save(force_insert=True)
            observe(it.registry, it.result, it.at)
        ScheduledRegistry.objects.bulk_create(members.values())
        _plan(now)
    for it in newest.values():
        log_test(access, it.registry, it.result.reason, it.at)
        verification = Verification(
            status=VerifyStatus.SUCCESS if it.result.ok else VerifyStatus.FAILED,
            reason=it.result.reason.value,
            message=kept(it.result).message("zh"),
            at=it.at,
        )
        patch = verification_annotations(verification, it.registry.generation)
        services().store.annotate(it.registry.key, patch, uid=it.registry.uid)


def log_test(access: Access, registry: RegistrySecret, reason: Reason, at: datetime) -> None:
    """Adds a person's test to the audit log, with the time of the test."""
    services().audit.record(access, Action.TEST, key=registry.key, uid=registry.uid, note=reason.value)
    AuditEntry.objects.filter(uid=registry.uid, action=Action.TEST.value).update(at=at)


def _plan(now: datetime) -> None:
    """Spreads the checks that would be late over the interval, and writes no verdict again until one has run."""
    ScheduledCredential.objects.update(behind=False)
    for row in ScheduledCredential.objects.filter(due_at__lte=now, interval__isnull=False):
        interval = timedelta(seconds=row.interval or 0)
        due_at = first_due(now, interval, 1, everything=True)
        ScheduledCredential.objects.filter(pk=row.pk).update(due_at=due_at)
