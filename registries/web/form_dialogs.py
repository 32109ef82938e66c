"""The dialogs of administration: a small form, and a deletion that is confirmed, by a click or by typing the name."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from registries.domain.access import Permission
from registries.domain.errors import AlreadyExists, Cause, Conflict, ConsoleError, Invalid, Problem
from registries.domain.registry import Key
from registries.log_in.access import ConsoleRequest
from registries.web.forms import PlainForm
from registries.web.responses import back, dialog
from registries.wiring import services
from registries.words.problems import error_text

ALL = "*"
"""The choice of all namespaces in a form."""


def submit(
    request: HttpRequest,
    form: PlainForm,
    change: Callable[[dict[str, Any]], str],
    *,
    title: str,
    page: str | Key,
    template: str = "administration/_form.html",
    **extra: Any,
) -> HttpResponse:
    """Shows a form. A valid one makes its change, and `page` shows the text that `change` returns.

    Errors of the form or of the change come back in the form, with status 422. `page` is the name of a URL, or a
    registry.
    """
    view = ("registries:details", page.namespace, page.name) if isinstance(page, Key) else (page,)
    status = 200
    if request.method == "POST":
        try:
            if form.is_valid():
                return back(request, change(form.cleaned_data), *view)
        except Invalid as error:
            form.add_causes(error.causes)
        except AlreadyExists:
            form.add_causes([Cause(next(iter(form.fields)), Problem.TAKEN)])
        except Conflict as error:
            form.add_error(None, error_text(error))
        status = 422
    context = {"form": form, "title": title, "back": reverse(view[0], args=view[1:]), **extra}
    return dialog(request, template, context, status=status, title=title)


def confirm(
    request: HttpRequest, template: str, change: Callable[[], object], *, title: str, done: str, page: str
) -> HttpResponse:
    """Asks, then makes the change; `page` shows the text `done`."""
    if request.method != "POST":
        return dialog(request, template, {"title": title}, title=title)
    change()
    return back(request, done, page)


def confirm_by_name(
    request: HttpRequest, name: str, change: Callable[[], str], *, title: str, page: str, lead: str
) -> HttpResponse:
    """Asks for the name, then makes the change. An error of the change is shown in the dialog.

    `lead` says what the change does.
    """
    wrong, problem = False, ""
    if request.method == "POST":
        wrong = request.POST.get("confirm", "").strip() != name
        try:
            if not wrong:
                return back(request, change(), page)
        except ConsoleError as error:
            problem = error_text(error)
    context = {
        "name": name,
        "title": title,
        "lead": lead,
        "wrong": wrong,
        "problem": problem,
        "back": reverse(page),
    }
    status = 422 if wrong else 409 if problem else 200
    return dialog(request, "administration/_confirm.html", context, status=status, title=title)


def scopes(request: ConsoleRequest, permission: Permission) -> list[tuple[str, str]]:
    """The choices of a form: the namespaces where this person holds a permission; administrators also have all."""
    names = services().index.namespaces(access=request.access, permission=permission)
    everything = [(ALL, _("All namespaces"))] if request.access.administers else []
    return everything + [(name, name) for name in names]
