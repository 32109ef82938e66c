"""Which proxy a host is reached through, if any, and its tunnels."""

import base64
import ipaddress
import re
import socket
from urllib.parse import unquote, urlsplit

from registries.addresses import is_ip

from .deadline import Deadline
from .fault import Fault
from .policy import Policy
from .reason import Reason

_LONGEST_HEAD = 16 * 1024
_HOST_PORT = re.compile(r"(?:(?P<name>[^\[\]:]*)|\[(?P<ipv6>[^\[\]]*)\]):(?P<port>[^\[\]:]*)")
"""As net.SplitHostPort of Go."""
_MAPPED = 96
"""Bits of ::ffff:0:0/96, which has the IPv4 addresses."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?!\d)")


def proxy_for(policy: Policy, host: str, port: int) -> str | None:
    """The URL of the proxy for a host (lower case, IPv6 without brackets), or None."""
    if not policy.proxy or is_here(host) or any(host_matches(host, port, entry) for entry in policy.no_proxy):
        return None
    return policy.proxy if "://" in policy.proxy else f"http://{policy.proxy}"


def proxy_address(proxy: str) -> tuple[str, int]:
    """Host and port of a proxy. Fault(PROXY_ERROR) unless it is an http:// proxy: no other kind is spoken here."""
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host = None
    if not host or parts.scheme != "http":
        raise Fault(Reason.PROXY_ERROR, cause="bad_proxy")
    return host, port


def proxy_login(proxy: str) -> dict[str, str]:
    """The header with the user name and password of a proxy's URL, if it has any."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(login).decode()}"}


def open_tunnel(
    connection: socket.socket, proxy: str, target: str, deadline: Deadline, seconds: float
) -> None:
    """Asks a proxy for a tunnel to host:port (RFC 9110, 9.3.6). Fault(PROXY_ERROR) unless it answers with 2xx.
    Each read takes at most `seconds`."""
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    lines += [f"{name}: {value}" for name, value in proxy_login(proxy).items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < _LONGEST_HEAD:
        deadline.limit(connection, seconds)
        piece = connection.recv(1)  # not one byte of what comes after the head
        if not piece:
            break
        head += piece
    status = _STATUS.match(head)
    if status is None or not head.endswith(b"\r\n\r\n") or not status[1].startswith(b"2"):
        said = f"Tunnel connection failed: {status[1].decode()}" if status else ""
        raise Fault(Reason.PROXY_ERROR, said, cause="proxy_refuses" if status else None)


def is_here(host: str) -> bool:
    """localhost and loopback addresses, which on a proxy would mean the proxy itself."""
    if is_ip(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def host_matches(host: str, port: int, entry: str) -> bool:
    """Whether an entry of a list of hosts matches this host, exactly as in Go's lists for no_proxy, which the nodes use
    (golang.org/x/net, httpproxy.Config). An entry is `*`, a name that includes its subdomains, `.name` or `*.name`
    for the subdomains only, an address, or a network. Names and addresses may have a port. An entry that nodes cannot
    read matches nothing, such as a name with a final dot, or [address] without a port."""
    entry = entry.strip().lower()
    if entry == "*":
        return True
    if (network := _network(entry)) is not None:
        return is_ip(host) and _plain(host) in network
    found = _HOST_PORT.fullmatch(entry)
    name, wanted = (found["name"] or found["ipv6"] or "", found["port"]) if found else (entry, "")
    if not name or wanted not in ("", str(port)):
        return False
    if is_ip(name):
        return is_ip(host) and _plain(host) == _plain(name)
    if name.startswith("*."):
        name = name[1:]
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address; for Go, an IPv4 address inside IPv6 is the IPv4 address."""
    read = ipaddress.ip_address(address)
    return getattr(read, "ipv4_mapped", None) or read


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network of an entry such as 10.0.0.0/8."""
    address, _, bits = entry.partition("/")
    if not (bits.isascii() and bits.isdigit() and is_ip(address)):
        return None
    try:
        read = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None
    inside = ipaddress.ip_address(address) != _plain(address) and read.prefixlen >= _MAPPED
    return ipaddress.ip_network((_plain(address), read.prefixlen - _MAPPED), strict=False) if inside else read
