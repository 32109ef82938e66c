"""Host names and ports, as an operator or a server writes them."""

import ipaddress
import re
from dataclasses import dataclass

import idna

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_LABEL_OF_A_SERVER = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_FULL_WIDTH = "：／＠？＃＼［］％＿"
_LABEL_MAX = 63
_HOST_MAX = 253
_TEXT_MAX = 1024  # before IDNA, whose cost grows with the length


class HostError(ValueError):
    """A host or port that cannot be used. `problem` is a stable code. `part` is the wrong piece or ''."""

    def __init__(self, problem: str, part: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.part = part


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
    """Parses host[:port]; HostError otherwise. `underscore` allows names such as `token_service`: a realm may
    contain them, an operator may not type them (connection-test.md, "Address")."""
    if len(text) > _TEXT_MAX:
        raise HostError("too_long")
    if any(character in _FULL_WIDTH for character in text):
        raise HostError("full_width", next(c for c in text if c in _FULL_WIDTH))
    if "@" in text:
        raise HostError("user_info")
    if text.startswith("["):
        return _bracketed(text)
    if text.count(":") >= 2:
        return Host(_ipv6(text))
    name, colon, port = text.partition(":")
    parsed = parse_port(port) if colon else None
    return Host(_host_name(name, underscore), parsed)


def parse_port(text: str) -> int:
    """A port from 1 to 65535 in 1 to 5 ASCII digits, or HostError('bad_port')."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise HostError("bad_port", text[:20])
    return int(text)


def _bracketed(text: str) -> Host:
    inside, closing, rest = text[1:].partition("]")
    if not closing:
        raise HostError("bad_ip", text[:60])
    name = _ipv6(inside)
    if not rest:
        return Host(name)
    if not rest.startswith(":"):
        raise HostError("bad_port", rest[:20])
    return Host(name, parse_port(rest[1:]))


def _ipv6(text: str) -> str:
    if "%" in text:
        raise HostError("zone_id", text[:60])
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise HostError("bad_ip", text[:60]) from None


def _host_name(text: str, underscore: bool) -> str:
    """The name in lower-case ASCII."""
    if not text.isascii():
        text = _remapped(text)
    name = text.lower().removesuffix(".")
    if not name:
        raise HostError("empty")
    if "_" in name and not underscore:
        raise HostError("underscore")
    labels = [_ascii_label(label, underscore) for label in name.split(".")]
    ascii_name = ".".join(labels)
    if len(ascii_name) > _HOST_MAX:
        raise HostError("too_long")
    _refuse_odd_numbers(ascii_name, labels[-1])
    return ascii_name


def _remapped(text: str) -> str:
    """UTS-46 mapping. It also turns ideographic full stops into dots and ① into 1."""
    try:
        return idna.uts46_remap(text, std3_rules=False, transitional=False)
    except idna.IDNAError:
        raise HostError("bad_label", text[:60]) from None


def _ascii_label(label: str, underscore: bool) -> str:
    shown = label[:_LABEL_MAX]
    # Only internationalized labels go through IDNA. It would refuse existing names such as r3---sn.
    if not label.isascii() or label.startswith("xn--"):
        try:
            label = idna.alabel(label).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise HostError("bad_label", shown) from None
    if len(label) > _LABEL_MAX:
        raise HostError("too_long", shown)
    if not (_LABEL_OF_A_SERVER if underscore else _LABEL).fullmatch(label):
        raise HostError("bad_label", shown)
    return label


def _refuse_odd_numbers(name: str, last_label: str) -> None:
    """inet_aton(3) accepts `127.1`, `2130706433` and `0x7f000001` as addresses. Here only a dotted quad is one."""
    if last_label.isdigit() or last_label.startswith("0x"):
        try:
            ipaddress.IPv4Address(name)
        except ValueError:
            raise HostError("bad_ip", name[:60]) from None
