"""What pages say of runs: the notices above the list, with the person's newest runs, which go on after the dialog or
the page was left; for how long a deletion can be undone, and the addresses that undo it."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from registries.audit import search
from registries.domain.access import Access
from registries.domain.registry import Key
from registries.log_in.access import ConsoleRequest
from registries.runs.engine import mentioned
from registries.wiring import services
from registries.words import labels

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


def choice(request: HttpRequest) -> dict[str, Any]:
    """The context of _undo_choice.html: for how long a deletion can be undone, if it can, and whether to forget."""
    undo = services().undo
    return {
        "undo_lasts": labels.span(timedelta(hours=undo.hours)) if undo.is_on else "",
        "forget": "forget" in request.POST,
    }


def undo_url(key: Key, uid: str) -> str:
    return reverse("registries:undo", args=(key.namespace, key.name, uid))


def of_runs(access: Access, runs: Collection[UUID]) -> dict[UUID, str]:
    """The addresses that undo these runs of deletions: of those with something that the person can restore."""
    if not runs or not services().undo.is_on:
        return {}
    found = search.runs_to_undo(access, runs, timezone.now() - services().undo_lasts)
    return {run: reverse("registries:undo_run", args=(run,)) for run in found}


def number_of(access: Access, run: UUID) -> int:
    """How many of the registries that a run deleted the person can restore."""
    return len(restorable(access, run)) if services().undo.is_on else 0


def restorable(access: Access, run: UUID) -> dict[str, Key]:
    return services().undo.offered(access=access, uids=search.deleted_by(access, run))
