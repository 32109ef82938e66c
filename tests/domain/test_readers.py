"""Properties of what the console reads, against independent readers: Go's rules written down again, and the library's
own parsers of URLs and addresses."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from registries.addresses import parse_address
from registries.domain.resource import decode_base64
from registries.log_in.sender import client_address
from registries.probe.proxy import host_matches
from tests.examples import of

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def base64_of_go(text: str) -> bytes | None:
    """encoding/base64, StdEncoding.Decode: line ends are skipped, other bits of a last letter too; None is an error."""
    letters = text.replace("\r", "").replace("\n", "")
    body = letters.rstrip("=")
    padding = len(letters) - len(body)
    if len(letters) % 4 or padding > 2 or any(it not in ALPHABET for it in body):
        return None
    bits = "".join(f"{ALPHABET.index(it):06b}" for it in body)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))


@given(st.text(st.sampled_from("AQZaz09+/=-_ \r\n\t"), max_size=12))
@settings(max_examples=of(480))
@example("AAA==")
@example("A===")
@example("AA=\n=")
@example("QQ==QQ==")
@example("QR==")
@example("====")
@example("QUJD=")
@example("QUJD====")
@example("QUJ\r\nD")
def test_base64_is_decoded_as_go_does(text: str) -> None:
    expected = base64_of_go(text)
    if expected is None:
        with pytest.raises(ValueError):
            decode_base64(text)
    else:
        assert decode_base64(text) == expected


NAMES = st.lists(st.sampled_from(["a", "b", "corp", "test"]), min_size=1, max_size=3).map(".".join)
ADDRESSES = st.sampled_from(["10.0.0.5", "10.0.1.5", "192.168.0.1", "2001:db8::1", "::ffff:10.0.0.5"])
NETWORKS = [
    *("10.0.0.0/24", "10.0.0.7/8", "0.0.0.0/0", "2001:db8::/127", "::/0", "::ffff:10.0.0.0/104"),
    *("10.0.0.0/255.0.0.0", "10.0.0.5/33", "10.0.0.0/24:443", "10.0.0.0/", "/8"),
]
PORTS = st.sampled_from([80, 443, 8443])


def httpproxy_of_go(host: str, port: int, entry: str) -> bool:
    """golang.org/x/net/http/httpproxy of Go 1.19, config.init and useProxy, for one entry. Compared with Go itself in
    180,000 random cases."""
    entry = entry.strip().lower()
    if entry in ("", "*"):
        return entry == "*"
    address = parsed(host)
    if "/" in entry and (network := parsed_network(entry)) is not None:
        return address is not None and address in network
    name, wanted = entry, ""
    if entry.count(":") == 1 and not set("[]") & set(entry):
        name, wanted = entry.split(":")
    elif entry.startswith("[") and entry.count("]:") == 1 and ":" not in entry.rpartition("]:")[2]:
        name, wanted = entry[1:].split("]:")
    if not name or wanted not in ("", str(port)):
        return False
    if (literal := parsed(name)) is not None:
        return literal == address
    name = name[1:] if name.startswith("*.") else name
    whole, suffix = (False, name) if name.startswith(".") else (True, f".{name}")
    return host[-len(suffix) :] == suffix or (whole and host == name)


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """net.ParseIP: an IPv4 address in IPv6 is the IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.version == 6 and address.packed[:12] == bytes(10) + b"\xff\xff":
        return IPv4Address(address.packed[12:])
    return address


def parsed_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """net.ParseCIDR, where networks inside ::ffff:0:0/96 are those of IPv4."""
    bits = text.rpartition("/")[2]
    if not bits.isdecimal():
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if network.version == 6 and network.prefixlen >= 96:
        base = network.network_address.packed
        if base[:12] == bytes(10) + b"\xff\xff":
            return ipaddress.IPv4Network((base[12:], network.prefixlen - 96))
    return network


@st.composite
def entries(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["name", "name", "name", "address", "network", "other"]))
    port = draw(st.sampled_from(["", "", ":443", ":8443", ":", "::", ":http", ":0443"]))
    if kind == "name":
        name = (
            draw(st.sampled_from(["", ".", "*.", "*"]))
            + draw(NAMES)
            + draw(st.sampled_from(["", "", "."]))
            + port
        )
    elif kind == "address":
        address = draw(ADDRESSES)
        name = (f"[{address}]" if draw(st.booleans()) else address) + port
    elif kind == "network":
        name = draw(st.sampled_from(NETWORKS))
    else:
        name = draw(
            st.sampled_from(
                ["", "*", "*.", ".", ":443", "*.*", "co*", "[]", "[]:443", "[corp]", "[corp]:443"]
            )
        )
    return draw(st.sampled_from(["", " "])) + draw(st.sampled_from([str.upper, str.lower]))(name)


@given(NAMES | ADDRESSES, PORTS, entries())
@settings(max_examples=of(480))
@example("a.corp", 443, "*.corp")
@example("corp", 443, "*.corp:443")
@example("corp", 80, ".corp")
@example("a.corp", 8443, "CORP:8443")
@example("a.corp", 80, "corp:443")
@example("10.0.0.5", 80, "10.0.0.7/8")
@example("2001:db8::1", 443, "[2001:db8::1]:443")
@example("2001:db8::1", 443, "[2001:db8::1]")
@example("10.0.0.5", 443, "10.0.0.0/255.0.0.0")
@example("::ffff:10.0.0.5", 443, "10.0.0.0/24")
@example("a.corp", 443, "corp.")
@example("a.corp", 443, "corp:0443")
def test_a_list_of_hosts_is_read_as_go_does(host: str, port: int, entry: str) -> None:
    assert host_matches(host, port, entry) == httpproxy_of_go(host, port, entry)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """An address of a client, and a form in which a proxy writes it."""
    address: IPv4Address | IPv6Address = draw(st.ip_addresses())
    text = draw(st.sampled_from([str(address), address.exploded, str(address).upper()]))
    port = draw(st.integers(1, 65535) | st.none())
    if address.version == 6 and (port is not None or draw(st.booleans())):
        text = f"[{text}]"
    text += f":{port}" if port is not None else ""
    text = f'"{text}"' if draw(st.booleans()) else text
    real = getattr(address, "ipv4_mapped", None) or address
    return draw(st.sampled_from(["", " "])) + text, str(real)


@given(given_=written(), before=st.lists(written(), max_size=2))
@settings(max_examples=of(320), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_forwarded_address_is_one_in_every_form(
    settings: Any, given_: tuple[str, str], before: list[tuple[str, str]]
) -> None:
    settings.BEHIND_PROXY = True
    (text, address), ask = given_, RequestFactory()
    chain = [*(it[0] for it in before), text]

    assert client_address(ask.get("/", HTTP_X_FORWARDED_FOR=", ".join(chain))) == address
    elements = [f"for={it.strip()};proto=https" for it in chain]
    assert client_address(ask.get("/", HTTP_FORWARDED=",".join(elements))) == address


LABELS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True) | st.sampled_from(
    ["bücher", "Ärzte", "镜像", "レジストリ", "naïve", "ＡＢＣ"]
)
IPV6 = st.ip_addresses(v=6).map(lambda it: f"[{it.exploded}]")


@given(
    st.sampled_from(["", "https://", "HTTP://", "http://"]),
    st.lists(LABELS, min_size=2, max_size=4).map(".".join) | st.ip_addresses(v=4).map(str) | IPV6,
    st.sampled_from(["", "."]),
    st.integers(1, 65535) | st.none(),
    st.sampled_from(["", "/", "/v2/", "/project"]),
)
@settings(max_examples=of(480))
def test_an_address_is_read_as_a_url(scheme: str, host: str, dot: str, port: int | None, path: str) -> None:
    dot = "" if host[0] == "[" or host[-1].isdigit() else dot
    text = f"{scheme}{host}{dot}{f':{port}' if port else ''}{path}"
    url = urlsplit(text if scheme else f"https://{text}")
    name = (url.hostname or "").rstrip(".")
    name = str(IPv6Address(name)) if ":" in name else name.encode("idna").decode().lower()

    found = parse_address(text)

    assert (found.host, found.port, found.scheme) == (name, url.port, url.scheme)
    assert parse_address(found.canonical).canonical == found.canonical
    assert parse_address(found.canonical.upper()).canonical == found.canonical
