"""Pull secrets: the panel on the details page, the binding to the default service account, and their users."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registries.domain.access import Access, Permission
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.pull_secrets.kinds import Binding, Dependent, PullSecret, Usage
from registries.web.responses import back, details_url, is_htmx, toast
from registries.wiring import services
from registries.words.language import comma
from registries.words.pull_secrets import BINDINGS, KINDS, group_of, state_label, upkeep

SHOWN = 50
"""Names per group; the rest are counted."""


@require_http_methods(["GET", "HEAD", "POST"])
def pull_secret(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The panel; posting `bound` (1 or 0) and `uid` binds the default service account, or unbinds it."""
    access, key = request.access, Key(namespace, name)
    text = ""
    if request.method == "POST":
        bound = request.POST.get("bound") == "1"
        services().pull_secrets.bind(access=access, key=key, uid=request.POST.get("uid", ""), bound=bound)
        text = _("Bound to the default service account.") if bound else _("Unbound.")
        if request.POST.get("from") == "pull-failures":
            return back(request, text, "registries:pull_failures", query={"namespace": namespace})
        if not is_htmx(request):
            return back(request, text, "registries:details", namespace, name)
    registry = services().registries.find(access=access, key=key)
    if not is_htmx(request):
        return HttpResponseRedirect(details_url(key))
    response = render(request, "pulls/_pull_secret.html", panel(access, request.acting_access, registry))
    return toast(response, text) if text else response


def panel(access: Access, acting: Access, registry: RegistrySecret) -> dict[str, Any]:
    """The context of the panel. Empty if the console keeps no pull secrets."""
    service = services()
    if not service.pull_secrets.available:
        return {}
    state = service.pull_secrets.state(access=access, registry=registry)
    binding = (
        Binding.UNKNOWN if state is None else service.pull_secrets.binding(access=access, key=registry.key)
    )
    may = acting.may(Permission.CREATE, registry.namespace)
    usable = not (registry.deleting or registry.address_problem)
    offers_bind = usable and binding is Binding.UNBOUND and state not in (PullSecret.FOREIGN, None)
    return {
        "registry": registry,
        "pull_secret": state_label(state, registry),
        "upkeep": "" if registry.deleting else upkeep(service.pull_secrets.upkeep_problem()),
        "binding": binding.value,
        "binding_text": BINDINGS[binding] if state and (usable or binding is Binding.BOUND) else "",
        "may_bind": may and (offers_bind or binding is Binding.BOUND),
        "by_cluster": service.by_cluster,
        "snippet": f"imagePullSecrets:\n  - name: {registry.name}\n" if usable else "",
    }


@require_safe
def usage(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """What uses the pull secret of one registry, for the dialog that deletes it."""
    found = usage_of(request.access, [Key(namespace, name)])
    return render(request, "pulls/_usage.html", found)


@require_safe
def run_usage(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """What uses the pull secrets of the registries that a run would delete."""
    access = request.access
    return render(request, "pulls/_usage.html", usage_of(access, doomed(access, run)))


def doomed(access: Access, run: UUID) -> list[Key]:
    """The registries that a run would delete, if the person may delete them."""
    items = services().runs["delete"].items(access=access, run_id=run)
    return [item.key for item in items if access.may(Permission.DELETE, item.key.namespace)]


def usage_place(request: ConsoleRequest, keys: Callable[[], list[Key]], url: str) -> dict[str, Any]:
    """The context of _usage_place.html. A dialog loads the usage later from `url`; a page calls `keys` at once."""
    if not services().pull_secrets.available:
        return {}
    return {"usage_url": url} if is_htmx(request) else usage_of(request.access, keys())


def usage_of(access: Access, keys: list[Key]) -> dict[str, Any]:
    """The context of _usage.html."""
    found = services().pull_secrets.usage(access=access, keys=keys)
    return {
        "usage": found,
        "groups": _groups(found),
        "unseen": _unseen(found),
        "many": len(keys) > 1,
        "kinds": KINDS,
    }


def _groups(found: Usage) -> list[dict[str, Any]]:
    """Per group: its name, the count, the first names, and the number of further names."""
    groups: dict[str, list[Dependent]] = {kind: [] for kind in KINDS}
    for it in found.dependents:
        groups[group_of(it.kind)].append(it)
    return [
        {
            "text": KINDS[kind],
            "count": len(items),
            "items": items[:SHOWN],
            "more": max(0, len(items) - SHOWN),
        }
        for kind, items in groups.items()
        if items
    ]


def _unseen(found: Usage) -> list[tuple[str, str]]:
    """(namespace, kinds) of the objects that the person may not list."""
    kinds: dict[str, list[str]] = {}
    for namespace, kind in found.unseen:
        kinds.setdefault(namespace, []).append(kind)
    return [(namespace, comma().join(names)) for namespace, names in kinds.items()]
