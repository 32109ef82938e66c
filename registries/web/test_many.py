"""测试选中 and 测试全部: a run of tests, its progress in a dialog that is also a page, the notice on the list."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict
from registries.domain.registry import RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.runs.engine import ItemState, RunState
from registries.runs.tests import Group, Line, VerifyRunView
from registries.web import filters
from registries.web.responses import details_url, dialog, is_htmx
from registries.wiring import services
from registries.words import labels

NOTICED = (RunState.RUNNING, RunState.INTERRUPTED, RunState.CANCELLED, RunState.DONE)
CHANGED = "verify-run-changed"


@require_POST
def verify_batch(request: ConsoleRequest) -> HttpResponse:
    """Test what was selected (`uids`), or everything that matches a filter (`query`, as in the address bar).

    Somebody whose run is under way is shown that one.
    """
    access, runs = request.access, services().verify_runs()
    under_way = runs.current(access=access, states=(RunState.RUNNING,))
    if under_way is not None:
        return _progress(request, under_way, note=labels.problem_text("run_under_way"))
    found, chosen = _found(access, request.POST)
    if not chosen:
        status, title = 403 if found else 422, _("Test selected")
        return dialog(
            request, "registries/_verify_nothing.html", {"title": title}, status=status, title=title
        )
    run = runs.make(access=access, registries=chosen)
    runs.start(access=access, run_id=run)
    return _progress(request, run, changed=True)


def _found(
    access: Access, posted: QueryDict
) -> tuple[tuple[RegistrySecret, ...], tuple[RegistrySecret, ...]]:
    """What of it there is and may be seen, and what of that may be tested."""
    if "query" in posted:
        criteria = filters.criteria(QueryDict(posted.get("query", "")).dict())
        found = services().index.matching(access=access, criteria=criteria)
        return found, tuple(it for it in found if access.may(Permission.TEST, it.namespace))
    uids = posted.get("uids", "").split()
    found = services().registries.by_uid(access=access, uids=uids)
    return found, services().registries.by_uid(access=access, uids=uids, action=Action.TEST)


@require_safe
def verify_run(request: ConsoleRequest, run: UUID) -> HttpResponse:
    return _progress(request, run)


@require_POST
def verify_run_start(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Go on with a run that was cancelled or interrupted."""
    try:
        services().verify_runs().start(access=request.access, run_id=run)
    except Conflict as error:
        if error.problem != "already_running":
            raise
    return _progress(request, run, changed=True)


@require_POST
def verify_run_cancel(request: ConsoleRequest, run: UUID) -> HttpResponse:
    services().verify_runs().cancel(access=request.access, run_id=run)
    return _progress(request, run, changed=True)


@require_POST
def verify_run_failures(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Select what did not end well: the list's selection becomes exactly that."""
    uids = services().verify_runs().failures(access=request.access, run_id=run)
    if not is_htmx(request):
        return HttpResponseRedirect(f"{reverse('registries:list')}?status=failed")
    response = HttpResponse(status=204)
    trigger_client_event(response, "selection-set", {"uids": list(uids)})
    return trigger_client_event(response, "dialog-close", {})


@require_safe
def verify_run_group(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """The registries of a run that ended alike."""
    reason, problem = request.GET.get("reason", ""), request.GET.get("problem", "")
    found = services().verify_runs().group(access=request.access, run_id=run, reason=reason, problem=problem)
    return render(request, "registries/_verify_lines.html", {"lines": [_line(it) for it in found]})


@require_safe
def verify_notice(request: ConsoleRequest) -> HttpResponse:
    """What the list says of the newest run; asks again while one is under way."""
    return render(request, "registries/_verify_notice.html", notice(request.access))


def notice(access: Access) -> dict[str, Any]:
    """Context of the notice: nothing, or the run and where it leads."""
    runs = services().verify_runs()
    run = runs.current(access=access, states=NOTICED)
    return {"notice": runs.progress(access=access, run_id=run) if run else None}


def _progress(request: ConsoleRequest, run: UUID, *, note: str = "", changed: bool = False) -> HttpResponse:
    view = services().verify_runs().progress(access=request.access, run_id=run)
    running = view.state is RunState.RUNNING
    context = {
        "run": view,
        "state": view.state.value,
        "title": _title(view),
        "note": note,
        "groups": [_group(it) for it in view.groups],
        "lines": [_line(it) for it in view.lines],
        "running": running,
        "resumable": view.state in (RunState.CANCELLED, RunState.INTERRUPTED) and view.ended < view.total,
    }
    response = dialog(request, "registries/_verify_run.html", context, title=str(context["title"]))
    if changed or not running:
        trigger_client_event(response, CHANGED, {})
    if not running:
        trigger_client_event(response, "registries-changed", {})
    return response


def _title(view: VerifyRunView) -> str:
    return {
        RunState.RUNNING: _("Testing…"),
        RunState.DONE: _("Tests finished"),
        RunState.CANCELLED: _("Tests cancelled"),
    }.get(view.state, _("Tests interrupted"))


def _group(group: Group) -> dict[str, Any]:
    kind, icon = _mark(group)
    text = (
        labels.reason(group.reason) if group.state is ItemState.DONE else labels.problem_text(group.problem)
    )
    return {"it": group, "kind": kind, "icon": icon, "text": text, "hint": _hint(group)}


def _hint(group: Group) -> str:
    return labels.reason_hint(group.reason) if group.state is ItemState.DONE and not group.ok else ""


def _line(line: Line) -> dict[str, Any]:
    kind, icon = _mark(line)
    text = labels.reason(line.reason) if line.state is ItemState.DONE else labels.problem_text(line.problem)
    took = labels.duration(line.duration_ms) if line.duration_ms else ""
    return {"it": line, "kind": kind, "icon": icon, "text": text, "took": took, "url": details_url(line.key)}


def _mark(it: Group | Line) -> tuple[str, str]:
    if it.state is ItemState.LEFT_ALONE:
        return "idle", "circle-dashed"
    if not it.ok:
        return "bad", "circle-x"
    return ("ok", "circle-check") if it.reason == "ok" else ("warn", "triangle-alert")
