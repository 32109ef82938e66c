"""How a view answers: a dialog that is also a page, and "done" for an HTMX request and for a plain form."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from django_htmx.middleware import HtmxDetails

from registries.domain.errors import NotFound
from registries.domain.registry import Key
from registries.wiring import services

View = Callable[..., HttpResponseBase]

PULSE = 4000
PULSE_ON_CLUSTER = 600
"""Milliseconds between two questions of an open page whether anything changed; on a cluster others change it, and
are seen within a second."""


def pulse_every() -> int:
    return PULSE_ON_CLUSTER if services().on_cluster else PULSE


def with_accounts_only(view: View) -> View:
    """A page that exists only where the console has accounts of its own; elsewhere it is a 404."""

    @wraps(view)
    def local(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if services().by_cluster:
            raise NotFound(request.path)
        return view(request, *args, **kwargs)

    return local


def details_url(key: Key) -> str:
    """The address of a registry's page; others lie below it. Written out: `reverse` is slow for 100 rows."""
    return f"/registries/{key.namespace}/{key.name}/"


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks for a fragment; when it restores its history it wants the whole page."""
    htmx = HtmxDetails(request)
    return bool(htmx) and not htmx.history_restore_request


def shown_path(request: HttpRequest) -> str:
    """The path of the page on which htmx was when it asked; empty when that is not known."""
    return urlsplit(HtmxDetails(request).current_url or "").path


def dialog(
    request: HttpRequest, partial: str, context: dict[str, Any], *, status: int = 200, title: str = ""
) -> HttpResponse:
    """A dialog's content by itself, or the same inside a page for somebody who followed a plain link."""
    if is_htmx(request):
        return render(request, partial, context, status=status)
    return render(request, "dialog_page.html", {**context, "partial": partial, "title": title}, status=status)


def done(
    request: HttpRequest, text: str, *events: tuple[str, dict[str, Any]], href: str = ""
) -> HttpResponse:
    """It worked: close the dialog, show a toast, refresh the list; or, from any other page, go back to the list.

    `href` is the page that the toast leads to.
    """
    if not is_htmx(request) or shown_path(request) not in ("", reverse("registries:list")):
        return back(request, text, "registries:list")
    response = HttpResponse(status=204)
    for name, params in (*events, ("registries-changed", {})):
        trigger_client_event(response, name, params)
    toast(response, text, href=href)
    # Last: events start at the form, and closing the dialog takes it out of the page.
    return trigger_client_event(response, "dialog-close", {})


def back(request: HttpRequest, text: str, view: str, *args: str) -> HttpResponse:
    """It worked: show that page anew, with a toast."""
    messages.success(request, text)
    target = reverse(view, args=args)
    return HttpResponseClientRedirect(target) if is_htmx(request) else HttpResponseRedirect(target)


def toast(response: HttpResponse, text: str, *, kind: str = "ok", href: str = "") -> HttpResponse:
    """Add a toast to a response; `kind` is ok, bad or warn."""
    return trigger_client_event(response, "toast", {"text": text, "kind": kind, "href": href})
