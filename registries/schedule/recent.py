"""What pages and metrics read of the schedule: the state of a registry, what broke, what recovered, what comes next."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.db.models import Count, Min, Q, QuerySet

from registries.domain.registry import RegistrySecret
from registries.models import ScheduledCredential, ScheduledRegistry, StateChange
from registries.schedule.state import State

MOST = 2_000
"""Changes that are read: the newest ones."""
READ_AGAIN = 60.0
"""Seconds after which the times of the failing registries are read again."""
LATE = timedelta(minutes=5)
"""A check that is due for longer is late."""
CHANGES = 50
"""The newest changes of a registry in which the beginning of its failure is looked for."""
BATCH = 500
"""Registries of one query."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The registries of one domain that turned to one state for one reason, the last one `at`."""

    state: State
    domain: str
    reason: str
    at: datetime
    registries: tuple[RegistrySecret, ...]

    @property
    def namespaces(self) -> int:
        return len({it.namespace for it in self.registries})


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next test, and how many are late. `next_at` None: nothing is due."""

    next_at: datetime | None
    late: int


StoredChange = tuple[str, str, str, str, datetime]
"""uid, state before, state after, reason, time."""
Find = Callable[[str], RegistrySecret | None]
"""Gives a visible registry by its uid."""


def turns(
    since: datetime, find: Find, namespaces: Collection[str] | None, most: int = MOST
) -> tuple[list[Turn], bool]:
    """What broke or recovered after a time, in these namespaces or in all (None), the newest first; and whether there
    may be more than the `most` newest changes tell."""
    rows = StateChange.objects.filter(at__gte=since)
    if namespaces is not None:
        rows = rows.filter(namespace__in=namespaces)
    newest = rows.order_by("-at", "-pk").values_list("uid", "before", "after", "reason", "at")
    read = list(newest[:most])
    return grouped(read, find), len(read) == most


def grouped(changes: Iterable[StoredChange], find: Find) -> list[Turn]:
    """The turns of changes that come the newest first. What broke and recovered counts as recovered; a first success,
    or another reason of a failure, counts for nothing."""
    last: dict[str, tuple[str, str]] = {}
    done: set[str] = set()
    groups: dict[tuple[str, str, str], list[tuple[datetime, RegistrySecret]]] = {}
    for uid, before, after, reason, at in changes:
        registry = find(uid)
        if registry is None or uid in done:
            continue
        state, why = last.setdefault(uid, (after, reason))
        if before == after:
            continue  # it goes on failing, for another reason
        done.add(uid)
        if state == State.OK and before == State.NEW:
            continue
        why = "" if state == State.OK else why
        groups.setdefault((state, registry.domain, why), []).append((at, registry))
    found = [
        Turn(State(state), domain, why, max(at for at, _ in members), tuple(it for _, it in members))
        for (state, domain, why), members in groups.items()
    ]
    return sorted(found, key=lambda it: it.at, reverse=True)


def hosts_failing_since(
    hosts: Collection[str] | None, namespaces: Collection[str] | None
) -> dict[tuple[str, str], datetime]:
    """Since when credentials of these hosts (host:port), or of all (None), fail, by host and reason: the first of
    them."""
    found = _credentials(namespaces).filter(settled=State.FAILING)
    if hosts is not None:
        found = found.filter(host__in=hosts)
    rows = found.values_list("host", "reason")
    return {(host, reason): since for host, reason, since in rows.annotate(Min("since")) if since}


def newest_change() -> int | None:
    """The number of the last confirmed change of any registry. It differs as soon as there is another one."""
    return StateChange.objects.order_by("-pk").values_list("pk", flat=True).first()


class FailingSince:
    """Since when each failing registry fails, by uid: the same mapping until something changes.

    A confirmed change of state is seen at once, another change of the schedule after a minute.
    """

    def __init__(self) -> None:
        self._read: tuple[int | None, float, Mapping[str, datetime]] | None = None

    def __call__(self) -> Mapping[str, datetime]:
        newest, now, read = newest_change(), monotonic(), self._read
        if read is None or read[0] != newest or now - read[1] > READ_AGAIN:
            failing = ScheduledRegistry.objects.filter(credential__settled=State.FAILING)
            rows = failing.values_list("uid", "credential__since")
            found: Mapping[str, datetime] = {uid: since for uid, since in rows if since}
            if read is not None and found == read[2]:
                found = read[2]  # the list keeps its order by this mapping
            read = self._read = newest, now, found
        return read[2]


def statuses(uids: Sequence[str]) -> dict[str, ScheduledCredential]:
    """The row of the credential of each registry, by uid, in one query for 500. Never show its digest."""
    found: dict[str, ScheduledCredential] = {}
    for first in range(0, len(uids), BATCH):
        rows = ScheduledRegistry.objects.filter(uid__in=uids[first : first + BATCH])
        found |= {it.uid: it.credential for it in rows.select_related("credential")}
    return found


def failing_since(uids: Sequence[str]) -> dict[str, datetime]:
    """When the registries that fail began to, by uid. One query for 500."""
    found: dict[str, datetime] = {}
    for first in range(0, len(uids), BATCH):
        failing = ScheduledRegistry.objects.filter(
            uid__in=uids[first : first + BATCH], credential__settled=State.FAILING
        )
        found |= {uid: since for uid, since in failing.values_list("uid", "credential__since") if since}
    return found


def down_since(uids: Sequence[str]) -> dict[str, datetime]:
    """The last test of the registries that are failing, by uid, or when they got that credential if it was later: the
    time since then is in no record of a day yet. One query for 500."""
    found: dict[str, datetime] = {}
    for first in range(0, len(uids), BATCH):
        some = ScheduledRegistry.objects.filter(uid__in=uids[first : first + BATCH])
        failing = some.filter(credential__settled=State.FAILING)
        times = failing.values_list("uid", "joined_at", "credential__tested_at")
        found |= {uid: max(joined_at or tested, tested) for uid, joined_at, tested in times if tested}
    return found


def changes_of(uid: str, most: int) -> list[StateChange]:
    """The confirmed changes of one registry, newest first."""
    return list(StateChange.objects.filter(uid=uid).order_by("-at", "-pk")[:most])


def failing_from(uid: str) -> datetime | None:
    """The beginning of the failure with which the changes of one registry end. None if they end with another state."""
    begin = None
    for it in changes_of(uid, CHANGES):
        if it.after != State.FAILING:
            break
        begin = it.at
    return begin


def check_intervals() -> dict[str, int]:
    """The seconds between two checks by the uid of each registry that is checked. One query."""
    checked = ScheduledRegistry.objects.filter(credential__interval__isnull=False)
    return {uid: interval for uid, interval in checked.values_list("uid", "credential__interval") if interval}


def outlook(namespaces: Collection[str] | None, now: datetime) -> Outlook:
    """What is due for these namespaces; None: for all."""
    found = _credentials(namespaces).aggregate(
        next_at=Min("due_at"), late=Count("pk", filter=Q(due_at__lt=now - LATE))
    )
    return Outlook(found["next_at"], found["late"])


def _credentials(namespaces: Collection[str] | None) -> QuerySet[ScheduledCredential]:
    if namespaces is None:
        return ScheduledCredential.objects.all()
    own = ScheduledRegistry.objects.filter(namespace__in=namespaces)
    return ScheduledCredential.objects.filter(pk__in=own.values("credential"))
