"""Rules that keep registry secrets in sync: list, read, create or change, switch off."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse

from registries.api import bodies, deletions
from registries.api.endpoint import Caller
from registries.api.rule_operations import LABELS_MAX, NAMES_MAX
from registries.api.runs import access_now, find
from registries.api.status import ApiError, InvalidValues, answer, bad_request, listing
from registries.domain.errors import Cause, Causes, Conflict, Problem
from registries.domain.metadata import namespace_problem
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import API_VERSION
from registries.domain.selectors import SelectorError
from registries.sync.rows import Selection
from registries.sync.states import SOLUTIONS, Solution
from registries.sync.views import RuleView
from registries.wiring import services


def list_rules(caller: Caller, request: HttpRequest) -> HttpResponse:
    rules = services().sync_rules.all(access=caller.access)
    return listing("SyncRuleList", [_summary(it) for it in rules])


def get(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    return answer(_shown(_view(caller, _source(caller, namespace, name))))


def put(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    """Creates the rule of a source, or changes it."""
    rules, access, source = services().sync_rules, caller.access, _source(caller, namespace, name)
    rules.require(access=access)
    rehearsal = bodies.dry_run(request)
    body = bodies.read_object(request)
    selection, bind = _selection(body), body.get("bind", False)
    if not isinstance(bind, bool):
        raise InvalidValues("", (Cause("bind", Problem.BOOLEAN),))
    if body.get("uid") not in (None, source.uid):
        raise Conflict(str(source.key), Problem.RECREATED)
    try:
        rules.require_labels(selection)
    except SelectorError as error:
        raise bad_request(str(error)) from error
    if rehearsal:
        plan = rules.preview(access=access, source=source, selection=selection)
        copies = [{"namespace": it.namespace, "state": it.state.value, "problem": it.problem} for it in plan]
        foreseen = rules.foreseen(access=access, source=source, selection=selection, bind=bind)
        return answer({**_summary(foreseen), "copies": copies})
    rules.set_up(access=access, source=source, selection=selection, bind=bind)
    return answer(_shown(_view(caller, source)))


def solve(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    """Solves the state of one namespace. ApiError 409 where the state has another solution or none."""
    rules, access, source = services().sync_rules, caller.access, _source(caller, namespace, name)
    rules.require(access=access)
    place, solution, uid = _solution(bodies.read_object(request))
    view = _view(caller, source)
    state = next((it.known.state for it in view.copies if it.namespace == place), None)
    if state is None:
        raise ApiError(404, f'the rule has no state of namespace "{place}"')
    if SOLUTIONS.get(state) is not solution:
        other = SOLUTIONS.get(state, "none")
        raise ApiError(409, f'the state of namespace "{place}" is {state}; its solution: {other}')
    rules.solve(access=access, source=source, namespace=place, uid=uid, solution=solution)
    return answer(_shown(_view(caller, source)))


def delete(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    """Switches a rule off, and deletes its copies if the caller says so."""
    rules, access, source = services().sync_rules, caller.access, _source(caller, namespace, name)
    rules.require(access=access)
    view, copies = _view(caller, source), rules.unchanged(access=access, source=source)
    choice = deletions.choice_of(request, deletions.KEEP, deletions.DELETE)
    unbinding = rules.bound(access=access, source=source) if bodies.flag(request, "unbind") else ()
    if copies and not choice:
        raise Conflict(str(source.key), Problem.KEPT_IN_STEP)
    runs, run = services().runs["delete"], None
    if copies and choice == deletions.DELETE:
        runs.require_share(access)
        run = runs.propose(access=access, registries=copies)
    rules.end(access=access, source=source, unbinding=unbinding)
    if run is None:
        return answer(_shown(view))
    runs.start(access=access, run_id=run, access_now=access_now(caller))
    return answer(find(caller, run)[1])


def _source(caller: Caller, namespace: str, name: str) -> RegistrySecret:
    return services().registries.find(access=caller.access, key=Key(namespace, name))


def _view(caller: Caller, source: RegistrySecret) -> RuleView:
    """The rule of a source. ApiError 404 without one."""
    view = services().sync_rules.view(access=caller.access, registry=source)
    if view is None:
        raise ApiError(404, f'no rule keeps registrysecrets "{source.name}" in sync')
    return view


def _selection(body: dict[str, Any]) -> Selection:
    """The selection of a body. ApiError 400 unless it is exactly one of three; InvalidValues."""
    everything, labels = body.get("all", False), body.get("labelSelector", "")
    names, causes = body.get("namespaces", []), Causes()
    if not isinstance(everything, bool):
        causes.add(Cause("all", Problem.BOOLEAN))
    if not isinstance(labels, str):
        causes.add(Cause("labelSelector", Problem.WRONG_TYPE))
    elif len(labels) > LABELS_MAX:
        causes.add(Cause("labelSelector", Problem.TOO_LONG, LABELS_MAX))
    if not isinstance(names, list) or len(names) > NAMES_MAX:
        causes.add(Cause("namespaces", Problem.ITEMS))
    else:
        causes.add(*_wrong_names(names))
    if causes:
        raise InvalidValues("", causes)
    if [bool(everything), bool(labels.strip()), bool(names)].count(True) != 1:
        raise bad_request("send exactly one of all, labelSelector and namespaces")
    return Selection(labels.strip(), tuple(sorted(set(names))))


def _solution(body: dict[str, Any]) -> tuple[str, Solution, str | None]:
    """The namespace, the solution and the uid of a body. InvalidValues."""
    place, given, uid = body.get("namespace"), body.get("solution"), body.get("uid")
    causes = Causes()
    if place is None:
        causes.add(Cause("namespace", Problem.REQUIRED))
    elif problem := namespace_problem(place) if isinstance(place, str) else Problem.WRONG_TYPE:
        causes.add(Cause("namespace", problem))
    if not isinstance(given, str) or given not in [*Solution]:
        causes.add(Cause("solution", Problem.REQUIRED if given is None else Problem.UNKNOWN))
    if not isinstance(uid, str | None):
        causes.add(Cause("uid", Problem.WRONG_TYPE))
    if causes:
        raise InvalidValues("", causes)
    return str(place), Solution(str(given)), uid


def _wrong_names(names: Iterable[Any]) -> Iterable[Cause]:
    for place, name in enumerate(names):
        problem = namespace_problem(name) if isinstance(name, str) else Problem.WRONG_TYPE
        if problem:
            yield Cause(f"namespaces[{place}]", problem)


def _summary(view: RuleView) -> dict[str, Any]:
    rule = view.rule
    return {
        "apiVersion": API_VERSION,
        "kind": "SyncRule",
        "namespace": rule.key.namespace,
        "name": rule.key.name,
        "uid": rule.uid,
        "all": rule.selection.everything,
        "labelSelector": rule.selection.labels,
        "namespaces": list(view.names),
        "unseenNamespaces": view.unseen,
        "bind": rule.bind,
        "person": rule.person,
        "state": rule.state.value,
        "problem": rule.problem,
        "inStep": view.in_sync,
    }


def _shown(view: RuleView) -> dict[str, Any]:
    copies = [
        {"namespace": it.namespace, "state": it.known.state.value, "problem": it.problem}
        for it in sorted(view.copies, key=lambda it: it.namespace)
    ]
    return {**_summary(view), "copies": copies}
