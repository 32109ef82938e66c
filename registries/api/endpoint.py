"""One URL of the API: finds the caller, calls the handler of the method, and turns every error into a Status.

A handler gets the authenticated caller, the request and the values in the URL. A caller has a session of the browser,
and then needs the CSRF token as well, or a bearer token: an access token of an account or, with
CONSOLE_AUTH=kubernetes, a token of the cluster.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from registries.api.status import ApiError, of_error
from registries.domain.access import Access, Permission
from registries.domain.errors import ConsoleError, NotFound, Problem, TooManyRequests, Unavailable
from registries.domain.metadata import name_problem, namespace_problem
from registries.log_in.access import ConsoleRequest
from registries.log_in.sender import PERSON, client_address
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
    caller = _limited(_bearer(request, metrics=True))
    if wait := services().scrape_rates.wait(f"metrics {caller.access.owner}"):
        raise TooManyRequests(retry_after=wait)
    return caller


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
    request.META[PERSON] = ""
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
    request.META[PERSON] = caller.access.owner
    return caller


def _of_account(text: str, source: str) -> Caller | None:
    found = services().tokens.caller(text, source)
    if found is None:
        return None
    access, token = found
    return Caller(access, _person(access), lambda: services().tokens.access_now(token, source))


def _of_cluster(
    text: str, source: str, namespace: str, permissions: tuple[Permission, ...], metrics: bool
) -> Caller | None:
    tokens = services().cluster_tokens
    ask = partial(tokens.scraper if metrics else tokens.caller, text, source)
    if not metrics:
        ask = partial(ask, namespace, *permissions)
    access = ask()
    return None if access is None else Caller(access, _person(access), ask)


def _person(access: Access) -> str:
    """The rate limit counts by person: one may have 50 access tokens, and any number of the cluster."""
    return f"person {access.owner}"


def _session(request: ConsoleRequest) -> Caller:
    if not request.user.is_authenticated:
        raise ApiError(401, headers=CHALLENGE)
    if request.method not in SAFE and _refused(request):
        raise ApiError(
            403, "CSRF verification failed: send the token of the page in X-CSRFToken, or a bearer token"
        )
    access = request.access
    return Caller(access, _person(access), lambda: services().people.access_now(access))


def _refused(request: HttpRequest) -> bool:
    """Whether Django's CSRF check fails. The views are csrf_exempt, because a token needs no CSRF token."""

    def answered(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    return CsrfViewMiddleware(answered).process_view(request, answered, (), {}) is not None


Handler = Callable[..., HttpResponseBase]
PERMISSIONS = {
    "POST": Permission.CREATE,
    "PUT": Permission.EDIT,
    "PATCH": Permission.EDIT,
    "DELETE": Permission.DELETE,
}
NAMES = ("namespace", "name", "run")


def endpoint(
    judged: Collection[str] = NAMES, needed: tuple[Permission, ...] = (), /, **handlers: Handler
) -> Callable[..., HttpResponseBase]:
    """A view of handlers by method; GET also answers HEAD. The view validates the URL values named in `judged`.

    `needed` are the permissions that all its methods take, where they do not follow from the method.
    """
    methods = {**handlers, "HEAD": handlers["GET"]} if "GET" in handlers else dict(handlers)

    @sensitive_variables()  # of all called functions: headers hold tokens, bodies hold passwords
    def view(request: ConsoleRequest, **where: str) -> HttpResponseBase:
        try:
            caller = caller_of(request, _namespace(where), *(needed or _permissions(request)))
            with translation.override(language(request)):
                return _answer(methods, judged, caller, request, where)
        except ConsoleError as error:
            return of_error(_judged(error), where)

    view.methods = tuple(handlers)  # type: ignore[attr-defined]  # for the test of the document
    return csrf_exempt(login_not_required(view))  # caller_of authenticates


def _namespace(where: Mapping[str, str]) -> str:
    """The namespace that the address names; "" for none and for what cannot be the name of one."""
    name = where.get("namespace", "")
    return "" if namespace_problem(name) else name


def _permissions(request: HttpRequest) -> tuple[Permission, ...]:
    """The permissions that a request takes in its namespace, by its method."""
    needed = PERMISSIONS.get(request.method or "")
    return (needed,) if needed else ()


def _answer(
    methods: Mapping[str, Handler],
    judged: Collection[str],
    caller: Caller,
    request: HttpRequest,
    where: Mapping[str, Any],
) -> HttpResponseBase:
    handler = methods.get(request.method or "")
    if handler is None:
        raise ApiError(405, headers={"Allow": ", ".join(methods)})
    try:
        for place, value in where.items():
            if place in judged and name_problem(value):  # an invalid name cannot exist
                raise NotFound(value)
        return handler(caller, request, **where)
    except ConsoleError as error:
        # Translate inside of the language's context: causes are for people.
        return of_error(_judged(error), where)


def _judged(error: ConsoleError) -> ConsoleError:
    """Turns a credential that ended during the request into a 401: the store did not fail."""
    return unauthorized() if error.problem == Problem.SESSION_ENDED else error


def language(request: HttpRequest, otherwise: str = "zh-hans") -> str:
    """The first supported language of Accept-Language, or `otherwise`."""
    wanted = request.headers.get("Accept-Language", "").lower()
    first = next(
        (part for part in wanted.replace(";", ",").split(",") if part.strip()[:2] in ("en", "zh")), ""
    )
    return {"en": "en", "zh": "zh-hans"}.get(first.strip()[:2], otherwise)


def nowhere(caller: Caller, request: HttpRequest) -> HttpResponseBase:
    """The 404 for an unknown URL."""
    raise ApiError(404)
