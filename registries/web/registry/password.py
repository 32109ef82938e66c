"""更换密码 (change password): one typed field, a test with the stored address, and saving in place."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from registries.audit.action import Action
from registries.domain.errors import (
    Conflict,
    ConsoleError,
    Invalid,
    LeftAlone,
    NotFound,
    Problem,
    Refused,
    TooManyRequests,
)
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.probe.result import Result
from registries.probe.schedule import REFUSED
from registries.service.copies import MOST, Copy, CopyState
from registries.service.tests import Typed
from registries.web.forms import HarborForm, NewPasswordForm
from registries.web.pulls.step import asked_note, before_revoking, export_command
from registries.web.registry import rotation
from registries.web.registry.add import trial_outcome, trial_refused, why_not_tested
from registries.web.registry.relatives import stale_twins
from registries.web.responses import back, details_url, dialog, done, gone, shown_path, with_registry
from registries.wiring import services
from registries.words import providers
from registries.words.language import sentences
from registries.words.problems import error_text

STATES = {
    CopyState.SAME: gettext_lazy("same password"),
    CopyState.DIFFERS: gettext_lazy("different password"),
    CopyState.UNKNOWN: gettext_lazy("not compared"),
    CopyState.FORBIDDEN: gettext_lazy("requires image-admin"),
    CopyState.DELETING: gettext_lazy("being deleted"),
}

COPY_GONE = gettext_lazy(
    "A chosen registry no longer exists, or no longer has the same credential. Check the list."
)


@sensitive_post_parameters("password")
@sensitive_variables("form", "typed")
@require_http_methods(["GET", "HEAD", "POST"])
@with_registry(Action.PASSWORD)
def change_password(request: ConsoleRequest, registry: RegistrySecret) -> HttpResponse:
    key = registry.key
    if request.method != "POST":
        return form_page(request, registry, NewPasswordForm())
    form = NewPasswordForm(request.POST)
    if form.typed()["password"] and "anyway" not in request.POST and not was_right(request):
        return form_page(request, registry, form, status=422, untested=True)
    try:
        return _save(request, registry, form)
    except NotFound:
        return gone(request, key, Problem.GONE)
    except Conflict as error:
        if error.problem != Problem.CHANGED:
            return gone(request, key, error.code)
        text = _("Someone else changed the password in the meantime. Saving again replaces theirs.")
        form.add_error(None, text)
        return form_page(request, registry, form, status=409)


@sensitive_variables("form", "typed")
def _save(request: ConsoleRequest, registry: RegistrySecret, form: NewPasswordForm) -> HttpResponse:
    typed = form.typed()
    chosen = request.POST.getlist("copies")[:MOST]
    if typed["uid"] == registry.uid:
        rotation.require_version(registry, typed["version"])
    try:
        if chosen:
            return _rotate(request, registry, form, chosen)
        changed = services().passwords.change_password(
            access=request.access,
            key=registry.key,
            uid=typed["uid"],
            generation=registry.generation,
            password=typed["password"],
        )
    except Invalid as error:
        form.add_causes(error.causes)
    except Refused as error:
        if error.problem is Problem.PASSWORD_FIXED:
            return _rotate(request, registry, form, ())
        form.add_error(None, error_text(error))
    else:
        return _saved(request, changed)
    return form_page(request, registry, form, status=422)


@sensitive_variables("form", "typed")
def _rotate(
    request: ConsoleRequest, registry: RegistrySecret, form: NewPasswordForm, chosen: Sequence[str]
) -> HttpResponse:
    """Changes the registry and the chosen copies in a run. The dialog shows its progress."""
    typed, access = form.typed(), request.access
    if typed["uid"] != registry.uid:
        raise Conflict(str(registry.key), Problem.RECREATED)
    targets = with_copies(request, registry, chosen)
    if targets is None:
        form.add_error(None, COPY_GONE)
        return form_page(request, registry, form, status=409)
    run = services().rotations.begin(
        access=access,
        registries=targets,
        changes={"password": typed["password"]},
        generation=registry.generation,
        anyway="anyway" in request.POST,
    )
    return rotation.progress(request, run)


def with_copies(
    request: ConsoleRequest, registry: RegistrySecret, chosen: Sequence[str]
) -> list[RegistrySecret] | None:
    """The registry and its chosen copies; None when one of them is no copy any more."""
    copies = [services().copies.copy(access=request.access, of=registry, uid=uid) for uid in chosen]
    return None if None in copies else [registry, *filter(None, copies)]


def _saved(request: ConsoleRequest, changed: RegistrySecret) -> HttpResponse:
    """Tests the stored password, and closes the dialog."""
    text = _("Changed the password of %(name)s. Testing the connection.")
    if why := why_not_tested(request.access, changed.key):
        text = _("Changed the password of %(name)s. The connection was not tested.")
    twins = stale_twins(request.access, changed)
    text = sentences(text % {"name": changed.title}, why, twins, before_revoking())
    if shown_path(request) == details_url(changed.key):
        return back(request, text, "registries:details", changed.namespace, changed.name)
    return done(
        request, text, ("registry-saved", {"uid": changed.uid, "tested": True}), href=details_url(changed.key)
    )


def was_right(request: ConsoleRequest) -> bool:
    """Whether the last test in this dialog connected. The page forgets it when the password is typed anew."""
    try:
        outcome = services().single_tests.outcome(
            access=request.access, test_id=UUID(request.POST.get("trial", ""))
        )
    except (ValueError, ConsoleError):
        return False
    return isinstance(outcome, Result) and outcome.ok


def form_page(
    request: ConsoleRequest,
    registry: RegistrySecret,
    form: NewPasswordForm,
    *,
    status: int = 200,
    untested: bool = False,
    harbor: HarborForm | None = None,
) -> HttpResponse:
    """The dialog. `harbor` is the sent form of an account of Harbor."""
    copies = services().copies.of(access=request.access, registry=registry)
    chosen = request.POST.getlist("copies") if form.is_bound else None
    context = {
        "form": form,
        "copies": [_row(it, chosen) for it in copies],
        "registry": registry,
        "version": rotation.version_of(registry),
        "advice": providers.second_credential(registry.provider, registry.username),
        "untested": untested,
        "export": export_command(registry),
        "export_note": asked_note(),
        "harbor": harbor
        or (HarborForm() if providers.is_robot(registry.provider, registry.username) else None),
        "writer": services().passwords.password_writer(access=request.access, key=registry.key),
    }
    return dialog(request, "registry/_password.html", context, status=status, title=_("Change the password"))


def _row(copy: Copy, chosen: Collection[str] | None) -> dict[str, Any]:
    """One copy in the dialog. Without a choice, those with the same password are chosen."""
    checked = copy.state is CopyState.SAME if chosen is None else copy.registry.uid in chosen
    return {
        "registry": copy.registry,
        "text": STATES[copy.state],
        "writer": copy.writer,
        "checked": checked and copy.changeable,
        "changeable": copy.changeable,
    }


@sensitive_post_parameters("password")
@sensitive_variables("form", "typed", "before", "credential")
@require_POST
def try_password(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """Tests the typed password with the stored address, user name and trust settings. Records no verdict."""
    access, key = request.access, Key(namespace, name)
    form = NewPasswordForm(request.POST)
    typed, found = form.typed(), services().index.fresh().find(key)
    try:
        before, credential = services().passwords.with_password(
            access=access, key=key, uid=typed["uid"], password=typed["password"]
        )
        trial = services().single_tests.start_typed(
            access=access,
            typed=Typed(key, credential, uid=typed["uid"], before=None if _is_refused(found) else before),
        )
    except (Invalid, LeftAlone, TooManyRequests) as error:
        return trial_refused(request, form, error)
    kind = providers.account_kind(found.provider, found.username) if found else ""
    return trial_outcome(request, trial, kind)


def _is_refused(registry: RegistrySecret | None) -> bool:
    """Whether the stored password is known to be refused: another attempt with it could lock the account."""
    return registry is not None and registry.verification.reason in REFUSED
