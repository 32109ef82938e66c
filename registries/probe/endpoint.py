"""Absolute http(s) URLs that a server sends in a realm or a redirect."""

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode, urljoin

from registries.addresses import AddressError, netloc, parse_host_port

_PORTS = {"https": 443, "http": 80}
_ABSOLUTE = re.compile(r"(https?)://([^/?#\\]+)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE)
# RFC 3986's characters plus %, so that encoded characters stay as they are.
_KEPT = "/:@!$&'()*+,;=~-._%?"


class EndpointError(ValueError):
    """The text is not an absolute http(s) URL, or it contains user info."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL in parts. `host` is lower-case ASCII, IPv6 without brackets. `port` is always set. `path` is at least
    '/'. `query` has no question mark."""

    scheme: str
    host: str
    port: int
    path: str = "/"
    query: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454). Another port is another origin."""
        return (self.scheme, self.host, self.port)

    @property
    def netloc(self) -> str:
        """host[:port], with the port only if it is not the scheme's default."""
        return netloc(self.host, None if self.port == _PORTS[self.scheme] else self.port)

    @property
    def target(self) -> str:
        """Path and query, as in a request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"

    @property
    def no_manifest(self) -> "Endpoint":
        """Below this /v2/: a manifest that no registry has."""
        return replace(self, path=f"{self.path.rstrip('/')}/registry-console/none/manifests/none")

    def with_query(self, parameters: dict[str, str]) -> "Endpoint":
        """A copy with parameters appended to its query."""
        added = urlencode(parameters)
        return replace(self, query=f"{self.query}&{added}" if self.query else added)

    def resolve(self, location: str) -> "Endpoint":
        """The target of a Location header in a response from this URL (RFC 9110, 10.2.2), or EndpointError."""
        try:
            return parse_endpoint(urljoin(self.url, location))
        except ValueError:
            raise EndpointError(location[:200]) from None


def parse_endpoint(text: str) -> Endpoint:
    """Parses an absolute http(s) URL without user info and drops its fragment; EndpointError otherwise. Unusual
    numeric hosts (`0x7f.1`) are refused as in addresses. Underscores are allowed: some servers have such names."""
    if " " in text or not text.isprintable():
        raise EndpointError("white space or control character")
    match = _ABSOLUTE.fullmatch(text)
    if match is None:
        raise EndpointError("not an absolute http(s) URL")
    scheme, authority, path, query = match[1].lower(), match[2], match[3], match[4] or ""
    try:
        host = parse_host_port(authority, underscore=True)
    except AddressError as error:
        raise EndpointError(error.problem) from None
    return Endpoint(
        scheme,
        host.name,
        host.port or _PORTS[scheme],
        quote(path or "/", safe=_KEPT),
        quote(query, safe=_KEPT),
    )
