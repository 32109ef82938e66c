"""Registry addresses: parsing what an operator types, and the form that is stored."""

import re
import unicodedata
from dataclasses import dataclass

from .host import Host, HostError, netloc, parse_host_port

DOCKER_HUB = "docker.io"
DOCKER_HUB_HOST = "registry-1.docker.io"
_DOCKER_HUB_ALIASES = frozenset(
    {
        DOCKER_HUB,
        "index.docker.io",
        "hub.docker.com",
        "registry.hub.docker.com",
        DOCKER_HUB_HOST,
        "www.docker.com",
    }
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HARMLESS_PATHS = frozenset({"", "/", "/v1", "/v1/", "/v2", "/v2/"})
_LONGEST_TEXT = 2048
_PORTS = {"https": 443, "http": 80}

PATH_IGNORED = "path_ignored"
DOCKER_HUB_HTTPS = "docker_hub_https"


class AddressError(ValueError):
    """An address that cannot be used. `problem` is a stable code with a text in catalogue.ADDRESS_PROBLEMS. `part`
    is the wrong piece, cleaned and short, or ''."""

    def __init__(self, problem: str, part: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.part = part


@dataclass(frozen=True, slots=True)
class Address:
    """Where a registry is. `scheme` is https unless http was typed. `host` is lower-case ASCII, IPv6 without
    brackets. `port` is None unless it was typed. `warnings` holds codes of catalogue.WARNINGS."""

    scheme: str
    host: str
    port: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def canonical(self) -> str:
        """The value of spec.domain: host[:port], and `docker.io` for every name of Docker Hub (api.md)."""
        return DOCKER_HUB if self.is_docker_hub else netloc(self.host, self.port)

    @property
    def plain_http(self) -> bool:
        return self.scheme == "http"

    @property
    def is_docker_hub(self) -> bool:
        return self.port is None and self.host in _DOCKER_HUB_ALIASES

    @property
    def registry_url(self) -> str:
        """The origin to send requests to, without a trailing slash."""
        if self.is_docker_hub:
            return f"https://{DOCKER_HUB_HOST}"
        return f"{self.scheme}://{netloc(self.host, self.port)}"

    @property
    def origin(self) -> str:
        """host:port, always with a port. Two addresses of the same registry have the same origin."""
        host = DOCKER_HUB_HOST if self.is_docker_hub else self.host
        return netloc(host, self.port or _PORTS[self.scheme])


def parse_address(text: str) -> Address:
    """Parses what an operator typed; AddressError if it is not an address. Sends no DNS request.

    The scheme is https unless `http://` was typed. A path is ignored with a warning. Names follow UTS-46, IP
    addresses must be in their normal form (connection-test.md, "Address").
    """
    text = _stripped(text)
    if len(text) > _LONGEST_TEXT:
        raise AddressError("too_long")
    _refuse_characters(text)
    scheme, rest = _split_scheme(text)
    authority, slash, tail = rest.partition("/")
    if not authority:
        raise AddressError("empty")
    host = _host(authority)
    warnings = () if slash + tail in _HARMLESS_PATHS else (PATH_IGNORED,)
    if host.port is None and host.name in _DOCKER_HUB_ALIASES and scheme == "http":
        # Every alias means https://registry-1.docker.io, also with http:// in front of it.
        scheme, warnings = "https", (*warnings, DOCKER_HUB_HTTPS)
    return Address(scheme, host.name, host.port, warnings)


def _stripped(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_outer_blank(text[start]):
        start += 1
    while end > start and _is_outer_blank(text[end - 1]):
        end -= 1
    if start == end:
        raise AddressError("empty")
    return text[start:end]


def _is_outer_blank(character: str) -> bool:
    return character.isspace() or character == "\ufeff"


def _refuse_characters(text: str) -> None:
    for character in text:
        category = unicodedata.category(character)
        if character.isspace() or category.startswith("Z"):
            raise AddressError("whitespace_inside")
        if category in {"Cc", "Cf", "Cs", "Co", "Cn"}:
            raise AddressError("control_character", f"U+{ord(character):04X}")
        if character == "\\":
            raise AddressError("backslash")
        if character in "?#":
            raise AddressError("query_or_fragment", character)


def _split_scheme(text: str) -> tuple[str, str]:
    match = _SCHEME.match(text)
    if match is None:
        # https:host and http:/host are typing mistakes. A host named "https" with a port is unlikely.
        if re.match(r"https?:(?![0-9]+(/|$))", text, re.IGNORECASE):
            raise AddressError("bad_scheme", text.partition(":")[0].lower())
        return "https", text
    scheme = match[1].lower()
    if scheme not in _PORTS:
        raise AddressError("bad_scheme", scheme[:20])
    return scheme, text[match.end() :]


def _host(authority: str) -> Host:
    try:
        return parse_host_port(authority)
    except HostError as error:
        raise AddressError(error.problem, error.part) from None
