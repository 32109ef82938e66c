"""The access of a request's person, as attributes of the request."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from registries.domain.access import Access
from registries.domain.errors import Problem, TooManyRequests
from registries.log_in.sender import PERSON, client_address
from registries.wiring import services

PAUSE = 5
"""Seconds until a sender of too many requests tries again."""


class ConsoleRequest(HttpRequest):
    """A request that passed AccessMiddleware. Reading an attribute raises Unavailable when the cluster cannot say."""

    access: Access
    """The person's access. Empty without a session."""
    acting_access: Access
    """The access for the controls of the page: read-only while the store is away."""


class AccessMiddleware:
    """Sets `access` and `acting_access`, each computed on first use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = cast(ConsoleRequest, request)
        known.access = cast(Access, SimpleLazyObject(lambda: _access(request)))
        known.acting_access = cast(Access, SimpleLazyObject(lambda: _acting(known.access)))
        return self.get_response(request)


def _access(request: HttpRequest) -> Access:
    access = services().people.access_of(request.user, client_address(request))
    request.META[PERSON] = access.owner if request.user.is_authenticated else ""
    return access


def _acting(access: Access) -> Access:
    return access.looking_only if services().index.freshness().problem else access


def too_many_at_once() -> TooManyRequests:
    """The error of a request that is LATE."""
    return TooManyRequests(retry_after=PAUSE, problem=Problem.TOO_MANY_AT_ONCE)
