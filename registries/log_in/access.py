"""The access of a request's person, as attributes of the request; the IP address of a client, also behind a proxy."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from registries.domain.access import Access
from registries.domain.errors import Problem, TooManyRequests
from registries.log_in.throttle import network
from registries.wiring import services

PERSON, LATE = "console.person", "console.late"
"""Keys of the WSGI environment, between a request and the server. PERSON: whose credential the request has, "" if it is
not valid; missing if nobody looked. LATE: the request has waited too long for a thread, and is to be refused."""

PAUSE = 5
"""Seconds until a sender of too many requests tries again."""
_X_FORWARDED_FOR, _FORWARDED = (
    re.compile(rb"\r\n%s:[ \t]*([^\r\n]*)" % name, re.IGNORECASE)
    for name in (b"x-forwarded-for", b"forwarded")
)


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
    access = services().people.access_of(request.user, client_address(request))
    request.META[PERSON] = access.owner if request.user.is_authenticated else ""
    return access


def _acting(access: Access) -> Access:
    return access.looking_only if services().index.freshness().problem else access


def too_many_at_once() -> TooManyRequests:
    """The error of a request that is LATE."""
    return TooManyRequests(retry_after=PAUSE, problem=Problem.TOO_MANY_AT_ONCE)


def client_address(request: HttpRequest) -> str:
    """The client's IP address; behind a proxy, the address that the last proxy reports in X-Forwarded-For or, without
    it, in Forwarded (RFC 7239)."""
    headers = request.headers
    return _address(
        headers.get("X-Forwarded-For", ""),
        headers.get("Forwarded", ""),
        str(request.META.get("REMOTE_ADDR", "")),
    )


def sender_address(head: bytes, client: object) -> str:
    """The same for the head of a request that is not parsed yet, and the client of its connection. IPv6 addresses of
    one client count as one."""
    remote = str(client[0]) if isinstance(client, tuple) else ""
    return network(_address(_told(_X_FORWARDED_FOR, head), _told(_FORWARDED, head), remote))


def _told(header: re.Pattern[bytes], head: bytes) -> str:
    return b",".join(header.findall(head)).decode("latin-1")


def _address(x_forwarded_for: str, forwarded: str, remote: str) -> str:
    if settings.BEHIND_PROXY:
        reported = x_forwarded_for.rpartition(",")[2].strip()
        if told := reported or _forwarded_for(forwarded):
            return _one_address(told)
    return _one_address(remote)


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
