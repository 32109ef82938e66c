"""Which proxy a host is reached through, if any."""

import ipaddress
from urllib.parse import urlsplit

from registries.addresses.host import HostError, is_ip, parse_port

from .fault import Fault
from .policy import Policy
from .reason import Reason


def proxy_for(policy: Policy, host: str, port: int) -> str | None:
    """The URL of the proxy for a host (lower case, IPv6 without brackets), or None."""
    if not policy.proxy or _is_here(host) or any(_exempt(host, port, entry) for entry in policy.no_proxy):
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


def _is_here(host: str) -> bool:
    """localhost and loopback addresses, which on a proxy would mean the proxy itself."""
    if is_ip(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _exempt(host: str, port: int, entry: str) -> bool:
    """Whether an entry of no_proxy matches this host, by the rules of Go, which the nodes use (golang.org/x/net,
    httpproxy.Config). An entry is `*`, a name that includes its subdomains (with or without a leading dot), an
    address, or a network. Names and addresses may have a port."""
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
