"""Which proxy a host is reached through, if any, and its tunnels."""

import base64
import ipaddress
import re
import socket
from urllib.parse import unquote, urlsplit

from registries.addresses.host import HostError, is_ip, parse_port

from .deadline import Deadline
from .fault import Fault
from .policy import Policy
from .reason import Reason

_LONGEST_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?!\d)")


def proxy_for(policy: Policy, host: str, port: int) -> str | None:
    """The URL of the proxy for a host (lower case, IPv6 without brackets), or None."""
    if not policy.proxy or is_here(host) or any(host_matches(host, port, entry) for entry in policy.no_proxy):
        return None
    return policy.proxy if "://" in policy.proxy else f"http://{policy.proxy}"


def proxy_address(proxy: str) -> tuple[str, int]:
    """Host and port of a proxy. Fault(PROXY_ERROR) unless it is an http:// proxy: for other kinds urllib3 would
    open connections that the address guard has not checked."""
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
    """Whether an entry of a list of hosts matches this host, by the rules of Go for no_proxy, which the nodes use
    (golang.org/x/net, httpproxy.Config). An entry is `*`, a name that includes its subdomains, `.name` or `*.name`
    for the subdomains only, an address, or a network. Names and addresses may have a port."""
    entry = entry.strip().lower()
    if entry == "*":
        return True
    if is_ip(host) and (found := _in_network(host, entry)) is not None:
        return found
    name, wanted = _split_port(entry)
    if wanted not in (None, port):
        return False
    if is_ip(host):
        return is_ip(name) and ipaddress.ip_address(host) == ipaddress.ip_address(name)
    name = name.removesuffix(".")
    if name.startswith("*."):
        name = name[1:]
    if name.startswith("."):
        return len(name) > 1 and host.endswith(name)
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _in_network(host: str, entry: str) -> bool | None:
    """Whether an address is in a network such as 10.0.0.0/8. None if the entry is not a network."""
    if "/" not in entry:
        return None
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        digits = rest.removeprefix(":")
    elif is_ip(entry):
        return entry, None
    else:
        name, _, digits = entry.partition(":")
    try:
        return name, parse_port(digits) if digits else None
    except HostError:
        return "", None  # matches nothing
