"""Unhandled errors as a page, or as a toast for HTMX, with the request id. Details are only in the log."""

import logging
import math
import sqlite3
import sys
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.http import reswap, trigger_client_event

from registries.domain.errors import ConsoleError, TooManyRequests
from registries.domain.resource import API_ROOT
from registries.log_in.access import too_many_at_once
from registries.log_in.sender import LATE
from registries.people.grants import access_without_roles
from registries.web.frame import shown_theme
from registries.web.responses import fetches_itself, is_htmx, toast
from registries.wiring import services
from registries.words.language import sentences
from registries.words.problems import error_text

NEXT_MAX = 2_000
MIB = 1024 * 1024
log = logging.getLogger(__name__)


class ErrorMiddleware:
    """Turns errors of the service, Django's error for a too large body, and its empty answer to a wrong method into
    pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if LATE in request.META:
            return _of_error(request, too_many_at_once())
        response = self.get_response(request)
        return (
            _no_page(request, response["Allow"]) if isinstance(response, HttpResponseNotAllowed) else response
        )

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Refuses a form of a person who has sent too many. The API counts its requests itself."""
        if request.method != "POST" or request.path.startswith(API_ROOT) or not request.user.is_authenticated:
            return None
        owner = getattr(request.user, "owner", "") or access_without_roles(request.user, "").owner
        wait = services().form_rates.wait(f"forms of {owner}")
        return _of_error(request, TooManyRequests(retry_after=wait)) if wait else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, ConsoleError):
            if error.status >= 500:
                log.error("%s", error, exc_info=error)
            return _of_error(request, error)
        if isinstance(error, RequestDataTooBig | TooManyFieldsSent):
            return _too_large(request, error)
        return None


def _of_error(request: HttpRequest, error: ConsoleError) -> HttpResponse:
    text = error_text(error)
    if type(error) is TooManyRequests and error.problem is None and not is_htmx(request):
        text = _("Try again in %(seconds)s s.") % {"seconds": error.retry_after}  # the title says the rest
    if is_htmx(request) and fetches_itself(request):
        response = reswap(HttpResponse(status=error.status), "none")
        trigger_client_event(response, "page-tells", {})  # console.js then shows no toast
    else:
        response = problem(request, error.status, text)
    if isinstance(error, TooManyRequests):
        response["Retry-After"] = str(error.retry_after)
    return response


def _no_page(request: HttpRequest, allow: str) -> HttpResponse:
    """The response for an address that is opened as a page, but only receives forms."""
    text = _("This address only accepts form submissions. Nothing was changed.")
    response = problem(request, 405, text, _("No page at this address"))
    response["Allow"] = allow
    return response


def problem(request: HttpRequest, status: int, text: str, title: str = "", form: str = "") -> HttpResponse:
    """An error as a page, or as a toast for HTMX. The page has a title of its own, or the one of its status. `form` is
    the address of the form that was sent, for a link."""
    if is_htmx(request):
        return toast(reswap(HttpResponse(status=status), "none"), text, kind="bad")
    again = status == 429 or status >= 500
    if request.method == "POST" and (again or status == 413):
        form = form or _here(request, request.headers.get("Referer", ""))
    context = {"status": status, "title": title, "text": text, "again": again, "form_url": form}
    return render(request, "error.html", context, status=status)


def _too_large(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to a form that was not read: only the browser knows which text is too long."""
    texts: dict[str, str] = {}
    if isinstance(error, TooManyFieldsSent):
        what = _("The form has more than %(limit)s values. Choose fewer and submit it again.")
        what %= {"limit": f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,}"}
    else:
        what = _("The form is %(size)s, and the console reads at most %(limit)s.")
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        what %= {"size": _mebibytes(size), "limit": _mebibytes(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)}
        texts = {
            "limited": _("Use at most {limit} characters. This text has {size}."),
            "unlimited": _("Shorten this text of {size} characters."),
        }
    if not is_htmx(request):
        return problem(request, 413, sentences(what, _("Shorten the longest text.") if texts else ""))
    text = sentences(what, _("Nothing was changed, and your input is still here."))
    return _in_the_form(413, text, **texts)


def _mebibytes(size: int) -> str:
    """A number of bytes, rounded up: more than the limit stays more."""
    return f"{math.ceil(size / MIB * 10) / 10:g}\N{NO-BREAK SPACE}MiB"


def _in_the_form(status: int, text: str, **at_the_longest_text: str) -> HttpResponse:
    """An error of a whole form, for HTMX: form-problem.js shows it on top of the form, which keeps what was typed; and
    the other text at the field with the longest text, `limited` where the field has a limit."""
    detail = {"text": text, **at_the_longest_text}
    return trigger_client_event(reswap(HttpResponse(status=status), "none"), "form-problem", detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
        return _too_large(request, exception)
    return problem(request, 400, _("The request could not be understood. Go back and try again."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem(request, 403, _("You do not have permission to do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem(request, 404, _("No page has this address. Check it for a typing error."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls it while it handles the error."""
    away = _is_away(sys.exc_info()[1])
    status = 503 if away else 500
    text = (
        _("The database of the console does not answer. Try again in a moment.")
        if away
        else _("An internal error occurred and was logged. Try again in a moment.")
    )
    try:
        return problem(request, status, text)
    except Exception:
        log.exception("the page of an error cannot be made with its frame")
    context = {
        "status": status,
        "text": text,
        "again": True,
        "request": request,
        "theme": shown_theme(request),
    }
    return HttpResponse(render_to_string("error_alone.html", context), status=status)


def _is_away(error: BaseException | None) -> bool:
    """Whether the database does not answer, or another process holds it for too long. SQLite reports a wrong query as
    such an error, too."""
    wrong = getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR if error else False
    return isinstance(error, OperationalError | InterfaceError) and not wrong


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The response to a form with a wrong CSRF token, for example of an earlier session.

    Brings a new token, with which an open dialog can be sent again. A log-in form of a person who logged in in
    another tab leads to its `next` on this site, or to the list.
    """
    get_token(request)
    if is_htmx(request):
        text = _(
            "The form had expired. Nothing was changed. Your input is still here: submit the form again."
        )
        return _in_the_form(403, text)
    if request.path == reverse("login") and request.user.is_authenticated:
        return HttpResponseRedirect(
            _here(request, request.POST.get("next", "")) or reverse("registries:list")
        )
    text = _(
        "Your session changed after this form was opened. Nothing was changed. Open the form "
        "again and submit it."
    )
    return problem(request, 403, text, _("Form expired"), _here(request, request.headers.get("Referer", "")))


def _here(request: HttpRequest, target: str) -> str:
    """An address that a client sent, or "" if it is not one of this site."""
    if len(target) > NEXT_MAX:
        return ""
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else ""
