"""Pages of namespaces. Adding and deleting them takes image-admin in all namespaces."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registries.domain.access import Permission, role_for
from registries.domain.errors import Forbidden
from registries.domain.query import Criteria
from registries.log_in.access import ConsoleRequest
from registries.people.grants import forget_namespace
from registries.schedule import intervals as check_intervals
from registries.schedule import silences
from registries.schedule.intervals import Setting, Source
from registries.sync import rows as copies
from registries.web.administration.administration_forms import NamespaceForm
from registries.web.form_dialogs import confirm_by_name, submit
from registries.web.responses import dialog
from registries.web.shares import share
from registries.wiring import services
from registries.words import times

PAGE = "registries:namespaces"
SHOWN = 5
"""Registries that the dialog of a namespace names."""


@require_safe
def namespaces(request: ConsoleRequest) -> HttpResponse:
    access, intervals = request.access, services().schedule.intervals
    if not access.may_anywhere(Permission.EDIT):
        raise Forbidden("", role_for(Permission.EDIT))
    chosen, here = intervals.of_namespaces(), services().registries.manages_namespaces
    rows = [
        (
            name,
            tally,
            share(tally),
            _interval(chosen.get(name, intervals.default)),
            access.may(Permission.EDIT, name),
        )
        for name, tally in services().index.tallies(access=access).items()
    ]
    context = {"namespaces": rows, "managed": here and access.administers, "here": here}
    return render(request, "administration/namespaces.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def namespace_add(request: ConsoleRequest) -> HttpResponse:
    access = request.access
    access.require_administration()

    def change(values: dict[str, Any]) -> str:
        name = values["namespace"]
        services().registries.create_namespace(access=access, name=name)
        return _("Added the namespace %(name)s.") % {"name": name}

    form, text = NamespaceForm(request.POST or None), _("Add namespace")
    return submit(request, form, change, title=text, page=PAGE, button=text)


@require_http_methods(["GET", "HEAD", "POST"])
def namespace_delete(request: ConsoleRequest, name: str) -> HttpResponse:
    """Deletes an empty namespace and the roles in it: a new namespace of that name starts without roles."""
    access = request.access
    access.require_administration()

    def change() -> str:
        services().registries.delete_namespace(access=access, name=name, and_then=lambda: _forget(name))
        return _("Deleted the namespace %(name)s.") % {"name": name}

    title = _("Delete namespace: %(name)s") % {"name": name}
    found = services().index.matching(access=access, criteria=Criteria(namespace=name))
    if found:
        context = {
            "name": name,
            "registries": found[:SHOWN],
            "number": len(found),
            "more": len(found[SHOWN:]),
        }
        template, status = "administration/_not_empty.html", 409 if request.method == "POST" else 200
        return dialog(request, template, {**context, "title": title}, status=status, title=title)
    lead = _("The roles in this namespace are also deleted.")
    return confirm_by_name(request, name, change, title=title, page=PAGE, lead=lead)


def _forget(name: str) -> None:
    """Deletes what a later namespace of this name must not inherit."""
    forget_namespace(name)
    services().channels.forget_namespace(name)
    check_intervals.forget_namespace(name)
    silences.forget_namespace(name)
    copies.namespace_gone(name)


def _interval(setting: Setting) -> tuple[str, bool]:
    """An interval in words, and whether it is the default."""
    return times.every(setting.interval), setting.source is Source.CONSOLE
