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

from registries.addresses.address import parse_address
from registries.domain.encoding import decode_base64
from registries.log_in.pages import client_address
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
@example("QUJ\r\nD")
def test_base64_is_decoded_as_go_does(text: str) -> None:
    expected = base64_of_go(text)
    if expected is None:
        with pytest.raises(ValueError):
            decode_base64(text)
    else:
        assert decode_base64(text) == expected


NAMES = st.lists(st.sampled_from(["a", "b", "corp", "test"]), min_size=1, max_size=3).map(".".join)
ADDRESSES = st.sampled_from(["10.0.0.5", "10.0.1.5", "192.168.0.1", "2001:db8::1", "2001:db8::2"])
PORTS = st.sampled_from([80, 443, 8443])


def httpproxy_of_go(host: str, port: int, entry: str) -> bool:
    """golang.org/x/net/http/httpproxy, config.init and useProxy, for one entry."""
    entry = entry.strip().lower()
    if entry in ("", "*"):
        return entry == "*"
    if "/" in entry:
        network = ipaddress.ip_network(entry, strict=False)
        return not host[0].isalpha() and ipaddress.ip_address(host) in network
    name, wanted = entry, ""
    if entry.startswith("[") or entry.count(":") == 1:
        name, _, wanted = entry.rpartition(":")
    name = name.strip("[]")
    if not name or wanted not in ("", str(port)):
        return False
    if not host[0].isalpha() or ":" in name:
        return host == name
    name = name.removeprefix("*") if name.startswith("*.") else name
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")


@st.composite
def entries(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["name", "name", "name", "address", "network", "other"]))
    port = draw(st.sampled_from(["", ":443", ":8443", ":"]))
    if kind == "name":
        name = draw(st.sampled_from(["", ".", "*."])) + draw(NAMES) + port
    elif kind == "address":
        address = draw(ADDRESSES)
        name = (f"[{address}]" if ":" in address and port else address) + port
    elif kind == "network":
        name = draw(st.sampled_from(["10.0.0.0/24", "10.0.0.7/8", "0.0.0.0/0", "2001:db8::/127", "::/0"]))
    else:
        name = draw(st.sampled_from(["", "*", "*.", ":443", "*.*", "*corp", "co*"]))
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
