"""The past of the gallery's registries. All that a page shows of a registry follows from one list of tests: the last
tests, the days, the changes of state, the schedule, the verdict, and the day on which it was added."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from registries.demo.past import log_test
from registries.demo.seed import backdate
from registries.domain.access import Access
from registries.domain.registry import RegistrySecret
from registries.models import (
    CheckInterval,
    DayRecord,
    ScheduledCredential,
    ScheduledRegistry,
    StateChange,
    VerificationRecord,
)
from registries.probe.result import Reason, Result
from registries.probe.schedule import registry_of
from registries.schedule import days
from registries.schedule.digest import CredentialDigest, fingerprint
from registries.schedule.due import RETRIES
from registries.schedule.rows import drop_empty
from registries.schedule.state import State, Status, step
from registries.verification.history import SCHEDULED, to_json, verdict_annotations
from registries.wiring import services

DAYS, KEPT = 40, timedelta(days=30)
"""The days of a history, and for how long single tests are kept."""
SIX_HOURS, DAILY = timedelta(hours=6), timedelta(days=1)
OUTAGE, UNTESTED, UNSTABLE, SLIPS = 25, 18, (13, 14), (3, 9)
"""Days before that of the last test: the registry fails, is not tested, changes with each test, fails once."""


@dataclass(frozen=True, slots=True)
class Test:
    """One test, and the states before and after it."""

    at: datetime
    result: Result
    before: Status
    after: Status


def one(newest: Result, last: datetime) -> list[Test]:
    """The only test of a registry."""
    return list(_walk([(last, newest, newest)]))


def many(newest: Result, last: datetime, apart: timedelta, *, calm: bool = False) -> list[Test]:
    """Forty days of tests until `last`, so far apart. All before the newest one went well if `calm`."""
    return list(_walk(_planned(newest, last, apart, calm=calm)))


def _planned(
    newest: Result, last: datetime, apart: timedelta, *, calm: bool
) -> Iterator[tuple[datetime, Result, Result]]:
    """The time of each test, its result, and that of the tests that confirm it."""
    values = {"params": newest.params, "registry_host": newest.registry_host, "steps": newest.steps[:1]}
    good = newest if newest.ok else Result(Reason.OK, **values)
    timeout, broken = (Result(it, **values) for it in (Reason.TIMEOUT, Reason.SERVER_ERROR))
    waits = step(Status(State.OK, State.OK), newest.reason, last).state is State.SUSPECT
    slipped: set[int] = set()
    for back in range(DAILY * DAYS // apart, 0, -1):
        at = last - apart * back
        day = (timezone.localdate(last) - timezone.localdate(at)).days
        if not calm and day == UNTESTED:
            continue
        slips = day in SLIPS and day not in slipped
        swings = day in UNSTABLE and apart < DAILY and back % 2
        if calm or not (day == OUTAGE or slips or swings):
            yield at, good, good
        else:
            yield at, *((timeout, timeout) if day == OUTAGE else (broken, good))
            slipped.add(day)
    yield last - RETRIES[0] * waits, newest, newest


def _walk(planned: Iterable[tuple[datetime, Result, Result]]) -> Iterator[Test]:
    """The planned tests, with those that confirm a change of state."""
    status = Status()
    for at, result, again in planned:
        before, status = status, step(status, result.reason, at)
        yield Test(at, result, before, status)
        while status.state in (State.SUSPECT, State.RECOVERING):
            at += RETRIES[0]
            before, status = status, step(status, again.reason, at)
            yield Test(at, again, before, status)


def write(
    access: Access | None, registry: RegistrySecret, tests: Sequence[Test], apart: timedelta | None = None
) -> None:
    """Replaces the history of a registry. The newest test is that of the person, if there is one. The schedule makes
    the next one `apart` from it; without this, the checks are off."""
    uid, place = registry.uid, {"namespace": registry.namespace, "name": registry.name}
    for table in (VerificationRecord, DayRecord, StateChange):
        table.objects.filter(uid=uid).delete()
    backdate(registry, tests[0].at - timedelta(hours=1))
    VerificationRecord.objects.bulk_create(
        VerificationRecord(
            uid=uid,
            **place,
            person=access.person if access and it is tests[-1] else SCHEDULED,
            started_at=it.at,
            finished_at=it.at,
            outcome=to_json(it.result),
        )
        for it in tests
        if it.at > tests[-1].at - KEPT
    )
    DayRecord.objects.bulk_create(_days(uid, tests))
    last = tests[-1]
    annotations = verdict_annotations(last.result, last.at, registry.generation)
    services().store.annotate(registry.key, annotations, uid=uid)
    if access:
        log_test(access, registry, last.result.reason, last.at)
    if len(tests) > 1:
        _schedule(registry, tests, apart)


def _days(uid: str, tests: Sequence[Test]) -> list[DayRecord]:
    found: dict[date, DayRecord] = {}
    zone, earlier = timezone.get_default_timezone(), None
    for it in tests:
        if it.before.settled is State.FAILING and earlier:
            for day, seconds in days.seconds_by_day(earlier, it.at, zone):
                found.setdefault(day, DayRecord(uid=uid, day=day)).down += seconds
        earlier = it.at
        if it.result.reason is Reason.RATE_LIMITED:
            continue  # it says nothing about the credential
        on = timezone.localdate(it.at)
        day_record = found.setdefault(on, DayRecord(uid=uid, day=on))
        day_record.ok += it.result.ok
        day_record.unproven += it.result.ok and not it.result.proven
        day_record.failed += not it.result.ok
    return list(found.values())


def _schedule(registry: RegistrySecret, tests: Sequence[Test], apart: timedelta | None) -> None:
    """The state of the credential, and the changes that led to it. The digest is one that the console takes for its
    own, so that it leaves the row as it is."""
    uid, last, host = registry.uid, tests[-1], registry_of(registry.address)
    place = {"uid": uid, "namespace": registry.namespace, "name": registry.name}
    member = ScheduledRegistry.objects.filter(uid=uid)
    shared = list(member.values_list("credential", flat=True))
    member.delete()
    drop_empty(shared)
    changes = [it for it in tests if it.after.settled is not it.before.settled]
    said = [it for it in tests if it.after.state.confirmed and it.result.reason is not Reason.RATE_LIMITED]
    credential = ScheduledCredential.objects.create(
        digest=f"{CredentialDigest(settings.SECRET_KEY).key_id}:{uid}",
        host=host,
        username=registry.username,
        interval=round(apart.total_seconds()) if apart else None,
        due_at=last.at + apart if apart else None,
        state=last.after.state,
        settled=last.after.settled,
        since=last.after.since,
        failures=last.after.failures,
        recent=last.after.recent,
        tested_at=last.at,
        tested_reason=last.result.reason,
        reason=said[-1].result.reason,
    )
    ScheduledRegistry.objects.create(**place, fingerprint=fingerprint(registry), credential=credential)
    if apart:
        _choose(registry, apart)
    StateChange.objects.bulk_create(
        StateChange(
            **place,
            host=host,
            at=it.at,
            before=it.before.settled,
            after=it.after.settled,
            reason=it.result.reason,
            since=it.before.since,
        )
        for it in changes
    )


def _choose(registry: RegistrySecret, apart: timedelta) -> None:
    """The interval of this registry. The console's own setting is off: it tests nothing while somebody looks."""
    seconds = round(apart.total_seconds())
    CheckInterval.objects.create(namespace=registry.namespace, uid=registry.uid, seconds=seconds)


def newest(registry: RegistrySecret) -> tuple[Result, datetime]:
    """The last test of a registry of the demo."""
    last = services().history.recent(registry.uid)[0]
    assert isinstance(last.outcome, Result)
    return last.outcome, last.started_at.astimezone(UTC)
