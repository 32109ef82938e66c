"""The copies of a credential get its new password: one after the other, after a test of the first one connected.

Nothing is kept between two requests: the typed password stays in the browser's field, and each request names what is
done and what waits. So a stop changes nothing more, and another attempt goes on where it stopped.
"""

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from registries.audit.action import Action
from registries.domain.errors import Conflict, ConsoleError, Invalid, Problem, TooManyRequests
from registries.domain.registry import Key, RegistrySecret, VerifyStatus
from registries.log_in.access import ConsoleRequest
from registries.service.copies import MOST, Copy, CopyState
from registries.web.edit_delete import gone
from registries.web.forms import NewPasswordForm
from registries.web.responses import dialog, is_htmx
from registries.web.rows import verdict_of_stored
from registries.wiring import services
from registries.words.problems import cause_text, error_text, problem_text

AT_ONCE = 3.0
"""Seconds of one request. Then the page shows how far it is, and sends the next one."""
STATES = {
    CopyState.SAME: gettext_lazy("same password"),
    CopyState.DIFFERS: gettext_lazy("another password"),
    CopyState.UNKNOWN: gettext_lazy("not compared"),
    CopyState.FORBIDDEN: gettext_lazy("requires image-admin"),
    CopyState.DELETING: gettext_lazy("being deleted"),
}


def row(copy: Copy, chosen: Collection[str] | None) -> dict[str, Any]:
    """One copy in the dialog. Without a choice, those with the same password are chosen."""
    checked = copy.state is CopyState.SAME if chosen is None else copy.registry.uid in chosen
    return {
        "registry": copy.registry,
        "text": STATES[copy.state],
        "checked": checked and copy.changeable,
        "changeable": copy.changeable,
    }


@sensitive_post_parameters("password")
@require_POST
def change_copies(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    key = Key(namespace, name)
    registry = services().registries.find(access=request.access, key=key, action=Action.PASSWORD)
    if registry.uid != request.POST.get("uid"):
        return gone(request, key, Problem.RECREATED)
    waiting, done = request.POST.getlist("copies")[:MOST], request.POST.getlist("done")[:MOST]
    if services().history.under_way([registry.uid]):
        return shown(request, registry, waiting=waiting, done=done, busy=True)
    connected = registry.verification.status is VerifyStatus.SUCCESS
    if not connected and "anyway" not in request.POST:
        return shown(request, registry, waiting=waiting, done=done)
    return _change(request, registry, waiting, done)


@sensitive_variables("password")
def _change(
    request: ConsoleRequest, registry: RegistrySecret, waiting: Sequence[str], done: Sequence[str]
) -> HttpResponse:
    """Changes the waiting ones in their order, until one fails or the time of a request is over."""
    password, end = NewPasswordForm(request.POST).typed()["password"], time.monotonic() + AT_ONCE
    left, changed, problem = list(waiting), list(done), ""
    while left and time.monotonic() < end and not problem:
        problem = _problem(request, registry, left[0], password)
        if not problem:
            changed.append(left.pop(0))
    return shown(
        request, registry, waiting=left, done=changed, problem=problem, busy=bool(left) and not problem
    )


@sensitive_variables("password")
def _problem(request: ConsoleRequest, registry: RegistrySecret, uid: str, password: str) -> str:
    """Changes one copy and starts its test. Returns why it was not changed, or ""."""
    access = request.access
    copy = services().copies.copy(access=access, of=registry, uid=uid)
    if copy is None:
        return problem_text(Problem.GONE)
    try:
        services().registries.change_password(access=access, key=copy.key, uid=uid, password=password)
    except Invalid as error:
        return cause_text(error.causes[0])
    except ConsoleError as error:
        return error_text(error)
    with suppress(TooManyRequests, Conflict):  # then the schedule tests it
        services().single_tests.start(access=access, key=copy.key)
    return ""


def shown(
    request: ConsoleRequest,
    registry: RegistrySecret,
    *,
    waiting: Sequence[str],
    done: Sequence[str] = (),
    problem: str = "",
    busy: bool = False,
) -> HttpResponse:
    """The dialog with each copy. While it is busy, the page sends it again by itself."""
    names = {
        uid: services().copies.copy(access=request.access, of=registry, uid=uid) for uid in (*done, *waiting)
    }
    failed = waiting[0] if problem and waiting else ""
    context = {
        "registry": registry,
        "form": NewPasswordForm(request.POST),
        "typed_there": is_htmx(request),
        "done": [(uid, names[uid]) for uid in done],
        "waiting": [(uid, names[uid], problem if uid == failed else "") for uid in waiting],
        "busy": busy,
        "problem": problem,
        "verdict": None if busy else verdict_of_stored(registry, services().history.recent(registry.uid)),
        "connected": registry.verification.status is VerifyStatus.SUCCESS,
        "first": not done and not problem,
    }
    response = dialog(request, "registries/_password_copies.html", context, title=_("Change the password"))
    return trigger_client_event(response, "registries-changed", {})
