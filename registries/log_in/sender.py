"""Who sent a request: the IP address of its client, also behind a proxy, and what the server and a request tell each
other. Imports no models: the server itself needs it."""

import re
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

PERSON, LATE = "console.person", "console.late"
"""Keys of the WSGI environment, between a request and the server. PERSON: whose credential the request has, "" if it is
not valid; missing if nobody looked. LATE: the request has waited too long for a thread, and is to be refused."""
IPV6_PREFIX = 64
"""One client usually has all addresses of such a prefix."""
_X_FORWARDED_FOR, _FORWARDED = (
    re.compile(rb"\r\n%s:[ \t]*([^\r\n]*)" % name, re.IGNORECASE)
    for name in (b"x-forwarded-for", b"forwarded")
)


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


def network(source: str) -> str:
    """The IPv6 prefix of an address. Other addresses as they are."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, IPV6_PREFIX), strict=False))
