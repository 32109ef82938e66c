"""The part of the details page about copies and the same credential; 对齐 (align); and the link of copies, and a rule,
of an earlier registry of the same name to the present one.
"""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.errors import (
    AlreadyExists,
    Conflict,
    ConsoleError,
    Invalid,
    NotFound,
    Problem,
    Refused,
)
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.service.copies import visible_differences
from registries.service.copying import Target
from registries.service.relatives import Bond, Former, Missing, Relative
from registries.sync.states import SOLUTIONS, CopyState
from registries.web.registry.sync_scope import scope_of
from registries.web.responses import back, details_url, dialog, gone, missing, part_of_page, shown_path
from registries.wiring import services
from registries.words import labels
from registries.words.causes import cause_text
from registries.words.language import sentences
from registries.words.problems import error_text, problem_text
from registries.words.sync import DIFFERENCES

BONDS = {
    Bond.SOURCE: gettext_lazy("Source"),
    Bond.COPY: pgettext_lazy("noun", "Copy"),
    Bond.ACCOUNT: gettext_lazy("Same address and user name"),
}

SHOWN = 6
"""Lines that are shown; the other ones are folded."""


@part_of_page()
@require_safe
def relatives(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The panel; empty for a registry without relatives and missing copies."""
    access, key = request.access, Key(namespace, name)
    registry = services().registries.find(access=access, key=key)
    found = services().relatives.of(access=access, registry=registry)
    same = {registry.namespace, *(it.registry.namespace for it in found if it.same)}
    missed = services().missing_copies.of(access=access, source=registry)
    rows = [_row(registry, it) for it in found] + [_missing_row(registry, it) for it in missed]
    decided = _decided(request, registry)
    for it in rows:
        it["decided"] = decided.get(it["key"], "") if it["align"] else ""
    if len(rows) > SHOWN:
        rows.sort(key=lambda it: bool(it.get("same")))  # what differs is in sight
    former = former_copies(access, registry)
    context = {
        "rows": rows[:SHOWN],
        "more": rows[SHOWN:],
        "namespaces": len(same),
        "registry": registry,
        **former,
    }
    return render(request, "registry/_relatives.html", context)


def _decided(request: ConsoleRequest, registry: RegistrySecret) -> dict[Key, str]:
    """The copies for which the panel of the rule has a button, and the source whose panel has one for this copy, each
    with the URL of the panel."""
    rules, access = services().sync_rules, request.access
    if not rules.may_set_up(access=request.acting_access):
        return {}
    source = rules.source_of(access=access, registry=registry, state=CopyState.CHANGED)
    view = rules.view(access=access, registry=registry)
    waiting = [it.namespace for it in view.copies if it.known.state in SOLUTIONS] if view else []
    panels = {Key(it, registry.name): "#sync" for it in waiting}
    return panels | ({source: f"{details_url(source)}#sync"} if source else {})


def _row(registry: RegistrySecret, it: Relative) -> dict[str, Any]:
    copy = registry if it.bond is Bond.SOURCE else it.registry
    return {
        "key": it.registry.key,
        "uid": it.registry.uid,
        "href": details_url(it.registry.key),
        "bond": BONDS[it.bond],
        "label": labels.status(it.registry),
        "same": it.same,
        "text": " · ".join(str(DIFFERENCES[difference]) for difference in it.differences),
        "align": f"{details_url(copy.key)}align/" if it.alignable else "",
        "of_this": it.bond is Bond.SOURCE,
    }


def _missing_row(source: RegistrySecret, it: Missing) -> dict[str, Any]:
    return {
        "key": it.key,
        "uid": f"{it.key.namespace}-{it.key.name}",
        "href": details_url(it.key) if it.name_taken else "",
        "gone": not it.name_taken,
        "bond": BONDS[Bond.COPY],
        "text": _("name taken by another registry") if it.name_taken else _("no longer exists"),
        "advice": _("Delete the registry that has its name, then create the copy again.")
        if it.name_taken
        else "",
        "align": f"{details_url(it.key)}align/?source={source.uid}" if it.alignable else "",
    }


@require_http_methods(["GET", "HEAD", "POST"])
def align(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The confirmation, and the change. `source` has the uid of the source of a copy that is gone."""
    access, key = request.access, Key(namespace, name)
    try:
        copy = services().registries.find(access=access, key=key, action=Action.COPY)
    except NotFound:
        return _align_missing(request, key)
    source = services().relatives.source(access=access, registry=copy)
    if source is None:
        raise NotFound(str(key))
    problem = ""
    if request.method == "POST":
        try:
            services().relatives.align(
                access=access,
                key=key,
                uid=request.POST.get("uid", ""),
                source_uid=request.POST.get("source", ""),
            )
            return _aligned(request, copy.key, source)
        except Conflict as error:
            return gone(request, key, error.code)
        except Invalid as error:
            problem = sentences(*map(cause_text, error.causes))
        except Refused as error:
            problem = error_text(error)
    context = {
        "copy": copy,
        "source": source,
        "replaces": [DIFFERENCES[it] for it in visible_differences(source, copy)],
        "problem": problem,
    }
    status = 422 if problem else 200
    return dialog(request, "registry/_align.html", context, status=status, title=_("Align the copy"))


def _align_missing(request: ConsoleRequest, key: Key) -> HttpResponse:
    """The same for a copy that is gone: it is created again."""
    uid, problem = request.POST.get("source") or request.GET.get("source", ""), ""
    try:
        source = services().missing_copies.source(access=request.access, key=key, uid=uid)
        if request.method == "POST":
            services().missing_copies.align(access=request.access, key=key, uid=uid)
            return _aligned(request, key, source)
    except NotFound:
        return missing(request, key)
    except (AlreadyExists, Conflict, Invalid, Refused) as error:
        problem = error_text(error)
    context = {"copy": Target(source, key), "source": source, "gone": True, "problem": problem}
    status = 422 if problem else 200
    return dialog(request, "registry/_align.html", context, status=status, title=_("Create the copy again"))


def _aligned(request: ConsoleRequest, copy: Key, source: RegistrySecret) -> HttpResponse:
    text = _("%(copy)s is aligned with %(source)s.") % {"copy": copy, "source": source.key}
    shown = source.key if shown_path(request) == details_url(source.key) else copy
    return back(request, text, "registries:details", shown.namespace, shown.name)


def stale_twins(access: Access, registry: RegistrySecret) -> str:
    """A sentence about others with this address and user name that have another password; "" for none."""
    try:
        number = services().relatives.with_other_password(access=access, registry=registry)
    except ConsoleError:
        return ""
    text = ngettext(
        "%(n)s other registry with this address and user name has another password.",
        "%(n)s other registries with this address and user name have another password.",
        number,
    )
    return text % {"n": number} if number else ""


def former_copies(access: Access, registry: RegistrySecret) -> dict[str, Any]:
    """How many copies, and whether a rule, of an earlier registry of this name can be linked to this one."""
    found = services().relatives.former(access=access, source=registry)
    linkable = sum(it.problem is None for it in found)
    rule = services().sync_rules.former(access=access, source=registry)
    return {"former": len(found), "linkable": linkable, "former_rule": rule is not None}


@require_http_methods(["GET", "HEAD", "POST"])
def relink(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The preview; posting links exactly the chosen copies of it, and takes over the rule if that is chosen."""
    access, key = request.access, Key(namespace, name)
    registry = services().registries.find(access=access, key=key, action=Action.COPY)
    found = services().relatives.former(access=access, source=registry)
    rule = services().sync_rules.former(access=access, source=registry)
    if not found and rule is None:
        raise NotFound(str(key))
    problem = ""
    if request.method == "POST":
        try:
            return _linked(request, registry)
        except Conflict as error:
            problem = problem_text(error.code)
    context = {
        "registry": registry,
        "rows": [_former_row(registry, it) for it in found],
        "rule": rule,
        "scope": scope_of(rule) if rule else "",
        "problem": problem,
    }
    status = 409 if problem else 200
    return dialog(request, "registry/_relink.html", context, status=status, title=_("Link again"))


def _linked(request: ConsoleRequest, registry: RegistrySecret) -> HttpResponse:
    if request.POST.get("uid") != registry.uid:
        raise Conflict(str(registry.key), Problem.RECREATED)
    if request.POST.get("rule") == "1":
        services().sync_rules.take_over(access=request.access, source=registry)
    chosen = set(request.POST.getlist("copies"))
    number = services().relatives.link(access=request.access, source=registry, uids=chosen)
    text = ngettext("Linked %(n)s copy to %(name)s.", "Linked %(n)s copies to %(name)s.", number)
    text = text % {"n": number, "name": registry.title}
    return back(request, text, "registries:details", registry.namespace, registry.name)


def _former_row(source: RegistrySecret, it: Former) -> dict[str, Any]:
    differs = [str(DIFFERENCES[difference]) for difference in visible_differences(source, it.registry)]
    forbidden = it.problem is not None and it.problem is not Problem.NO_COPY
    texts = [*differs, problem_text(it.problem)] if it.problem and forbidden else differs
    return {"registry": it.registry, "linkable": it.problem is None, "text": " · ".join(texts)}
