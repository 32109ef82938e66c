"""测试选中 and 测试全部 (test selected, test all): starts a run of tests and shows its progress."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.domain.access import Access
from registries.domain.errors import Conflict, Problem
from registries.domain.registry import RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.probe import Reason
from registries.runs.engine import Runs
from registries.runs.run import NOT_THERE, Group, Item, ItemState, RunState, RunView
from registries.web import filters
from registries.web.responses import details_url, dialog, is_htmx
from registries.web.runs.progress import run_dialog
from registries.wiring import services
from registries.words import labels, providers, times
from registries.words.problems import problem_text

LINES = 100
"""The items that are shown while a run is under way."""


@require_POST
def verify_batch(request: ConsoleRequest) -> HttpResponse:
    """Test the selection (`uids`), or everything that matches a filter (`query`, as in the address bar).

    Shows the person's running run instead, if there is one.
    """
    access, runs = request.access, _runs()
    under_way = runs.current(access=access, states=(RunState.RUNNING,))
    if under_way is not None:
        return _progress(request, under_way, note=problem_text(Problem.RUN_UNDER_WAY))
    found, chosen = _found(access, request.POST)
    if not chosen:
        status, title = 403 if found else 422, _("Test selected")
        return dialog(request, "runs/_verify_nothing.html", {"title": title}, status=status, title=title)
    try:
        run = runs.propose(access=access, registries=chosen)
        runs.start(access=access, run_id=run)
    except Conflict as error:
        return _other(request, error)
    return _progress(request, run)


def _found(
    access: Access, posted: QueryDict
) -> tuple[tuple[RegistrySecret, ...], tuple[RegistrySecret, ...]]:
    """The registries that the person may see, and those of them that the person may test."""
    kind = _runs().kind
    if "query" in posted:
        given = QueryDict(posted.get("query", "")).dict()
        criteria = filters.criteria(given, filters.unused_for(access))
        found = services().index.matching(access=access, criteria=criteria)
        return found, tuple(it for it in found if access.may(kind.permission, it.namespace))
    uids = posted.get("uids", "").split()
    return services().registries.by_uid(access=access, uids=uids, action=kind.action)


@require_safe
def verify_run(request: ConsoleRequest, run: UUID) -> HttpResponse:
    return _progress(request, run)


@require_POST
def verify_run_start(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Resume a run that was cancelled or interrupted."""
    try:
        _runs().start(access=request.access, run_id=run)
    except Conflict as error:
        if error.problem != Problem.ALREADY_RUNNING:
            return _other(request, error)
    return _progress(request, run)


def _other(request: ConsoleRequest, error: Conflict) -> HttpResponse:
    """The run of this person that is under way already, begun at the same moment perhaps."""
    if error.problem != Problem.RUN_UNDER_WAY:
        raise error
    return _progress(request, UUID(error.subject), note=problem_text(Problem.RUN_UNDER_WAY))


@require_POST
def verify_run_cancel(request: ConsoleRequest, run: UUID) -> HttpResponse:
    _runs().cancel(access=request.access, run_id=run)
    return _progress(request, run)


@require_POST
def verify_run_failures(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Replace the selection of the list by the registries that failed, or with `skipped`, that were skipped."""
    runs, skipped = _runs(), "skipped" in request.POST
    if skipped:
        found = [
            it for it in runs.items(access=request.access, run_id=run) if it.state is ItemState.LEFT_ALONE
        ]
    else:
        found = runs.failed(access=request.access, run_id=run)
    uids = [item.uid for item in found if item.problem not in NOT_THERE]
    if not is_htmx(request):
        return HttpResponseRedirect(reverse("registries:list") + ("" if skipped else "?status=failed"))
    response = HttpResponse(status=204)
    trigger_client_event(response, "selection-set", {"uids": uids})
    return trigger_client_event(response, "dialog-close", {})


@require_safe
def verify_run_group(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """The registries of a run that ended with a reason and a problem."""
    reason, problem = request.GET.get("reason", ""), request.GET.get("problem", "")
    items = _runs().ended(access=request.access, run_id=run, reason=reason, problem=problem)
    lines = [_line(it, in_group=True) for it in items]
    return render(request, "runs/_verify_lines.html", {"lines": lines})


def _runs() -> Runs:
    return services().runs["verify"]


def _progress(request: ConsoleRequest, run: UUID, *, note: str = "") -> HttpResponse:
    access = request.access
    view = _runs().view(access=access, run_id=run)
    running = view.state is RunState.RUNNING
    lines = _runs().newest_items(access=access, run_id=run, most=LINES) if running else []
    context = {
        "note": note,
        "groups": [_group(it, () if running else _only_item(access, run, it)) for it in view.groups],
        "lines": [_line(it) for it in counted(lines, view.groups)],
        "running": running,
        "selectable": view.failed,
    }
    return run_dialog(request, "runs/_verify_run.html", view, context, title=_title(view))


def counted(items: Sequence[Item], groups: Sequence[Group]) -> list[Item]:
    """Those of the newest items, newest first, that are in these counts, which were read before: another test may have
    ended in between."""
    left = Counter({(it.state, it.reason, it.problem): it.count for it in groups})
    found: list[Item] = []
    for item in reversed(items):
        outcome = item.state, item.reason, item.problem
        if left[outcome] > 0:
            left[outcome] -= 1
            found.append(item)
    return found[::-1]


def _title(view: RunView) -> str:
    return {
        RunState.RUNNING: _("Testing…"),
        RunState.DONE: _("Tests finished, with failures") if view.failed else _("Tests finished"),
        RunState.CANCELLED: _("Tests stopped"),
    }.get(view.state, _("Tests interrupted"))


def _only_item(access: Access, run: UUID, group: Group) -> list[Item]:
    """The item of a group of one, which is shown at once; nothing for a larger group."""
    if group.count > 1:
        return []
    return _runs().ended(access=access, run_id=run, reason=group.reason, problem=group.problem)


def _group(group: Group, items: Sequence[Item]) -> dict[str, Any]:
    kind, icon = _mark(group)
    lines = [_line(it, in_group=True) for it in items]
    return {
        "it": group,
        "kind": kind,
        "icon": icon,
        "text": _text(group).rstrip(".。"),  # the others have no full stop
        "hint": _hint(group, items),
        "lines": lines,
    }


def _hint(group: Group, items: Sequence[Item]) -> str:
    """What to do about a failure: for the account of the one registry, if the group is of one. About what was skipped,
    when to test it again."""
    reason = group.reason
    if group.state is ItemState.LEFT_ALONE and reason == Reason.RATE_LIMITED:
        return _("Test these again when the pause is over")
    if group.problem == Problem.LEFT_ALONE:
        return _("First correct the user name or password, then test these again")
    if group.state is not ItemState.DONE or group.ok:
        return ""
    found = services().index.fresh().find(items[0].key) if items else None
    kind = providers.account_kind(found.provider, found.username) if found else ""
    return providers.next_step(reason, kind) or labels.reason_hint(reason)


def _text(it: Group | Item) -> str:
    """What came of a test: its reason, or why there was none."""
    if it.state is ItemState.DONE:
        return labels.reason(it.reason)
    if it.state is ItemState.LEFT_ALONE and it.reason == Reason.RATE_LIMITED:
        return _("Skipped: the registry asked for a pause.")
    return problem_text(it.problem)


def _line(line: Item, *, in_group: bool = False) -> dict[str, Any]:
    """In a group, the head has the text once for all lines."""
    kind, icon = _mark(line)
    took = times.duration(line.duration_ms) if line.duration_ms else ""
    text = "" if in_group else _text(line)
    return {"it": line, "kind": kind, "icon": icon, "text": text, "took": took, "url": details_url(line.key)}


def _mark(it: Group | Item) -> tuple[str, str]:
    if it.state is ItemState.LEFT_ALONE:
        return "idle", "circle-dashed"
    if not it.ok:
        return "bad", "circle-x"
    return ("ok", "circle-check") if it.reason == "ok" else ("warn", "triangle-alert")
