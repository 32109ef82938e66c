"""编辑信息 (edit) and 删除 (delete). Both detect changes by others and then change nothing."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.errors import Conflict, Invalid, NotFound, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.web.forms import EditForm
from registries.web.pull_secrets import usage_place
from registries.web.responses import back, details_url, dialog, done, shown_path
from registries.wiring import services
from registries.words import labels
from registries.words.problems import problem_text


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    access, key = request.access, Key(namespace, name)
    try:
        registry = services().registries.find(access=access, key=key, action=Action.EDIT)
    except NotFound:
        return _missing(request, key)
    if request.method != "POST":
        return _edit_form(request, registry, EditForm(initial=_initial(registry)))
    form = EditForm(request.POST)
    try:
        changed = _save(access, registry, form.typed())
    except Invalid as error:
        form.add_causes(error.causes)
        return _edit_form(request, registry, form, status=422)
    except NotFound:
        return _gone(request, key, Problem.GONE)
    except Conflict as error:
        if error.problem != Problem.CHANGED:
            return _gone(request, key, error.code)
        # Keep the texts that the person changed. A second save replaces the newer values, which the form shows.
        newer = {k: v for k, v in _initial(registry).items() if k not in {*_texts(registry), "uid"}}
        kept = EditForm(request.POST.dict() | _merged(registry, _normalized(form.typed())) | newer)
        return _edit_form(request, registry, kept, status=409, newer=True)
    text = _("Saved %(name)s.") % {"name": changed.title}
    if shown_path(request) == details_url(key):
        return back(request, text, "registries:details", namespace, name)
    return done(request, text, ("registry-saved", {"uid": changed.uid}), href=details_url(key))


def _save(access: Access, registry: RegistrySecret, typed: dict[str, str]) -> RegistrySecret:
    """Saves the edit. Texts that only one of two people changed are merged; only a text that both changed differently
    is a conflict."""
    values = _normalized(typed)
    if values["uid"] == registry.uid and not _clashes(registry, values):
        values |= _merged(registry, values) | {"resource_version": registry.resource_version}
    return services().registries.edit(
        access=access,
        key=registry.key,
        uid=values["uid"],
        resource_version=values["resource_version"],
        display_name=values["display_name"],
        description=values["description"],
    )


def _normalized(typed: dict[str, str]) -> dict[str, str]:
    """Trimmed texts with the line ends of the store; a browser sends others."""
    return {name: value.replace("\r\n", "\n").strip() for name, value in typed.items()}


def _merged(registry: RegistrySecret, values: dict[str, str]) -> dict[str, str]:
    """The two texts: the typed one where the person changed it, else the stored one."""
    return {
        name: stored if values[name] == values[f"seen_{name}"] else values[name]
        for name, stored in _texts(registry).items()
    }


def _clashes(registry: RegistrySecret, values: dict[str, str]) -> list[str]:
    """The names of the texts that the person and somebody else changed differently."""
    return [
        name
        for name, stored in _texts(registry).items()
        if values[name] != values[f"seen_{name}"] and stored not in (values[f"seen_{name}"], values[name])
    ]


def _texts(registry: RegistrySecret) -> dict[str, str]:
    return {"display_name": registry.display_name, "description": registry.description}


def _initial(registry: RegistrySecret) -> dict[str, str]:
    return {
        "display_name": registry.display_name,
        "description": registry.description,
        "seen_display_name": registry.display_name,
        "seen_description": registry.description,
        "uid": registry.uid,
        "resource_version": registry.resource_version,
    }


def _edit_form(
    request: ConsoleRequest,
    registry: RegistrySecret,
    form: EditForm,
    *,
    status: int = 200,
    newer: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "registry": registry,
        "provider": labels.PROVIDERS[registry.provider],
        "newer": newer,
    }
    return dialog(request, "registries/_edit.html", context, status=status, title=_("Edit information"))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    access, key = request.access, Key(namespace, name)
    try:
        registry = services().registries.find(access=access, key=key, action=Action.DELETE)
    except NotFound:
        return _missing(request, key)
    typed = request.POST.get("confirm", "").strip()
    wrong = request.method == "POST" and typed != name
    if request.method != "POST" or wrong:
        context = {
            "registry": registry,
            "uid": request.POST.get("uid") or registry.uid,
            "wrong": wrong,
            "typed": typed,
            **usage_place(request, lambda: [key], reverse("registries:usage", args=(namespace, name))),
        }
        status = 422 if wrong else 200
        return dialog(request, "registries/_delete.html", context, status=status, title=_("Delete registry"))
    try:
        services().registries.delete(access=access, key=key, uid=request.POST.get("uid", ""))
    except NotFound:
        return _gone(request, key, Problem.GONE)
    except Conflict as error:
        return _gone(request, key, error.code)
    event = ("registries-deleted", {"uids": [registry.uid]})
    return done(request, _("Deleted %(name)s.") % {"name": registry.title}, event)


def _missing(request: ConsoleRequest, key: Key) -> HttpResponse:
    """Answers a form for a registry that was deleted. Raises NotFound for any other request."""
    access = request.access
    if request.method == "POST" and services().index.namespace_exists(access=access, name=key.namespace):
        return _gone(request, key, Problem.GONE)
    raise NotFound(str(key))


def _gone(request: ConsoleRequest, key: Key, problem: Problem) -> HttpResponse:
    """The dialog for a registry that was deleted or replaced. It refreshes the list."""
    context = {"key": key, "text": problem_text(problem)}
    response = dialog(request, "registries/_gone.html", context, status=409, title=key.name)
    return trigger_client_event(response, "registries-changed", {})
