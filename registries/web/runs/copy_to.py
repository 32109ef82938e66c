"""复制到… (copy to): choose namespaces, see what will happen in each, confirm, then see the progress."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import NotFound, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.domain.selectors import SelectorError
from registries.log_in.access import ConsoleRequest
from registries.runs.engine import Runs
from registries.runs.run import RESUMABLE, Item, RunView
from registries.service.copying import Target
from registries.web.responses import dialog, missing, nothing
from registries.web.runs.progress import failures, run_dialog, start_once
from registries.wiring import services
from registries.words.problems import problem_text

LABELS_MAX = 500
MOST = 1000
"""Copies of one run: each is tried with a dry run while the person waits."""


@require_safe
def copy(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The dialog for one registry."""
    try:
        found = services().registries.find(
            access=request.access, key=Key(namespace, name), action=Action.COPY
        )
    except NotFound:
        return missing(request, Key(namespace, name))
    return _choice(request, (found,))


@require_POST
def copy_many(request: ConsoleRequest) -> HttpResponse:
    """The dialog for a selection. `uids` has it, separated by white space."""
    found, may = _selected(request)
    if not may:
        refused = _("None of the selected registries can be copied: this requires the role image-admin.")
        return nothing(request, refused if found else "", title=_("Copy to namespaces"))
    return _choice(request, may, left_out=len(found) - len(may))


@require_POST
def copy_plan(request: ConsoleRequest) -> HttpResponse:
    """What a copy into the chosen namespaces will do, for confirmation. Proposes a run of what can be created."""
    _found, sources = _selected(request)
    chosen = sorted(set(request.POST.getlist("namespaces")))
    problem = ""
    try:
        chosen = sorted({*chosen, *_labelled(request)})
    except SelectorError:
        problem = _("This is not a label selector. Example: %(example)s") % {"example": "env=prod,team"}
    if problem:
        return _choice(request, sources, problem=problem, chosen=chosen)
    if not chosen:
        problem = _("Select at least one namespace.")
    elif len(sources) * len(chosen) > MOST:
        problem = _("At most %(n)s copies at once. Select fewer.") % {"n": f"{MOST:,}"}
    if problem or not sources:
        text = problem or problem_text(Problem.GONE)
        return _choice(request, sources, problem=text, chosen=chosen, wrong=bool(problem))
    targets = services().copying.plan(access=request.access, sources=sources, namespaces=chosen)
    possible = [it for it in targets if it.problem is None]
    run = _runs().propose(access=request.access, registries=possible) if possible else None
    context = {"run": run, "possible": possible, "groups": _groups(targets)}
    return dialog(request, "runs/_copy_plan.html", context, title=_("Copy to namespaces"))


@require_POST
def copy_start(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Starts a confirmed run, or resumes it. A form that is sent twice shows the progress."""
    access, runs = request.access, _runs()
    if runs.view(access=access, run_id=run).state in RESUMABLE:
        start_once(runs, access, run)
    return _progress(request, runs.view(access=access, run_id=run), changed=True)


@require_POST
def copy_cancel(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Creates no further copy. The run can be resumed."""
    _runs().cancel(access=request.access, run_id=run)
    return _progress(request, _runs().view(access=request.access, run_id=run), changed=True)


@require_safe
def copy_progress(request: ConsoleRequest, run: UUID) -> HttpResponse:
    return _progress(request, _runs().view(access=request.access, run_id=run))


def other_namespaces(access: Access, sources: Sequence[RegistrySecret] = ()) -> list[str]:
    """The namespaces where this person may create, without the only one of the sources."""
    own = {it.namespace for it in sources}
    names = services().index.namespaces(access=access, permission=Permission.CREATE)
    return [name for name in names if own != {name}]


def _labelled(request: ConsoleRequest) -> tuple[str, ...]:
    labels = request.POST.get("labels", "").strip()[:LABELS_MAX]
    return services().copying.labelled(access=request.access, labels=labels) or () if labels else ()


def chosen_namespaces(request: ConsoleRequest, field: str, source: RegistrySecret) -> list[str]:
    """The posted namespaces where this person may create, without that of the source."""
    possible = set(other_namespaces(request.access)) - {source.namespace}
    return sorted(possible.intersection(request.POST.getlist(field)))[:MOST]


def begin_copies(access: Access, source: RegistrySecret, namespaces: Sequence[str]) -> UUID:
    """The run that copies what was added into these namespaces. TooManyRequests."""
    runs, targets = _runs(), [Target(source, Key(it, source.name)) for it in namespaces]
    run = runs.propose(access=access, registries=targets)
    runs.start(access=access, run_id=run)
    return run


def begun(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """The progress of a run that was begun a moment ago."""
    return _progress(request, _runs().view(access=request.access, run_id=run), changed=True)


def _runs() -> Runs:
    return services().runs["copy"]


def _selected(request: ConsoleRequest) -> tuple[tuple[RegistrySecret, ...], tuple[RegistrySecret, ...]]:
    uids = request.POST.get("uids", "").split()
    return services().registries.by_uid(access=request.access, uids=uids, action=Action.COPY)


def _choice(
    request: ConsoleRequest,
    sources: Sequence[RegistrySecret],
    *,
    left_out: int = 0,
    problem: str = "",
    chosen: Sequence[str] = (),
    wrong: bool = False,
) -> HttpResponse:
    context = {
        "sources": sources,
        "left_out": left_out,
        "namespaces": other_namespaces(request.access, sources),
        "chosen": chosen,
        "labels": request.POST.get("labels", "")[:LABELS_MAX],
        "by_label": services().on_cluster and not settings.CLUSTER_NAMESPACES,
        "problem": problem,
        "wrong": wrong,
    }
    status = 422 if problem else 200
    return dialog(request, "runs/_copy_to.html", context, status=status, title=_("Copy to namespaces"))


def _groups(targets: Sequence[Target]) -> list[tuple[str, list[Target]]]:
    """The targets that cannot be created, by the sentence that says why."""
    groups: dict[str, list[Target]] = {}
    for it in targets:
        if it.problem is not None:
            groups.setdefault(problem_text(it.problem), []).append(it)
    return list(groups.items())


def _gone(it: Item) -> str:
    """What is gone: the namespace of the copy, else its source."""
    there = it.key.namespace in services().index.fresh().namespaces
    if there:
        return _("The source was deleted in the meantime.")
    return _("The namespace was deleted in the meantime.")


def _progress(request: ConsoleRequest, view: RunView, *, changed: bool = False) -> HttpResponse:
    failed = failures(_runs(), request.access, view)
    context = {"failures": [(it, _gone(it) if it.problem == Problem.GONE else text) for it, text in failed]}
    response = run_dialog(request, "runs/_copy_run.html", view, context, title=_("Copy to namespaces"))
    return trigger_client_event(response, "registries-changed", {}) if changed else response
