"""概览 (overview): what broke, what fails, and what needs attention, on one page."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from registries.domain.access import Access, Permission
from registries.domain.query import Filter, ListQuery, Page, Tally
from registries.domain.registry import RegistrySecret
from registries.index.snapshot import Snapshot, Visible, visible, visible_namespaces
from registries.index.survey import Survey
from registries.log_in.access import ConsoleRequest
from registries.probe.schedule import registry_of
from registries.schedule import network
from registries.schedule.recent import MOST, Outlook, Turn, hosts_failing_since, newest_change, outlook, turns
from registries.schedule.state import State
from registries.web import filters
from registries.web.lists.checklist import NAMES, tasks
from registries.web.lists.group_rows import counted, spread
from registries.web.lists.list import NOBODY, ListControls
from registries.web.lists.overview_lines import Line, Lines, newest_tests, next_to_expire, of_registry
from registries.web.lists.probe_images import troubles
from registries.web.shares import Part, share
from registries.wiring import services
from registries.words import labels, times

YESTERDAY = timedelta(hours=24)
BROKEN, RECOVERED, FAILING, NAMESPACES = 5, 3, 5, 6
"""The most lines of each list: so many fit on a screen."""
FEW = 500
"""Hosts that one query names; for more, the times of all are read."""
REFRESH = 30
KEPT, KEPT_FOR = 32, timedelta(minutes=1)
"""Facts in memory, and for how long. People who see the same namespaces share theirs."""


Older = tuple[tuple[str, str], int, datetime | None]
"""The failing registries of one domain and reason: how many, and since when."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a page says at any time until a registry or a state changes, for a minute at most."""

    at: datetime
    survey: Survey
    turns: list[Turn]
    cut: bool
    """Whether there may be more turns."""
    namespaces: list[tuple[str, Tally]]
    older: list[Older]
    images: dict[str, str]
    """What is wrong with probe images, by the uid of the registry."""


_kept: dict[Hashable, Facts] = {}


@require_safe
def overview(request: ConsoleRequest) -> HttpResponse:
    access, now = request.access, timezone.now()
    snapshot = services().index.fresh()
    seen = visible(snapshot, access, "")
    version = services().index.version_of(seen)
    facts = _facts(snapshot, seen, access, now, version)
    survey = facts.survey
    page = Page((), survey.tally.total, 1, 1, survey.tally, version)
    context = {
        "controls": ListControls.of(ListQuery(), page, request.acting_access),
        "version": page.version,
        "refresh": REFRESH,
    }
    if survey.tally.total:
        scope = _scope(snapshot, access)
        lines = tasks(survey, facts.images, now)
        context |= _news(facts, seen, scope, now) | {"tasks": lines, "to_do": any(it.count for it in lines)}
        context["namespaces"] = _namespaces(facts.namespaces, access)
        # Without a number: it takes lists of the cluster.
        context["unused_url"] = services().pull_failures.available and filters.url(ListQuery(), unused=NOBODY)
    return render(request, "overview/overview.html", context)


def _scope(snapshot: Snapshot, access: Access) -> tuple[str, ...] | None:
    """The namespaces that a person sees; None: all."""
    return None if access.sees_everything else visible_namespaces(snapshot, access, Permission.SEE)


def _facts(snapshot: Snapshot, seen: Visible, access: Access, now: datetime, version: str) -> Facts:
    """The facts about the registries of `version`, and the last day's changes."""
    scope, days = _scope(snapshot, access), settings.PASSWORD_AGE_DAYS
    key = version, newest_change(), scope, days
    facts = _kept.get(key)
    if facts is None or abs(now - facts.at) > KEPT_FOR:
        survey = Survey.of(seen, now, timedelta(days=days) or None, NAMES)
        found, cut = _turned(snapshot, access, scope, now)
        older = _older(survey, found, scope, now)
        tallies = _tallies(snapshot, access, now)
        facts = Facts(now, survey, found, cut, tallies, older, troubles(survey.probed))
        if len(_kept) >= KEPT:
            _kept.clear()
        _kept[key] = facts
    return facts


def _turned(
    snapshot: Snapshot, access: Access, scope: tuple[str, ...] | None, now: datetime
) -> tuple[list[Turn], bool]:
    def find(uid: str) -> RegistrySecret | None:
        key = snapshot.keys_by_uid.get(uid)
        return snapshot.find(key) if key and access.may(Permission.SEE, key.namespace) else None

    return turns(now - YESTERDAY, find, scope)


def _news(facts: Facts, seen: Visible, scope: tuple[str, ...] | None, now: datetime) -> dict[str, Any]:
    """What the schedule found, in the namespaces that a person sees."""
    survey = facts.survey
    broken = [it for it in facts.turns if it.state is not State.OK]
    recovered = [it for it in facts.turns if it.state is State.OK]
    incident = network.current()
    start = now - YESTERDAY
    fresh = [it for it in facts.older if it[2] and it[2] >= start]
    older = [it for it in facts.older if not it[2] or it[2] < start]
    return {
        "read": f"{MOST:,}" if facts.cut else "",
        "broken": _broken(broken, fresh, seen, now),
        "recovered": _turns(recovered, RECOVERED, now),
        "failing": _failing(older, seen, now),
        "failing_url": filters.url(ListQuery(), status=Filter.FAILED),
        "calm": _calm(facts),
        "newest_tests": newest_tests(survey, now),
        "next_to_expire": next_to_expire(survey, now),
        "tested": survey.tested_at and _("Checked %(ago)s.") % {"ago": times.ago(survey.tested_at, now)},
        "next_check": _next_check(outlook(scope, now), now),
        "incident": incident and {"at": incident.began_at, "ago": times.ago(incident.began_at, now)},
    }


def _calm(facts: Facts) -> str:
    """The good news, no better than it is; "" when something fails."""
    tally = facts.survey.tally
    if tally.failed:
        return ""
    if tally.untested or tally.stale or facts.images:
        return _("No registry fails.")
    if tally.total == 1:
        return _("The registry works.")
    return _("All %(n)s registries work.") % {"n": f"{tally.total:,}"}


def _next_check(coming: Outlook, now: datetime) -> str:
    """When the next scheduled check comes, or why none does."""
    if coming.late:
        text = ngettext("%(n)d scheduled check is late.", "%(n)d scheduled checks are late.", coming.late)
        return text % {"n": coming.late}
    if coming.next_at is None:
        off = services().check_interval is None
        return _("Scheduled checks are off.") if off else _("No scheduled check is due.")
    minutes = max(0, int((coming.next_at - now).total_seconds())) // 60
    if minutes < 1:
        return _("The next check is due now.")
    if minutes < 60:
        return ngettext("Next check in %(n)d minute.", "Next check in %(n)d minutes.", minutes) % {
            "n": minutes
        }
    hours = minutes // 60
    return ngettext("Next check in %(n)d hour.", "Next check in %(n)d hours.", hours) % {"n": hours}


def _turns(found: Sequence[Turn], most: int, now: datetime) -> Lines:
    return _first([_turn(it, now) for it in found[:most]], most, sum(len(it.registries) for it in found))


def _first(lines: Sequence[Line], most: int, registries: int) -> Lines:
    shown = tuple(lines[:most])
    return Lines(shown, registries - sum(it.registries for it in shown))


def _broken(found: Sequence[Turn], fresh: Sequence[Older], seen: Visible, now: datetime) -> Lines:
    """What broke: the changes, and the groups that fail for less than a day without one."""
    lines = [_turn(it, now) for it in found[:BROKEN]]
    newest = sorted(fresh, key=lambda it: it[2] or now, reverse=True)[:BROKEN]
    lines += [replace(it, ago=times.ago(it.at, now)) for it in (_group(*one, seen, now) for one in newest)]
    lines.sort(key=lambda it: it.at or now, reverse=True)
    total = sum(len(it.registries) for it in found) + sum(count for _, count, _ in fresh)
    return _first(lines, BROKEN, total)


def _failing(older: Sequence[Older], seen: Visible, now: datetime) -> Lines:
    """What fails for longer. Each says since when, or none does."""
    lines = [_group(*it, seen, now) for it in older[:FAILING]]
    if not all(it.at for it in lines):
        lines = [replace(it, at=None) for it in lines]
    return _first(lines, FAILING, sum(count for _, count, _ in older))


def _turn(turn: Turn, now: datetime) -> Line:
    label = labels.STATES["flapping"] if turn.state is State.FLAPPING else labels.FILTERS[Filter.FAILED]
    if turn.state is State.OK:
        label = labels.FILTERS[Filter.SUCCESS]
    reason, ago = labels.reason(turn.reason), times.ago(turn.at, now)
    first = turn.registries[0]
    if len(turn.registries) == 1:
        if turn.state is not State.OK and turn.reason == first.verification.reason:
            reason = labels.failure(first)
        return of_registry(first, label, reason, turn.at, ago)
    url = filters.url(
        ListQuery(), text=turn.domain, status=Filter.FAILED if turn.state is State.FAILING else None
    )
    whole = spread(len(turn.registries), turn.namespaces)
    count = len(turn.registries)
    return Line(label, turn.domain, url, reason, counted(count), turn.at, ago, whole, registries=count)


def _older(
    survey: Survey, found: Sequence[Turn], scope: Collection[str] | None, now: datetime
) -> list[Older]:
    """The failing registries by address and cause, without what stands among the changes: the largest groups first,
    among equal ones what broke last."""
    hosts = {registry_of(domain) for (domain, _reason), _count in survey.failing}
    since = hosts_failing_since(hosts if len(hosts) <= FEW else None, scope) if hosts else {}
    changed = {(it.domain, it.reason) for it in found if it.state is not State.OK}
    groups = [(it, count, since.get((registry_of(it[0]), it[1]))) for it, count in survey.failing]
    groups = [it for it in groups if it[0] not in changed or not it[2] or it[2] < now - YESTERDAY]
    groups.sort(key=lambda it: (-it[1], -it[2].timestamp() if it[2] else 0.0))
    return groups


def _group(where: tuple[str, str], count: int, at: datetime | None, seen: Visible, now: datetime) -> Line:
    """A single registry has its name, as among the changes."""
    (domain, reason), label = where, labels.FILTERS[Filter.FAILED]
    ago = _("for %(span)s") % {"span": times.span(now - at)} if at else ""
    one = seen.failing_one(domain, reason) if count == 1 else None
    if one:
        return of_registry(one, label, labels.failure(one), at, ago)
    url = filters.url(ListQuery(), text=domain, status=Filter.FAILED)
    return Line(label, domain, url, labels.reason(reason), counted(count), at, ago, registries=count)


def _tallies(snapshot: Snapshot, access: Access, now: datetime) -> list[tuple[str, Tally]]:
    """The namespaces with registries, those with most failures first."""
    rows: list[tuple[str, Tally]] = [
        (name, visible(snapshot, access, name).tally(now))
        for name in visible_namespaces(snapshot, access, Permission.SEE)
        if name in snapshot.buckets
    ]
    rows = [it for it in rows if it[1].total]
    rows.sort(key=lambda it: (-it[1].failed, -it[1].total, it[0]))
    return rows


def _namespaces(rows: Sequence[tuple[str, Tally]], access: Access) -> dict[str, Any]:
    """The shares of the first namespaces, and the page of all, for those who may open it."""
    shown: list[tuple[str, str, list[Part]]] = [
        (name, filters.url(ListQuery(), namespace=name), share(tally)) for name, tally in rows[:NAMESPACES]
    ]
    url = reverse("registries:namespaces") if access.may_anywhere(Permission.EDIT) else ""
    return {"shown": shown, "more": len(rows[NAMESPACES:]), "url": url}
