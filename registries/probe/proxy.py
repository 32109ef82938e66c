"""Through which proxy a host is reached, and which hosts without one. Imports host.py, fault.py, policy.py."""

import ipaddress
from urllib.parse import urlsplit

from .fault import Fault
from .host import HostError, is_ip, parse_port
from .policy import Policy
from .reason import Reason


def proxy_for(policy: Policy, host: str, port: int) -> str | None:
    """The URL of the proxy for a host (lower case, IPv6 without brackets), None for none."""
    if not policy.proxy or _is_here(host) or any(_exempt(host, port, entry) for entry in policy.no_proxy):
        return None
    return policy.proxy if "://" in policy.proxy else f"http://{policy.proxy}"


def proxy_address(proxy: str) -> tuple[str, int]:
    """Host and port of a proxy. Fault(PROXY_ERROR) unless it is an http:// proxy: through one of any other
    kind urllib3 would open connections of its own, past all that was judged."""
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host = None
    if not host or parts.scheme != "http":
        raise Fault(Reason.PROXY_ERROR, cause="bad_proxy")
    return host, port


def _is_here(host: str) -> bool:
    """localhost and loopback addresses, which a proxy would take for its own."""
    if is_ip(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _exempt(host: str, port: int, entry: str) -> bool:
    """Whether an entry of no_proxy means this host, as Go and so the nodes have it (golang.org/x/net,
    httpproxy.Config): `*`, a name with its subdomains (with or without a leading dot), an address, a
    network, each but the first and the last with or without a port."""
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
    name = name.lstrip(".").removesuffix(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _in_network(host: str, entry: str) -> bool | None:
    """Whether an address lies in a network such as 10.0.0.0/8; None if the entry is no network."""
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
