"""How often each namespace and registry is tested. Owns CheckInterval; writes the interval of schedule rows.

The setting of a registry counts before that of its namespace, and that before the setting of the console.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from registries.domain.access import Access, Permission
from registries.models import CheckInterval, ScheduledCredential, ScheduledRegistry
from registries.schedule.due import first_due

BATCH = 500


class Intervals:
    """`default` is the setting of the console; None: never."""

    def __init__(self, default: timedelta | None) -> None:
        self.default = default

    def chosen(self, namespace: str, uid: str = "") -> int | None:
        """The seconds somebody chose for a namespace, or for a registry; 0: never; None: nobody chose."""
        rows = CheckInterval.objects.filter(namespace=namespace, uid=uid)
        return rows.values_list("seconds", flat=True).first()

    def choose(self, *, access: Access, namespace: str, uid: str = "", interval: timedelta | None) -> None:
        """Sets the interval of a registry, or without a uid of its namespace. None: never. NotFound, Forbidden."""
        access.require(Permission.EDIT, namespace)
        seconds = round(interval.total_seconds()) if interval else 0
        with transaction.atomic():
            CheckInterval.objects.update_or_create(
                namespace=namespace, uid=uid, defaults={"seconds": seconds}
            )
            self._apply_to(namespace, uid)

    def reset(self, *, access: Access, namespace: str, uid: str = "") -> None:
        """Removes a choice: the next wider setting counts again. NotFound, Forbidden."""
        access.require(Permission.EDIT, namespace)
        with transaction.atomic():
            CheckInterval.objects.filter(namespace=namespace, uid=uid).delete()
            self._apply_to(namespace, uid)

    def apply(self, credentials: Collection[int], now: datetime) -> None:
        """Gives these rows the shortest interval of their registries. A row without one is never due.

        A test that would be later than the new interval allows is brought forward.
        """
        if not credentials:
            return
        chosen = {(it.namespace, it.uid): it.seconds for it in CheckInterval.objects.all()}
        default = round(self.default.total_seconds()) if self.default else 0
        shortest: dict[int, int] = dict.fromkeys(credentials, 0)
        rows = ScheduledRegistry.objects.filter(credential__in=credentials)
        for pk, namespace, uid in rows.values_list("credential", "namespace", "uid"):
            seconds = chosen.get((namespace, uid), chosen.get((namespace, ""), default))
            shortest[pk] = min(filter(None, (shortest[pk], seconds)), default=0)
        for row in ScheduledCredential.objects.filter(pk__in=credentials):
            self._set(row, shortest[row.pk], now)

    def _set(self, row: ScheduledCredential, seconds: int, now: datetime) -> None:
        if seconds == (row.interval or 0):
            return
        due_at = None
        if seconds:
            due_at = first_due(now, timedelta(seconds=seconds), 1, everything=True)
            due_at = min(due_at, row.due_at or due_at)
            if row.failures and row.due_at:
                due_at = row.due_at  # it may be in its back-off
        ScheduledCredential.objects.filter(pk=row.pk).update(interval=seconds or None, due_at=due_at)

    def _apply_to(self, namespace: str, uid: str) -> None:
        rows = ScheduledRegistry.objects.filter(namespace=namespace)
        rows = rows.filter(uid=uid) if uid else rows
        found = list(rows.values_list("credential", flat=True).distinct())
        for first in range(0, len(found), BATCH):
            self.apply(found[first : first + BATCH], timezone.now())
