"""The daily clean-up: expired sessions, and what is older than the retention."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from registries.audit.action import Action
from registries.models import (
    AuditEntry,
    DayRecord,
    DeletedRegistry,
    NetworkIncident,
    Run,
    RunItem,
    Silence,
    StateChange,
    VerificationRecord,
)
from registries.runs import clean_up, threads
from registries.wiring import services
from tests.cast import Cast


class EndOfTest(Exception):
    """Ends the loop that otherwise runs for ever."""


def test_expired_sessions_are_deleted_at_once_and_every_day(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        later = set() if len(slept) in (1, 25) else {"ran-out-later"}
        assert set(Session.objects.values_list("session_key", flat=True)) == {"lasts", *later}
        assert not DeletedRegistry.objects.exists(), "every hour"
        DeletedRegistry.objects.create(uid="u", at=now - timedelta(hours=25))
        Session.objects.filter(session_key="ran-out-later").delete()
        Session.objects.create(session_key="ran-out-later", expire_date=now - timedelta(seconds=1))
        if len(slept) == 25:
            raise EndOfTest

    monkeypatch.setattr(threads.time, "sleep", sleep)
    monkeypatch.setattr(
        threads, "connections", SimpleNamespace(close_all=lambda: None)
    )  # the test's own transaction
    monkeypatch.setattr(threads, "close_old_connections", lambda: None)
    Session.objects.create(session_key="ran-out", expire_date=now - timedelta(days=1))
    Session.objects.create(session_key="lasts", expire_date=now + timedelta(minutes=5))

    with pytest.raises(EndOfTest):
        clean_up.keep_clean(400, timedelta(hours=24))

    assert slept == [3600] * 25


def _of_age(days: int, cast: Cast, items: int) -> None:
    """A row of every kind that is `days` old, and a run of `items`."""
    at = timezone.now() - timedelta(days=days)
    services().audit.record(cast.access("nina"), Action.TEST, namespace="team-a")
    AuditEntry.objects.filter(pk=AuditEntry.objects.latest("pk").pk).update(at=at)
    VerificationRecord.objects.create(
        uid="u", namespace="team-a", name="a", person="nina", started_at=at, finished_at=at
    )
    StateChange.objects.create(uid="u", namespace="team-a", name="a", host="h", at=at)
    DayRecord.objects.create(uid="u", day=at.date())
    NetworkIncident.objects.create(open=None, began_at=at, ended_at=at, hosts=6, failed=6)
    Silence.objects.create(starts_at=at, ends_at=at, reason="upgrade", person="nina")
    run = Run.objects.create(id=uuid4(), kind="verify", person="nina", state="done", created_at=at)
    RunItem.objects.bulk_create(
        [RunItem(run=run, namespace="team-a", name="a", uid="u", state="done")] * items, batch_size=500
    )


@pytest.mark.parametrize(("days", "left"), [(400, 2), (401, 3), (30, 1), (0, 3)])
def test_what_is_older_than_the_retention_is_deleted_in_batches(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, days: int, left: int
) -> None:
    monkeypatch.setattr(clean_up, "BATCH", 3)
    AuditEntry.objects.all().delete()
    for age in (1, 399, 400):
        _of_age(age, cast, items=10)

    clean_up.prune(days)
    clean_up.prune(days)  # a second replica

    tables: tuple[Any, ...] = (AuditEntry, StateChange, DayRecord, NetworkIncident, Silence, Run)
    assert [table.objects.count() for table in tables] == [left] * 6
    assert VerificationRecord.objects.count() == (1 if days else 3), "single checks are kept for a month"
    assert RunItem.objects.count() == 10 * left


def test_what_lasts_is_kept(db: None) -> None:
    """An incident that is open, and a weekly silence until its last day."""
    old, today = timezone.now() - timedelta(days=500), timezone.localdate()
    NetworkIncident.objects.create(open=True, began_at=old, hosts=6, failed=6)
    for last_day in (today, today - timedelta(days=500)):
        Silence.objects.create(
            starts_at=old, ends_at=old, weekly=True, last_day=last_day, reason="upgrade", person="nina"
        )

    clean_up.prune(400)

    assert NetworkIncident.objects.count() == 1
    assert [it.last_day for it in Silence.objects.all()] == [today]


def test_an_old_run_that_still_works_is_kept(cast: Cast) -> None:
    _of_age(500, cast, items=2)
    Run.objects.update(state="running", beat_at=timezone.now())

    clean_up.prune(400)

    assert (Run.objects.count(), RunItem.objects.count()) == (1, 2)
