"""Times without messages: a snooze until a moment, a maintenance window once, or every week. Owns Silence.

Checks and their history go on. At the end, only what differs from the beginning is told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from django.db.models import Q, QuerySet
from django.utils import timezone

from registries.domain.access import Access, Permission
from registries.domain.errors import Cause, Invalid, NotFound, Problem
from registries.domain.registry import RegistrySecret
from registries.limits import exclusive
from registries.models import Silence, StateChange
from registries.probe.schedule import registry_of
from registries.schedule.state import State

LONGEST = timedelta(days=30)
"""Of a snooze and of a window that is once."""
LONGEST_WEEKLY, WEEK = timedelta(days=6), timedelta(weeks=1)
LAST_DAY = timedelta(days=366)
"""A weekly window ends after a year at the latest: nobody remembers it."""
AT_MOST = 50
"""Silences of one namespace, and of all, that are not over. Each page and each message compares with all of them."""
REASON_MAX = 200
HOST_MAX = 300
"""Characters of a host that are stored, here and in the schedule."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a silence is for: a namespace, a host (host:port) in it, or one registry of it. None stands for all.

    An empty text is a ValueError: an unknown value would silence everything."""

    namespace: str | None = None
    host: str | None = None
    uid: str | None = None

    def __post_init__(self) -> None:
        if "" in (self.namespace, self.host, self.uid):
            raise ValueError(f"an empty value in {self}")

    def covers(self, namespace: str, host: str, uid: str) -> bool:
        pairs = ((self.namespace, namespace), (self.host, host), (self.uid, uid))
        return all(wanted in (None, given) for wanted, given in pairs)


@dataclass(frozen=True, slots=True)
class Window:
    """From `starts_at`, until just before `ends_at`. With a `last_day`, again each week, at the same time of day in the
    zone, as long as it starts on this day or earlier."""

    starts_at: datetime
    ends_at: datetime
    last_day: date | None = None

    def around(self, moment: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
        """The beginning and the end of the time without messages that contains a moment."""
        return next((it for it in self.spans(moment, moment, zone) if it[0] <= moment < it[1]), None)

    def spans(self, first: datetime, last: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
        """The times without messages that may have a moment between two in them, by their beginning."""
        if self.last_day is None:
            yield self.starts_at, self.ends_at
            return
        start, end = self.starts_at.astimezone(zone), self.ends_at.astimezone(zone)
        weeks = [(it.astimezone(zone).date() - start.date()).days // 7 for it in (first, last)]
        for week in range(max(0, weeks[0] - 1), weeks[1] + 1):
            begin, until = (_at(it.date() + week * WEEK, it.time(), zone) for it in (start, end))
            if begin.date() <= self.last_day:
                yield begin, until


Silences = Sequence[tuple[Scope, Window]]


def scopes_at(moment: datetime) -> list[Scope]:
    """The scopes of the silences in which a moment is. Look once for many registries: there may be many silences."""
    zone = timezone.get_default_timezone()
    return [scope for scope, window in current(moment) if window.around(moment, zone)]


def is_silent(scopes: Sequence[Scope], *, namespace: str, host: str, uid: str) -> bool:
    """Whether messages about a registry wait. `scopes` are those of this moment."""
    return any(it.covers(namespace, host, uid) for it in scopes)


def silent_until(windows: Iterable[Window], moment: datetime, zone: tzinfo) -> datetime | None:
    """The end of the time without messages; windows that meet are one, as far as LONGEST from a moment. None if
    messages may be sent."""
    end = moment
    for begin, until in sorted(
        it for window in windows for it in window.spans(moment, moment + LONGEST, zone)
    ):
        if begin > end:
            break
        end = max(end, until)
    return end if end > moment else None


def to_tell(
    changes: Iterable[StateChange], reason_before: Callable[[StateChange], str | None]
) -> list[tuple[StateChange, StateChange]]:
    """The first and the last change of each registry that is in another state at the end than at the beginning, or
    fails for another reason. The changes are in the order of time. `reason_before`: why it failed before a change."""
    first: dict[str, StateChange] = {}
    last: dict[str, StateChange] = {}
    for it in changes:
        first.setdefault(it.uid, it)
        last[it.uid] = it

    def differs(begin: StateChange, end: StateChange) -> bool:
        if begin.before != end.after or end.after != State.FAILING:
            return begin.before != end.after
        return begin is end or reason_before(begin) not in (end.reason, None)

    return [(first[uid], it) for uid, it in last.items() if differs(first[uid], it)]


def current(now: datetime) -> Silences:
    """Every silence that is not over for good."""
    return [(_scope(it), _window(it)) for it in _stored(now)]


def manageable(*, access: Access, now: datetime) -> list[Silence]:
    """The silences that are not over and that this person may end, the first to end first."""
    zone = timezone.get_default_timezone()
    today = timezone.localdate(now, zone)
    return [
        it
        for it in _stored(now).order_by("ends_at", "pk")
        if _may(access, it.namespace)
        and (it.ends_at > now or (it.last_day and it.last_day >= today) or _window(it).around(now, zone))
    ]


def ends(registries: Iterable[RegistrySecret], now: datetime) -> dict[str, datetime]:
    """Until when messages wait, by uid, for the registries that are silenced. One query."""
    silences, zone, found = current(now), timezone.get_default_timezone(), dict[str, datetime]()
    known: dict[tuple[Window, ...], datetime | None] = {}
    for it in registries if silences else ():
        place = _place(it)
        mine = tuple(window for scope, window in silences if scope.covers(**place))
        if mine not in known:  # most registries have the same ones
            known[mine] = silent_until(mine, now, zone)
        if end := known[mine]:
            found[it.uid] = end
    return found


def in_force(*, access: Access, registry: RegistrySecret, now: datetime) -> list[Silence]:
    """The silences in which messages about a registry wait now, and that this person may end."""
    zone, place = timezone.get_default_timezone(), _place(registry)
    return [
        it
        for it in _stored(now).order_by("ends_at", "pk")
        if _may(access, it.namespace) and _scope(it).covers(**place) and _window(it).around(now, zone)
    ]


def add(*, access: Access, scope: Scope, window: Window, reason: str) -> Silence:
    """Stores a silence. Forbidden or NotFound without the right to edit in its namespace; one for all namespaces takes
    an administrator. Invalid for a time that is too long, has no end, or is over, and for one more than AT_MOST."""
    _require(access, scope.namespace)
    now, namespace = timezone.now(), scope.namespace or ""
    if causes := _causes(window, reason, now):
        raise Invalid(namespace, causes)
    with exclusive("silences"):
        if _stored(now).filter(namespace=namespace).count() >= AT_MOST:
            raise Invalid(namespace, [Cause("reason", Problem.TOO_MANY, AT_MOST)])
        return Silence.objects.create(
            namespace=namespace,
            host=(scope.host or "")[:HOST_MAX],
            uid=scope.uid or "",
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            weekly=window.last_day is not None,
            last_day=window.last_day,
            reason=reason,
            person=access.person[:150],
        )


def end(*, access: Access, pk: int) -> None:
    """Ends a silence now. NotFound, Forbidden."""
    row = Silence.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound(str(pk))
    _require(access, row.namespace or None)
    row.delete()


def forget_namespace(name: str) -> None:
    """Deletes what a later namespace of this name must not inherit."""
    Silence.objects.filter(namespace=name).delete()


def forget_earlier(created: Mapping[str, datetime]) -> None:
    """Deletes the silences of earlier namespaces with these names. `created` has the time of each present one."""
    for row in Silence.objects.exclude(namespace=""):
        if row.namespace in created and row.created_at < created[row.namespace]:
            row.delete()


def _require(access: Access, namespace: str | None) -> None:
    if namespace is not None:
        access.require(Permission.EDIT, namespace)
    else:
        access.require_administration()


def _may(access: Access, namespace: str) -> bool:
    return access.may(Permission.EDIT, namespace) if namespace else access.administers


def _causes(window: Window, reason: str, now: datetime) -> list[Cause]:
    causes = []
    longest = LONGEST if window.last_day is None else LONGEST_WEEKLY
    over = window.ends_at <= now and window.last_day is None
    if over or not timedelta() < window.ends_at - window.starts_at <= longest:
        causes.append(Cause("ends_at", Problem.SILENCE_TIME))
    if abs(window.starts_at - now) > LAST_DAY:  # the years 1 and 9999 are no times in other zones
        causes.append(Cause("starts_at", Problem.SILENCE_DAY))
    today = timezone.localdate(now, timezone.get_default_timezone())
    if window.last_day and not today <= window.last_day <= today + LAST_DAY:
        causes.append(Cause("last_day", Problem.SILENCE_DAY))
    if not reason.strip():
        causes.append(Cause("reason", Problem.REQUIRED))
    elif len(reason) > REASON_MAX:
        causes.append(Cause("reason", Problem.TOO_LONG, REASON_MAX))
    return causes


def _stored(now: datetime) -> "QuerySet[Silence]":
    """Those that are not over for good."""
    first = timezone.localdate(now, timezone.get_default_timezone()) - LONGEST_WEEKLY
    return Silence.objects.filter(Q(ends_at__gt=now) | Q(weekly=True, last_day__gte=first))


def _place(registry: RegistrySecret) -> dict[str, str]:
    """What a scope is compared with."""
    host = registry_of(registry.address)
    return {"namespace": registry.namespace, "host": host[:HOST_MAX], "uid": registry.uid}


def _scope(row: Silence) -> Scope:
    return Scope(row.namespace or None, row.host or None, row.uid or None)


def _window(row: Silence) -> Window:
    return Window(row.starts_at, row.ends_at, row.last_day if row.weekly else None)


def _at(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, zone)
