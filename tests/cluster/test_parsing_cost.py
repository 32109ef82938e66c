"""What somebody without an account sends costs little to read, however it is made."""

import base64
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from registries.cluster.credential import KUBECONFIG_MAX, Home, authorities_in, read_kubeconfig
from registries.cluster.private_key import LONGEST, read_private_key
from registries.domain.errors import Invalid
from registries.domain.selectors import SelectorError, read_selector
from registries.intake import BUNDLE_MAX, BundleError, read_bundle
from tests.peers.certificates import Authority, Pair
from tests.peers.kubeconfigs import client_certificate, kubeconfig

SECONDS = 0.5
HOME = Home(frozenset({("api.example.com", 6443)}))
BEGIN = "-----BEGIN CERTIFICATE-----"
END = "-----END CERTIFICATE-----"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Authority(tmp_path_factory.mktemp("clients")).issue(common_name="vic")


def element(tag: int, content: bytes) -> bytes:
    length = len(content)
    size = (length.bit_length() + 7) // 8
    head = bytes([length]) if length < 128 else bytes([0x80 | size]) + length.to_bytes(size, "big")
    return bytes([tag]) + head + content


def number(value: int) -> bytes:
    return element(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def odd(bits: int) -> int:
    return (1 << (bits - 1)) + (1 << (bits // 2)) + 1


def rsa_key(p: int, q: int, *, e: int = 65537, d: int | None = None, n: int | None = None) -> bytes:
    numbers = (0, n or p * q, e, d or odd((p * q).bit_length() - 1), p, q, odd(64), odd(64), odd(64))
    return element(0x30, b"".join(map(number, numbers)))


def pem(der: bytes, label: str = "RSA PRIVATE KEY") -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n"


def wrapped(der: bytes) -> bytes:
    algorithm = element(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return element(0x30, number(0) + algorithm + element(4, der))


MERSENNE = {exponent: (1 << exponent) - 1 for exponent in (2203, 4253, 9689, 9941)}
"""Primes, which cost a test of primality the most."""
KEYS = {
    "two large primes": rsa_key(MERSENNE[9689], MERSENNE[9941]),
    "two primes in the size allowed": rsa_key(MERSENNE[2203], MERSENNE[4253]),
    "19,600 bits": rsa_key(odd(9800), odd(9800)),
    "100,000 bits": rsa_key(odd(50_000), odd(50_000)),
    "a large modulus with small factors": rsa_key(3, 5, n=odd(19_600)),
    "small modulus with a large exponent": rsa_key(3, 5, d=odd(19_600)),
    "a large public exponent": rsa_key(odd(1024), odd(1024), e=odd(20_000)),
    "nested": b"0\x80" * 2000,
    "many elements": element(0x30, number(1) * 2000),
    "nothing": b"",
}


@pytest.mark.parametrize("form", ["RSA PRIVATE KEY", "PRIVATE KEY"])
@pytest.mark.parametrize("der", KEYS.values(), ids=KEYS)
def test_a_key(pair: Pair, der: bytes, form: str) -> None:
    key = pem(der if form.startswith("RSA") else wrapped(der), form)
    user = {**client_certificate(pair), "client-key-data": base64.b64encode(key.encode()).decode()}
    text = kubeconfig("https://api.example.com:6443", user)

    costs_little(lambda: read_kubeconfig(text, HOME, datetime(2026, 11, 24, tzinfo=UTC)), Invalid)


@pytest.mark.parametrize("form", ["RSA PRIVATE KEY", "PRIVATE KEY"])
@pytest.mark.parametrize(
    "name",
    ["a large modulus with small factors", "small modulus with a large exponent", "a large public exponent"],
)
def test_a_long_number_is_refused_before_the_key_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, form: str
) -> None:
    """OpenSSL reads such a key at once, and takes seconds for each connection that signs with it."""
    monkeypatch.setattr(serialization, "load_pem_private_key", lambda *_, **__: pytest.fail("it is read"))
    key = pem(KEYS[name] if form.startswith("RSA") else wrapped(KEYS[name]), form)

    assert len(key) < LONGEST
    with pytest.raises(ValueError, match="a number is too long"):
        read_private_key(key)


KIND = "kind: Config\nusers:\n"
YAML = {
    "a list of lists": "- [a,b,c,d]\n",
    "short entries": "- a\n",
    "flow": "- [" + "a," * 200 + "]\n",
    "maps": "- {a: b, c: d}\n",
    "quoted": '- "\\u0041"\n',
    "anchors": "- &a b\n",
    "comments": "# a\n",
    "tags": "- !!str a\n",
    "documents": "---\n- a\n",
    "merges": "- {<<: {a: b}}\n",
}
WHOLE = {
    "deep": "[" * KUBECONFIG_MAX,
    "deep maps": "{a: " * (KUBECONFIG_MAX // 4),
    "deep blocks": "- " * (KUBECONFIG_MAX // 2),
    "deep keys": "? " * (KUBECONFIG_MAX // 2),
    "a number in base 60": KIND + "- 1" + ":1" * (KUBECONFIG_MAX // 2 - 20),
    "a fraction in base 60": KIND + "- 1" + ":1" * (KUBECONFIG_MAX // 2 - 20) + ".5",
    "a long number": KIND + "- " + "1" * (KUBECONFIG_MAX - 40),
    "an explicit number": KIND + "- !!int 1" + ":1" * (KUBECONFIG_MAX // 2 - 40),
    "a binary": KIND + "- !!binary " + "A" * (KUBECONFIG_MAX - 60),
    "one key": "a" * KUBECONFIG_MAX + ": b",
    "spaces": " " * KUBECONFIG_MAX,
    "colons": ":" * KUBECONFIG_MAX,
    "dashes": "-" * KUBECONFIG_MAX,
    "exclamation marks": "!" * KUBECONFIG_MAX,
    "quotes": '"' * KUBECONFIG_MAX,
    **{name: KIND + line * ((KUBECONFIG_MAX - len(KIND)) // len(line)) for name, line in YAML.items()},
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_yaml(text: str) -> None:
    costs_little(lambda: read_kubeconfig(text, HOME, datetime(2026, 11, 24, tzinfo=UTC)), Invalid)


BUNDLES = {
    "only beginnings": BEGIN,
    "only ends": END,
    "beginnings on lines": BEGIN + "\n",
    "empty blocks": BEGIN + END,
    "blocks": f"{BEGIN}\nAAAA\n{END}\n",
    "half beginnings": "-----BEGIN ",
    "dashes": "-",
    "ends before beginnings": END + BEGIN,
}


@pytest.mark.parametrize("piece", BUNDLES.values(), ids=BUNDLES)
def test_a_bundle(piece: str) -> None:
    costs_little(lambda: read_bundle(piece * (BUNDLE_MAX // len(piece))), BundleError)
    costs_little(lambda: authorities_in((piece * (KUBECONFIG_MAX // len(piece))).encode()), BundleError)


def test_a_bundle_has_twenty_certificates(pair: Pair) -> None:
    assert len(read_bundle(pair.pem * 20)[1]) == 1
    with pytest.raises(BundleError, match="ca_too_many"):
        read_bundle(pair.pem * 21)


@pytest.mark.parametrize(
    "piece", [",", "a,", "(", ")", "(,", "a in (", "a in (b),", " ", "a ", "!", "=", "a="]
)
def test_a_selector(piece: str) -> None:
    for text in (piece * (8000 // len(piece)), piece * (8000 // len(piece)) + "<"):
        costs_little(partial(read_selector, text, ""), SelectorError)


def test_a_selector_has_a_hundred_conditions() -> None:
    assert len(read_selector(",".join(["a"] * 100), "").labels) == 100
    with pytest.raises(SelectorError, match="more than 100"):
        read_selector(",".join(["a"] * 101), "")


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
)
def test_keys_of_people_are_read(form: serialization.PrivateFormat) -> None:
    keys: list[Any] = [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())]
    keys += [ed25519.Ed25519PrivateKey.generate()] if form is serialization.PrivateFormat.PKCS8 else []
    for key in keys:
        text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()

        read: Any = read_private_key(text)
        assert read.public_key() == key.public_key()


def test_a_key_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        read_private_key("a" * (LONGEST + 1))


def costs_little(work: Callable[[], object], refused: type[Exception]) -> None:
    begun = time.thread_time()
    with suppress(refused):
        work()
    assert time.thread_time() - begun < SECONDS
