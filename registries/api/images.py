"""The images that pods run, to choose one for verify."""

from django.http import HttpRequest, HttpResponse

from registries.api.callers import Caller
from registries.api.status import answer
from registries.domain.errors import NotFound
from registries.domain.metadata import name_problem
from registries.domain.registry import Key
from registries.domain.resource import API_VERSION
from registries.wiring import services


def list_images(caller: Caller, request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    """Of the stored registry, or of the address in `domain`. `listed` is false where pods cannot be listed."""
    images, domain = services().images, request.GET.get("domain", "").strip()
    if domain:
        found = images.of_host(access=caller.access, namespace=namespace, address=domain)
    elif name_problem(name):
        raise NotFound(name)
    else:
        found = images.of_pods(access=caller.access, key=Key(namespace, name))
    items = [{"image": it} for it in found or ()]
    return answer(
        {
            "apiVersion": API_VERSION,
            "kind": "ImageList",
            "items": items,
            "totalItems": len(items),
            "listed": found is not None,
        }
    )
