"""/metrics for Prometheus, with a token, and the middleware that measures requests."""

import logging
import time
from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from registries.api.boundary import DATABASE_AWAY
from registries.api.endpoint import scraper
from registries.api.status import REASONS, ApiError, headers_of
from registries.domain.errors import ConsoleError, Unavailable
from registries.domain.query import Criteria
from registries.events import outbox
from registries.metrics import Upkeep, exposition
from registries.schedule.claims import lag as schedule_lag
from registries.schedule.claims import open_claims
from registries.schedule.network import current as current_incident
from registries.schedule.recent import check_intervals
from registries.wiring import services

log = logging.getLogger(__name__)

PATH = "/metrics"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@login_not_required
@require_safe
@sensitive_variables()
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics that the caller may see. Counters of the process need access to all registries or to /metrics."""
    service = services()
    try:
        access = scraper(request).access
        age = service.index.age()
        visible = service.index.matching(access=access, criteria=Criteria())
        registries = service.metrics.registries.text(visible, age, check_intervals())
        everything = access.sees_everything or service.by_cluster
        upkeep = _upkeep() if everything else None
    except ConsoleError as error:
        return _refused(error)
    except DATABASE_AWAY as error:
        log.error("the database does not answer", exc_info=error)
        return _refused(Unavailable(passing=True))
    text = exposition(registries, service.metrics if everything else None, upkeep)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _upkeep() -> Upkeep:
    due, lag = schedule_lag()
    return Upkeep(due, lag, open_claims(), outbox.waiting(), network=current_incident() is not None)


def _refused(error: ConsoleError) -> HttpResponse:
    code = error.http_status if isinstance(error, ApiError) else error.status
    return HttpResponse(
        f"{REASONS.get(code, error.reason)}\n",
        status=code,
        content_type="text/plain",
        headers=headers_of(error),
    )


class ClockMiddleware:
    """Measures the duration of each request. For a stream this is the time to its start."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        if request.resolver_match is not None and not response.streaming:
            # Only URL names and known methods: clients must not create new labels.
            view = request.resolver_match.view_name or "unnamed"
            method = request.method if request.method in METHODS else "other"
            services().metrics.answered(view, method, response.status_code, time.perf_counter() - begun)
        return response


class ScrapeMiddleware:
    """Answers /metrics for any Host header, because Prometheus addresses a pod by its IP."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return metrics(request) if request.path == PATH else self.get_response(request)
