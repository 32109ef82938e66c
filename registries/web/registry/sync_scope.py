"""The namespaces of a sync rule: as chosen in the dialog, and in words."""

from dataclasses import replace

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.domain.registry import RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.sync.rows import Selection
from registries.sync.views import RuleView
from registries.wiring import services

LABELS_MAX = 500
MOST = 1000
"""Namespaces of one rule that are chosen by name."""


def scope_text(selection: Selection, unseen: int = 0) -> str:
    """`unseen` further namespaces are chosen by name that the viewer does not see."""
    texts = list(selection.names)
    if selection.labels:
        texts.insert(0, _("Namespaces with %(labels)s, including new ones") % {"labels": selection.labels})
    if unseen:
        text = ngettext("%(n)s namespace that you do not see", "%(n)s namespaces that you do not see", unseen)
        texts.append(text % {"n": unseen})
    return " · ".join(texts) if texts else _("All namespaces, including new ones")


def scope_of(view: RuleView) -> str:
    return scope_text(replace(view.rule.selection, names=view.names), view.unseen)


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
