"""Verify, which waits for the verdict of a test; past tests; and the images that pods run, to choose one for verify. A
refusal by the registry is a 200.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from registries.api import bodies
from registries.api.endpoint import Caller
from registries.api.payloads import read_credential, read_image
from registries.api.status import answer, listing
from registries.domain.access import Access, Role
from registries.domain.errors import (
    Conflict,
    ConsoleError,
    Forbidden,
    LeftAlone,
    NotFound,
    Problem,
    Refused,
    TooManyRequests,
    Unavailable,
)
from registries.domain.metadata import name_problem
from registries.domain.registry import Key
from registries.domain.resource import milliseconds
from registries.probe import Result, registry_of
from registries.service.tests import Typed
from registries.verification.history import Check, NotTested, Tested, left_alone
from registries.wiring import services
from registries.words import labels

BUSY = 2
"""Retry-After in seconds when too many requests wait for tests."""
LOOK = 0.1
"""Seconds between two queries about a test that another request started."""


def verify(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    service = services()
    service.tests.require_test(access=caller.access, namespace=namespace)
    body = bodies.read_object(request, empty=True)
    credential, image = read_credential(body), read_image(body)
    if credential is None and name_problem(name):
        raise NotFound(name)  # only typed values may be tested under an invalid name
    with seat(caller.access.owner):
        if credential is not None:
            return _typed(caller, Typed(Key(namespace, ""), credential, image))
        return _stored(caller, Key(namespace, name), image)


def _typed(caller: Caller, typed: Typed) -> HttpResponse:
    try:
        outcome = typed_outcome(caller.access, typed)
    except LeftAlone as error:
        return _left_alone(error)
    return answer(verdict(outcome, datetime.now(UTC)))


def typed_outcome(access: Access, typed: Typed) -> Result:
    """The result of a test that records nothing. LeftAlone, and the errors of a test without a verdict."""
    outcome = services().single_tests.wait_for_typed(access=access, typed=typed)
    if isinstance(outcome, NotTested):
        raise _not_tested(registry_of(typed.credential.address), outcome.problem)
    return outcome


def _stored(caller: Caller, key: Key, image: str) -> HttpResponse:
    """Tests and records. If a test is running, returns the verdict of that test; with an image it is a Conflict."""
    service, access = services(), caller.access
    try:
        tested = service.single_tests.wait_for(access=access, key=key, image=image)
    except LeftAlone as error:
        return _left_alone(error)
    outcome = _awaited(tested) if isinstance(tested, Check) else tested
    if isinstance(outcome, NotTested):
        raise _not_tested(str(key), outcome.problem)
    recorded = service.registries.find(access=access, key=key).verification
    return answer(verdict(outcome, recorded.at or datetime.now(UTC)))


def _not_tested(subject: str, problem: Problem) -> ConsoleError:
    """The error for a test without a verdict."""
    if problem in (Problem.GONE, Problem.NOT_FOUND):
        return NotFound(subject)
    if problem in (Problem.RECREATED, Problem.CHANGED):
        return Conflict(subject, problem)
    if problem is Problem.REGISTRY_BUSY:
        return _busy(subject)
    if problem is Problem.FORBIDDEN:
        return Forbidden(subject, Role.OPERATOR)
    if problem in (Problem.QUOTA_EXCEEDED, Problem.CLUSTER_REFUSED):
        return Refused(subject, problem)
    return Unavailable(subject, problem)


def _busy(subject: str) -> TooManyRequests:
    """The error when other tests of the registry take too long."""
    return TooManyRequests(subject, retry_after=services().prober.turn, problem=Problem.REGISTRY_BUSY)


def _left_alone(error: LeftAlone) -> HttpResponse:
    return answer(verdict(left_alone(error.retry_after), datetime.now(UTC)))


def _awaited(check: Check) -> Tested:
    while (outcome := services().history.outcome(check)) is None:
        time.sleep(LOOK)
    return outcome


@contextmanager
def seat(person: str) -> Iterator[None]:
    """Holds one of the limited seats for waiting requests. Raises TooManyRequests."""
    if not services().api_tests.take(person):
        raise TooManyRequests(retry_after=BUSY)
    try:
        yield
    finally:
        services().api_tests.give_back(person)


def past_tests(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    """The past tests of a registry, newest first."""
    registry = services().registries.find(access=caller.access, key=Key(namespace, name))
    recent = services().history.recent(registry.uid)
    items = [
        {"by": check.person, **verdict(check.outcome, check.started_at)}
        for check in recent
        if isinstance(check.outcome, Result)
    ]
    return listing("TestList", items)


def verdict(result: Result, at: datetime) -> dict[str, Any]:
    """A result as JSON data. `detail` is the registry's own text."""
    return {
        "success": result.ok,
        "message": labels.outcome_text(result),
        "reason": result.reason.value,
        "timestamp": str(milliseconds(at)),
        "durationMs": round(result.duration_ms),
        "proven": result.proven,
        "hint": labels.outcome_hint(result),
        "detail": result.detail,
        "cause": result.cause or "",
        "registryHost": result.registry_host or "",
        "tokenHost": result.token_host or "",
        "stages": [{"name": it.name, "ms": round(it.milliseconds, 1), "ok": it.ok} for it in result.steps],
        "warnings": list(result.warnings),
        "node": result.node or "",
        "nodeMessage": result.node_message(get_language()),
        "image": result.image.to_json(get_language(), settings.UPLINK) if result.image else None,
    }


def list_images(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    """Of the stored registry, or of the address in `domain`. `listed` is false where pods cannot be listed."""
    images, domain = services().images, request.GET.get("domain", "").strip()
    if domain:
        found = images.of_host(access=caller.access, namespace=namespace, address=domain)
    elif name_problem(name):
        raise NotFound(name)
    else:
        found = images.of_pods(access=caller.access, key=Key(namespace, name))
    return listing("ImageList", [{"image": it} for it in found or ()], listed=found is not None)
