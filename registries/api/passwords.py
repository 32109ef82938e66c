"""A new password for a stored registry secret, tested first with the stored address if the caller asks for it."""

from collections.abc import Callable
from functools import partial
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from registries.api import bodies, runs
from registries.api.endpoint import Caller
from registries.api.payloads import NewPassword, read_new_password
from registries.api.registry_secrets import shown
from registries.api.status import InvalidValues, answer
from registries.api.verdicts import seat, typed_outcome
from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.errors import Cause, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.service.copies import is_copy
from registries.service.tests import Typed
from registries.wiring import services


@sensitive_variables("body", "given")
def change(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    service, access, key = services(), caller.access, Key(namespace, name)
    registry = service.registries.find(access=access, key=key, action=Action.PASSWORD)
    rehearsal = bodies.dry_run(request)
    given = read_new_password(bodies.read_object(request))
    given.require(registry)
    _require_right(access, registry, given)
    changed = service.passwords.change_password(
        access=access,
        key=key,
        uid=registry.uid,
        password=given.password,
        resource_version=given.preconditions.get("resourceVersion"),
        generation=registry.generation,
        rehearse=rehearsal,
    )
    return answer(changed.document) if rehearsal else shown(changed)


@sensitive_variables("body", "given")
def rotate(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    """Starts a run that changes a registry and the named copies of its credential."""
    service, access, key = services(), caller.access, Key(namespace, name)
    registry = service.registries.find(access=access, key=key, action=Action.PASSWORD)
    body = bodies.read_object(request)
    given, named, anyway = read_new_password(body), body.get("copies") or [], body.get("anyway") or False
    if not isinstance(anyway, bool):
        raise InvalidValues(str(key), (Cause("anyway", Problem.BOOLEAN),))
    keys, uids = runs.read_items(named, "copies") if named != [] else ([], [])
    given.require(registry)
    copies = cast(list[RegistrySecret], runs.chosen(access, keys, uids, Action.PASSWORD, "copies"))
    others = (place for place, it in enumerate(copies) if not is_copy(it, registry))
    if causes := [Cause(f"copies[{place}]", Problem.NO_COPY) for place in others]:
        raise InvalidValues(str(key), causes)
    _require_right(access, registry, given)
    run = service.rotations.begin(
        access=access,
        registries=[registry, *copies],
        changes={"password": given.password},
        generation=registry.generation,
        anyway=anyway,
        access_now=runs.access_now(caller),
    )
    return answer(runs.find(caller, run)[1], 201)


def retry(caller: Caller, request: HttpRequest, run: str) -> HttpResponse:
    """Goes on with what failed or waits."""
    return _decided(caller, run, partial(services().rotations.retry, access_now=runs.access_now(caller)))


def roll_back(caller: Caller, request: HttpRequest, run: str) -> HttpResponse:
    """Gives everything that was changed its old password."""
    return _decided(caller, run, partial(services().rotations.roll_back, access_now=runs.access_now(caller)))


def leave(caller: Caller, request: HttpRequest, run: str) -> HttpResponse:
    """Ends a stopped run as it stands."""
    return _decided(caller, run, services().rotations.leave)


def _decided(caller: Caller, run: str, decide: Callable[..., None]) -> HttpResponse:
    """Decides about a change of passwords that the caller sees, and may change everywhere. ApiError 404, Forbidden."""
    run_id = runs.read_id(run)
    found, shown = runs.find(caller, run_id)
    if found is not services().rotations.runs:
        raise runs.unknown(run)
    for key in {Key(it["namespace"], it["name"]) for it in shown["items"]}:
        services().passwords.require_rotate(access=caller.access, key=key)
    decide(access=caller.access, run_id=run_id)
    return answer(runs.find(caller, run_id)[1])


def _require_right(access: Access, registry: RegistrySecret, given: NewPassword) -> None:
    """Tests a password with the stored values, if it is to be tested. Invalid `password_refused` unless it connects."""
    if not given.test:
        return
    with seat(access.owner):
        _, credential = services().passwords.with_password(
            access=access, key=registry.key, uid=registry.uid, password=given.password
        )
        if not typed_outcome(access, Typed(registry.key, credential, uid=registry.uid)).ok:
            raise InvalidValues(str(registry.key), (Cause("password", Problem.PASSWORD_REFUSED),))
