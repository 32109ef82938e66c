"""Dialogs: how often a registry, or every registry of a namespace, is checked."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from registries.audit.action import Action
from registries.domain.access import Permission
from registries.domain.errors import Cause, Invalid, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.schedule.due import read_interval, write_interval
from registries.schedule.intervals import Setting, Source
from registries.web.form_dialogs import submit
from registries.web.forms import CauseForm
from registries.web.responses import gone
from registries.wiring import services
from registries.words import times

OFFERED: tuple[timedelta | None, ...] = (
    None,
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12, 24, 2 * 24, 7 * 24)),
)
PAGE = "registries:namespaces"
INHERITED = "inherited"
"""The choice of no own interval."""


class IntervalForm(CauseForm):
    """The interval of a registry or a namespace: the inherited one, off, or a length of time."""

    interval = forms.ChoiceField(label=gettext_lazy("Check interval"))

    def __init__(self, *args: Any, inherited: Setting, own: Setting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [*OFFERED, *({own.interval} - {*OFFERED} if own != inherited else ())]
        choices = [(write_interval(it), capfirst(times.every(it))) for it in offered]
        self.fields["interval"].choices = [(INHERITED, _inherited(inherited)), *choices]  # type: ignore[attr-defined]
        self.initial["interval"] = INHERITED if own == inherited else write_interval(own.interval)


@require_http_methods(["GET", "HEAD", "POST"])
def registry_interval(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    key = Key(namespace, name)
    registry = services().registries.find(access=request.access, key=key, action=Action.EDIT)
    if registry.deleting:
        return gone(request, key, Problem.BEING_DELETED)
    intervals = services().schedule.intervals
    own, inherited = intervals.of(namespace, registry.uid), intervals.of(namespace)
    return _change(request, namespace, registry, own, inherited, _("Change the check interval"))


@require_http_methods(["GET", "HEAD", "POST"])
def namespace_interval(request: ConsoleRequest, name: str) -> HttpResponse:
    request.access.require(Permission.EDIT, name)
    services().index.require_namespace(request.access, name)
    intervals = services().schedule.intervals
    title = _("Check interval of the namespace %(name)s") % {"name": name}
    return _change(request, name, None, intervals.of(name), intervals.default, title)


def _change(
    request: ConsoleRequest,
    namespace: str,
    registry: RegistrySecret | None,
    own: Setting,
    inherited: Setting,
    title: str,
) -> HttpResponse:
    """The dialog, or the page behind it after a change. `registry` is None for the whole namespace."""
    form = IntervalForm(request.POST or None, inherited=inherited, own=own)

    def change(_values: dict[str, Any]) -> str:
        return _save(request, namespace, registry, form.typed()["interval"])

    page, about = registry.key if registry else PAGE, {"namespace": namespace, "registry": registry}
    return submit(request, form, change, title=title, page=page, template="registry/_interval.html", **about)


def _save(request: ConsoleRequest, namespace: str, registry: RegistrySecret | None, typed: str) -> str:
    """Saves a typed interval and returns the text of the toast. Invalid, Forbidden, NotFound."""
    access, intervals = request.access, services().schedule.intervals
    uid = registry.uid if registry else ""
    if typed == INHERITED:
        note, text = "reset", _inherited(intervals.of(namespace) if registry else intervals.default)
        intervals.reset(access=access, namespace=namespace, uid=uid)
    else:
        try:
            interval = read_interval(typed)
        except ValueError as error:
            raise Invalid(namespace, [Cause("interval", Problem.UNKNOWN)]) from error
        note, text = f"set {typed}" if interval else "off", times.every(interval)
        intervals.choose(access=access, namespace=namespace, uid=uid, interval=interval)
    key = registry.key if registry else None
    services().audit.record(access, Action.INTERVAL, key=key, namespace=namespace, uid=uid, note=note)
    return _("Check interval: %(interval)s") % {"interval": text}


def _inherited(setting: Setting) -> str:
    if setting.source is Source.NAMESPACE:
        return _("As the namespace: %(interval)s") % {"interval": times.every(setting.interval)}
    return _("Default: %(interval)s") % {"interval": times.every(setting.interval)}
