"""Work on many registries at once: delete or verify these, and how far it is. The same runs as the pages'.

A run that was begun with a token never does more than the token may, also when it goes on after its request; and a
token that sees only some namespaces does not see a run with others in it.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from registries.api import bodies
from registries.api.callers import Caller
from registries.api.status import ApiError, InvalidValues, answer
from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import SESSION_ENDED, Cause, Conflict, NotFound, Unavailable
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import API_VERSION
from registries.runs.engine import ItemState, Runs
from registries.wiring import services

MOST = 1000
ACTIONS = {"delete": Action.DELETE, "verify": Action.TEST}
LISTED = 20
LOOKED_AT = 100
"""Of one's newest so many are looked at for those that this very token may see."""


def create(caller: Caller, request: HttpRequest) -> HttpResponse:
    """Begin. All of the items have to be there, or nothing is done."""
    body = bodies.read_object(request)
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in ACTIONS:
        raise InvalidValues("", (Cause("type", "required" if kind is None else "unknown_type"),))
    keys, uids = _read_items(body.get("items"))
    chosen = _chosen(caller.access, keys, uids, ACTIONS[kind])
    runs = _runs(caller)[kind]
    make = runs.make if kind == "verify" else runs.propose
    run = make(access=caller.access, registries=chosen)
    runs.start(access=caller.access, run_id=run)
    return answer(_shown(caller, run), 201)


def list_runs(caller: Caller, request: HttpRequest) -> HttpResponse:
    """One's own that have begun, of both kinds, newest first; a bounded number, as a run may be long."""
    made = [
        (at, run, kind, runs)
        for kind, runs in _runs(caller).items()
        for at, run in runs.newest(access=caller.access, most=LOOKED_AT)
    ]
    newest = sorted(made, key=lambda it: (it[0], it[1]), reverse=True)[:LOOKED_AT]
    shown = (_as_it_stands(caller, run, kind, runs) for _, run, kind, runs in newest)
    items = list(islice((it for it in shown if it is not None), LISTED))
    return answer({"apiVersion": API_VERSION, "kind": "RunList", "items": items, "totalItems": len(items)})


def get(caller: Caller, request: HttpRequest, run: str) -> HttpResponse:
    return answer(_shown(caller, _id(run)))


def cancel(caller: Caller, request: HttpRequest, run: str) -> HttpResponse:
    """Begin no further test. What is being deleted is not stopped."""
    shown = _shown(caller, _id(run))
    if shown["type"] != "verify":
        raise Conflict(run, "not_cancellable")
    services().verify_runs().cancel(access=caller.access, run_id=_id(run))
    return answer(_shown(caller, _id(run)))


def _read_items(items: Any) -> tuple[list[Key], list[str]]:
    """Keys, and the uid that each has to have or ""."""
    if not isinstance(items, list) or not 0 < len(items) <= MOST:
        raise InvalidValues("", (Cause("items", "items"),))
    causes: list[Cause] = []
    keys: list[Key] = []
    uids: list[str] = []
    for place, item in enumerate(items):
        values = item if isinstance(item, dict) else {}
        namespace, name, uid = values.get("namespace"), values.get("name"), values.get("uid", "")
        if isinstance(namespace, str) and isinstance(name, str) and isinstance(uid, str):
            keys.append(Key(namespace, name))
            uids.append(uid)
        else:
            causes.append(Cause(f"items[{place}]", "item"))
    if not causes and len(set(keys)) != len(keys):
        causes.append(Cause("items", "twice"))
    if causes:
        raise InvalidValues("", tuple(causes))
    return keys, uids


def _chosen(access: Access, keys: Sequence[Key], uids: Sequence[str], action: Action) -> list[RegistrySecret]:
    found = services().registries.selected(access=access, keys=keys, action=action)
    causes, chosen = [], []
    for place, (registry, uid) in enumerate(zip(found, uids, strict=True)):
        if registry is None:
            causes.append(Cause(f"items[{place}]", "gone"))
        elif uid and registry.uid != uid:
            causes.append(Cause(f"items[{place}].uid", "recreated"))
        else:
            chosen.append(registry)
    if causes:
        raise InvalidValues("", tuple(causes))
    return chosen


def _runs(caller: Caller) -> dict[str, Any]:
    """Runs of this caller: as they go on, they look up what this very token may do by then."""

    def rights(access: Access) -> Access:
        try:
            found = caller.now()
        except Unavailable as error:
            if error.problem == SESSION_ENDED:
                raise
            return access  # the cluster is away, and has the last word on what is done when it is back
        if found is None and access.acting is not None:
            raise Unavailable(access.person, SESSION_ENDED)
        return found or Access(person=access.person, source=access.source)

    return {"delete": services().delete_runs(rights), "verify": services().verify_runs(rights)}


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _unknown(text) from None


def _unknown(run: object) -> ApiError:
    return ApiError(404, f'runs "{run}" not found')


def _shown(caller: Caller, run: UUID) -> dict[str, Any]:
    """A run as it stands, of whichever kind. ApiError 404."""
    for kind, runs in _runs(caller).items():
        shown = _as_it_stands(caller, run, kind, runs)
        if shown is not None:
            return shown
    raise _unknown(run)


def _as_it_stands(caller: Caller, run: UUID, kind: str, runs: Runs) -> dict[str, Any] | None:
    """None for one that is not there, and for one that has something in it which the caller may not see."""
    try:
        view = runs.view(access=caller.access, run_id=run)
        if not all(caller.access.may(Permission.SEE, name) for name in view.namespaces):
            return None
        progress = _progress(runs, caller.access, run, kind)
    except NotFound:
        return None
    return {
        "apiVersion": API_VERSION,
        "kind": "Run",
        "id": str(run),
        "type": kind,
        "state": view.state.value,
        "total": view.total,
        **progress,
    }


def _progress(runs: Runs, access: Access, run: UUID, kind: str) -> Mapping[str, Any]:
    """What has ended: counts, and the items that did not end well."""
    if kind == "delete":
        view = runs.view(access=access, run_id=run)
        failed = [_item(it.key, ItemState.FAILED, "", it.problem) for it in view.failed]
        return {"ended": view.ended, "succeeded": view.done, "failed": len(failed), "items": failed}
    progress = services().verify_runs().progress(access=access, run_id=run)
    return {
        "ended": progress.ended,
        "succeeded": progress.succeeded,
        "failed": progress.failed,
        "items": [_item(it.key, it.state, it.reason, it.problem) for it in progress.lines if not it.ok],
    }


def _item(key: Key, state: ItemState, reason: str, problem: str) -> dict[str, str]:
    return {
        "namespace": key.namespace,
        "name": key.name,
        "state": state.value,
        "reason": reason,
        "problem": problem,
    }
