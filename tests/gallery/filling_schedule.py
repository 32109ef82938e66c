"""Registries that are checked by a schedule, and what broke and recovered, for the gallery."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile

from django.conf import settings
from django.utils import timezone

from registries.domain.access import Access
from registries.domain.query import Criteria
from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.models import (
    CheckInterval,
    DayRecord,
    ScheduledCredential,
    ScheduledRegistry,
    StateChange,
)
from registries.probe.result import Reason, Result
from registries.probe.schedule import registry_of
from registries.schedule import days
from registries.schedule.digest import CredentialDigest, fingerprint
from registries.schedule.state import State
from registries.wiring import services
from tests.gallery.furnishing import (
    ONE,
)

INTERVALS = (21_600, 43_200, 86_400, 7 * 86_400)
"""The first one after which the next check is still to come is that of a registry."""


def watch(registry: RegistrySecret) -> None:
    """Forty days of checks until the last test, one without a test, some with failures; a failing registry began to
    fail on the last day. The checks of one that was not tested for a week are off by now."""
    uid, host = registry.uid, registry_of(registry.address)
    now = registry.verification.at or datetime.now(UTC)
    failing = registry.verification.status is VerifyStatus.FAILED
    bad = {25: 86_400, **({0: 1_200} if failing else {})}
    DayRecord.objects.filter(uid=uid).delete()
    DayRecord.objects.bulk_create(
        DayRecord(
            uid=uid,
            day=timezone.localdate(now) - timedelta(days=it),
            ok=0 if it == 25 else 4,
            unproven=4 if registry.verification.unproven and it != 25 else 0,
            failed=1 if it in (5, 12, *bad) else 0,
            down=bad.get(it, 0),
        )
        for it in range(40)
        if it != 18
    )
    state = State.FAILING if failing else State.OK
    # The console's own setting is off, so that it tests nothing while somebody looks.
    soon = datetime.now(UTC) + timedelta(hours=1)
    interval = next((it for it in INTERVALS if now + timedelta(seconds=it) > soon), None)
    CheckInterval.objects.create(namespace=registry.namespace, uid=uid, seconds=interval or 0)
    credential = ScheduledCredential.objects.create(
        digest=_digest(uid),
        host=host,
        username=registry.username,
        interval=interval,
        due_at=now + timedelta(seconds=interval) if interval else None,
        state=state,
        settled=state,
        reason=registry.verification.reason,
        since=now - timedelta(minutes=20),
        tested_at=now,
        tested_reason=registry.verification.reason,
    )
    where = {"uid": uid, "namespace": registry.namespace, "name": registry.name}
    ScheduledRegistry.objects.create(**where, fingerprint=fingerprint(registry), credential=credential)
    turns = [
        (25, "ok", "failing", "timeout"),
        (24, "failing", "ok", "ok"),
        (12, "ok", "flapping", "server_error"),
    ]
    turns += [(11, "flapping", "ok", "ok")]
    turns += [(0, "ok", "failing", registry.verification.reason)] if failing else []
    StateChange.objects.bulk_create(
        StateChange(
            **where,
            host=host,
            at=now - timedelta(days=it, minutes=20),
            before=before,
            after=after,
            reason=reason,
        )
        for it, before, after, reason in turns
    )


def _digest(uid: str) -> str:
    """A digest that the console takes for one of its own, so that it leaves the row as it is."""
    return f"{CredentialDigest(settings.SECRET_KEY).key_id}:{uid}"


def _began(uid: str, last: datetime, *, good: bool) -> tuple[datetime, State]:
    """The first of the last tests that all had this result, and the state before; `last` for a copy, which has no
    tests."""
    tests = services().history.recent(uid)
    same = list(takewhile(lambda it: isinstance(it.outcome, Result) and it.outcome.ok is good, tests))
    other = State.FAILING if good else State.OK
    return min((it.started_at for it in same), default=last), other if tests[len(same) :] else State.NEW


def fill_changes(access: Access) -> None:
    """What broke and recovered in the last hours or longer ago, as the tests say, and what the schedule does next."""
    watched = set(ScheduledRegistry.objects.values_list("uid", flat=True))
    for it in services().index.matching(access=access, criteria=Criteria()):
        verdict = it.verification
        if not verdict.at or it.namespace == ONE or it.uid in watched:
            continue
        if verdict.reason == Reason.RATE_LIMITED:
            continue  # it says nothing about the credential
        good = verdict.status is VerifyStatus.SUCCESS
        at, before = _began(it.uid, verdict.at, good=good)
        host = registry_of(it.address)
        row = ScheduledCredential.objects.create(
            digest=_digest(it.uid),
            host=host,
            username=it.username,
            settled="ok" if good else "failing",
            reason=verdict.reason,
            since=at,
            tested_at=verdict.at,
        )
        ScheduledRegistry.objects.create(
            uid=it.uid,
            namespace=it.namespace,
            name=it.name,
            fingerprint=fingerprint(it),
            credential=row,
        )
        if not good:
            days.add_down([it.uid], at, verdict.at)
        if before is State.FAILING:
            days.count([it.uid], at - timedelta(hours=2), Result(Reason.TIMEOUT))
            days.add_down([it.uid], at - timedelta(hours=2), at)
        after = State.OK if good else State.FAILING
        place = {"uid": it.uid, "namespace": it.namespace, "name": it.name, "host": host}
        StateChange.objects.create(**place, at=at, before=before, after=after, reason=verdict.reason)
