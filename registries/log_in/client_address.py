"""The IP address of a client, also behind a proxy."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


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
