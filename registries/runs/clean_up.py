"""The daily clean-up: expired browser sessions, sent messages, and the journal, runs, checks and history that are older
than the retention. And the hourly one: deleted registries that can no longer be restored."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from registries.events import outbox
from registries.models import (
    AuditEntry,
    CheckInterval,
    DayRecord,
    DeletedRegistry,
    NetworkIncident,
    Run,
    RunItem,
    Silence,
    StateChange,
    VerificationRecord,
)
from registries.runs.threads import repeat

HOUR = 3600.0
HOURS = 24
"""Hours between two daily clean-ups."""
BATCH = 500
"""Rows per statement: a long deletion would keep writers of SQLite waiting."""
CHECKS_DAYS = 30
"""Single checks are kept for so long. Older ones are in the records of days and in the changes of state."""
ALIVE = timedelta(hours=1)
"""A run with a heartbeat since then is not deleted, however old it is."""


def keep_clean(days: int, undo: timedelta) -> None:
    """Cleans up now, once an hour and once a day for ever, in its own thread. Several processes may do so at once."""
    hours = count()

    def clean() -> None:
        forget_deleted(undo)
        if next(hours) % HOURS == 0:
            SessionStore.clear_expired()
            prune(days)
            outbox.prune()

    repeat(clean, HOUR, "the clean-up failed")


def forget_deleted(undo: timedelta) -> None:
    """Drops the deleted registries that are older than `undo`, with what was recorded for a restored one."""
    old = DeletedRegistry.objects.filter(at__lte=timezone.now() - undo).order_by("pk")
    while rows := list(old.values_list("pk", "uid", "gone")[:BATCH]):
        uids = [uid for _, uid, gone in rows if gone]
        with transaction.atomic():
            DeletedRegistry.objects.filter(pk__in=[pk for pk, _, _ in rows]).delete()
            for table in (VerificationRecord, DayRecord, CheckInterval):
                table._default_manager.filter(uid__in=uids).delete()


def prune(days: int) -> None:
    """Deletes what is older than `days`, and single checks after a month. 0 keeps everything."""
    if days <= 0:
        return
    now = timezone.now()
    end: datetime = now - timedelta(days=days)
    _delete(AuditEntry.objects.filter(at__lt=end))
    _delete(StateChange.objects.filter(at__lt=end))
    _delete(DayRecord.objects.filter(day__lte=end.date()))
    _delete(NetworkIncident.objects.filter(ended_at__lt=end))
    _delete(Silence.objects.filter(Q(weekly=False) | Q(last_day__lt=end.date()), ends_at__lt=end))
    month: datetime = now - timedelta(days=min(days, CHECKS_DAYS))
    _delete(VerificationRecord.objects.filter(started_at__lt=month))
    runs = Run.objects.filter(created_at__lt=end).exclude(beat_at__gt=now - ALIVE)
    _delete(RunItem.objects.filter(run__in=runs))
    _delete(runs.filter(items=None))


def _delete(rows: "QuerySet[Any]") -> None:
    """Deletes in batches, oldest first. Rows that another process deleted meanwhile do no harm."""
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=pks).delete()
