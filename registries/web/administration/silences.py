"""Silences: times in which messages wait, until a moment, once, or every week."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from registries.addresses import AddressError, parse_address
from registries.audit.action import Action
from registries.domain.access import Permission, role_for
from registries.domain.errors import Cause, Forbidden, Invalid, Problem
from registries.domain.moments import read_date
from registries.domain.registry import Key
from registries.log_in.access import ConsoleRequest
from registries.models import Silence
from registries.schedule import silences
from registries.schedule.silences import REASON_MAX, Scope, Window
from registries.web.form_dialogs import ALL, scopes, submit
from registries.web.forms import CauseForm
from registries.web.responses import back, gone
from registries.wiring import services
from registries.words.labels import FIELDS

PAGE = "registries:channels"
LOCAL = "%Y-%m-%dT%H:%M"
"""A moment as a browser sends it, in the console's time zone."""
USUAL = timedelta(hours=2)
"""The length of a silence that the form proposes."""


def _moment() -> forms.DateTimeInput:
    return forms.DateTimeInput({"type": "datetime-local"}, format=LOCAL)


class SilenceForm(CauseForm):
    """A silence of a namespace, of a host or of one registry."""

    namespace = forms.ChoiceField(label=FIELDS["namespace"])
    host = forms.CharField(
        label=gettext_lazy("Host"),
        required=False,
        help_text=gettext_lazy(
            "Only registries on this host, such as harbor.example.com:443. Leave empty for all hosts."
        ),
        widget=forms.TextInput({"class": "mono", "autocomplete": "off"}),
    )
    starts_at = forms.CharField(
        label=FIELDS["starts_at"],
        required=False,
        help_text=gettext_lazy("Leave empty to start now."),
        widget=_moment(),
    )
    ends_at = forms.CharField(label=FIELDS["ends_at"], widget=_moment())
    weekly = forms.BooleanField(label=gettext_lazy("Every week at this time"), required=False)
    last_day = forms.CharField(
        label=FIELDS["last_day"],
        required=False,
        help_text=gettext_lazy("At most one year from now."),
        widget=forms.DateInput({"type": "date"}),
    )
    reason = forms.CharField(
        label=FIELDS["reason"],
        widget=forms.TextInput({"autocomplete": "off", "maxlength": str(REASON_MAX)}),
    )
    uid = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, namespaces: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["namespace"].choices = namespaces  # type: ignore[attr-defined]
        zone = timezone.get_default_timezone_name()
        self.fields["ends_at"].help_text = _("Times are in the time zone %(zone)s.") % {"zone": zone}

    def scope(self) -> Scope:
        """Raises Invalid without a namespace, and for a host that is no address: it would silence nothing."""
        namespace, host = self.typed()["namespace"], self.typed()["host"].strip()
        if not namespace:
            raise Invalid("", (Cause("namespace", Problem.REQUIRED),))
        try:
            origin = parse_address(host).origin if host else None
        except AddressError as error:
            raise Invalid(namespace, (Cause("host", Problem(error.problem)),)) from error
        return Scope(None if namespace == ALL else namespace, origin)

    def window(self) -> Window:
        """Raises Invalid for texts that are no times."""
        typed, causes = self.typed(), []
        starts = _read(typed["starts_at"]) if typed["starts_at"] else timezone.now()
        ends, last = _read(typed["ends_at"]), read_date(typed["last_day"])
        weekly = typed["weekly"] == "on"
        if starts is None:
            causes.append(Cause("starts_at", Problem.SILENCE_TIME))
        if ends is None:
            causes.append(Cause("ends_at", Problem.SILENCE_TIME if typed["ends_at"] else Problem.REQUIRED))
        if weekly and last is None:
            causes.append(Cause("last_day", Problem.SILENCE_DAY))
        if causes or starts is None or ends is None:
            raise Invalid("", tuple(causes))
        return Window(starts, ends, last if weekly else None)


@require_http_methods(["GET", "HEAD", "POST"])
def silence_add(request: ConsoleRequest) -> HttpResponse:
    access = request.access
    if not access.may_anywhere(Permission.EDIT):
        raise Forbidden("", role_for(Permission.EDIT))
    asked = request.POST or request.GET
    registry = None
    if asked.get("name"):
        key = Key(asked.get("namespace", ""), asked["name"])
        registry = services().registries.find(access=access, key=key, action=Action.EDIT)
        if registry.deleting:
            return gone(request, key, Problem.BEING_DELETED)
    places = [(registry.namespace, registry.namespace)] if registry else scopes(request, Permission.EDIT)
    initial = {"ends_at": f"{timezone.localtime() + USUAL:{LOCAL}}"}
    form = SilenceForm(request.POST or None, initial=initial, namespaces=places)
    if registry:  # all else is filled in
        form.fields["reason"].widget.attrs["autofocus"] = True

    def change(_values: dict[str, Any]) -> str:
        scope = Scope(registry.namespace, uid=registry.uid) if registry else form.scope()
        if scope.namespace:
            services().index.require_namespace(access, scope.namespace)
        reason = form.typed()["reason"].strip()
        made = silences.add(access=access, scope=scope, window=form.window(), reason=reason)
        until = f"{timezone.localtime(made.ends_at):%Y-%m-%d %H:%M}"
        services().audit.record(access, Action.SILENCE, namespace=made.namespace, note=f"add {until}")
        return _("Messages wait until %(time)s.") % {"time": until}

    page, title = registry.key if registry else PAGE, _("Silence messages")
    return submit(
        request, form, change, title=title, page=page, template="channels/_silence.html", registry=registry
    )


@require_POST
def silence_end(request: ConsoleRequest, silence: int) -> HttpResponse:
    namespace = Silence.objects.filter(pk=silence).values_list("namespace", flat=True).first() or ""
    key = None
    if request.POST.get("name"):
        key = Key(request.POST.get("namespace", ""), request.POST["name"])
        key = services().registries.find(access=request.access, key=key).key
    silences.end(access=request.access, pk=silence)
    services().audit.record(request.access, Action.SILENCE, namespace=namespace, note="end")
    text = _("Ended the silence. What differs from before is sent now.")
    return back(request, text, *(("registries:details", key.namespace, key.name) if key else (PAGE,)))


def _read(text: str) -> datetime | None:
    try:
        return timezone.make_aware(datetime.strptime(text[:16], LOCAL))
    except ValueError:
        return None
