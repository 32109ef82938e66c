"""编辑信息 (edit) and 删除 (delete). Neither overwrites or deletes what somebody else changed meanwhile.

An edit is merged with what others saved since its form was opened. Only a text that both changed is a conflict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from registries.audit.action import OK, Action
from registries.audit.log import events_of
from registries.domain.access import Access
from registries.domain.errors import Conflict, ConsoleError, Invalid, NotFound, Problem
from registries.domain.registry import INFORMATION, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.web.forms import EditForm
from registries.web.pulls.pull_secrets import usage_place
from registries.web.registry_actions import offered
from registries.web.responses import back, details_url, dialog, done, gone, shown_path, with_registry
from registries.web.runs.delete_many import delete_with_copies, effects
from registries.web.runs.progress import choice, undo_url
from registries.wiring import services
from registries.words import labels, times
from registries.words.language import sentences


@dataclass(frozen=True, slots=True)
class Newer:
    """A text that somebody else saved, by whom and when. `person` is a user name, or a program such as "kubectl"."""

    label: str
    text: str
    person: str
    at: datetime | None
    ago: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Both edits together, by the name of the field."""

    texts: Mapping[str, str]
    """The values to save: the typed text where the person changed it, else the stored one."""
    taken: tuple[str, ...]
    """Texts that only somebody else changed."""
    clashes: tuple[str, ...]
    """Texts that both changed, to different values."""

    @classmethod
    def of(cls, stored: RegistrySecret, typed: Mapping[str, str]) -> "Merge":
        """`typed` has the values of an EditForm, normalized."""
        texts: dict[str, str] = {}
        taken: list[str] = []
        clashes: list[str] = []
        for name, now in stored.information.items():
            mine, seen = typed[name], typed[f"seen_{name}"]
            changed_by_others = normalized(now) not in (seen, mine)
            texts[name] = now if mine == seen else mine
            if changed_by_others:
                (taken if mine == seen else clashes).append(name)
        return cls(texts, tuple(taken), tuple(clashes))


def normalized(text: str) -> str:
    """A text trimmed, with the line ends of the store; a browser sends others."""
    return text.replace("\r\n", "\n").strip()


def newer(access: Access, registry: RegistrySecret, name: str) -> Newer:
    """What somebody else saved in a text of the registry."""
    person, at = _author(access, registry, name)
    return Newer(
        label=str(labels.FIELDS[name]),
        text=registry.information[name],
        person=person or _("someone else"),
        at=at,
        ago=times.ago(at, datetime.now(UTC)),
    )


def kept(access: Access, registry: RegistrySecret, names: tuple[str, ...]) -> list[str]:
    """A sentence for each text that only somebody else changed."""
    texts = (newer(access, registry, name) for name in names)
    return [
        _("%(field)s: the newer text of %(person)s is kept.") % {"field": it.label, "person": it.person}
        for it in texts
    ]


def _author(access: Access, registry: RegistrySecret, name: str) -> tuple[str, datetime | None]:
    """Who last wrote a text, and when: another program of the cluster, or a person by the audit log."""
    try:
        writer = services().registries.writer(access=access, key=registry.key, text=name.replace("_", "-"))
    except ConsoleError:
        return "", None
    if writer:
        return writer.program, writer.at
    edits = (it for it in events_of(registry) if it.action == Action.EDIT and it.outcome == OK)
    entry = next(edits, None)
    return (entry.person, entry.at) if entry else ("", None)


CORE = ("password", "correct")
"""The actions that change the core settings, which an edit does not."""
ATTEMPTS = 3
"""Attempts of a save while others save as well."""


@require_http_methods(["GET", "HEAD", "POST"])
@with_registry(Action.EDIT)
def edit(request: ConsoleRequest, registry: RegistrySecret) -> HttpResponse:
    key = registry.key
    if request.method != "POST":
        return _edit_form(request, registry, EditForm(initial=_initial(registry)))
    form = EditForm(request.POST)
    typed = {name: normalized(value) for name, value in form.typed().items()}
    try:
        return _save(request, registry, form, typed)
    except Invalid as error:
        form.add_causes(error.causes)
        return _edit_form(request, registry, form, status=422)
    except NotFound:
        return gone(request, key, Problem.GONE, typed)
    except Conflict as error:
        if error.problem == Problem.CHANGED:
            raise
        return gone(request, key, error.code, typed)


def _save(
    request: ConsoleRequest, registry: RegistrySecret, form: EditForm, typed: Mapping[str, str]
) -> HttpResponse:
    """Saves the merged texts. Reads and merges again when somebody saved between the read and the write."""
    access, key = request.access, registry.key
    for attempt in range(1, ATTEMPTS + 1):
        merge = Merge.of(registry, typed)
        same = typed["uid"] == registry.uid
        if same and typed["resource_version"] != registry.resource_version and merge.clashes:
            return _clash(request, registry, merge)
        notes = kept(access, registry, merge.taken)
        try:
            changed = services().registries.edit(
                access=access,
                key=key,
                uid=typed["uid"],
                resource_version=registry.resource_version,
                information=merge.texts,
            )
        except Conflict as error:
            if error.problem != Problem.CHANGED or attempt == ATTEMPTS:
                raise
            registry = services().registries.find(access=access, key=key, action=Action.EDIT)
        else:
            return _saved(request, changed, notes)
    raise AssertionError("unreachable")


def _saved(request: ConsoleRequest, changed: RegistrySecret, notes: Sequence[str]) -> HttpResponse:
    text = sentences(_("Saved %(name)s.") % {"name": changed.title}, *notes)
    if shown_path(request) == details_url(changed.key):
        return back(request, text, "registries:details", changed.namespace, changed.name)
    return done(request, text, ("registry-saved", {"uid": changed.uid}), href=details_url(changed.key))


def _clash(request: ConsoleRequest, registry: RegistrySecret, merge: Merge) -> HttpResponse:
    """The form with the typed texts, and beside them the texts of others. A second save replaces those."""
    access = request.access
    data = {**request.POST.dict(), **merge.texts}
    data |= {name: value for name, value in _initial(registry).items() if name not in (*INFORMATION, "uid")}
    notes = {
        "clashes": {name: newer(access, registry, name) for name in merge.clashes},
        "kept": kept(access, registry, merge.taken),
    }
    return _edit_form(request, registry, EditForm(data), status=409, **notes)


def _initial(registry: RegistrySecret) -> dict[str, str]:
    texts = registry.information
    seen = {f"seen_{name}": text for name, text in texts.items()}
    return {**texts, **seen, "uid": registry.uid, "resource_version": registry.resource_version}


def _edit_form(
    request: ConsoleRequest,
    registry: RegistrySecret,
    form: EditForm,
    *,
    status: int = 200,
    **notes: object,
) -> HttpResponse:
    context = {
        "form": form,
        "registry": registry,
        "provider": labels.PROVIDERS[registry.provider],
        "actions": [it for it in offered(request.access, registry.namespace, registry) if it.name in CORE],
        **notes,
    }
    return dialog(request, "registry/_edit.html", context, status=status, title=_("Edit information"))


@require_http_methods(["GET", "HEAD", "POST"])
@with_registry(Action.DELETE)
def delete(request: ConsoleRequest, registry: RegistrySecret) -> HttpResponse:
    access, key = request.access, registry.key
    typed = request.POST.get("confirm", "").strip()
    wrong = request.method == "POST" and typed != key.name
    if request.method != "POST" or wrong:
        context = {
            "registry": registry,
            "uid": request.POST.get("uid") or registry.uid,
            "wrong": wrong,
            "typed": typed,
            **usage_place(
                request, lambda: [key], reverse("registries:usage", args=(key.namespace, key.name))
            ),
            **choice(request, shared=bool(services().index.with_account_of(access, registry))),
            **effects(access, [registry]),
        }
        status = 422 if wrong else 200
        return dialog(request, "registry/_delete.html", context, status=status, title=_("Delete registry"))
    try:
        forget = "forget" in request.POST
        both = request.POST.get("copies") == "delete" and request.POST.get("uid") == registry.uid
        if both and effects(access, [registry])["copies"]:
            return delete_with_copies(request, registry, forget=forget)
        kept = services().registries.delete(
            access=access, key=key, uid=request.POST.get("uid", ""), forget=forget
        )
    except NotFound:
        return gone(request, key, Problem.GONE)
    except Conflict as error:
        return gone(request, key, error.code)
    event = ("registries-deleted", {"uids": [registry.uid]})
    left = services().index.known(access=access, key=key)
    if left is not None and left.uid == registry.uid and left.deleting:
        text = _("%(name)s is being deleted. %(held)s")
        return done(request, text % {"name": left.title, "held": labels.obstacle(left)}, event)
    return _deleted(request, registry, event, kept=kept, forget=forget)


def _deleted(
    request: ConsoleRequest,
    registry: RegistrySecret,
    event: tuple[str, dict[str, Any]],
    *,
    kept: bool,
    forget: bool,
) -> HttpResponse:
    text = _("Deleted %(name)s.") % {"name": registry.title}
    if not kept and not forget and services().undo.is_on:
        text = sentences(text, _("The deletion cannot be undone: the password could not be read."))
    may = services().undo.offered(access=request.access, uids=[registry.uid]) if kept else {}
    return done(request, text, event, undo=undo_url(registry.key, registry.uid) if may else "")
