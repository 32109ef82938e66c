"""The notices of runs above the list: the person's newest run of each kind. Runs go on after their dialog or page was
left."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID
from zlib import crc32

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from registries.audit import search
from registries.domain.access import Access
from registries.log_in.access import ConsoleRequest
from registries.runs.owned import LOOKED_AT, mentioned
from registries.runs.run import RunState, RunView
from registries.web.responses import is_htmx, shown_path
from registries.wiring import services

TEMPLATE = "runs/_run_notices.html"
DISMISSED = "dismissed_runs"
"""The key of the session with the ids of runs whose notice the person has closed."""
MOST_OVER = 2
"""Notices with nothing left to decide: more would push the list out of sight. The audit log has all runs."""


@require_safe
def run_notices(request: ConsoleRequest) -> HttpResponse:
    """The notices. They poll while a run is under way."""
    return render(request, TEMPLATE, notices(request))


@require_POST
def dismiss_notice(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Closes the notice of a run that has ended, for this session. The audit log keeps the run."""
    closed = [it for it in request.session.get(DISMISSED, []) if it != str(run)]
    request.session[DISMISSED] = [*closed, str(run)][-LOOKED_AT:]
    if not is_htmx(request):
        return HttpResponseRedirect(reverse("registries:list"))
    return render(request, TEMPLATE, notices(request))


def notices(request: ConsoleRequest) -> dict[str, Any]:
    """The context of the notices: (kind, RunView, whether it can be closed) of each run."""
    access, kinds = request.access, services().runs
    closed = set(request.session.get(DISMISSED, []))
    found = [(kind, kinds[kind].view(access=access, run_id=run)) for kind, run in mentioned(access)]
    over = {run.id for kind, run in found if _is_over(kind, run)}
    kept = [run.id for _, run in found if run.id in over and str(run.id) not in closed][:MOST_OVER]
    shown = [(kind, run, run.id in over) for kind, run in found if run.id not in over or run.id in kept]
    ended = [run.id for kind, run, _over in shown if kind == "delete" and run.state != "running"]
    undo = set(of_runs(access, ended)) if ended else set()
    return {
        "notices": shown,
        "running": any(run.state == "running" for _kind, run, _over in shown),
        "short": _in_short(shown),
        "undo": undo,
        "version": f"{crc32(repr((shown, sorted(undo))).encode()):x}",
    }


def _in_short(shown: Sequence[tuple[str, RunView, bool]]) -> dict[str, int]:
    """The counts of the line that the notices are folded into on a phone."""
    running = sum(run.state is RunState.RUNNING for _kind, run, _over in shown)
    over = sum(is_over for _kind, _run, is_over in shown)
    return {
        "runs": len(shown),
        "running": running,
        "over": over,
        "waiting": len(shown) - running - over,
        "failed": sum(run.failed + (run.gone if kind == "copy" else 0) for kind, run, _over in shown),
    }


def add_notices(request: ConsoleRequest, response: HttpResponse) -> None:
    """Adds the notices to the answer for a dialog over the list, unless the list shows the same (X-Notices, which the
    script adds)."""
    if not is_htmx(request) or shown_path(request) != reverse("registries:list"):
        return
    context = notices(request)
    if request.headers.get("X-Notices") != context["version"]:
        response.write(render_to_string(TEMPLATE, {**context, "beside": True}, request))


def of_runs(access: Access, runs: Collection[UUID]) -> dict[UUID, str]:
    """The addresses that undo these runs of deletions: of those with something that the person can restore."""
    if not runs or not services().undo.is_on:
        return {}
    found = search.runs_to_undo(access, runs, timezone.now() - services().undo_lasts)
    return {run: reverse("registries:undo_run", args=(run,)) for run in found}


def _is_over(kind: str, run: RunView) -> bool:
    """Whether nothing is left to decide. A change of passwords that was stopped waits for its person."""
    return run.state is RunState.DONE or (run.state is RunState.CANCELLED and kind != "rotate")
