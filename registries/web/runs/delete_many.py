"""删除选中 (delete selected): shows the selection as a list, asks for its count, then shows the progress."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.domain.access import Access
from registries.domain.errors import NotFound, Problem
from registries.domain.registry import RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.runs.engine import Runs
from registries.runs.run import NOT_THERE, RESUMABLE, Item, RunState, RunView
from registries.web.pulls.pull_secrets import doomed, usage_place
from registries.web.responses import dialog, nothing
from registries.web.runs.progress import choice, failures, number_of, run_dialog, start_once, why_no_undo
from registries.wiring import services
from registries.words import labels
from registries.words.sync import deletion_sentences

SHOWN_AT_ONCE = 100
"""Up to this many names are part of the dialog. With more, a namespace fetches its names when it is unfolded."""


@require_POST
def batch_delete(request: ConsoleRequest) -> HttpResponse:
    """Propose a run. `uids` has the selection, separated by white space; or `with_copies` has a proposed run, to which
    the copies of the rules of its sources are added."""
    access, runs = request.access, _runs()
    asked = _with_copies(access, request.POST["with_copies"]) if "with_copies" in request.POST else None
    asked = request.POST.get("uids", "").split() if asked is None else asked
    found, may = services().registries.by_uid(access=access, uids=asked, action=runs.kind.action)
    if not may:
        refused = _("None of the selected registries can be deleted: this requires the role image-admin.")
        return nothing(request, refused if found else "", title=_("Delete selected"))
    run = runs.propose(access=access, registries=may)
    context = {
        "run": runs.view(access=access, run_id=run),
        "groups": _by_namespace(access, run, may if len(may) <= SHOWN_AT_ONCE else ()),
        "left_out": len(found) - len(may),
        "missing": len(set(asked)) - len(found),
        **effects(access, may),
        **_usage_place(request, run),
        **choice(request),
    }
    return dialog(request, "runs/_batch_delete.html", context, title=_("Delete selected"))


@require_safe
def run_items(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """The names of a run's items in one namespace."""
    namespace = request.GET.get("namespace", "")
    items = _runs().items(access=request.access, run_id=run, namespace=namespace)
    return render(request, "runs/_run_items.html", {"names": [item.key.name for item in items]})


@require_POST
def run_start(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Start a run that is confirmed with its count. A form that is sent twice shows the progress."""
    access, runs = request.access, _runs()
    view = runs.view(access=access, run_id=run)
    if view.state in RESUMABLE:
        typed = request.POST.get("count", "").strip()
        if view.state is RunState.PROPOSED and typed != str(view.total):
            context = {
                "run": view,
                "wrong": True,
                "typed": typed,
                "groups": _by_namespace(access, run),
                **effects(access, _proposed(access, run)),
                **_usage_place(request, run),
                **choice(request),
            }
            return dialog(request, "runs/_batch_delete.html", context, status=422, title=_("Delete selected"))
        start_once(runs, access, run, forget="forget" in request.POST)
    return deletion_progress(request, runs.view(access=access, run_id=run))


@require_POST
def run_cancel(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Delete no further registry. The run can be resumed."""
    _runs().cancel(access=request.access, run_id=run)
    return deletion_progress(request, _runs().view(access=request.access, run_id=run))


@require_safe
def run_progress(request: ConsoleRequest, run: UUID) -> HttpResponse:
    return deletion_progress(request, _runs().view(access=request.access, run_id=run))


def effects(access: Access, registries: Sequence[RegistrySecret]) -> dict[str, Any]:
    """The context of _sync_effects.html and _sync_copies_choice.html, and `awaited`, how many names a rule takes."""
    found = services().sync_rules.deletion(access=access, registries=registries)
    keys = ([it.key for it in group] for group in (found.sources, found.copies, found.awaited))
    return {
        "sync_effects": deletion_sentences(*keys, many=len(registries) > 1),
        "copies": len(found.kept),
        "shown": [it.key for it in found.kept],
        "awaited": len(found.awaited),
    }


def shown_in(request: ConsoleRequest, field: str) -> set[str]:
    """The namespaces that a dialog showed, and that its form sends back, separated by spaces."""
    return set(request.POST.get(field, "").split())


def end_and_delete(
    request: ConsoleRequest,
    source: RegistrySecret,
    doomed: Sequence[RegistrySecret],
    *,
    forget: bool = False,
    unbinding: Collection[str] = (),
) -> HttpResponse:
    """Ends a rule, deletes registries that a person has confirmed, as one run, and shows the progress."""
    access, runs = request.access, services().runs["delete"]
    runs.require_share(access)
    run = runs.propose(access=access, registries=doomed)
    services().sync_rules.end(access=access, source=source, unbinding=unbinding)
    runs.start(access=access, run_id=run, forget=forget)
    return deletion_progress(request, runs.view(access=access, run_id=run))


def delete_with_copies(request: ConsoleRequest, source: RegistrySecret, *, forget: bool) -> HttpResponse:
    """Deletes a source and those copies of its rule that the dialog showed."""
    copies = services().sync_rules.unchanged(access=request.access, source=source)
    shown = shown_in(request, "shown")
    doomed = [it for it in copies if it.namespace in shown]
    return end_and_delete(request, source, [source, *doomed], forget=forget)


def _runs() -> Runs:
    return services().runs["delete"]


def _proposed(access: Access, run: UUID) -> Sequence[RegistrySecret]:
    """The registries of a proposed run that are still there."""
    uids = [it.uid for it in _runs().items(access=access, run_id=run)]
    return services().registries.by_uid(access=access, uids=uids)[0]


def _with_copies(access: Access, run: str) -> list[str]:
    """The uids of a proposed run, and of the unchanged copies of its sources. NotFound."""
    try:
        found = _proposed(access, UUID(run))
    except ValueError:
        raise NotFound(run) from None
    kept = services().sync_rules.deletion(access=access, registries=found).kept
    return [it.uid for it in (*found, *kept)]


def _by_namespace(
    access: Access, run: UUID, shown: Sequence[RegistrySecret] = ()
) -> list[tuple[str, int, list[str] | None]]:
    """Each namespace of a run, the count of its items, and the names of those in `shown`, or None."""
    names: dict[str, list[str]] = {}
    for it in shown:
        names.setdefault(it.namespace, []).append(it.name)
    counts = _runs().namespaces(access=access, run_id=run)
    return [(namespace, count, names.get(namespace)) for namespace, count in counts.items()]


def _usage_place(request: ConsoleRequest, run: UUID) -> dict[str, object]:
    url = reverse("registries:run_usage", args=(run,))
    return usage_place(request, lambda: doomed(request.access, run), url)


def _held(access: Access, run: UUID) -> list[tuple[Item, str]]:
    """The deleted registries that finalizers still hold, and what holds them."""
    index, held = services().index, []
    for item in _runs().ended(access=access, run_id=run, reason="", problem=Problem.BEING_DELETED):
        registry = index.known(access, item.key)
        if registry is not None and registry.uid == item.uid:
            held.append((item, labels.obstacle(registry)))
    return held


def deletion_progress(request: ConsoleRequest, view: RunView) -> HttpResponse:
    failed, ended = failures(_runs(), request.access, view), view.state is RunState.DONE
    kept = [it for it in failed if it[0].problem not in NOT_THERE]
    undo = 0 if view.state is RunState.RUNNING else number_of(request.access, view.id)
    lasts = choice(request)["undo_lasts"]
    over = lasts and not undo and view.succeeded and view.state is not RunState.RUNNING
    gone = [it for it in failed if it[0].problem in NOT_THERE]
    context = {
        "failures": kept,
        "gone": [(it, _("Already deleted") if it.problem == Problem.GONE else text) for it, text in gone],
        "held": _held(request.access, view.id),
        "ended": ended,
        "undo": undo,
        "undo_lasts": lasts,
        "no_undo": why_no_undo(request.access, view) if over else "",
    }
    title = _("Delete selected")
    response = run_dialog(request, "runs/_run.html", view, context, title=title)
    if ended:
        trigger_client_event(response, "selection-set", {"uids": [item.uid for item, _text in kept]})
    return response
