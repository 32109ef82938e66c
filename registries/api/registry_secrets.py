"""The operations on registry secrets: list, get, create, edit, delete, undo; and the list of namespaces.

Each is one call of the service. Order of checks, as in an API server: authentication, authorization, existence, body.
"""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from registries.api import bodies, deletions, watch
from registries.api.endpoint import Caller
from registries.api.payloads import read_patch, read_resource
from registries.api.status import JSON, InvalidValues, answer, bad_request, listing
from registries.audit.action import Action
from registries.domain.errors import Cause, Conflict, Problem
from registries.domain.query import Criteria
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import API_VERSION, KIND, Resource
from registries.wiring import services

DEFAULT_LIMIT = 10
MOST = 500
LONGEST_SEARCH = 200
PAGE_BYTES = 4 * 1024 * 1024
"""Most bytes of a page, unless its first item is longer. A registry can have 256 KiB."""
ATTEMPTS = 5
"""Attempts of an edit without resourceVersion, when a test's verdict changes the registry in between."""


def list_all(caller: Caller, request: HttpRequest) -> HttpResponseBase:
    """Lists all namespaces (`_all_`) that the caller may see."""
    return list_namespace(caller, request, "")


def list_namespace(caller: Caller, request: HttpRequest, namespace: str) -> HttpResponseBase:
    search = request.GET.get("search", "").strip()[:LONGEST_SEARCH]
    page = bodies.number(request, "page", 1)
    limit = min(bodies.number(request, "limit", DEFAULT_LIMIT), MOST)
    selector = bodies.selector(request)
    # HEAD must not start a stream.
    if bodies.flag(request, "watch") and request.method == "GET":
        if search:
            raise bad_request("search is for lists; a watch takes labelSelector and fieldSelector")
        return watch.watch(caller, request, Criteria(namespace=namespace, selector=selector))
    criteria = Criteria(namespace=namespace, text=search, selector=selector)
    after = bodies.continued(request)
    first = 0 if after else (page - 1) * limit
    found = services().index.listing(
        access=caller.access, criteria=criteria, first=first, count=limit, after=after, most=PAGE_BYTES
    )
    more = f',"continue":"{bodies.continuation(found.more)}"' if found.more else ""
    meta = f'{{"resourceVersion":"{found.version}"{more}}}'
    head = f'{{"apiVersion":"{API_VERSION}","kind":"{KIND}List","metadata":{meta},'
    tail = f'"totalItems":{found.total}}}'
    body = b"".join((head.encode(), b'"items":[', b",".join(found.items), b"],", tail.encode()))
    # On a cluster the resourceVersion of a deletion arrives some milliseconds later; the total changes at once.
    return answer(body, headers=_etag(f"{found.version}-{found.total}"))


def get(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    return shown(services().registries.get(access=caller.access, key=Key(namespace, name)))


def create(caller: Caller, request: HttpRequest, namespace: str) -> HttpResponse:
    service, access = services(), caller.access
    service.registries.require_create(access=access, namespace=namespace)
    rehearsal = bodies.dry_run(request)
    draft = read_resource(bodies.read_object(request), namespace)
    if rehearsal:
        return answer(service.registries.rehearse_create(access=access, draft=draft).document, 201)
    return shown(service.registries.create(access=access, draft=draft), 201)


def edit(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    service, access, key = services(), caller.access, Key(namespace, name)
    registry = service.registries.find(access=access, key=key, action=Action.EDIT)
    rehearsal = bodies.dry_run(request)
    body = bodies.read_object(request, (bodies.MERGE_PATCH, JSON))
    for attempt in range(1, ATTEMPTS + 1):
        patch = read_patch(body, registry)
        if not patch.texts:
            return shown(registry)
        try:
            changed = service.registries.edit(
                access=access,
                key=key,
                uid=registry.uid,
                resource_version=registry.resource_version,
                information=patch.information,
                rehearse=rehearsal,
            )
            return answer(changed.document) if rehearsal else shown(changed)
        except Conflict:
            if attempt == ATTEMPTS:
                raise
            registry = service.registries.find(access=access, key=key, action=Action.EDIT)
    raise AssertionError("unreachable")


def delete(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    service, access, key = services(), caller.access, Key(namespace, name)
    registry = service.registries.find(access=access, key=key, action=Action.DELETE)
    options = bodies.read_object(request, empty=True)
    rehearsal, forget = bodies.dry_run(request) or _dry_run_option(options), bodies.flag(request, "forget")
    _require_preconditions(options, uid=registry.uid, resource_version=registry.resource_version)
    effects = deletions.decided(caller, [registry], deletions.choice_of(request, deletions.KEEP))
    if rehearsal:
        service.registries.rehearse_delete(access=access, key=key, uid=registry.uid)
    else:
        service.registries.delete(access=access, key=key, uid=registry.uid, forget=forget)
    response = HttpResponse(status=204, headers=deletions.warning(effects))
    del response["Content-Type"]  # set by Django; there is no content
    return response


def undo(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    """Restores the registry secret that was deleted last under this name, or the one with `uid`."""
    key = Key(namespace, name)
    services().registries.require_create(access=caller.access, namespace=namespace)
    uid = bodies.read_object(request, empty=True).get("uid", "")
    if not isinstance(uid, str):
        raise InvalidValues(str(key), (Cause("uid", Problem.WRONG_TYPE),))
    return shown(services().undo.restore(access=caller.access, key=key, uid=uid), 201)


def _dry_run_option(options: Resource) -> bool:
    """Whether DeleteOptions.dryRun is ["All"]."""
    given = options.get("dryRun") or []
    if not isinstance(given, list) or any(value != "All" for value in given):
        raise bad_request('dryRun: the only value is "All"')
    return bool(given)


def _require_preconditions(options: Resource, *, uid: str, resource_version: str) -> None:
    """Checks DeleteOptions.preconditions. Raises Conflict."""
    given = options.get("preconditions") or {}
    if not isinstance(given, dict):
        raise bad_request("preconditions must be an object")
    if given.get("uid") not in (None, uid):
        raise Conflict("", Problem.RECREATED)
    if given.get("resourceVersion") not in (None, resource_version):
        raise Conflict("", Problem.CHANGED)


def shown(registry: RegistrySecret, code: int = 200) -> HttpResponse:
    return answer(registry.document, code, _etag(registry.resource_version))


def _etag(version: str) -> dict[str, str]:
    """The ETag header for a version."""
    return {"ETag": f'"{version}"'}


def list_namespaces(caller: Caller, request: HttpRequest) -> HttpResponse:
    tallies = services().index.tallies(access=caller.access)
    items = [
        {
            "name": name,
            "registries": tally.total,
            "success": tally.success,
            "failed": tally.failed,
            "untested": tally.untested,
            "permissions": sorted(caller.access.permissions(name)),
        }
        for name, tally in tallies.items()
    ]
    return listing("NamespaceList", items)
