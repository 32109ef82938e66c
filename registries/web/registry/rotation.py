"""更换密码 with copies: the run that changes one registry and its copies, and what a person does when it stops."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.domain.errors import Conflict, Problem
from registries.domain.registry import RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.runs.rotation import Rotations
from registries.runs.run import Item, ItemState, RunState, RunView
from registries.web.pulls.step import before_revoking
from registries.web.registry.relatives import stale_twins
from registries.web.responses import back, details_url, done, shown_path
from registries.web.runs.progress import CHANGED, run_dialog
from registries.wiring import services
from registries.words import labels, providers
from registries.words.language import sentences, with_stop
from registries.words.names import named, plain
from registries.words.problems import problem_text

TITLES = {
    RunState.RUNNING: gettext_lazy("Changing passwords…"),
    RunState.DONE: gettext_lazy("Password change finished"),
    RunState.CANCELLED: gettext_lazy("Password change stopped"),
    RunState.INTERRUPTED: gettext_lazy("Password change interrupted"),
}


REFUSED = (Problem.FORBIDDEN, Problem.CLUSTER_FORBIDDEN, Problem.CLUSTER_REFUSED, Problem.QUOTA_EXCEEDED)
"""Why a registry was certainly not written."""
THEIRS = (Problem.CHANGED, Problem.RECREATED, Problem.GONE, Problem.BEING_DELETED, Problem.ROLLED_BACK)
"""Problems whose sentence says what the registry has now, or that it is gone."""


def version_of(registry: RegistrySecret) -> str:
    """A text for a form that changes with every new password. It does not tell whether that is another one, as the
    generation of a cluster does."""
    values = (registry.uid, registry.generation, str(registry.password_changed_at))
    return salted_hmac("console.password", "\0".join(values)).hexdigest()[:32]


def require_version(registry: RegistrySecret, version: str) -> None:
    """Conflict `changed` if the password was changed since the form was made."""
    if version != version_of(registry):
        raise Conflict(str(registry.key), Problem.CHANGED)


@require_safe
def rotation(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """The progress. The dialog asks again until the run ends, and closes when all went well."""
    return progress(request, run)


@require_POST
def rotation_retry(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Goes on with what failed or waits. A form that is sent twice shows the progress."""
    with suppress_running():
        _rotations().retry(access=request.access, run_id=run)
    return progress(request, run)


@require_POST
def rotation_roll_back(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Gives everything that was changed its old values."""
    with suppress_running():
        _rotations().roll_back(access=request.access, run_id=run)
    return progress(request, run)


@require_POST
def rotation_leave(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Ends the run as it stands. The passwords that it kept are forgotten."""
    with suppress_running():
        _rotations().leave(access=request.access, run_id=run)
    return progress(request, run)


@require_POST
def rotation_cancel(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """Begins no further item."""
    _rotations().runs.cancel(access=request.access, run_id=run)
    return progress(request, run)


def progress(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """The dialog of a run as it stands. After a full success it closes, unless there is something to do in Harbor."""
    access, rotations = request.access, _rotations()
    view = rotations.runs.view(access=access, run_id=run)
    items = rotations.runs.in_order(access=access, run_id=run)
    if view.state is RunState.DONE and view.succeeded == view.total:
        return _succeeded(request, items, view)
    ended, returned = view.state is RunState.DONE, any(it.problem == Problem.ROLLED_BACK for it in items)
    rolled_back = ended and returned and not view.succeeded
    undoing = rolled_back or rotations.is_undone(access=access, run_id=run)
    title = _("Rolled back") if undoing and ended else str(TITLES.get(view.state, ""))
    failed = any(it.state is ItemState.FAILED for it in items)
    unconnected = items[0].state is ItemState.DONE and not items[0].ok
    context = {
        "undoing": undoing,
        "failed": failed,
        "doubtful": view.state is RunState.CANCELLED and rotations.is_doubtful(access=access, run_id=run),
        "unconnected": unconnected,
        "only_first": unconnected and not failed and not view.succeeded and view.state is RunState.CANCELLED,
        "robots": _both_robots(_robots(services().index.fresh().find(items[0].key), view)),
        "lines": [(it, *_line(it, items, view, undoing=undoing)) for it in _shown(items, view)],
    }
    response = run_dialog(request, "registry/_rotation.html", view, context, title=title)
    return trigger_client_event(response, "registries-changed", {})


def _shown(items: Sequence[Item], view: RunView) -> Sequence[Item]:
    """In their order while they are changed; afterwards what failed comes first."""
    return (
        items
        if view.state is RunState.RUNNING
        else sorted(items, key=lambda it: it.state is not ItemState.FAILED)
    )


def _succeeded(request: ConsoleRequest, items: Sequence[Item], view: RunView) -> HttpResponse:
    first, found = items[0].key, services().index.fresh().find(items[0].key)
    saved = ("registry-saved", {"uid": items[0].uid, "tested": True})
    text, robots = _what_changed(items, found, view), _robots(found, view)
    if robots:
        succeeded = named({"name": first.name, "robot": robots[0]}, text, n=len(items))
        advice = [named({"robot": robots[1]}, it) for it in _advice_in_harbor() if it]
        context = {"succeeded": succeeded, "advice": advice, "lines": []}
        title = str(TITLES[RunState.DONE])
        response = run_dialog(request, "registry/_rotation.html", view, context, title=title)
        return trigger_client_event(response, *saved)
    done_text = plain({"name": first.name}, text, n=len(items))
    text = sentences(done_text, *(_advice(request, found, view) if found else ()))
    if shown_path(request) == details_url(first):
        return back(request, text, "registries:details", first.namespace, first.name)
    return done(request, text, saved, (CHANGED, {}), href=details_url(first))


def _what_changed(items: Sequence[Item], found: RegistrySecret | None, view: RunView) -> str:
    """The sentence about a run in which everything succeeded, with places for `name`, `robot` and `n`. A registry that
    was created again may have other values beside its password."""
    robots, several, started = _robots(found, view), len(items) > 1, view.started_at
    if robots and several:
        text = _("%(name)s and its copies now use the robot account %(robot)s: %(n)s registries.")
    elif robots:
        text = _("%(name)s now uses the robot account %(robot)s.")
    elif several:
        text = _("Changed the password of %(name)s and its copies: %(n)s registries.")
    elif found and started and found.created_at < started.replace(microsecond=0):  # it has no fractions
        text = _("Changed the password of %(name)s.")
    else:
        text = _("Changed %(name)s.")
    return text


def _advice_in_harbor() -> tuple[str, str]:
    """What to do with the old robot account, with a place for `robot`."""
    apply = _("First apply the pull secret of this registry again in each cluster that has it.")
    revoke = _("Delete the old robot account %(robot)s in Harbor once no other registry uses it.")
    return apply if before_revoking() else "", revoke


def _advice(request: ConsoleRequest, found: RegistrySecret, view: RunView) -> tuple[str, ...]:
    """What to do with the old credential. Nothing where no password was typed."""
    export = before_revoking()
    changed, started = found.password_changed_at, view.started_at
    if changed is None or started is None or changed < started.replace(microsecond=0):  # it has no fractions
        return ()
    twins = stale_twins(request.access, found)
    if providers.is_robot(found.provider, found.username):  # Harbor has ended the old secret already
        return (twins,)
    return twins, export or _("Now revoke the old password at the registry.")


def _robots(found: RegistrySecret | None, view: RunView) -> tuple[str, ...]:
    """The second robot account of Harbor that was created for this run, and the first one, while one is in use."""
    return view.robots if found and found.username in view.robots else ()


def _both_robots(robots: tuple[str, ...]) -> str:
    """What to do about the two robot accounts of a run that did not succeed; "" without them."""
    if not robots:
        return ""
    text = _(
        "Harbor has the robot accounts %(old)s and %(new)s. When all is done, delete the one in Harbor that no "
        "registry uses any more."
    )
    return named({"new": robots[0], "old": robots[1]}, text)


def _line(item: Item, items: Sequence[Item], view: RunView, *, undoing: bool) -> tuple[str, str]:
    """The icon and the text of an item."""
    if item.state is ItemState.WAITING:
        current = view.state is RunState.RUNNING and item == next(
            it for it in items if it.state is ItemState.WAITING
        )
        if not current:
            stopped = view.state is RunState.CANCELLED
            return "circle-dashed", _("Not started") if stopped else _("Waiting")
        return "loader-circle", _("Writing the old password…") if undoing else _("Changing and testing…")
    if item.state is ItemState.DONE:
        return ("circle-check", _("Changed")) if item.ok else ("circle-x", labels.reason(item.reason))
    if item.state is ItemState.FAILED:
        why, has = labels.reason(item.reason), "" if undoing or len(items) == 1 else _password_now(item)
        texts = (with_stop(why), problem_text(item.problem) if item.problem else "", has)
        return "circle-x", sentences(*texts)
    return "undo-2" if item.problem == Problem.ROLLED_BACK else "minus", problem_text(item.problem)


def _password_now(item: Item) -> str:
    """Which password a registry has whose change failed: the person decides by it whether to roll back."""
    if item.problem in THEIRS:
        return ""
    if not item.problem:  # it was written, and its test did not connect
        return _("It has the new password.")
    if item.problem in REFUSED:
        return _("It keeps its old password.")
    return _("It may have either password: try again to settle it.")


def _rotations() -> Rotations:
    return services().rotations


class suppress_running(suppress):  # noqa: N801  used like suppress
    """Suppresses the conflict of a form that was sent twice, or after the end of its run."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        return isinstance(error, Conflict) and error.problem in (
            Problem.ALREADY_RUNNING,
            Problem.PASSWORD_FORGOTTEN,
        )
