"""Turns errors outside of the API's handlers into a Status.

It replaces Django's pages for a wrong host, a too large body or a failure. A database that does not answer is a 503.
"""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from registries.api.status import JSON, PASSING, REASONS, details_of, failure, named, of_error
from registries.domain.resource import API_ROOT
from registries.log_in.access import too_many_at_once
from registries.log_in.sender import LATE

log = logging.getLogger(__name__)

DATABASE_AWAY = (OperationalError, InterfaceError)


class StatusMiddleware:
    """Wraps every middleware that may fail. HeadersMiddleware is outside of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if LATE in request.META and of_api(request):
            return of_error(too_many_at_once(), {})
        response = self.get_response(request)
        if response.status_code < 400 or not of_api(request) or response.get("Content-Type") == JSON:
            return response
        code = (
            response.status_code
            if response.status_code in REASONS
            else 400
            if response.status_code < 500
            else 500
        )
        return failure(code)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if of_api(request) and isinstance(error, DATABASE_AWAY):
            log.error("the database does not answer", exc_info=error)
            where = request.resolver_match.kwargs if request.resolver_match else {}
            return failure(503, details=details_of(*named(where)), headers={"Retry-After": str(PASSING)})
        return None


def of_api(request: HttpRequest) -> bool:
    return request.path == API_ROOT or request.path.startswith(f"{API_ROOT}/")
