"""跨命名空间同步 (sync across namespaces): the panel on the details page, and its dialogs: set up, solve, stop."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registries.domain.access import Access
from registries.domain.errors import Conflict, ConsoleError, Invalid, NotFound, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.domain.selectors import SelectorError
from registries.log_in.access import ConsoleRequest
from registries.sync.rows import Found, Rule, Selection
from registries.sync.states import SOLUTIONS, CopyState, RuleState, Solution
from registries.sync.views import Foreseen
from registries.web.registry.sync_scope import by_label, scope_of, scope_problem, scope_text, selection_of
from registries.web.responses import back, details_url, dialog, part_of_page
from registries.web.runs.delete_many import end_and_delete, shown_in
from registries.wiring import services
from registries.words.language import sentences
from registries.words.problems import problem_text
from registries.words.sync import ADVICE, CLICKS, COPIES, EFFECTS, counts_texts, rule_label

SHOWN = 50
"""Copies that are listed; those in sync come last."""
ORDER = (CopyState.FAILED, CopyState.CHANGED, CopyState.NAME_TAKEN, CopyState.DELETED)


@part_of_page()
@require_safe
def sync(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The panel; empty for a registry without a rule, for people who may not set one up."""
    access, registry = request.access, _registry(request, namespace, name)
    view = services().sync_rules.view(access=access, registry=registry)
    may = services().sync_rules.may_set_up(access=request.acting_access)
    source = services().sync_rules.source_of(access=access, registry=registry)
    changed = None if source else _source_of_changed(access, registry)
    can_be_source = may and not registry.deleting and not registry.address_problem
    if view is None and not (can_be_source or source or changed):
        return HttpResponse()
    context: dict[str, Any] = {"registry": registry, "keeper": source, "url": _url(registry)}
    context |= {"may": may, "can_be_source": can_be_source, "changed": changed}
    if view is not None:
        rows = [_row(view.rule, it, may=can_be_source) for it in sorted(view.copies, key=_order)[:SHOWN]]
        others = counts_texts(view.counts)
        busy = view.rule.state in (RuleState.NEW, RuleState.ENDING) or any(
            it["state"] is CopyState.WAITING for it in rows
        )
        context |= {
            "rule": view.rule,
            "label": rule_label(view.rule.state, view.counts),
            "failed": others.pop("failed", ""),
            "others": list(others.values()),
            "why": why(view.rule, may=can_be_source, here=True),
            "scope": scope_of(view),
            "rows": rows,
            "more": max(0, len(view.copies) - SHOWN),
            "in_sync": view.in_sync,
            "every": 1 if busy else 10,
        }
    return render(request, "registry/_sync.html", context)


def _source_of_changed(access: Access, registry: RegistrySecret) -> Key | None:
    return services().sync_rules.source_of(access=access, registry=registry, state=CopyState.CHANGED)


@require_http_methods(["GET", "HEAD", "POST"])
def sync_edit(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """Chooses the namespaces; posting shows what will happen, and posting that switches the rule on."""
    access, registry = request.access, _registry(request, namespace, name)
    rules = services().sync_rules
    _require(access)
    if request.method != "POST":
        view = rules.view(access=access, registry=registry)
        return _choice(
            request, registry, view.rule.selection if view else None, bind=bool(view and view.rule.bind)
        )
    bind = request.POST.get("bind") == "1"
    scope, selection = selection_of(request, registry)
    problem = scope_problem(scope, selection)
    try:
        if not problem and request.POST.get("step") == "save":
            rules.set_up(access=access, source=registry, selection=selection, bind=bind)
            text = _("%(name)s is synced.") % {"name": registry.title}
            return back(request, text, "registries:details", namespace, name)
        if not problem:
            plan = rules.preview(access=access, source=registry, selection=selection)
            return _preview(request, registry, (scope, selection), plan, bind=bind)
    except SelectorError:
        problem = _("This is not a label selector. Example: %(example)s") % {"example": "env=prod,team"}
    except ConsoleError as error:
        if isinstance(error, (NotFound, Invalid)):
            raise
        problem = problem_text(error.code)
    return _choice(request, registry, selection, bind=bind, problem=problem, scope=scope)


@require_http_methods(["GET", "HEAD", "POST"])
def sync_off(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """Asks what to do with the copies, and switches the rule off."""
    access, registry = request.access, _registry(request, namespace, name)
    rules = services().sync_rules
    _require(access)
    if rules.view(access=access, registry=registry) is None:
        raise NotFound(str(registry.key))
    copies = rules.unchanged(access=access, source=registry)
    if request.method != "POST":
        context = {
            "registry": registry,
            "copies": len(copies),
            "shown": [it.key for it in copies],
            "bound": rules.bound(access=access, source=registry),
        }
        return dialog(request, "registry/_sync_off.html", context, title=_("Stop sync"))
    unbinding = shown_in(request, "bound") if request.POST.get("unbind") == "1" else set()
    doomed = [it for it in copies if it.namespace in shown_in(request, "shown")]
    if request.POST.get("copies") == "delete" and doomed:
        return end_and_delete(request, registry, doomed, unbinding=unbinding)
    rules.end(access=access, source=registry, unbinding=unbinding)
    text = _("%(name)s is not synced any more. Its copies stay.") % {"name": registry.title}
    return back(request, text, "registries:details", namespace, name)


@require_http_methods(["GET", "HEAD", "POST"])
def sync_solve(request: ConsoleRequest, namespace: str, name: str, place: str) -> HttpResponse:
    """Asks about the state of one namespace, and solves it."""
    access, registry = request.access, _registry(request, namespace, name)
    _require(access)
    view = services().sync_rules.view(access=access, registry=registry)
    found = next((it for it in view.copies if it.namespace == place), None) if view else None
    if view is None or found is None or found.known.state not in SOLUTIONS:
        raise NotFound(place)
    state, key = found.known.state, Key(place, name)
    problem = ""
    if request.method == "POST":
        uid = request.POST.get("uid", "")
        try:
            services().sync_rules.solve(access=access, source=registry, namespace=place, uid=uid)
            return back(request, _("Done."), "registries:details", namespace, name)
        except Conflict as error:
            problem = problem_text(error.code)
    present = services().index.known(access=access, key=key)
    context = {
        "registry": registry,
        "key": key,
        "uid": present.uid if present else "",
        "label": COPIES[state],
        "cause": _cause(view.rule, found),
        "click": CLICKS[state],
        "effect": EFFECTS[state],
        "writes": SOLUTIONS[state] is not Solution.DISMISS,
        "problem": problem,
        "url": f"{_url(registry)}solve/{place}/",
    }
    status = 409 if problem else 200
    return dialog(request, "registry/_sync_solve.html", context, status=status, title=str(CLICKS[state]))


def _registry(request: ConsoleRequest, namespace: str, name: str) -> RegistrySecret:
    return services().registries.find(access=request.access, key=Key(namespace, name))


def _require(access: Access) -> None:
    """Raises NotFound where there are no rules, and Forbidden without image-admin in all namespaces."""
    if not services().sync_rules.available:
        raise NotFound("sync")
    access.require_administration()


def _url(registry: RegistrySecret) -> str:
    return f"{details_url(registry.key)}sync/"


def _order(it: Found) -> tuple[bool, int, str]:
    state = it.known.state
    place = ORDER.index(state) if state in ORDER else len(ORDER)
    return (state is CopyState.IN_STEP and not it.problem, place, it.namespace)


def _row(rule: Rule, it: Found, *, may: bool) -> dict[str, Any]:
    state = it.known.state
    clickable = may and state in SOLUTIONS
    bound = it.problem and state is CopyState.IN_STEP
    return {
        "key": Key(it.namespace, rule.key.name),
        "namespace": it.namespace,
        "state": state,
        "label": COPIES[state],
        "there": state
        not in (CopyState.DELETED, CopyState.NAMESPACE_GONE, CopyState.WAITING, CopyState.FAILED),
        "problem": _cause(rule, it),
        "not_bound": bound,
        "failed": state is CopyState.FAILED,
        "advice": ADVICE.get(state, "") if may else "",
        "click": CLICKS[state] if clickable else "",
        "url": f"{details_url(rule.key)}sync/solve/{it.namespace}/",
    }


def _cause(rule: Rule, it: Found) -> str:
    """Why a namespace has no copy as it should be, or ""."""
    if it.problem == Problem.FORBIDDEN:
        text = _(
            "%(person)s does not have the role image-admin in this namespace. An administrator can assign it."
        )
        return text % {"person": rule.person}
    return problem_text(it.problem) if it.problem else ""


def why(rule: Rule, *, may: bool, here: bool = False) -> str:
    """Why a rule does not act now, or "". `may`: the person may change it; `here`: on the page of its source."""
    if rule.state is RuleState.NO_RIGHT:
        text = _("%(person)s is no longer image-admin in all namespaces.") % {"person": rule.person}
        resume = _("To resume the rule in your name, choose “Change” on the page of its source and save it.")
        if here:
            resume = _("To resume the rule in your name, choose “Change” below and save it.")
        other = _("An administrator can resume it by saving it again.")
        return sentences(text, resume if may else other)
    if rule.state is RuleState.SOURCE_GONE:
        return _(
            "The source was deleted. Once this can no longer be undone, the rule is removed and its copies stay."
        )
    return problem_text(rule.problem) if rule.problem else ""


def _choice(
    request: ConsoleRequest,
    registry: RegistrySecret,
    selection: Selection | None,
    *,
    bind: bool = False,
    problem: str = "",
    scope: str = "",
) -> HttpResponse:
    if not scope and selection is not None:
        scope = "labels" if selection.labels else "names" if selection.names else "all"
    namespaces = services().index.namespaces(request.access)
    context = {
        "registry": registry,
        "url": f"{_url(registry)}edit/",
        "namespaces": [it for it in namespaces if it != registry.namespace],
        "scope": scope or ("labels" if by_label() else "names"),
        "chosen": selection.names if selection else (),
        "labels": selection.labels if selection else "",
        "by_label": by_label(),
        "binds": services().sync_rules.binds,
        "bind": bind,
        "problem": problem,
    }
    status = 422 if problem else 200
    return dialog(
        request, "registry/_sync_edit.html", context, status=status, title=_("Sync across namespaces")
    )


def _preview(
    request: ConsoleRequest,
    registry: RegistrySecret,
    chosen: tuple[str, Selection],
    plan: Sequence[Foreseen],
    *,
    bind: bool,
) -> HttpResponse:
    scope, selection = chosen
    groups: dict[tuple[CopyState, str], list[Key]] = {}
    for it in sorted(plan, key=lambda it: not it.problem):  # what would fail comes first
        groups.setdefault((it.state, it.problem), []).append(Key(it.namespace, registry.name))
    context = {
        "registry": registry,
        "url": f"{_url(registry)}edit/",
        "scope": scope,
        "selection": selection,
        "scope_text": scope_text(selection),
        "bind": bind,
        "groups": [
            (_refusal(problem) if problem else COPIES[state].text, keys, bool(problem))
            for (state, problem), keys in groups.items()
        ],
        "writes": len(groups.get((CopyState.WAITING, ""), ())),
        "grows": not selection.names,
        "is_set_up": services().sync_rules.view(access=request.access, registry=registry) is not None,
    }
    return dialog(request, "registry/_sync_plan.html", context, title=_("Sync across namespaces"))


def _refusal(problem: str) -> str:
    return sentences(_("Cannot be written now, and is retried every minute."), problem_text(problem))
