"""What the scheduled checks saw of one registry: its last days, how long it could be used, its changes of state."""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.models import DayRecord, ScheduledCredential, StateChange
from registries.schedule import days, rows, silences
from registries.schedule.intervals import Setting, Source
from registries.schedule.state import State
from registries.wiring import services
from registries.words import labels

SHOWN = 30
"""Days of the strip."""
CHANGES = 5
READ = 200
"""Changes that are read, for the causes of the days."""
KEPT, KEPT_FOR = 10_000, timedelta(minutes=1)
"""Registries whose days are kept in memory, and for how long."""
_kept: dict[Hashable, tuple[datetime, str]] = {}
WINDOWS = (timedelta(hours=24), timedelta(days=7), timedelta(days=90))


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the strip. `kind` is ok, warn (some tests failed), bad (a confirmed failure) or idle (no test)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A confirmed change of state. `reason` is empty for a recovery."""

    at: datetime
    before: labels.Label
    after: labels.Label
    reason: str


@dataclass(frozen=True, slots=True)
class Watched:
    days: list[Day]
    """The last 30, oldest first; empty without a test."""
    days_text: str
    availability: list[tuple[str, str]]
    """The window and its percentage, as ("24 h", "99.87%"); "" without a test."""
    turns: list[Turn]
    next: str
    source: str
    """Where the interval comes from; "" for a registry that is not planned yet."""


def of(registry: RegistrySecret, now: datetime) -> Watched:
    """Four queries: the days, the changes, the schedule, the interval."""
    row = rows.statuses([registry.uid]).get(registry.uid)
    changes = rows.changes_of(registry.uid, READ)
    today = timezone.localdate(now)
    down_since = row.tested_at if row and row.settled == State.FAILING else None
    records = days.of(registry.uid, today - max(WINDOWS))
    strip = _strip(days.with_current(records, down_since, now), changes, today)
    setting = services().schedule.intervals.of(registry.namespace, registry.uid)
    shares = ((it, days.availability(records, now, it, down_since)) for it in WINDOWS)
    return Watched(
        days=strip,
        days_text=_summary(strip),
        availability=[(labels.span(window), _percent(share)) for window, share in shares],
        turns=[_turn(it) for it in changes[:CHANGES]],
        next=_next(row, setting, now),
        source=_source(row, setting),
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What a row of the list shows of the scheduled checks: since when the registry fails, and its last 30 days as the
    two paths of a drawing, 3 units a day. `text` says the days in numbers; "" without a test. `silenced`: until when
    messages wait."""

    since: datetime | None = None
    good: str = ""
    bad: str = ""
    text: str = ""
    silenced: datetime | None = None


def of_rows(registries: Iterable[RegistrySecret], now: datetime) -> dict[str, Seen]:
    """By uid, for those that were tested or are silenced. At most three queries."""
    registries = list(registries)
    silenced = silences.ends(registries, now)
    tested = [it for it in registries if it.verification.at]
    failed = [it.uid for it in tested if it.verification.status is VerifyStatus.FAILED]
    since = rows.failing_since(failed)
    months = _months(tested, now)
    return {
        uid: Seen(since.get(uid), *_paths(month), _in_numbers(month), silenced.get(uid))
        for uid in since.keys() | months.keys() | silenced.keys()
        for month in (months.get(uid, ""),)
    }


def _months(registries: Iterable[RegistrySecret], now: datetime) -> dict[str, str]:
    """The marks of the last days by uid, read again after a minute, and after each change of a registry."""
    first = timezone.localdate(now) - timedelta(days=SHOWN - 1)
    found: dict[str, str] = {}
    missing: dict[str, Hashable] = {}
    for it in registries:
        key: Hashable = (it.uid, it.resource_version, first)
        at, month = _kept.get(key, (None, ""))
        if at and abs(now - at) < KEPT_FOR:
            found[it.uid] = month
        else:
            missing[it.uid] = key
    if len(_kept) + len(missing) > KEPT:
        _kept.clear()
    read = days.marks(list(missing), first, SHOWN) if missing else {}
    for uid, key in missing.items():
        found[uid] = read.get(uid, "")
        _kept[key] = now, found[uid]
    return {uid: month for uid, month in found.items() if month}


@lru_cache(maxsize=KEPT)
def _paths(month: str) -> tuple[str, str]:
    """A low line along the good days, and a line upwards for each day with failures, the higher one if confirmed."""
    runs = (it.span() for it in re.finditer("o+", month))
    good = "".join(f"M{3 * begin} 9h{3 * (end - begin)}" for begin, end in runs)
    failed = (it.start() for it in re.finditer("[wx]", month))
    return good, "".join(f"M{3 * day + 1} {5 if month[day] == 'w' else 0}V10" for day in failed)


def _in_numbers(month: str) -> str:
    good = month.count("o")
    untested = month.count("-")
    numbers = {"days": len(month), "failed": len(month) - good - untested, "good": good, "untested": untested}
    if not untested:
        return _("%(days)d days: %(failed)d failed, %(good)d good") % numbers if month else ""
    return _("%(days)d days: %(failed)d failed, %(good)d good, %(untested)d not tested") % numbers


def _strip(records: Sequence[DayRecord], changes: Sequence[StateChange], today: date) -> list[Day]:
    found = {it.day: it for it in records}
    shown = [today - timedelta(days=n) for n in reversed(range(SHOWN))]
    return [_day(it, found.get(it), _causes(changes, it)) for it in shown] if found else []


def _causes(changes: Sequence[StateChange], day: date) -> list[str]:
    """The reasons of the failures of a day, also of one that began before. `changes` are the newest first."""
    reasons: list[str] = []
    for it in changes:
        on = timezone.localdate(it.at)
        if on <= day and it.after != State.OK and it.reason not in reasons:
            reasons.append(it.reason)
        if on < day:
            break
    return [text for it in reversed(reasons) if (text := labels.reason(it))]


def _day(day: date, record: DayRecord | None, causes: list[str]) -> Day:
    if record is None:
        return Day("idle", f"{day.isoformat()} · {_('no test')}")
    parts = [day.isoformat()]
    if record.ok:
        parts.append(_("%(number)s connected") % {"number": record.ok})
    if record.failed:
        parts.append(_("%(number)s failed") % {"number": record.failed})
    if record.down:
        parts += [_("failing for %(span)s") % {"span": labels.span(timedelta(seconds=record.down))}, *causes]
    return Day("bad" if record.down else "warn" if record.failed else "ok", " · ".join(parts))


def _summary(strip: Sequence[Day]) -> str:
    bad = sum(it.kind == "bad" for it in strip)
    tested = sum(it.kind != "idle" for it in strip)
    text = ngettext("%(n)d day with tests", "%(n)d days with tests", tested) % {"n": tested}
    return f"{text}, " + ngettext("%(n)d with a failure", "%(n)d with failures", bad) % {"n": bad}


def _percent(share: float | None) -> str:
    """Cut, not rounded: 100% is said only without any failure."""
    return "" if share is None else f"{int(share * 10_000) / 100:.4g}%"


def _turn(change: StateChange) -> Turn:
    reason = "" if change.after == State.OK else labels.reason(change.reason)
    return Turn(change.at, labels.STATES[change.before], labels.STATES[change.after], reason)


def _next(row: ScheduledCredential | None, setting: Setting, now: datetime) -> str:
    """When the next scheduled check is, and how often there is one."""
    if row is None and setting.interval:
        return _("No scheduled check is planned")
    if row is None or row.interval is None or row.due_at is None:
        return _("Scheduled checks are off")
    every = labels.whole_span(timedelta(seconds=row.interval))
    if row.due_at <= now:
        return _("Checked every %(every)s; the next check is due") % {"every": every}
    wait = labels.span(row.due_at - now)
    return _("Checked every %(every)s; next check in %(wait)s") % {"every": every, "wait": wait}


def _source(row: ScheduledCredential | None, setting: Setting) -> str:
    """Who chose the interval. Registries with the same credential are tested together, as often as one of them asks."""
    if row is None and setting.interval:
        return ""
    seconds = row.interval if row else None
    if seconds and (setting.interval is None or seconds < setting.interval.total_seconds()):
        return _("as another registry with this credential")
    return {
        Source.REGISTRY: _("chosen for this registry"),
        Source.NAMESPACE: _("as the namespace"),
        Source.CONSOLE: _("default"),
    }[setting.source]
