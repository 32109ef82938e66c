"""One URL of the API: calls the handler of the method, and turns every error into a Status.

A handler gets the authenticated caller, the request and the values in the URL.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from registries.api.callers import Caller, caller_of, unauthorized
from registries.api.status import ApiError, of_error
from registries.domain.access import Permission
from registries.domain.errors import ConsoleError, NotFound, Problem
from registries.domain.metadata import name_problem, namespace_problem
from registries.log_in.access import ConsoleRequest

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
