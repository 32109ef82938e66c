"""添加镜像源 (add registry): the form, the test before saving, and saving."""

from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.addresses import AddressError, parse_address
from registries.domain.access import Access, Permission, role_for
from registries.domain.errors import (
    AlreadyExists,
    Cause,
    Conflict,
    Forbidden,
    Invalid,
    LeftAlone,
    NotFound,
    Problem,
    Refused,
    TooManyRequests,
)
from registries.domain.metadata import name_problem, namespace_problem
from registries.domain.registry import USERNAME_MAX, Key, Provider, RegistrySecret
from registries.domain.shown import shown_words
from registries.intake import read_credential, read_draft
from registries.log_in.access import ConsoleRequest
from registries.probe.result import Result
from registries.service.tests import Typed
from registries.verification.history import left_alone
from registries.web.forms import AddForm, CauseForm
from registries.web.lists.verdicts import verdict_of
from registries.web.pulls.adopt import Adopted, adopted_in, adopted_secret, with_credential
from registries.web.registry.checks import provider_of, suggestion
from registries.web.registry.relatives import stale_twins
from registries.web.responses import back, details_url, dialog, done, is_htmx, toast
from registries.web.runs import copy_to
from registries.web.runs.progress import CHANGED
from registries.wiring import services
from registries.words import labels, providers
from registries.words.language import sentences, with_stop
from registries.words.problems import error_text


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: ConsoleRequest) -> HttpResponse:
    if request.method == "POST":
        return _save(request)
    namespaces = _namespaces(request)
    if not namespaces:
        return _nowhere(request)
    asked = request.GET.get("namespace", "")
    namespace = asked if asked in namespaces else namespaces[0]
    provider = provider_of(request) if "provider" in request.GET else Provider.HARBOR
    with suppress(AddressError):  # the page would follow the address a moment later
        provider = providers.provider_of(parse_address(request.GET.get("domain", ""))) or provider
    return _new(request, provider, namespace, another="another" in request.GET)


def _new(
    request: ConsoleRequest,
    provider: Provider,
    namespace: str,
    *,
    another: bool,
    saved: tuple[str, str] | None = None,
) -> HttpResponse:
    """The form for a new registry. After another one, its first empty field has the focus; `saved` says which one."""
    initial = {
        "provider": provider.value,
        "namespace": namespace,
        "name": suggestion(request, provider, namespace),
        **_given(request),
    }
    adopted = None if request.method == "POST" else adopted_in(request)
    if adopted and adopted.entry:
        initial |= {"domain": adopted.host, "username": adopted.username}
    form = AddForm(initial=initial, namespaces=_namespaces(request))
    if another:
        preset = providers.PRESETS[provider].domain or provider is Provider.ALIYUN
        attributes = form.fields["username" if preset else "domain"].widget.attrs
        attributes |= {"autofocus": True} | ({"aria-describedby": "just-saved"} if saved else {})
    return _form(request, form, another=another, adopted=adopted, saved=saved)


def _given(request: ConsoleRequest) -> dict[str, str]:
    """Address, name and user name from a link, if they are valid."""
    domain, name, found = request.GET.get("domain", ""), request.GET.get("name", ""), dict[str, str]()
    if domain:
        with suppress(AddressError):
            found["domain"] = parse_address(domain).canonical
    if name and name_problem(name) is None:
        found["name"] = name
    if (username := request.GET.get("username", "")) and username == shown_words(username, USERNAME_MAX):
        found["username"] = username
    return found


def _nowhere(request: ConsoleRequest) -> HttpResponse:
    """The dialog for a person who cannot add to any namespace."""
    access = request.access
    if not access.may_anywhere(Permission.CREATE):
        raise Forbidden("", role_for(Permission.CREATE))
    context = {"administers": access.administers}
    return dialog(request, "registry/_no_namespace.html", context, title=_("Add registry"))


@sensitive_variables("form", "typed", "draft")
def _save(request: ConsoleRequest) -> HttpResponse:
    """Saves, then tests. A registry that is down does not prevent saving."""
    access, status = request.access, 422
    form = AddForm(request.POST, namespaces=_namespaces(request))
    typed = form.typed()
    try:
        if namespace_problem(typed["namespace"]) is None:  # before anything that takes time is read
            services().registries.require_create(access=access, namespace=typed["namespace"])
        draft = read_draft(with_credential(request, typed))
        created = services().registries.create(access=access, draft=draft, adopted=adopted_secret(request))
    except Invalid as error:
        form.add_causes(error.causes)
    except AlreadyExists as error:
        form.add_causes([Cause("name", error.problem or Problem.TAKEN)])
    except NotFound:
        form.add_causes([Cause("namespace", Problem.UNKNOWN)])
    except Refused as error:
        form.add_causes([Cause("namespace", error.code)])
    except Forbidden:
        form.add_causes([Cause("namespace", Problem.FORBIDDEN_HERE)])
        status = 403
    except Conflict as error:
        form.add_causes([Cause("namespace", error.code)])
    else:
        return _saved(request, created)
    another, adopted = "another" in request.POST, adopted_in(request)
    return _form(request, form, status=status, another=another, adopted=adopted)


def _saved(request: ConsoleRequest, created: RegistrySecret) -> HttpResponse:
    """Closes the dialog, or shows the form for another registry of this provider and namespace."""
    text = _("Added %(name)s. Testing the connection.")
    if why := why_not_tested(request.access, created.key):
        text = _("Added %(name)s. The connection was not tested.")
    more = sentences(why, stale_twins(request.access, created))
    event = ("registry-saved", {"uid": created.uid, "tested": True})
    run, copies = _copies(request, created)
    if "another" in request.POST and is_htmx(request):
        return _another(
            request, created, text if why else _("Added %(name)s."), sentences(more, copies), event
        )
    text = sentences(text % {"name": created.title}, more)
    if run and "another" not in request.POST:
        response = copy_to.begun(request, run)
        trigger_client_event(response, *event)
        return toast(response, text, href=details_url(created.key))
    text = sentences(text, copies)
    if "another" not in request.POST:
        return done(request, text, event, href=details_url(created.key))
    values = {"namespace": created.namespace, "provider": created.provider.value, "another": "yes"}
    return back(request, text, "registries:add", query=values)


def _another(
    request: ConsoleRequest, created: RegistrySecret, text: str, more: str, event: tuple[str, dict[str, Any]]
) -> HttpResponse:
    """The form for another registry. It says which one was saved, with a link: a toast would be gone too soon."""
    link = format_html('<a href="{}">{}</a>', details_url(created.key), created.title)
    saved = (format_html(text.replace("%(name)s", "{}"), link), more)
    response = _new(request, created.provider, created.namespace, another=True, saved=saved)
    for name, params in (event, ("registries-changed", {}), (CHANGED, {})):
        trigger_client_event(response, name, params)
    return response


def _copies(request: ConsoleRequest, created: RegistrySecret) -> tuple[UUID | None, str]:
    """The run that copies what was added into the namespaces that were chosen with it, and what to say about it."""
    also = copy_to.chosen_namespaces(request, "also", created)
    if not also:
        return None, ""
    try:
        run = copy_to.begin_copies(request.access, created, also)
    except TooManyRequests as error:
        return None, sentences(
            _("The registry was not copied into the other namespaces."), with_stop(error_text(error))
        )
    text = ngettext("%(n)s copy is being made.", "%(n)s copies are being made.", len(also))
    return run, text % {"n": f"{len(also):,}"}


def why_not_tested(access: Access, key: Key) -> str:
    """Tests a saved registry. Returns "", or why the test did not begin: the limit of tests, a pause that the registry
    asked for, a deletion."""
    try:
        services().single_tests.start(access=access, key=key)
    except (TooManyRequests, Conflict) as error:
        return with_stop(error_text(error))
    return ""


def _form(
    request: ConsoleRequest,
    form: AddForm,
    status: int = 200,
    *,
    another: bool = False,
    adopted: Adopted | None = None,
    saved: tuple[str, str] | None = None,
) -> HttpResponse:
    if adopted and adopted.entry:
        form.fields["username"].widget.attrs["readonly"] = True
    provider = form.data.get("provider") or form.initial.get("provider")
    context: dict[str, Any] = {
        "form": form,
        "presets": [(it, labels.PROVIDERS[it], providers.PRESETS[it]) for it in Provider],
        "regions": providers.ALIYUN_REGIONS,
        "chosen": provider,
        "another": another,
        "adopted": adopted,
        "saved": saved,
        "also": request.POST.getlist("also"),
        "offers_images": services().images.available,
    }
    return dialog(request, "registry/_add.html", context, status=status, title=_("Add registry"))


@sensitive_post_parameters("password")
@sensitive_variables("form", "typed", "credential")
@require_POST
def try_connection(request: ConsoleRequest) -> HttpResponse:
    """测试连接 (test connection) in the dialog: tests the typed values and records nothing."""
    access = request.access
    form = AddForm(request.POST, namespaces=())
    typed = form.typed()
    services().tests.require_trial(access=access, namespace=typed["namespace"])
    try:
        credential = read_credential(with_credential(request, typed))
        values = Typed(Key(typed["namespace"], ""), credential, typed["probe_image"].strip())
        trial = services().single_tests.start_typed(access=access, typed=values)
    except (Invalid, LeftAlone, TooManyRequests) as error:
        return trial_refused(request, form, error)
    return trial_outcome(request, trial, providers.account_kind(typed["provider"], typed["username"]))


def trial_refused(
    request: ConsoleRequest, form: CauseForm, error: Invalid | LeftAlone | TooManyRequests
) -> HttpResponse:
    """Why typed values are not tested: the errors of the form, the registry's pause, or too many tests."""
    if isinstance(error, Invalid):
        fields = {"image": "probe_image"}
        form.add_causes(replace(it, field=fields.get(it.field, it.field)) for it in error.causes)
        return render(request, "registry/_trial.html", {"errors": errors_of(form)}, status=422)
    if isinstance(error, LeftAlone):
        context = {"verdict": verdict_of(left_alone(error.retry_after))}
        return render(request, "registry/_trial.html", context, status=429)
    return render(request, "registry/_trial.html", {"busy": error.retry_after}, status=429)


def trial_outcome(request: ConsoleRequest, trial: UUID, kind: str) -> HttpResponse:
    """The verdict of a test in the dialog, or its progress. `kind` of account: for the next step. `stored`: in the
    dialog of a stored registry, which has no fields for a CA."""
    outcome = services().single_tests.outcome(access=request.access, test_id=trial)
    context: dict[str, Any] = {
        "trial": trial,
        "kind": kind,
        "stored": "version" in request.POST or "stored" in request.GET,
    }
    if outcome is not None:
        reason = outcome.reason if isinstance(outcome, Result) else ""
        context["verdict"] = verdict_of(outcome, providers.next_step(reason, kind, typed=True))
    return render(request, "registry/_trial.html", context)


@require_safe
def ask_trial(request: ConsoleRequest, trial: UUID) -> HttpResponse:
    return trial_outcome(request, trial, request.GET.get("kind", ""))


def errors_of(form: CauseForm) -> list[tuple[str, str, str]]:
    """(id of the input, label, text) of every invalid field; ("", "", text) for what belongs to none."""
    return [("", "", str(text)) for text in form.non_field_errors()] + [
        (form[name].id_for_label or f"id_{name}_0", str(form[name].label), str(text))
        for name, texts in form.errors.items()
        for text in texts
        if name in form.fields
    ]


def _namespaces(request: ConsoleRequest) -> tuple[str, ...]:
    return services().index.namespaces(access=request.access, permission=Permission.CREATE)
