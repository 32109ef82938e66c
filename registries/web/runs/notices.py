"""The notices above the list: the person's newest runs, which go on after the dialog or the page was left."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registries.domain.access import Access
from registries.log_in.access import ConsoleRequest
from registries.runs.engine import mentioned
from registries.web.runs.undo_links import of_runs
from registries.wiring import services

CHANGED = "runs-changed"
"""The event of a run that began, ended or was stopped: the notices are fetched again."""


@require_safe
def run_notices(request: ConsoleRequest) -> HttpResponse:
    """The notices. They poll while a run is under way."""
    return render(request, "runs/_run_notices.html", notices(request.access))


def notices(access: Access) -> dict[str, Any]:
    """The context of the notices: the newest run of each kind, as a RunView, with the kind."""
    kinds = services().runs
    shown = [(kind, kinds[kind].view(access=access, run_id=run)) for kind, run in mentioned(access)]
    ended = [run.id for kind, run in shown if kind == "delete" and run.state != "running"]
    return {
        "notices": shown,
        "running": any(run.state == "running" for _, run in shown),
        "undo": ended if of_runs(access, ended) else [],
    }
