"""A new password for a stored registry secret, tested first with the stored address if the caller asks for it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from registries.api import bodies
from registries.api.callers import Caller
from registries.api.payloads import read_new_password
from registries.api.registry_secrets import shown
from registries.api.status import InvalidValues, answer
from registries.api.verdicts import seat, typed_outcome
from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.errors import Cause, Causes, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.wiring import services


@sensitive_variables("body", "given")
def change(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    service, access, key = services(), caller.access, Key(namespace, name)
    registry = service.registries.find(access=access, key=key, action=Action.PASSWORD)
    rehearsal = bodies.dry_run(request)
    given = read_new_password(bodies.read_object(request))
    given.require(registry)
    if given.test:
        with seat(access.owner):
            _require_right(access, registry, given.password)
    changed = service.registries.change_password(
        access=access,
        key=key,
        uid=registry.uid,
        password=given.password,
        resource_version=given.preconditions.get("resourceVersion"),
        generation=registry.generation,
        rehearse=rehearsal,
    )
    return answer(changed.document) if rehearsal else shown(changed)


def _require_right(access: Access, registry: RegistrySecret, password: str) -> None:
    """Tests a password with the stored values. Invalid `password_refused` unless it connects."""
    credential = services().registries.with_password(
        access=access, key=registry.key, uid=registry.uid, password=password
    )
    if not typed_outcome(access, registry.namespace, credential).ok:
        causes = Causes()
        causes.add(Cause("password", Problem.PASSWORD_REFUSED))
        raise InvalidValues(str(registry.key), causes)
