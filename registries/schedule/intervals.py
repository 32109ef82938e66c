"""How often each namespace and registry is tested. Owns CheckInterval; writes the interval of schedule rows.

The setting of a registry counts before that of its namespace, and that before the setting of the console.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from registries.domain.access import Access, Permission
from registries.models import CheckInterval, ScheduledCredential, ScheduledRegistry
from registries.schedule.due import LONGEST_BACK_OFF, at_one_time, back_off, by_user, first_due
from registries.schedule.state import State, was_refused

BATCH = 500
LATEST = 1.2
"""No test is later than so many intervals."""


class Source(StrEnum):
    """Who chose an interval."""

    REGISTRY = "registry"
    NAMESPACE = "namespace"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Setting:
    """An interval (None: no checks), and where it was chosen."""

    interval: timedelta | None
    source: Source


class Intervals:
    """`default` is the setting of the console; None: never."""

    def __init__(self, default: timedelta | None) -> None:
        self.default = Setting(default, Source.CONSOLE)

    def in_use(self) -> bool:
        """Whether anything is checked, or was."""
        return (
            self.default.interval is not None
            or CheckInterval.objects.filter(seconds__gt=0).exists()
            or ScheduledRegistry.objects.exists()
        )

    def of(self, namespace: str, uid: str = "") -> Setting:
        """The interval of a registry, or without a uid that of its namespace. One query."""
        rows = CheckInterval.objects.filter(namespace=namespace, uid__in={uid, ""}).order_by("-uid")
        found = rows.values_list("uid", "seconds").first()
        if found is None:
            return self.default
        return Setting(_interval(found[1]), Source.REGISTRY if found[0] else Source.NAMESPACE)

    def of_namespaces(self) -> dict[str, Setting]:
        """The namespaces with an interval of their own."""
        rows = CheckInterval.objects.filter(uid="").values_list("namespace", "seconds")
        return {name: Setting(_interval(seconds), Source.NAMESPACE) for name, seconds in rows}

    def choose(self, *, access: Access, namespace: str, uid: str = "", interval: timedelta | None) -> None:
        """Sets the interval of a registry, or without a uid of its namespace. None: never. NotFound, Forbidden."""
        access.require(Permission.EDIT, namespace)
        seconds = round(interval.total_seconds()) if interval else 0
        with transaction.atomic():
            CheckInterval.objects.update_or_create(
                namespace=namespace, uid=uid, defaults={"seconds": seconds, "chosen_at": timezone.now()}
            )
            self._apply_to(namespace, uid)

    def reset(self, *, access: Access, namespace: str, uid: str = "") -> None:
        """Removes a choice: the next wider setting counts again. NotFound, Forbidden."""
        access.require(Permission.EDIT, namespace)
        with transaction.atomic():
            CheckInterval.objects.filter(namespace=namespace, uid=uid).delete()
            self._apply_to(namespace, uid)

    def forget_earlier(self, created: Mapping[str, datetime]) -> None:
        """Deletes the choices for earlier namespaces with these names. `created` has the time of each present one."""
        for row in CheckInterval.objects.all():
            if row.namespace in created and row.chosen_at < created[row.namespace]:
                with transaction.atomic():
                    CheckInterval.objects.filter(pk=row.pk, chosen_at=row.chosen_at).delete()
                    self._apply_to(row.namespace, row.uid)

    def apply(self, credentials: Collection[int], now: datetime) -> None:
        """Gives these rows the shortest interval of their registries. A row without one is never due.

        A test that would be later than the new interval allows is brought forward.
        """
        chosen = {(it.namespace, it.uid): it.seconds for it in CheckInterval.objects.all()}
        default = round(self.default.interval.total_seconds()) if self.default.interval else 0
        shortest: dict[int, int] = dict.fromkeys(credentials, 0)
        for some in _batches(credentials):
            rows = ScheduledRegistry.objects.filter(credential__in=some)
            for pk, namespace, uid in rows.values_list("credential", "namespace", "uid"):
                seconds = chosen.get((namespace, uid), chosen.get((namespace, ""), default))
                shortest[pk] = min(filter(None, (shortest[pk], seconds)), default=0)
            intervals = ScheduledCredential.objects.filter(pk__in=some).values_list("pk", "interval")
            changed = [pk for pk, interval in intervals if shortest[pk] != (interval or 0)]
            for row in ScheduledCredential.objects.filter(pk__in=changed).defer("outcome"):
                _set(row, shortest[row.pk], now)

    def apply_to_all(self, now: datetime) -> None:
        """Does `apply` for every row: the console may have started with another setting. A test that is later than any
        interval allows was planned with a wrong clock, and is planned again."""
        rows = ScheduledCredential.objects
        self.apply(list(rows.values_list("pk", flat=True)), now)
        longest = timedelta(seconds=rows.aggregate(longest=Max("interval"))["longest"] or 0)
        for row in rows.filter(due_at__gt=now + LATEST * max(longest, LONGEST_BACK_OFF)).defer("outcome"):
            _set(row, row.interval or 0, now)

    def _apply_to(self, namespace: str, uid: str) -> None:
        rows = ScheduledRegistry.objects.filter(namespace=namespace)
        rows = rows.filter(uid=uid) if uid else rows
        self.apply(list(rows.values_list("credential", flat=True).distinct()), timezone.now())


def forget_namespace(name: str) -> None:
    """Deletes what a later namespace of this name must not inherit."""
    CheckInterval.objects.filter(namespace=name).delete()


def _set(row: ScheduledCredential, seconds: int, now: datetime) -> None:
    due_at = None
    if seconds:
        interval = timedelta(seconds=seconds)
        due_at = first_due(now, interval, 1, everything=True, spread=by_user(row.host, row.username))
        due_at = at_one_time(due_at, now, row.host, row.username)
        if row.tested_at and row.state != State.SUSPECT and was_refused(row.recent, row.tested_reason):
            due_at = max(due_at, row.tested_at + back_off(interval, row.failures))
        else:
            due_at = min(due_at, row.due_at or due_at)
    ScheduledCredential.objects.filter(pk=row.pk).update(interval=seconds or None, due_at=due_at)


def _interval(seconds: int) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None


def _batches(credentials: Collection[int]) -> list[list[int]]:
    every = list(credentials)
    return [every[first : first + BATCH] for first in range(0, len(every), BATCH)]
