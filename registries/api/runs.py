"""Runs: work on many registries, such as deleting, copying or testing them. The pages show the same runs.

A run that was started with a token never does more than the token allows, also after its request. A token for some
namespaces does not see a run with items in other namespaces.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from registries.api import bodies, deletions
from registries.api.endpoint import Caller
from registries.api.status import ApiError, InvalidValues, answer, listing
from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.errors import Cause, Causes, NotFound, Problem, Unavailable
from registries.domain.metadata import namespace_problem
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import API_VERSION
from registries.runs.engine import Runs
from registries.runs.owned import kind_of
from registries.runs.run import Item, Named
from registries.service.copying import Target
from registries.wiring import services

MOST = 1000
LISTED = 20
LOOKED_AT = 100
"""How many of the person's newest runs are read to find those that the token may see."""


def create(caller: Caller, request: HttpRequest) -> HttpResponse:
    """Start a run. Nothing is done unless all of its items exist."""
    body = bodies.read_object(request)
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in services().runs or not services().runs[kind].kind.listed:
        raise InvalidValues("", (Cause("type", Problem.REQUIRED if kind is None else Problem.UNKNOWN_TYPE),))
    forget = body.get("forget", False)
    if not isinstance(forget, bool):
        raise InvalidValues("", (Cause("forget", Problem.BOOLEAN),))
    copies = deletions.choice_in(body.get("copies"))
    keys, uids = read_items(body.get("items"))
    runs = services().runs[kind]
    items = chosen(caller.access, keys, uids, runs.kind.action)
    if runs.kind.action is Action.COPY:
        sources = [it for it in items if isinstance(it, RegistrySecret)]
        items = [*_copies(caller.access, sources, body.get("namespaces"))]
    headers: dict[str, str] = {}
    if runs.kind.action is Action.DELETE:
        doomed = [it for it in items if isinstance(it, RegistrySecret)]
        effects = deletions.decided(caller, doomed, copies)
        items = [*items, *(effects.kept if copies == deletions.DELETE else ())]
        headers = deletions.warning(effects, many=len(items) > 1)
    run = runs.propose(access=caller.access, registries=items)
    runs.start(access=caller.access, run_id=run, access_now=access_now(caller), forget=forget)
    return answer(find(caller, run)[1], 201, headers)


def list_runs(caller: Caller, request: HttpRequest) -> HttpResponse:
    """The caller's started runs of all kinds, newest first. The number is limited, since a run may be long."""
    made = [
        (at, run, runs)
        for runs in services().runs.values()
        for at, run in runs.newest(access=caller.access, most=LOOKED_AT)
    ]
    newest = sorted(made, key=lambda it: (it[0], it[1]), reverse=True)[:LOOKED_AT]
    shown = (_as_it_stands(caller, run, runs) for _, run, runs in newest)
    items = list(islice((it for it in shown if it is not None), LISTED))
    return listing("RunList", items)


def get(caller: Caller, request: HttpRequest, run: str) -> HttpResponse:
    return answer(find(caller, read_id(run))[1])


def cancel(caller: Caller, request: HttpRequest, run: str) -> HttpResponse:
    """Begin no further item. Forbidden without the right to do the items; Conflict for a kind that cannot be
    cancelled."""
    runs, _ = find(caller, read_id(run))
    for namespace in runs.namespaces(access=caller.access, run_id=read_id(run)):
        kind, key = runs.kind, Key(namespace, "")
        services().guard.require(caller.access, kind.permission, key, kind.action)
    runs.cancel(access=caller.access, run_id=read_id(run))
    return answer(find(caller, read_id(run))[1])


def read_items(items: Any, field: str = "items") -> tuple[list[Key], list[str]]:
    """The keys of the items, and for each the uid that it must have, or "". `field` is their name in the body."""
    if not isinstance(items, list) or not 0 < len(items) <= MOST:
        raise InvalidValues("", (Cause(field, Problem.ITEMS),))
    causes = Causes()
    keys: list[Key] = []
    uids: list[str] = []
    for place, item in enumerate(items):
        values = item if isinstance(item, dict) else {}
        namespace, name, uid = values.get("namespace"), values.get("name"), values.get("uid", "")
        if isinstance(namespace, str) and isinstance(name, str) and isinstance(uid, str):
            keys.append(Key(namespace, name))
            uids.append(uid)
        else:
            causes.add(Cause(f"{field}[{place}]", Problem.ITEM))
    if not causes and len(set(keys)) != len(keys):
        causes.add(Cause(field, Problem.TWICE))
    if causes:
        raise InvalidValues("", causes)
    return keys, uids


def chosen(
    access: Access, keys: Sequence[Key], uids: Sequence[str], action: Action, field: str = "items"
) -> list[Named]:
    """What these keys name. Invalid for one that is absent, or has another uid."""
    found: Sequence[Named | None]
    if action is Action.UNDO:
        found = services().undo.selected(access=access, keys=keys, uids=uids)
    else:
        found = services().registries.selected(access=access, keys=keys, action=action)
    causes, there = Causes(), list[Named]()
    for place, (registry, uid) in enumerate(zip(found, uids, strict=True)):
        if registry is None:
            causes.add(Cause(f"{field}[{place}]", Problem.GONE))
        elif uid and registry.uid != uid:
            causes.add(Cause(f"{field}[{place}].uid", Problem.RECREATED))
        else:
            there.append(registry)
    if causes:
        raise InvalidValues("", causes)
    return there


def _copies(access: Access, sources: Sequence[RegistrySecret], namespaces: Any) -> list[Target]:
    """The copies of each source in each namespace, without its own. NotFound, Forbidden, InvalidValues."""
    if not isinstance(namespaces, list) or not 0 < len(namespaces) * len(sources) <= MOST:
        raise InvalidValues("", (Cause("namespaces", Problem.ITEMS),))
    for place, name in enumerate(namespaces):
        problem = namespace_problem(name) if isinstance(name, str) else Problem.WRONG_TYPE
        if problem:
            raise InvalidValues("", (Cause(f"namespaces[{place}]", problem),))
        services().registries.require_create(access=access, namespace=name)
    targets = [
        Target(it, Key(name, it.name)) for it in sources for name in namespaces if it.namespace != name
    ]
    if not targets or len({it.key for it in targets}) != len(targets):
        raise InvalidValues("", (Cause("namespaces", Problem.TWICE if targets else Problem.ITEMS),))
    return targets


def access_now(caller: Caller) -> Callable[[Access], Access]:
    """Looks up what the caller's token allows, while a run goes on."""

    def access_now(access: Access) -> Access:
        try:
            found = caller.now()
        except Unavailable as error:
            if error.problem == Problem.SESSION_ENDED:
                raise
            return access  # the cluster does not answer now; it checks every change itself when it is back
        if found is None and access.acting is not None:
            raise Unavailable(access.person, Problem.SESSION_ENDED)
        return found or Access(person=access.person, source=access.source, owner=access.owner)

    return access_now


def read_id(text: str) -> UUID:
    """The id of a run. ApiError 404 for any other text."""
    try:
        return UUID(text)
    except ValueError:
        raise unknown(text) from None


def unknown(run: object) -> ApiError:
    """The 404 for a run."""
    return ApiError(404, f'runs "{run}" not found')


def find(caller: Caller, run: UUID) -> tuple[Runs, dict[str, Any]]:
    """The runs of the kind that this run is of, and the run as it stands. ApiError 404."""
    runs = services().runs.get(kind_of(caller.access, run) or "")
    shown = _as_it_stands(caller, run, runs) if runs else None
    if runs is None or shown is None:
        raise unknown(run)
    return runs, shown


def _as_it_stands(caller: Caller, run: UUID, runs: Runs) -> dict[str, Any] | None:
    """The run with its counts and failures. None if it does not exist, or has items that the caller may not see."""
    access = caller.access
    try:
        view = runs.view(access=access, run_id=run)
        if not runs.sees_all(access=access, run_id=run):
            return None
        wanted = runs.newest_failures if runs.kind.listed else runs.in_order
        items = wanted(access=access, run_id=run)
    except NotFound:
        return None
    return {
        "apiVersion": API_VERSION,
        "kind": "Run",
        "id": str(run),
        "type": runs.kind.name,
        "state": view.state.value,
        "total": view.total,
        "ended": view.ended,
        "succeeded": view.succeeded,
        "failed": view.failed + view.gone,
        "items": [_item(item) for item in items],
    }


def _item(item: Item) -> dict[str, str]:
    return {
        "namespace": item.key.namespace,
        "name": item.key.name,
        "state": item.state.value,
        "reason": item.reason,
        "problem": item.problem,
    }
