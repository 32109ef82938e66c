"""Pages of a person's own access tokens. Administrators also see and revoke those of others."""

from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registries.domain.access import Access, Role
from registries.domain.errors import Invalid, TooManyRequests
from registries.domain.resource import API_ROOT, API_VERSION
from registries.log_in.access import ConsoleRequest
from registries.people.tokens import LONGEST, TokenView
from registries.web.administration.administration_forms import TokenForm
from registries.web.responses import back, dialog
from registries.wiring import services
from registries.words.shell import ASK_TOKEN, BEARER

USUAL = timedelta(days=90)
"""The default validity of a token."""
LAST_DAY = LONGEST - timedelta(days=1)
"""A token is valid to the end of its last day, so the last day comes one day earlier."""
END_OF_DAY = time(23, 59, 59)


@require_safe
def tokens(request: ConsoleRequest) -> HttpResponse:
    access, own = request.access, services().tokens
    others = own.of_others(access=access) if access.administers else ()
    return render(request, "tokens/tokens.html", {"tokens": own.all(access=access), "others": others})


@require_http_methods(["GET", "HEAD", "POST"])
def token_add(request: ConsoleRequest) -> HttpResponse:
    access = request.access
    names = services().index.namespaces(access=access)
    today = timezone.localdate()
    initial = {"role": Role.VIEWER.value, "expires": (today + USUAL).isoformat()}
    form = TokenForm(request.POST or None, initial=initial, namespaces=names, last=today + LAST_DAY)
    title = _("Create access token")
    context = {"form": form, "title": title}
    if request.method != "POST":
        return dialog(request, "tokens/_add.html", context, title=title)
    if form.is_valid():
        try:
            return _made(request, _create(access, form.cleaned_data), title)
        except Invalid as error:
            form.add_causes(error.causes)
    return dialog(request, "tokens/_add.html", context, status=422, title=title)


def _create(access: Access, values: dict[str, Any]) -> tuple[TokenView, str]:
    """The new token and its text. Invalid; TooManyRequests."""
    if wait := services().token_rates.wait(f"tokens of {access.owner}"):
        raise TooManyRequests(retry_after=wait)
    return services().tokens.create(
        access=access,
        name=values["name"],
        namespaces=values["namespaces"],
        role=Role(values["role"]),
        expires_at=timezone.make_aware(datetime.combine(values["expires"], END_OF_DAY)),
    )


def _made(request: ConsoleRequest, made: tuple[TokenView, str], title: str) -> HttpResponse:
    """The only answer that holds the token's text."""
    token, text = made
    address = request.build_absolute_uri(f"{API_ROOT}/{API_VERSION}/namespaces/_all_/registry-secrets")
    curl = f"{ASK_TOKEN}; curl {BEARER} '{address}'"
    return dialog(request, "tokens/_made.html", {"token": token, "text": text, "curl": curl}, title=title)


@require_http_methods(["GET", "HEAD", "POST"])
def token_revoke(request: ConsoleRequest, token: int) -> HttpResponse:
    access = request.access
    found = services().tokens.one(access=access, token_id=token)
    if request.method != "POST":
        title = _("Revoke %(name)s") % {"name": found.name}
        return dialog(request, "tokens/_revoke.html", {"token": found, "title": title}, title=title)
    services().tokens.revoke(access=access, token_id=token)
    return back(request, _("Revoked %(name)s.") % {"name": found.name}, "registries:tokens")
