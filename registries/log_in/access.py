"""The access of a request's person, as attributes of the request; the IP address of a client, also behind a proxy."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from registries.domain.access import Access
from registries.wiring import services


class ConsoleRequest(HttpRequest):
    """A request that passed AccessMiddleware. Reading an attribute raises Unavailable when the cluster cannot say."""

    access: Access
    """The person's access. Empty without a session."""
    acting_access: Access
    """The access for the controls of the page: read-only while the store is away."""


class AccessMiddleware:
    """Sets `access` and `acting_access`, each computed on first use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = cast(ConsoleRequest, request)
        known.access = cast(Access, SimpleLazyObject(lambda: _access(request)))
        known.acting_access = cast(Access, SimpleLazyObject(lambda: _acting(known.access)))
        return self.get_response(request)


def _access(request: HttpRequest) -> Access:
    return services().people.access_of(request.user, client_address(request))


def _acting(access: Access) -> Access:
    return access.looking_only if services().index.freshness().problem else access


def client_address(request: HttpRequest) -> str:
    """The client's IP address; behind a proxy, the address that the last proxy reports in X-Forwarded-For or, without
    it, in Forwarded (RFC 7239)."""
    if settings.BEHIND_PROXY:
        reported = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded := reported or _forwarded_for(request.headers.get("Forwarded", "")):
            return _one_address(forwarded)
    return _one_address(str(request.META.get("REMOTE_ADDR", "")))


def _forwarded_for(header: str) -> str:
    """The `for` of the last element. An address has no comma, so an open quote of a client cannot hide the element."""
    for pair in header.rpartition(",")[2].split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip()
    return ""


def _one_address(text: str) -> str:
    """One spelling for an address, without port, brackets, quotes and zone; IPv4 inside IPv6 is IPv4. Every other text
    is `unknown`: an identifier of a proxy may be new for each request (RFC 7239, 6.3), and would never be locked."""
    text = text[:100].strip(' \t"')
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    without_port = bare.rpartition(":")[0] if bare.count(":") in (1, 8) else bare
    for candidate in (bare, without_port):
        try:
            found = ip_address(candidate.partition("%")[0].strip())
        except ValueError:
            continue
        return str(getattr(found, "ipv4_mapped", None) or found)
    return "unknown" if text else ""
