"""Who asks: the bearer of a token, or the person of the browser's own session. Imports wiring and access.

A token is one of the console's, which speaks for an account; or, where the cluster says who people are, one of the
cluster's. A session is accepted with CSRF only: its cookie is sent by a browser whoever made the page.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from registries.api.status import ApiError
from registries.domain.access import Access, Permission
from registries.domain.errors import TooManyRequests, Unavailable
from registries.log_in.access import ConsoleRequest
from registries.log_in.pages import client_address
from registries.wiring import services

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="registry-console"'}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST = 16 * 1024
"""Characters of a token that are looked at."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`key` is what requests are counted by. `now` gives what the same caller may do by now: None, or Unavailable
    `session_ended`, when their token was revoked meanwhile, or ran out, or when their session is over."""

    access: Access
    key: str
    now: Callable[[], Access | None] = field(repr=False)


def caller_of(request: ConsoleRequest, namespace: str, permission: Permission) -> Caller:
    """ApiError 401 for nobody, 403 for a session without CSRF; TooManyRequests for one who asks too often.

    Another scheme than Bearer's is not for us: a browser sends it along to a proxy in front that asked for it.
    """
    scheme, _, _ = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _limited(_bearer(request, namespace, permission))
    return _limited(_session(request))


def unauthorized() -> ApiError:
    """For who shows a token, or none, that opens nothing."""
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
    """What the same caller may do by now; None when that is nothing any more, or cannot be said."""
    try:
        return caller.now()
    except Unavailable:
        return None


def _bearer(
    request: HttpRequest,
    namespace: str = "",
    permission: Permission = Permission.SEE,
    *,
    metrics: bool = False,
) -> Caller:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    text = text.strip()
    caller = None
    if scheme.lower() == "bearer" and 0 < len(text) <= LONGEST:
        # A console's token speaks for an account, which has no say where the cluster decides.
        source = client_address(request)
        if services().by_cluster:
            caller = _of_cluster(text, source, namespace, permission, metrics)
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
    text: str, source: str, namespace: str, permission: Permission, metrics: bool
) -> Caller | None:
    """Counted by person: whoever has an account of the cluster gets as many tokens for it as they like."""
    tokens = services().cluster_tokens
    ask = partial(tokens.scraper if metrics else tokens.caller, text, source)
    if not metrics:
        ask = partial(ask, namespace, permission)
    access = ask()
    return None if access is None else Caller(access, f"person {access.person}", ask)


def _session(request: ConsoleRequest) -> Caller:
    if not request.user.is_authenticated:
        raise ApiError(401, headers=CHALLENGE)
    if request.method not in SAFE and _refused(request):
        raise ApiError(
            403, "CSRF verification failed: send the token of the page in X-CSRFToken, or a bearer token"
        )
    access = request.access
    return Caller(access, f"person {access.person}", lambda: services().people.access_now(access))


def _refused(request: HttpRequest) -> bool:
    """Whether Django's own check fails; it was switched off for these views so that a bearer needs none."""

    def answered(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    return CsrfViewMiddleware(answered).process_view(request, answered, (), {}) is not None
