"""删除选中: the selection becomes an explicit list, shown by namespace; its count confirms it; a bar shows it going."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.audit.action import Action
from registries.domain.errors import Conflict
from registries.domain.registry import RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.runs.engine import RunState, RunView
from registries.web.pull_secrets import doomed, usage_place
from registries.web.responses import dialog
from registries.wiring import services
from registries.words import labels

SHOWN_AT_ONCE = 100
"""With more than this, the names of a namespace are fetched when it is unfolded."""


@require_POST
def batch_delete(request: ConsoleRequest) -> HttpResponse:
    """Propose: `uids` holds what was selected, separated by blanks or line breaks."""
    access = request.access
    asked = request.POST.get("uids", "").split()
    found = services().registries.by_uid(access=access, uids=asked)
    may = services().registries.by_uid(access=access, uids=asked, action=Action.DELETE)
    if not may:
        status, title = 403 if found else 422, _("Delete selected")
        return dialog(request, "registries/_batch_nothing.html", {"found": found}, status=status, title=title)
    runs = services().delete_runs()
    run = runs.view(access=access, run_id=runs.propose(access=access, registries=may))
    return _confirmation(
        request, run, may, left_out=len(found) - len(may), missing=len(set(asked)) - len(found)
    )


def _confirmation(
    request: ConsoleRequest,
    run: RunView,
    registries: tuple[RegistrySecret, ...],
    *,
    left_out: int,
    missing: int,
) -> HttpResponse:
    names: dict[str, list[str]] = {}
    if run.total <= SHOWN_AT_ONCE:
        for it in registries:
            names.setdefault(it.namespace, []).append(it.name)
    context = {
        "run": run,
        "groups": [(namespace, count, names.get(namespace)) for namespace, count in run.namespaces.items()],
        "left_out": left_out,
        "missing": missing,
        **_usage_place(request, run),
    }
    return dialog(request, "registries/_batch_delete.html", context, title=_("Delete selected"))


@require_safe
def run_items(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """The names that a run holds of one namespace."""
    namespace = request.GET.get("namespace", "")
    items = services().delete_runs().items(access=request.access, run_id=run, namespace=namespace)
    return render(request, "registries/_run_items.html", {"names": [item.key.name for item in items]})


@require_POST
def run_start(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Confirm with the count; a form that is sent twice shows how far the first one is."""
    access, runs = request.access, services().delete_runs()
    view = runs.view(access=access, run_id=run)
    if view.state in (RunState.PROPOSED, RunState.INTERRUPTED):
        typed = request.POST.get("count", "").strip()
        if view.state is RunState.PROPOSED and typed != str(view.total):
            context = {
                "run": view,
                "wrong": True,
                "typed": typed,
                "groups": _folded(view),
                **_usage_place(request, view),
            }
            return dialog(
                request, "registries/_batch_delete.html", context, status=422, title=_("Delete selected")
            )
        try:
            runs.start(access=access, run_id=run)
        except Conflict as error:
            if error.problem != "already_running":
                raise
    return _progress(request, runs.view(access=access, run_id=run))


@require_safe
def run_progress(request: ConsoleRequest, run: UUID) -> HttpResponse:
    return _progress(request, services().delete_runs().view(access=request.access, run_id=run))


def _usage_place(request: ConsoleRequest, run: RunView) -> dict[str, object]:
    url = reverse("registries:run_usage", args=(run.id,))
    return usage_place(request, lambda: doomed(request.access, run.id), url)


def _folded(view: RunView) -> list[tuple[str, int, None]]:
    return [(namespace, count, None) for namespace, count in view.namespaces.items()]


def _progress(request: ConsoleRequest, view: RunView) -> HttpResponse:
    failures = [(item, labels.problem_text(item.problem)) for item in view.failed]
    context = {
        "run": view,
        "failures": failures,
        "ended": view.state is RunState.DONE,
        "state": view.state.value,
    }
    response = dialog(request, "registries/_run.html", context, title=_("Delete selected"))
    if view.state is RunState.DONE:
        trigger_client_event(response, "registries-changed", {})
        trigger_client_event(response, "selection-set", {"uids": [item.uid for item in view.failed]})
    return response
