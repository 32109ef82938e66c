"""What was recorded under a uid goes to a new one: a registry that was restored or replaced keeps its history."""

from typing import Any

from django.db.models import F, Model
from django.utils import timezone

from registries.models import (
    CheckInterval,
    DayRecord,
    DeletedRegistry,
    ExpiryNotice,
    RunItem,
    Silence,
    StateChange,
    VerificationRecord,
)
from registries.schedule.rows import end_down

KEPT: tuple[tuple[type[Model], str], ...] = (
    (VerificationRecord, ""),
    (StateChange, ""),
    (Silence, ""),
    (DayRecord, "day"),
    (CheckInterval, "namespace"),
    (ExpiryNotice, "what"),
)
"""The tables that hold the history and the choices of one registry under its uid, and the field that is unique beside
the uid, if there is one."""


def move(before: str, after: str) -> None:
    """Gives the tests, days, changes of state, interval and silences of one uid to another.

    A test of the restored registry may have been counted already. The new row of such a day stays, with both counts.
    """
    for day in DayRecord.objects.filter(uid=before):
        counts = {name: F(name) + getattr(day, name) for name in ("ok", "unproven", "failed", "down")}
        DayRecord.objects.filter(uid=after, day=day.day).update(**counts)
    for table, unique in KEPT:
        rows: Any = table._default_manager
        if unique:
            taken = rows.filter(uid=after).values_list(unique, flat=True)
            rows.filter(**{"uid": before, f"{unique}__in": list(taken)}).delete()
        rows.filter(uid=before).update(uid=after)


def replace(before: str, after: str) -> None:
    """Gives the same of a registry that was created again with other values to the new one."""
    end_down([before], timezone.now())
    move(before, after)


def restorable(uids: list[str]) -> frozenset[str]:
    """Those of these uids that may be restored, or that a run creates again: what is recorded under them stays."""
    replaced = RunItem.objects.filter(rotation__replacing=True, uid__in=uids).values_list("uid", flat=True)
    deleted = DeletedRegistry.objects.filter(uid__in=uids).values_list("uid", flat=True)
    return frozenset((*replaced, *deleted))
