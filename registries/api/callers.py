"""Authenticates the caller of the API by a bearer token or a browser session.

A token is an access token of an account or, with CONSOLE_AUTH=kubernetes, a token of the cluster. A session needs
the CSRF token as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from registries.api.status import ApiError
from registries.domain.access import Access, Permission
from registries.domain.errors import TooManyRequests, Unavailable
from registries.log_in.access import ConsoleRequest, client_address
from registries.wiring import services

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="registry-console"'}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST = 16 * 1024
"""Maximum characters of a token."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `key` identifies the caller for the rate limit.

    `now` returns the caller's current access. None, or Unavailable `session_ended`, after the token or session ended.
    """

    access: Access
    key: str
    now: Callable[[], Access | None] = field(repr=False)


def caller_of(request: ConsoleRequest, namespace: str, *permissions: Permission) -> Caller:
    """ApiError 401 without a credential, 403 for a session without CSRF token; TooManyRequests above the rate.

    Schemes other than Bearer are ignored: they are for a proxy in front.
    """
    scheme, _, _ = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _limited(_bearer(request, namespace, *permissions))
    return _limited(_session(request))


def unauthorized() -> ApiError:
    """The error for a missing or invalid token."""
    return ApiError(401, headers={**CHALLENGE, "Vary": "Authorization"})


def scraper(request: HttpRequest) -> Caller:
    """The owner of a token who may read /metrics. ApiError 401, Forbidden, TooManyRequests, Unavailable."""
    return _limited(_bearer(request, metrics=True))


def _limited(caller: Caller) -> Caller:
    wait = services().api_rates.wait(caller.key)
    if wait:
        raise TooManyRequests(retry_after=wait)
    return caller


def access_now(caller: Caller) -> Access | None:
    """The caller's current access. None if the credential ended or the cluster does not answer."""
    try:
        return caller.now()
    except Unavailable:
        return None


def _bearer(
    request: HttpRequest,
    namespace: str = "",
    *permissions: Permission,
    metrics: bool = False,
) -> Caller:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    text = text.strip()
    caller = None
    if scheme.lower() == "bearer" and 0 < len(text) <= LONGEST:
        # Access tokens of accounts are invalid with CONSOLE_AUTH=kubernetes.
        source = client_address(request)
        if services().by_cluster:
            caller = _of_cluster(text, source, namespace, permissions, metrics)
        else:
            caller = _of_account(text, source)
    if caller is None:
        raise unauthorized()
    return caller


def _of_account(text: str, source: str) -> Caller | None:
    found = services().tokens.caller(text, source)
    if found is None:
        return None
    access, token = found
    return Caller(access, f"token {token}", lambda: services().tokens.access_now(token, source))


def _of_cluster(
    text: str, source: str, namespace: str, permissions: tuple[Permission, ...], metrics: bool
) -> Caller | None:
    """The rate limit counts by person, because a person may create any number of cluster tokens."""
    tokens = services().cluster_tokens
    ask = partial(tokens.scraper if metrics else tokens.caller, text, source)
    if not metrics:
        ask = partial(ask, namespace, *permissions)
    access = ask()
    return None if access is None else Caller(access, f"person {access.owner}", ask)


def _session(request: ConsoleRequest) -> Caller:
    if not request.user.is_authenticated:
        raise ApiError(401, headers=CHALLENGE)
    if request.method not in SAFE and _refused(request):
        raise ApiError(
            403, "CSRF verification failed: send the token of the page in X-CSRFToken, or a bearer token"
        )
    access = request.access
    return Caller(access, f"person {access.owner}", lambda: services().people.access_now(access))


def _refused(request: HttpRequest) -> bool:
    """Whether Django's CSRF check fails. The views are csrf_exempt, because a token needs no CSRF token."""

    def answered(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    return CsrfViewMiddleware(answered).process_view(request, answered, (), {}) is not None
