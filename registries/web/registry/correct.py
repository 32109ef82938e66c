"""修正并重建 (correct and re-create): address, user name, certificate and provider of a stored registry.

The cluster's definition and the guide let only the password change, so a run deletes the registry and creates it again
under its name, tests it, and puts the old one back if it does not connect.
"""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from registries.audit.action import Action
from registries.domain.errors import Conflict, Invalid, LeftAlone, NotFound, Problem, TooManyRequests
from registries.domain.registry import Key, Provider, RegistrySecret
from registries.intake import Tls, read_correction
from registries.log_in.access import ConsoleRequest
from registries.service.tests import Typed
from registries.web.forms import CorrectForm
from registries.web.registry import rotation
from registries.web.registry.add import trial_outcome, trial_refused
from registries.web.registry.password import was_right
from registries.web.responses import dialog, gone, with_registry
from registries.wiring import services
from registries.words import labels, providers

UNTRUSTED = frozenset({"tls_untrusted"})
"""After these reasons, a custom CA is the likely correction."""


@sensitive_post_parameters("password")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
@with_registry(Action.PASSWORD)
def correct(request: ConsoleRequest, registry: RegistrySecret) -> HttpResponse:
    key = registry.key
    services().replacement.require(access=request.access, key=key)
    if request.method != "POST":
        return _form(request, registry, CorrectForm(initial=_initial(registry)))
    form = CorrectForm(request.POST)
    try:
        return _save(request, registry, form)
    except Invalid as error:
        form.add_causes(error.causes)
        return _form(request, registry, form, status=422)
    except NotFound:
        return gone(request, key, Problem.GONE)
    except Conflict as error:
        return gone(request, key, error.code)


@sensitive_variables("form", "typed", "changes")
def _save(request: ConsoleRequest, registry: RegistrySecret, form: CorrectForm) -> HttpResponse:
    typed = form.typed()
    if typed["uid"] != registry.uid:
        raise Conflict(str(registry.key), Problem.RECREATED)
    changes = read_correction(registry, typed)
    if not changes:
        form.add_error(None, _("Nothing is different from what is stored."))
        return _form(request, registry, form, status=422)
    if "anyway" not in request.POST and not was_right(request):
        return _form(request, registry, form, status=422, untested=True)
    rotation.require_version(registry, typed["version"])
    run = services().rotations.begin(
        access=request.access,
        registries=[registry],
        changes=changes,
        generation=registry.generation,
        anyway="anyway" in request.POST,
    )
    return rotation.progress(request, run)


def _initial(registry: RegistrySecret) -> dict[str, str]:
    tls = Tls.SKIP if registry.skip_tls_verify else Tls.CA if registry.ca_bundle else Tls.SYSTEM
    if tls is Tls.SYSTEM and registry.verification.reason in UNTRUSTED:
        tls = Tls.CA
    return {
        "provider": registry.provider.value,
        "domain": "" if registry.address_problem else registry.address,
        "username": registry.username,
        "tls": tls.value,
        "ca_bundle": registry.ca_bundle,
        "uid": registry.uid,
    }


def _form(
    request: ConsoleRequest,
    registry: RegistrySecret,
    form: CorrectForm,
    *,
    status: int = 200,
    untested: bool = False,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "registry": registry,
        "version": rotation.version_of(registry),
        "providers": [(it, labels.PROVIDERS[it]) for it in Provider],
        "chosen": form.data.get("provider") or registry.provider,
        "untested": untested,
        "writer": services().passwords.password_writer(access=request.access, key=registry.key),
    }
    title = _("Correct and create again")
    return dialog(request, "registry/_correct.html", context, status=status, title=title)


@sensitive_post_parameters("password")
@sensitive_variables("form", "typed", "credential", "changes")
@require_POST
def try_correction(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """Tests the typed values, with the stored password where none was typed and none is needed."""
    access, key = request.access, Key(namespace, name)
    registry = services().registries.find(access=access, key=key, action=Action.PASSWORD)
    form = CorrectForm(request.POST)
    try:
        changes = read_correction(registry, form.typed())
        credential = services().replacement.corrected(access=access, registry=registry, changes=changes)
        trial = services().single_tests.start_typed(
            access=access, typed=Typed(key, credential, uid=registry.uid)
        )
    except (Invalid, LeftAlone, TooManyRequests) as error:
        return trial_refused(request, form, error)
    typed = form.typed()
    return trial_outcome(request, trial, providers.account_kind(typed["provider"], typed["username"]))
