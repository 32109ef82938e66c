"""The namespaces of a sync rule: as chosen in the dialog, and in words."""

from dataclasses import replace

from django.conf import settings
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.domain.registry import RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.sync.rows import Selection
from registries.sync.views import RuleView
from registries.wiring import services
from registries.words.names import named

LABELS_MAX = 500
MOST = 1000
"""Namespaces of one rule that are chosen by name."""


def scope_text(selection: Selection, unseen: int = 0) -> str:
    """HTML. `unseen` further namespaces are chosen by name that the viewer does not see."""
    texts = []
    if selection.labels:
        texts.append(named({"labels": selection.labels}, _("Namespaces with %(labels)s, including new ones")))
    if selection.names:
        texts.append(named({"names": selection.names}, "%(names)s"))
    if unseen:
        text = ngettext("%(n)s namespace that you do not see", "%(n)s namespaces that you do not see", unseen)
        texts.append(text % {"n": unseen})
    return format_html_join(" · ", "{}", ((it,) for it in texts)) or _("All namespaces, including new ones")


def scope_of(view: RuleView) -> str:
    return scope_text(replace(view.rule.selection, names=tuple(sorted(view.names))), view.unseen)


def selection_of(request: ConsoleRequest, registry: RegistrySecret) -> tuple[str, Selection]:
    scope = request.POST.get("scope", "")
    labels = request.POST.get("labels", "").strip()[:LABELS_MAX] if scope == "labels" else ""
    existing = set(services().index.namespaces(request.access)) - {registry.namespace}
    names = (
        sorted(existing.intersection(request.POST.getlist("namespaces")))[:MOST] if scope == "names" else []
    )
    return scope, Selection(labels, tuple(names))


def scope_problem(scope: str, selection: Selection) -> str:
    if scope == "all":
        return ""
    if scope == "labels":
        return "" if selection.labels and by_label() else _("Type a label selector.")
    return "" if selection.names else _("Select at least one namespace.")


def by_label() -> bool:
    """Whether namespaces have labels here."""
    return services().on_cluster and not settings.CLUSTER_NAMESPACES
