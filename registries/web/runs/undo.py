"""撤销 (undo): restores a deleted registry, or those of a run of deletions."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.domain.errors import NotFound, Problem
from registries.domain.registry import Key, Removal
from registries.log_in.access import ConsoleRequest
from registries.runs.engine import Runs
from registries.runs.run import Item, RunState, RunView
from registries.web.responses import back, details_url, done, is_htmx, shown_path
from registries.web.runs.progress import failures, restorable, run_dialog, start_once
from registries.wiring import services


@require_POST
def undo(request: ConsoleRequest, namespace: str, name: str, uid: str) -> HttpResponse:
    """Restores one registry. The list shows and highlights its row; any other page leads to its details."""
    restored = services().undo.restore(access=request.access, key=Key(namespace, name), uid=uid)
    text = _("Restored %(name)s.") % {"name": restored.title}
    if is_htmx(request) and shown_path(request) == reverse("registries:list"):
        event = ("registry-saved", {"uids": [restored.uid]})
        return done(request, text, event, href=details_url(restored.key))
    return back(request, text, "registries:details", namespace, name)


@require_POST
def undo_run(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Restores what a run deleted, as far as that is possible. Shows the person's running undo, if there is one."""
    access, runs = request.access, _runs()
    under_way = runs.current(access=access, states=(RunState.RUNNING,))
    if under_way is None:
        chosen = [Removal(key, uid) for uid, key in restorable(access, run).items()]
        if not chosen:
            raise NotFound(str(run), Problem.NO_UNDO)
        under_way = runs.propose(access=access, registries=chosen)
        runs.start(access=access, run_id=under_way)
    return _progress(request, runs.view(access=access, run_id=under_way))


@require_POST
def undo_start(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Resumes an undo whose process was lost."""
    start_once(_runs(), request.access, run)
    return _progress(request, _runs().view(access=request.access, run_id=run))


@require_safe
def undo_progress(request: ConsoleRequest, run: UUID) -> HttpResponse:
    return _progress(request, _runs().view(access=request.access, run_id=run))


def _runs() -> Runs:
    return services().runs["undo"]


def _progress(request: ConsoleRequest, view: RunView) -> HttpResponse:
    access = request.access
    context = {"failures": failures(_runs(), access, view)}
    response = run_dialog(request, "runs/_undo_run.html", view, context, title=_title(view))
    if view.state is not RunState.RUNNING:
        items = _runs().items(access=access, run_id=view.id)
        trigger_client_event(response, "registry-saved", {"uids": _new_uids(items)})
    return response


def _title(view: RunView) -> str:
    done = _("Restore finished, with failures") if view.failed else _("Restore finished")
    return {RunState.RUNNING: _("Restoring…"), RunState.DONE: done}.get(view.state, _("Restore interrupted"))


def _new_uids(items: list[Item]) -> list[str]:
    snapshot = services().index.fresh()
    found = (snapshot.find(item.key) for item in items if item.ok)
    return [it.uid for it in found if it]
