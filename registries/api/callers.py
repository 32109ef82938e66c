"""Who asks: the bearer of a token, or the person of the browser's own session. Imports wiring and access.

A session is accepted with CSRF only: its cookie is sent by a browser whoever made the page.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from console.login import client_address
from registries import wiring
from registries.access import Access
from registries.api.status import ApiError
from registries.errors import TooManyRequests, Unavailable
from registries.views.people import access_to

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="registry-console"'}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST = 4096
"""Characters of a token that are looked at."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`token` is the id of the token that was shown, None for a session."""

    access: Access
    token: int | None = None


def caller_of(request: HttpRequest) -> Caller:
    """ApiError 401 for nobody, 403 for a session without CSRF; TooManyRequests for one who asks too often."""
    return bearer(request) if "Authorization" in request.headers else _limited(_session(request))


def bearer(request: HttpRequest) -> Caller:
    """The same for a token only."""
    return _limited(_bearer(request, request.headers.get("Authorization", "")))


def _limited(caller: Caller) -> Caller:
    key = f"token {caller.token}" if caller.token is not None else f"person {caller.access.person}"
    wait = wiring.api_rates().wait(key)
    if wait:
        raise TooManyRequests(retry_after=wait)
    return caller


def access_now(caller: Caller) -> Access | None:
    """What the same caller may do by now; None when their token was revoked meanwhile, or ran out, or when their
    session is over."""
    access = caller.access
    if caller.token is not None:
        return wiring.tokens().access_now(caller.token, access.source)
    try:
        return wiring.access_by_now(access)
    except Unavailable:
        return None


def _bearer(request: HttpRequest, given: str) -> Caller:
    scheme, _, text = given.partition(" ")
    text = text.strip()
    found = None
    # A token speaks for an account, which has no say where the cluster decides: it would act as the console.
    if not wiring.by_cluster() and scheme.lower() == "bearer" and 0 < len(text) <= LONGEST:
        found = wiring.tokens().caller(text, client_address(request))
    if found is None:
        raise ApiError(401, headers={**CHALLENGE, "Vary": "Authorization"})
    return Caller(*found)


def _session(request: HttpRequest) -> Caller:
    if not request.user.is_authenticated:
        raise ApiError(401, headers=CHALLENGE)
    if request.method not in SAFE and _refused(request):
        raise ApiError(
            403, "CSRF verification failed: send the token of the page in X-CSRFToken, or a bearer token"
        )
    return Caller(access_to(request))


def _refused(request: HttpRequest) -> bool:
    """Whether Django's own check fails; it was switched off for these views so that a bearer needs none."""

    def answered(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    return CsrfViewMiddleware(answered).process_view(request, answered, (), {}) is not None
