"""Which IP addresses a probe may connect to, and which addresses a token service may have beside a registry."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.probe import Policy
from registries.probe.address_guard import AddressClass, classify, first_refused, first_refused_for_realm

NEVER = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "169.254.169.254",
    "169.254.0.1",
    "192.0.0.192",
    "198.18.0.1",
    "198.19.255.255",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:42::42",
    "fd00:c1::a9fe:a9fe",
]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "fd12:3456::1",
    "fc00::1",
    "fd00:ec2::24",
]
PUBLIC = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "198.20.0.1", "2606:4700::1111", "fe00::1"]


@pytest.mark.parametrize("ip", NEVER)
def test_some_addresses_are_never_connected_to(ip: str) -> None:
    assert classify(ip) is AddressClass.NEVER
    assert first_refused([ip], Policy(allow_loopback=True, allow_private=True)) == ip


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_takes_the_operators_leave(ip: str) -> None:
    assert classify(ip) is AddressClass.LOOPBACK
    assert first_refused([ip], Policy()) == ip
    assert first_refused([ip], Policy(allow_loopback=True)) is None


@pytest.mark.parametrize("ip", PRIVATE)
def test_private_addresses_are_the_normal_case_and_can_be_refused(ip: str) -> None:
    assert classify(ip) is AddressClass.PRIVATE
    assert first_refused([ip], Policy()) is None
    assert first_refused([ip], Policy(allow_private=False)) == ip


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_are_allowed(ip: str) -> None:
    assert classify(ip) is AddressClass.PUBLIC
    assert first_refused([ip], Policy(allow_private=False)) is None


def _hide(form: str, ip: str) -> str:
    value = int(ipaddress.IPv4Address(ip))
    site, high, low = 0x64FF9B0001 << 80, value >> 16, value & 0xFFFF
    number = {
        "mapped": (0xFFFF << 32) | value,
        "compatible": value,
        "translated": (0xFFFF << 48) | value,
        "nat64": (0x64FF9B << 96) | value,
        "site nat64": (0x64FF9B0001 << 80) | (0xABCD << 64) | value,
        "site nat64 /96": site | value,
        "site nat64 /48": site | (high << 64) | (low << 40),
        "site nat64 /48 with a suffix": site | (high << 64) | (low << 40) | 0x0909090909,
        "site nat64 /56": site | (0xAB << 72) | ((value >> 24) << 64) | ((value & 0xFFFFFF) << 32),
        "site nat64 /56 with a u octet": site
        | ((value >> 24) << 64)
        | (9 << 56)
        | ((value & 0xFFFFFF) << 32),
        "site nat64 /64": site | (0xABCD << 64) | (value << 24),
        "site nat64 /64, no subnet": site | (value << 24),
        "6to4": (0x2002 << 112) | (value << 80) | 1,
        "teredo server": (0x20010000 << 96) | (value << 64) | (~0x08080808 & 0xFFFFFFFF),
        "teredo client": (0x20010000 << 96) | (0x08080808 << 64) | (~value & 0xFFFFFFFF),
    }[form]
    return str(ipaddress.IPv6Address(number))


FORMS = [
    "mapped",
    "compatible",
    "translated",
    "nat64",
    "site nat64",
    "site nat64 /96",
    "site nat64 /48",
    "site nat64 /48 with a suffix",
    "site nat64 /56",
    "site nat64 /56 with a u octet",
    "site nat64 /64",
    "site nat64 /64, no subnet",
    "6to4",
    "teredo server",
    "teredo client",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("169.254.169.254", AddressClass.NEVER),
        ("100.100.100.200", AddressClass.NEVER),
        ("127.0.0.1", AddressClass.LOOPBACK),
        ("10.1.2.3", AddressClass.PRIVATE),
        ("8.8.8.8", AddressClass.PUBLIC),
    ],
)
def test_an_ipv4_address_is_checked_inside_an_ipv6_one(form: str, ip: str, expected: AddressClass) -> None:
    assert classify(_hide(form, ip)) is expected


@pytest.mark.parametrize(
    "prefix", ["64:ff9b:1::", "64:ff9b:1:1::", "64:ff9b:1:abcd::5", "64:ff9b::", "2002::"]
)
def test_an_embedded_address_of_zeros_is_refused(prefix: str) -> None:
    assert classify(prefix) is AddressClass.NEVER


@given(st.ip_addresses(v=4), st.sampled_from([form for form in FORMS if "nat64" in form]))
def test_no_position_of_rfc_6052_makes_an_address_more_public(ip: ipaddress.IPv4Address, form: str) -> None:
    assert classify(_hide(form, str(ip))) >= classify(str(ip)) or ip in ipaddress.ip_network("0.0.0.0/8")


@given(st.ip_addresses())
def test_every_address_has_a_class(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert classify(str(ip)) in AddressClass


def test_every_answer_is_checked() -> None:
    assert first_refused(["8.8.8.8", "127.0.0.1"], Policy()) == "127.0.0.1"
    assert first_refused(["8.8.8.8", "10.0.0.1", "169.254.169.254"], Policy()) == "169.254.169.254"


@pytest.mark.parametrize(
    ("realm", "registry", "allowed"),
    [
        ("8.8.8.8", AddressClass.PUBLIC, True),
        ("8.8.8.8", AddressClass.PRIVATE, True),
        ("8.8.8.8", AddressClass.LOOPBACK, True),
        ("10.0.0.1", AddressClass.PUBLIC, False),
        ("10.0.0.1", AddressClass.PRIVATE, True),
        ("10.0.0.1", AddressClass.LOOPBACK, True),
        ("127.0.0.1", AddressClass.PUBLIC, False),
        ("127.0.0.1", AddressClass.PRIVATE, False),
        ("127.0.0.1", AddressClass.LOOPBACK, True),
        ("169.254.169.254", AddressClass.LOOPBACK, False),
    ],
)
def test_a_realm_may_not_lie_further_inside_than_its_registry(
    realm: str, registry: AddressClass, allowed: bool
) -> None:
    policy = Policy(allow_loopback=True)
    assert (first_refused_for_realm([realm], registry, policy) is None) is allowed


def test_a_realm_obeys_the_operators_rules_too() -> None:
    assert (
        first_refused_for_realm(["10.0.0.1"], AddressClass.PRIVATE, Policy(allow_private=False)) == "10.0.0.1"
    )
    assert first_refused_for_realm(["127.0.0.1"], AddressClass.LOOPBACK, Policy()) == "127.0.0.1"
