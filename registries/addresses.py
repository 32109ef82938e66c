"""Addresses of registries: what an operator types, and the form that is stored; host names and ports, also as a
server writes them."""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import idna

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
_PLAIN = re.compile(r"[A-Za-z0-9.:/@_-]+")
_COMMAND = re.compile(
    r"(?:^|\s)(?:(?:docker|podman|nerdctl|buildah|skopeo|crane|helm|oras|crictl)\s|--?(?:u|p|username|password)\b)"
)
_HARMLESS_PATHS = frozenset({"", "/", "/v1", "/v1/", "/v2", "/v2/"})
_LONGEST_TEXT = 2048
_PORTS = {"https": 443, "http": 80}

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_LABEL_OF_A_SERVER = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_FULL_WIDTH = "：／＠？＃＼［］％＿"
_LABEL_MAX = 63
_HOST_MAX = 253
_TEXT_MAX = 1024  # before IDNA, whose cost grows with the length
PATH_IGNORED = "path_ignored"
DOCKER_HUB_HTTPS = "docker_hub_https"


class AddressError(ValueError):
    """An address that cannot be used. `problem` is a stable code with a text in remarks.ADDRESS_PROBLEMS. `part`
    is the wrong piece, cleaned and short, or ''. `place` is that of the wrong character, from 1 on and without the
    blanks around the address; 0 where no single one is wrong."""

    def __init__(self, problem: str, part: str = "", place: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.part = part
        self.place = place


@dataclass(frozen=True, slots=True)
class Address:
    """Where a registry is. `scheme` is https unless http was typed. `host` is lower-case ASCII, IPv6 without
    brackets. `port` is None unless it was typed. `warnings` holds codes of remarks.WARNINGS."""

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
    if len(text) > 4 * _LONGEST_TEXT:  # whatever is around it
        raise AddressError("too_long")
    text = _stripped(text)
    if len(text) > _LONGEST_TEXT:
        raise AddressError("too_long")
    _refuse_characters(text)
    scheme, rest = _split_scheme(text)
    authority, slash, tail = rest.partition("/")
    if not authority:
        raise AddressError("empty")
    host = parse_host_port(authority)
    warnings = () if slash + tail in _HARMLESS_PATHS else (PATH_IGNORED,)
    if host.port is None and host.name in _DOCKER_HUB_ALIASES and scheme == "http":
        # Every alias means https://registry-1.docker.io, also with http:// in front of it.
        scheme, warnings = "https", (*warnings, DOCKER_HUB_HTTPS)
    return Address(scheme, host.name, host.port, warnings)


def may_hold_password(text: str) -> bool:
    """Whether a text that was typed as an address may have a password in it: a whole command, or user:password@host."""
    return "@" in text or bool(_COMMAND.search(text))


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
    if _PLAIN.fullmatch(text):
        return
    for place, character in enumerate(text, 1):
        category = unicodedata.category(character)
        if character.isspace() or category.startswith("Z"):
            if _COMMAND.search(text):
                raise AddressError("whole_command")
            raise AddressError("whitespace_inside", place=place)
        if category in {"Cc", "Cf", "Cs", "Co", "Cn"}:
            raise AddressError("control_character", f"U+{ord(character):04X}", place)
        if character == "\\":
            raise AddressError("backslash", place=place)
        if character in "?#":
            raise AddressError("query_or_fragment", character, place)


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


@dataclass(frozen=True, slots=True)
class Host:
    """`name` is lower-case ASCII, an IPv6 address without brackets. `port` is None if none was written."""

    name: str
    port: int | None = None


def netloc(name: str, port: int | None) -> str:
    """host[:port] from a name without brackets and an optional port. IPv6 gets brackets (RFC 3986, 3.2.2)."""
    bracketed = f"[{name}]" if ":" in name else name
    return bracketed if port is None else f"{bracketed}:{port}"


def is_ip(name: str) -> bool:
    """Whether `name` is an IPv4 or unbracketed IPv6 literal."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def parse_host_port(text: str, *, underscore: bool = False) -> Host:
    """Parses host[:port]; AddressError otherwise. `underscore` allows names such as `token_service`: a realm may
    contain them, an operator may not type them (connection-test.md, "Address")."""
    if len(text) > _TEXT_MAX:
        raise AddressError("too_long")
    if not text.isascii() and any(character in _FULL_WIDTH for character in text):
        raise AddressError("full_width", next(c for c in text if c in _FULL_WIDTH))
    if "@" in text:
        raise AddressError("user_info")
    if text.startswith("["):
        return _bracketed(text)
    if text.count(":") >= 2:
        return Host(_ipv6(text))
    name, colon, port = text.partition(":")
    parsed = parse_port(port) if colon else None
    return Host(_host_name(name, underscore), parsed)


def parse_port(text: str) -> int:
    """A port from 1 to 65535 in 1 to 5 ASCII digits, or AddressError('bad_port')."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise AddressError("bad_port", text[:20])
    return int(text)


def _bracketed(text: str) -> Host:
    inside, closing, rest = text[1:].partition("]")
    if not closing:
        raise AddressError("bad_ip", text[:60])
    name = _ipv6(inside)
    if not rest:
        return Host(name)
    if not rest.startswith(":"):
        raise AddressError("bad_port", rest[:20])
    return Host(name, parse_port(rest[1:]))


def _ipv6(text: str) -> str:
    if "%" in text:
        raise AddressError("zone_id", text[:60])
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise AddressError("bad_ip", text[:60]) from None


def _host_name(text: str, underscore: bool) -> str:
    """The name in lower-case ASCII."""
    if not text.isascii():
        text = _remapped(text)
    name = text.lower().removesuffix(".")
    if not name:
        raise AddressError("empty")
    if "_" in name and not underscore:
        raise AddressError("underscore")
    labels = [_ascii_label(label, underscore) for label in name.split(".")]
    ascii_name = ".".join(labels)
    if len(ascii_name) > _HOST_MAX:
        raise AddressError("too_long")
    _refuse_odd_numbers(ascii_name, labels[-1])
    return ascii_name


def _remapped(text: str) -> str:
    """UTS-46 mapping. It also turns ideographic full stops into dots and ① into 1."""
    try:
        return idna.uts46_remap(text, std3_rules=False, transitional=False)
    except idna.IDNAError:
        raise AddressError("bad_label", text[:60]) from None


def _ascii_label(label: str, underscore: bool) -> str:
    shown = label[:_LABEL_MAX]
    # Only internationalized labels go through IDNA. It would refuse existing names such as r3---sn.
    if not label.isascii() or label.startswith("xn--"):
        try:
            label = idna.alabel(label).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise AddressError("bad_label", shown) from None
    if len(label) > _LABEL_MAX:
        raise AddressError("too_long", shown)
    if not (_LABEL_OF_A_SERVER if underscore else _LABEL).fullmatch(label):
        raise AddressError("bad_label", shown)
    return label


def _refuse_odd_numbers(name: str, last_label: str) -> None:
    """inet_aton(3) accepts `127.1`, `2130706433` and `0x7f000001` as addresses. Here only a dotted quad is one."""
    if last_label.isdigit() or last_label.startswith("0x"):
        try:
            ipaddress.IPv4Address(name)
        except ValueError:
            raise AddressError("bad_ip", name[:60]) from None


def split_url(text: str) -> SplitResult:
    """The parts of a URL that a client sent. A text that Python takes for none has no parts."""
    try:
        return urlsplit(text)
    except ValueError:
        return SplitResult("", "", "", "", "")
