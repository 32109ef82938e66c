"""What the dialogs of runs share: a start that may come twice, the answer with its events, the undo of deletions."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import trigger_client_event

from registries.audit import search
from registries.domain.access import Access
from registries.domain.errors import Conflict, Problem
from registries.domain.registry import Key
from registries.log_in.access import ConsoleRequest
from registries.runs.engine import Runs
from registries.runs.run import RunState, RunView
from registries.web.responses import dialog
from registries.web.runs.notices import add_notices
from registries.wiring import services
from registries.words import times
from registries.words.problems import problem_text

CHANGED = "runs-changed"
"""The event of a run that changed: the notices are fetched again."""


def start_once(runs: Runs, access: Access, run: UUID, *, forget: bool = False) -> None:
    """Starts a run, or resumes it. A form that is sent twice finds it under way."""
    try:
        runs.start(access=access, run_id=run, forget=forget)
    except Conflict as error:
        if error.problem != Problem.ALREADY_RUNNING:
            raise


def failures(runs: Runs, access: Access, view: RunView) -> list[tuple[Any, str]]:
    """The items of a run that failed, each with the text of its problem."""
    failed = runs.failed(access=access, run_id=view.id) if view.failed or view.gone else []
    return [(item, problem_text(item.problem)) for item in failed]


def run_dialog(
    request: ConsoleRequest,
    template: str,
    view: RunView,
    context: dict[str, Any],
    *,
    title: str,
) -> HttpResponse:
    """The dialog of a run as it stands, with the notices above the list, if they changed. At its end the list is drawn
    again. Names of registries that are `there` become links."""
    told = [it for name in ("failures", "held", "gone") for it, _text in context.get(name, ())]
    there = {it.key for it in told if services().index.known(request.access, it.key)}
    context = {"run": view, "state": view.state.value, "title": title, "there": there, **context}
    response = dialog(request, template, context, title=title)
    add_notices(request, response)
    if view.state is not RunState.RUNNING:
        trigger_client_event(response, "registries-changed", {})
    return response


def choice(request: HttpRequest, *, shared: bool = True) -> dict[str, Any]:
    """The context of _undo_choice.html: for how long a deletion can be undone, if it can, and whether to forget.
    `shared`: other registries may have the password."""
    undo = services().undo
    return {
        "undo_lasts": times.span(timedelta(hours=undo.hours)) if undo.is_on else "",
        "forget": "forget" in request.POST,
        "shared": shared,
    }


def undo_url(key: Key, uid: str) -> str:
    return reverse("registries:undo", args=(key.namespace, key.name, uid))


def number_of(access: Access, run: UUID) -> int:
    """How many of the registries that a run deleted the person can restore."""
    return len(restorable(access, run)) if services().undo.is_on else 0


def why_no_undo(access: Access, view: RunView) -> str:
    """Why nothing that a run deleted can be restored."""
    lasts = timedelta(hours=services().undo.hours)
    if view.forget:
        return _("This deletion cannot be undone: the passwords were deleted at once, as chosen.")
    if search.was_undone(access, view.id):
        return _("This deletion was already undone.")
    if view.finished_at and timezone.now() - view.finished_at > lasts:
        text = _("This deletion can no longer be undone: that was possible for %(time)s.")
        return text % {"time": times.span(lasts)}
    return _("This deletion cannot be undone: the passwords are no longer kept.")


def restorable(access: Access, run: UUID) -> dict[str, Key]:
    return services().undo.offered(access=access, uids=search.deleted_by(access, run))
