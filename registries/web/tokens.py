"""访问令牌: one's own API tokens, made and revoked. The text of a new one is in one answer and nowhere else."""

from datetime import datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registries.api.urls import BASE
from registries.domain.access import Role
from registries.domain.errors import Invalid
from registries.log_in.access import access_to
from registries.people.tokens import LONGEST
from registries.web.forms import TokenForm
from registries.web.responses import back, dialog
from registries.wiring import services

USUAL = timedelta(days=90)


@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    found = services().tokens.all(access=access_to(request))
    return render(request, "tokens/tokens.html", {"tokens": found})


@require_http_methods(["GET", "HEAD", "POST"])
def token_add(request: HttpRequest) -> HttpResponse:
    access = access_to(request)
    names = services().index.namespaces(access=access)
    today = timezone.localdate()
    initial = {"role": Role.VIEWER.value, "expires": (today + USUAL).isoformat()}
    form = TokenForm(request.POST or None, initial=initial, namespaces=names, last=today + LONGEST)
    title = _("New access token")
    context = {"form": form, "title": title}
    if request.method != "POST":
        return dialog(request, "tokens/_add.html", context, title=title)
    try:
        form.require()
        token, text = services().tokens.create(
            access=access,
            name=str(form.data["name"]).strip(),
            namespaces=form.chosen_namespaces(),
            role=Role(form.data["role"]),
            expires_at=_end_of(str(form.data["expires"])),
        )
    except Invalid as error:
        form.add_causes(error.causes)
        return dialog(request, "tokens/_add.html", context, status=422, title=title)
    address = request.build_absolute_uri(f"/oapis/{BASE}/namespaces/_all_/registry-secrets")
    curl = f"curl -H 'Authorization: Bearer {text}' '{address}'"
    return dialog(request, "tokens/_made.html", {"token": token, "text": text, "curl": curl}, title=title)


@require_http_methods(["GET", "HEAD", "POST"])
def token_revoke(request: HttpRequest, token: int) -> HttpResponse:
    access = access_to(request)
    found = services().tokens.one(access=access, token_id=token)
    if request.method != "POST":
        title = _("Revoke %(name)s") % {"name": found.name}
        return dialog(request, "tokens/_revoke.html", {"token": found, "title": title}, title=title)
    services().tokens.revoke(access=access, token_id=token)
    return back(request, _("Revoked %(name)s.") % {"name": found.name}, "registries:tokens")


def _end_of(text: str) -> datetime:
    """The end of a day here; what is no date is long ago, which no token may be."""
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        return timezone.make_aware(datetime.min + timedelta(days=2))
    return timezone.make_aware(datetime.combine(day, time(23, 59, 59)))
