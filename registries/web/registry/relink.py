"""Copies, and a rule, of an earlier registry of the same name: a preview, and the link to the present one."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.errors import Conflict, NotFound, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.service.likeness import visible_differences
from registries.service.relatives import Former
from registries.web.registry.sync import scope_of
from registries.web.responses import back, dialog
from registries.wiring import services
from registries.words.problems import problem_text
from registries.words.sync import DIFFERENCES


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
        "rows": [_row(registry, it) for it in found],
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


def _row(source: RegistrySecret, it: Former) -> dict[str, Any]:
    differs = [str(DIFFERENCES[difference]) for difference in visible_differences(source, it.registry)]
    forbidden = it.problem is not None and it.problem is not Problem.NO_COPY
    texts = [*differs, problem_text(it.problem)] if it.problem and forbidden else differs
    return {"registry": it.registry, "linkable": it.problem is None, "text": " · ".join(texts)}
