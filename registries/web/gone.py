"""The answer for a registry that was deleted while somebody worked with it."""

from collections.abc import Mapping

from django.http import HttpResponse
from django_htmx.http import trigger_client_event

from registries.domain.errors import NotFound, Problem
from registries.domain.registry import INFORMATION, Key
from registries.log_in.access import ConsoleRequest
from registries.web.responses import dialog
from registries.wiring import services
from registries.words import labels
from registries.words.problems import problem_text


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
