"""What the scheduled checks saw of one registry: its last days, how long it could be used, its changes of state."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registries.domain.registry import RegistrySecret
from registries.models import DayRecord, ScheduledCredential, StateChange
from registries.probe.reason import Reason
from registries.schedule import days, recent
from registries.schedule.due import JITTER
from registries.schedule.intervals import Setting, Source
from registries.schedule.state import State, was_refused
from registries.web.lists.last_days import DAYS, in_numbers, not_counted, until_now
from registries.wiring import services
from registries.words import labels, times
from registries.words.language import Text

CHANGES = 5
READ = 200
"""Changes that are read, for the causes of the days."""
SUCCESSES = tuple(it.value for it in Reason if it.ok)
"""A registry can be found unstable by a test that succeeds: this is no reason."""
WINDOWS = (timedelta(hours=24), timedelta(days=7), timedelta(days=90))


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the strip. `mark` is that of `days.mark`."""

    mark: str
    text: str

    @property
    def kind(self) -> str:
        return KINDS[self.mark].kind


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of days, as the legend explains it: `kind` is ok, warn, some, bad or idle. `height` is in the legend."""

    kind: str
    height: int
    text: Text


KINDS = {
    "o": Kind("ok", 6, gettext_lazy("connected")),
    "u": Kind("warn", 6, gettext_lazy("password unverified")),
    "w": Kind("some", 9, gettext_lazy("some tests failed, not confirmed: not counted as downtime")),
    "x": Kind("bad", 12, gettext_lazy("failing")),
    "-": Kind("idle", 1, gettext_lazy("no test")),
}
"""By the mark of `days.mark`."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A confirmed change of state in words: the first result, a change, or a failure that has another reason now.
    `reason` is that of a failure, or that a success did not verify the password."""

    at: datetime
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Watched:
    days: list[Day]
    """The last 30, oldest first; empty without a test."""
    days_text: str
    legend: list[Kind]
    """The kinds of these days."""
    not_counted: str
    """Why the last test is in no day; "" if it is."""
    availability: list[tuple[str, str]]
    """The window and its percentage, as ("24 h", "99.87%"); "" without a test."""
    turns: list[Turn]
    next: str
    """The interval and the next check; "" for a registry that is being deleted."""
    source: str
    """Where the interval comes from; "" for a registry that is not planned yet."""


def of(registry: RegistrySecret, now: datetime) -> Watched:
    """Five queries: the days, the changes, the schedule twice, the interval."""
    row = recent.statuses([registry.uid]).get(registry.uid)
    changes = recent.changes_of(registry.uid, READ)
    today = timezone.localdate(now)
    down_since = recent.down_since([registry.uid]).get(registry.uid)
    records = days.of(registry.uid, today - max(WINDOWS))
    strip = _strip(days.with_current(records, down_since, now), changes, today)
    since = row.since if row and row.settled == State.FAILING else None
    month = until_now("".join(it.mark for it in strip), since, now)
    strip = [replace(it, mark=mark) for it, mark in zip(strip, month, strict=True)]
    setting = services().schedule.intervals.of(registry.namespace, registry.uid)
    begun = _begun(registry, changes, records)
    shares = ((it, days.availability(records, now, it, down_since, begun)) for it in WINDOWS)
    return Watched(
        days=strip,
        days_text=in_numbers(month),
        legend=[kind for mark, kind in KINDS.items() if mark in month],
        not_counted=not_counted(registry),
        availability=[(times.span(window), _percent(share)) for window, share in shares],
        turns=[_turn(it) for it in changes[:CHANGES]],
        next="" if registry.deleting else _next(row, setting, now),
        source="" if registry.deleting else _source(row, setting),
    )


def _begun(
    registry: RegistrySecret, changes: Sequence[StateChange], records: Sequence[DayRecord]
) -> datetime:
    """From when on the first day with tests counts: from the first result, if it is of that day. `changes` are the
    newest first."""
    first = changes[-1] if changes else None
    if first is None:
        return registry.created_at
    if first.before == State.NEW and records and records[0].day == timezone.localdate(first.at):
        return first.at
    return min(registry.created_at, first.at)  # one that was corrected keeps its days


def _strip(records: Sequence[DayRecord], changes: Sequence[StateChange], today: date) -> list[Day]:
    found = {it.day: it for it in records}
    shown = [today - timedelta(days=n) for n in reversed(range(DAYS))]
    strip = [_day(it, found.get(it), _causes(changes, it)) for it in shown]
    return strip if any(it.mark != "-" for it in strip) else []


def _causes(changes: Sequence[StateChange], day: date) -> list[str]:
    """The reasons of the failures of a day, also of one that began before. `changes` are the newest first."""
    reasons: list[str] = []
    for it in changes:
        on = timezone.localdate(it.at)
        if on <= day and it.after != State.OK and it.reason not in (*reasons, *SUCCESSES):
            reasons.append(it.reason)
        if on < day:
            break
    return [text for it in reversed(reasons) if (text := labels.reason(it))]


def _day(day: date, record: DayRecord | None, causes: list[str]) -> Day:
    mark = days.mark(record.ok, record.unproven, record.failed, record.down) if record else "-"
    if record is None or mark == "-":
        return Day("-", f"{day.isoformat()} · {_('no test')}")
    parts = [day.isoformat()]
    if record.ok:
        parts.append(_("%(number)s connected") % {"number": record.ok})
    if record.unproven:
        parts.append(_("%(n)s with an unverified password") % {"n": record.unproven})
    if record.failed:
        parts.append(_("%(number)s failed") % {"number": record.failed})
    if record.down:
        parts += [_("failing for %(span)s") % {"span": times.span(timedelta(seconds=record.down))}, *causes]
    return Day(mark, " · ".join(parts))


def _percent(share: float | None) -> str:
    """Cut, not rounded: 100% is said only without any failure."""
    if share is None:
        return ""
    percent = int(share * 10_000) / 100
    return f"{percent:.0f}%" if percent in (0, 100) else f"{percent:.2f}%"


def _turn(change: StateChange) -> Turn:
    unproven = change.after == State.OK and change.reason == Reason.OK_UNVERIFIED
    reason = (
        labels.reason(change.reason) if change.reason not in SUCCESSES and change.after != State.OK else ""
    )
    before, after = labels.STATES[change.before].text, labels.STATES[change.after].text
    text = f"{before} → {after}"
    if change.before == State.NEW:
        text = _("First test: %(state)s") % {"state": after}
    elif change.before == change.after:
        text = _("Failed, new reason")
    return Turn(change.at, text, str(labels.UNPROVEN.hint) if unproven else reason)


def _next(row: ScheduledCredential | None, setting: Setting, now: datetime) -> str:
    """When the next scheduled check is, and how often there is one."""
    if row is None and setting.interval:
        return _("No scheduled check is planned")
    if row is None or row.interval is None or row.due_at is None:
        return _("Scheduled checks are off")
    every = times.whole_span(timedelta(seconds=row.interval))
    if row.due_at <= now:
        return _("Checked every %(every)s; the next check is due") % {"every": every}
    left = row.due_at - now
    texts = {"every": every, "wait": times.span(left)}
    if left.total_seconds() > row.interval * JITTER[1] and was_refused(row.recent, row.tested_reason):
        return _("Checked every %(every)s, less often while it is refused; next check in %(wait)s") % texts
    return _("Checked every %(every)s; next check in %(wait)s") % texts


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
