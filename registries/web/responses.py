"""Responses of views: dialogs, which are also pages, and the result of a form for HTMX and for plain requests;
the answer for a registry that was deleted while somebody worked with it."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from django_htmx.middleware import HtmxDetails

from registries.addresses import split_url
from registries.audit.action import Action
from registries.domain.errors import NotFound, Problem
from registries.domain.registry import INFORMATION, Key
from registries.log_in.access import ConsoleRequest
from registries.web import filters
from registries.wiring import services
from registries.words import labels
from registries.words.problems import problem_text

View = Callable[..., HttpResponseBase]

PULSE = 4000
PULSE_ON_CLUSTER = 600
"""Milliseconds between two polls of an open page. On a cluster, others make changes, visible within a second."""


def pulse_every() -> int:
    return PULSE_ON_CLUSTER if services().on_cluster else PULSE


def with_accounts_only(view: View) -> View:
    """A view that is a 404 unless the console has its own accounts (CONSOLE_AUTH=local)."""

    @wraps(view)
    def local(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if services().by_cluster:
            raise NotFound(request.path)
        return view(request, *args, **kwargs)

    return local


def part_of_page(*, parameter: str = "") -> Callable[[View], View]:
    """Marks a view whose answer a page fetches by itself; with `parameter`, only requests that have it. Nobody asked
    for its errors: the page says itself that its registry was deleted, or that the cluster is away."""

    def mark(view: View) -> View:
        view.part_of_page = parameter  # type: ignore[attr-defined]
        return view

    return mark


def fetches_itself(request: HttpRequest) -> bool:
    """Whether the request is for a view that `part_of_page` marks."""
    parameter = getattr(request.resolver_match and request.resolver_match.func, "part_of_page", None)
    return request.method == "GET" and parameter is not None and (not parameter or parameter in request.GET)


def details_url(key: Key) -> str:
    """The URL of a registry's page, without `reverse`, which is slow for 100 rows."""
    return f"/registries/{key.namespace}/{key.name}/"


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx requests a fragment. For its history it requests the whole page."""
    htmx = HtmxDetails(request)
    return bool(htmx) and not htmx.history_restore_request


def shown_path(request: HttpRequest) -> str:
    """The path of the page that sent the htmx request, or ""."""
    return split_url(HtmxDetails(request).current_url or "").path


def dialog(
    request: HttpRequest, partial: str, context: dict[str, Any], *, status: int = 200, title: str = ""
) -> HttpResponse:
    """A dialog's content: a fragment for htmx, or a page for a plain link."""
    if is_htmx(request):
        return render(request, partial, context, status=status)
    return render(request, "dialog_page.html", {**context, "partial": partial, "title": title}, status=status)


def nothing(request: HttpRequest, refused: str, *, title: str) -> HttpResponse:
    """The dialog of a selection of which nothing can be changed: `refused` says why, "" that nothing of it exists."""
    problem = refused or _("None of the selected registries exists any more.")
    context = {"problem": problem, "title": title}
    return dialog(request, "_nothing.html", context, status=403 if refused else 422, title=title)


def done(
    request: HttpRequest, text: str, *events: tuple[str, dict[str, Any]], href: str = "", undo: str = ""
) -> HttpResponse:
    """Success: closes the dialog, shows a toast and refreshes the list, or redirects to the
    list that the reader came from. A page of pull secrets, which has the next step, is shown again.

    `href` is the link of the toast, `undo` the address of its button.
    """
    if shown_path(request) in (reverse("registries:pull_failures"), reverse("registries:secret_scan")):
        page = split_url(HtmxDetails(request).current_url or "")
        return _leave(request, text, page._replace(scheme="", netloc="").geturl(), undo)
    if not is_htmx(request) or shown_path(request) not in ("", reverse("registries:list")):
        query = filters.came_from(request)
        return _leave(request, text, filters.url(query, page=query.page), undo)
    response = HttpResponse(status=204)
    for name, params in (*events, ("registries-changed", {})):
        trigger_client_event(response, name, params)
    toast(response, text, href=href, undo=undo)
    # Last, because events start at the form, which is removed with the dialog.
    return trigger_client_event(response, "dialog-close", {})


def back(
    request: HttpRequest, text: str, view: str, *args: str, query: dict[str, str] | None = None
) -> HttpResponse:
    """Success: shows the page `view` again, with a toast."""
    return _leave(request, text, reverse(view, args=args, query=query))


def _leave(request: HttpRequest, text: str, target: str, undo: str = "") -> HttpResponse:
    messages.success(request, text, extra_tags=undo)
    return HttpResponseClientRedirect(target) if is_htmx(request) else HttpResponseRedirect(target)


def toast(
    response: HttpResponse, text: str, *, kind: str = "ok", href: str = "", undo: str = ""
) -> HttpResponse:
    """Adds a toast to a response. `kind` is ok, bad or warn. `href` is its link, `undo` the address of its button."""
    return trigger_client_event(response, "toast", {"text": text, "kind": kind, "href": href, "undo": undo})


def with_registry(action: Action) -> Callable[[Callable[..., HttpResponse]], View]:
    """A view that gets one registry as it is now, read for an action, in the place of its name. Answers by itself for a
    registry that was deleted or, unless the action is DELETE, is being deleted."""

    def decorate(view: Callable[..., HttpResponse]) -> View:
        @wraps(view)
        def found(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
            key = Key(namespace, name)
            try:
                registry = services().registries.find(access=request.access, key=key, action=action)
            except NotFound:
                return missing(request, key)
            if registry.deleting and action is not Action.DELETE:
                return gone(request, key, Problem.BEING_DELETED)
            return view(request, registry)

        return found

    return decorate


def missing(request: ConsoleRequest, key: Key) -> HttpResponse:
    """Answers a form for a registry that was deleted. Raises NotFound for any other request."""
    access = request.access
    if request.method == "POST" and services().index.namespace_exists(access=access, name=key.namespace):
        return gone(request, key, Problem.GONE, request.POST.dict())
    raise NotFound(str(key))


def gone(
    request: ConsoleRequest, key: Key, problem: Problem, typed: Mapping[str, str] | None = None
) -> HttpResponse:
    """The dialog for a registry that was or is being deleted, or was replaced, with the texts that were typed. It
    refreshes the list."""
    lost = [
        (labels.FIELDS[name], typed[name])
        for name in INFORMATION
        if typed and typed.get(name) and typed[name] != typed.get(f"seen_{name}", "")
    ]
    context = {"key": key, "text": problem_text(problem), "lost": lost}
    response = dialog(request, "registry/_gone.html", context, status=409, title=key.name)
    return trigger_client_event(response, "registries-changed", {})
