"""The address guard: names are looked up within a time limit, and which IP addresses may be connected to
(connection-test.md, "Before connecting").
"""

import _thread
import ipaddress
import queue
import socket
from collections.abc import Iterator, Sequence
from enum import IntEnum

from registries.addresses import is_ip

from .fault import Fault
from .policy import Policy, Resolver
from .reason import Reason

_NEVER = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "169.254.0.0/16",  # link-local, most clouds' metadata
        "192.0.0.0/24",  # protocol assignments, Oracle's metadata
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "100.100.100.200/32",  # Aliyun's metadata
        "168.63.129.16/32",  # Azure's wire server
        "::/128",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
        "fd00:ec2::254/128",  # AWS's metadata
        "fd00:ec2::23/128",  # AWS's credentials of pods
        "fd20:ce::254/128",  # Google's metadata
        "fd00:42::42/128",  # Scaleway's metadata
        "fd00:c1::a9fe:a9fe/128",  # Oracle's metadata
    )
]
_LOOPBACK = [ipaddress.ip_network(text) for text in ("127.0.0.0/8", "::1/128")]
_LOCALHOST = ("127.0.0.1", "::1")
_PRIVATE = [
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
# Networks whose last 32 bits are an IPv4 address: compatible, mapped, translated (RFC 2765) and NAT64 (RFC
# 6052).
_LAST_32_BITS = [
    ipaddress.IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
]
_SITE_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")  # RFC 8215
_THIS_HOST = ipaddress.IPv4Network("0.0.0.0/8")
_6TO4 = ipaddress.IPv6Network("2002::/16")
_TEREDO = ipaddress.IPv6Network("2001::/32")


class AddressClass(IntEnum):
    """A class of IP addresses. A larger value needs more permission."""

    PUBLIC = 0
    PRIVATE = 1
    LOOPBACK = 2
    NEVER = 3


def classify(ip: str) -> AddressClass:
    """The class of an IP address; a scope id is allowed. For an IPv6 address that contains IPv4 addresses (RFC
    4291, 3056, 4380, 6052) the strictest class counts. ValueError if `ip` is not an IP address."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    own = _own_class(address)
    if own is AddressClass.LOOPBACK or isinstance(address, ipaddress.IPv4Address):
        return own
    return max([own, *(_own_class(inner) for inner in _embedded(address))])


def first_refused(addresses: Sequence[str], policy: Policy) -> str | None:
    """The first address that the policy does not allow for a registry, or None."""
    return next((ip for ip in addresses if not _allowed(classify(ip), policy)), None)


def first_refused_for_realm(addresses: Sequence[str], registry: AddressClass, policy: Policy) -> str | None:
    """The first address that is not allowed for a token service, or None. Loopback is allowed only if the registry
    is on loopback, a private address only if the registry is not public."""
    for ip in addresses:
        realm = classify(ip)
        to_loopback = realm is AddressClass.LOOPBACK and registry is not AddressClass.LOOPBACK
        to_private = realm is AddressClass.PRIVATE and registry is AddressClass.PUBLIC
        if not _allowed(realm, policy) or to_loopback or to_private:
            return ip
    return None


def _allowed(address_class: AddressClass, policy: Policy) -> bool:
    return {
        AddressClass.PUBLIC: True,
        AddressClass.PRIVATE: policy.allow_private,
        AddressClass.LOOPBACK: policy.allow_loopback,
        AddressClass.NEVER: False,
    }[address_class]


def _own_class(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> AddressClass:
    if any(address in network for network in _NEVER):
        return AddressClass.NEVER
    if any(address in network for network in _LOOPBACK):
        return AddressClass.LOOPBACK
    if any(address in network for network in _PRIVATE):
        return AddressClass.PRIVATE
    return AddressClass.PUBLIC


def _embedded(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    value = int(address)
    if any(address in network for network in _LAST_32_BITS):
        yield ipaddress.IPv4Address(value & 0xFFFFFFFF)
    if address in _SITE_NAT64:
        yield from _site_nat64(value)
    if address in _6TO4:
        yield ipaddress.IPv4Address((value >> 80) & 0xFFFFFFFF)
    if address in _TEREDO:
        yield ipaddress.IPv4Address((value >> 64) & 0xFFFFFFFF)  # the server
        yield ipaddress.IPv4Address(~value & 0xFFFFFFFF)  # the client, its bits inverted


def _site_nat64(value: int) -> list[ipaddress.IPv4Address]:
    """The IPv4 address at each position of RFC 6052, 2.2, that a prefix in this network may have: 48, 56, 64 or 96
    bits. Nobody but the site knows which one it uses. The bits of a wrong position are mostly zero, so a reading in
    0.0.0.0/8 counts only if all are, or if 32 zeros before the last position speak for that one."""
    readings = (
        ((value >> 64) & 0xFFFF) << 16 | ((value >> 40) & 0xFFFF),
        ((value >> 64) & 0xFF) << 24 | ((value >> 32) & 0xFFFFFF),
        (value >> 24) & 0xFFFFFFFF,
        value & 0xFFFFFFFF,
    )
    addresses = [ipaddress.IPv4Address(reading) for reading in readings]
    if (value >> 32) & 0xFFFFFFFF == 0:
        return [addresses[3], *(address for address in addresses if address not in _THIS_HOST)]
    return [address for address in addresses if address not in _THIS_HOST] or addresses


def look_up(host: str, port: int, resolver: Resolver | None, seconds: float) -> tuple[str, ...]:
    """The IP addresses of `host`, each once, in the order given by the resolver.

    An IP address resolves to itself. `localhost` and names that end in `.localhost` are loopback, without a DNS
    request (RFC 6761, section 6.3). Fault(DNS_FAILED) if there is no address, or none in time. getaddrinfo cannot
    be interrupted, so after the time limit its thread is left running.
    """
    if is_ip(host):
        return (host,)
    if host == "localhost" or host.endswith(".localhost"):
        return _LOCALHOST
    answers: queue.SimpleQueue[Sequence[str] | BaseException] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put((resolver or _system)(host, port))
        except BaseException as error:  # noqa: BLE001 - raised in the waiting thread
            answers.put(error)

    # threading.Thread would make this thread wait until the other one has started.
    _thread.start_new_thread(ask, ())
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise Fault(Reason.DNS_FAILED, cause="dns_timeout") from None
    if isinstance(answer, OSError | UnicodeError):
        raise Fault(Reason.DNS_FAILED)
    if isinstance(answer, BaseException):
        raise answer
    if not answer:
        raise Fault(Reason.DNS_FAILED)
    return tuple(dict.fromkeys(answer))


def _system(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
