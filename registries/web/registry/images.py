"""测试拉取镜像 (test an image): the images that pods run, as choices."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registries.domain.registry import Key
from registries.log_in.access import ConsoleRequest
from registries.wiring import services

CHOICES = 12
"""Images that are offered."""


@require_safe
def choices(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The images of this registry that pods of the namespace run, as buttons."""
    images = services().images.of_pods(access=request.access, key=Key(namespace, name))
    return _choices(request, images)


@require_safe
def typed_choices(request: ConsoleRequest) -> HttpResponse:
    """The same for the typed address and the chosen namespace of the add dialog. A choice fills the field."""
    namespace, address = (request.GET.get(it, "").strip() for it in ("namespace", "domain"))
    images = services().images.of_host(access=request.access, namespace=namespace, address=address)
    return _choices(request, images, typed=True)


def _choices(request: ConsoleRequest, images: tuple[str, ...] | None, *, typed: bool = False) -> HttpResponse:
    found = images or ()
    context = {"images": found[:CHOICES], "more": max(0, len(found) - CHOICES), "typed": typed}
    return render(request, "lists/_image_choices.html", context)
