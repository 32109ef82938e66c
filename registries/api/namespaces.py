"""The namespaces that the caller may see, with counts."""

from django.http import HttpRequest, HttpResponse

from registries.api.callers import Caller
from registries.api.status import answer
from registries.domain.resource import API_VERSION
from registries.wiring import services


def list_namespaces(caller: Caller, request: HttpRequest) -> HttpResponse:
    tallies = services().index.tallies(access=caller.access)
    items = [
        {
            "name": name,
            "registries": tally.total,
            "success": tally.success,
            "failed": tally.failed,
            "untested": tally.untested,
            "permissions": sorted(caller.access.permissions(name)),
        }
        for name, tally in tallies.items()
    ]
    return answer(
        {"apiVersion": API_VERSION, "kind": "NamespaceList", "items": items, "totalItems": len(items)}
    )
