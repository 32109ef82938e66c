"""What is taken from a pasted token or a kubeconfig, and what is refused."""

import base64
import json
import random
import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization

from registries.cluster import credential
from registries.cluster.credential import (
    Home,
    LoginCredential,
    address_of,
    authorities_in,
    decode_kubeconfig,
    read_kubeconfig,
    read_token,
)
from registries.domain.errors import Cause, Invalid, Problem
from registries.words.log_in import credential_text
from tests.canary import TOKEN
from tests.peers.certificates import Authority, Pair
from tests.peers.kubeconfigs import client_certificate, kubeconfig

SERVER = "https://api.example.com:6443"
HOME = Home(frozenset({("api.example.com", 6443)}))
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Authority(tmp_path_factory.mktemp("clients")).issue(common_name="vic")


def problem(text: str, home: Home = HOME, now: datetime = NOW) -> str:
    with pytest.raises(Invalid) as raised:
        read_kubeconfig(text, home, now)
    return raised.value.causes[0].problem


def jwt(**claims: Any) -> str:
    parts = (json.dumps(it).encode() for it in ({"alg": "none"}, claims, {}))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize("text", [TOKEN, f"  {TOKEN}\n", f"Bearer {TOKEN}"])
def test_a_token_is_taken_as_people_paste_it(text: str) -> None:
    assert read_token(text, NOW) == LoginCredential(token=TOKEN)


@pytest.mark.parametrize("text", ["", " ", "two words", "a\nImpersonate-User: admin", "令牌", "x" * 20_000])
def test_what_cannot_be_a_token_is_not_sent_anywhere(text: str) -> None:
    with pytest.raises(Invalid, match="token_malformed"):
        read_token(text, NOW)


INVISIBLE = {
    "\u200b": "U+200B",
    "\u200d": "U+200D",
    "\u2060": "U+2060",
    "\ufeff": "U+FEFF",
    "\u202a": "U+202A",
    "\u00ad": "U+00AD",
    "\u00a0": "U+00A0",
    "\u3000": "U+3000",
}


@pytest.mark.parametrize("character", INVISIBLE)
def test_an_invisible_character_in_a_token_or_a_kubeconfig_is_named(character: str, pair: Pair) -> None:
    middle = TOKEN[:3] + character + TOKEN[3:]
    by_token = kubeconfig(SERVER, {"token": TOKEN})
    by_certificate = kubeconfig(SERVER, client_certificate(pair))
    damaged = {
        "a token": lambda: read_token(middle, NOW),
        "a token of a kubeconfig": lambda: read_kubeconfig(by_token.replace(TOKEN, middle), HOME, NOW),
        "a certificate": lambda: read_kubeconfig(
            by_certificate.replace("LS0t", f"LS{character}0t"), HOME, NOW
        ),
        "a context": lambda: read_kubeconfig(
            by_token.replace("name: here", f"name: h{character}"), HOME, NOW
        ),
    }
    for place, read in damaged.items():
        with pytest.raises(Invalid, match="credential_invisible") as raised:
            read()
        assert INVISIBLE[character] in credential_text(raised.value.causes[0]), place


def test_a_token_that_says_when_it_ends_is_believed_in_that() -> None:
    assert read_token(jwt(exp=NOW.timestamp() + 60), NOW).expires_at == NOW + timedelta(seconds=60)
    with pytest.raises(Invalid, match="proof_expired"):
        read_token(jwt(exp=NOW.timestamp() - 60), NOW)


@pytest.mark.parametrize("claims", [{}, {"exp": "soon"}, {"exp": 10**30}, {"exp": None}])
def test_a_token_with_nonsense_in_it_is_left_to_the_server(claims: dict[str, Any]) -> None:
    assert read_token(jwt(**claims), NOW).expires_at is None


def test_nothing_of_a_credential_is_in_its_repr(pair: Pair) -> None:
    text = kubeconfig(SERVER, client_certificate(pair))

    assert TOKEN not in repr(LoginCredential(token=TOKEN))
    assert "PRIVATE" not in repr(read_kubeconfig(text, HOME, datetime.now(UTC)))


def test_a_kubeconfig_gives_its_token() -> None:
    assert read_kubeconfig(kubeconfig(SERVER, {"token": TOKEN}), HOME, NOW) == LoginCredential(token=TOKEN)


def test_a_kubeconfig_gives_its_certificate_and_key(pair: Pair) -> None:
    text = kubeconfig(SERVER, {**client_certificate(pair), "token": "and-a-token"})

    credential = read_kubeconfig(text, HOME, datetime.now(UTC))

    assert (credential.certificate, credential.token, credential.common_name) == (pair.pem, "", "vic")
    assert credential.expires_at == pair.certificate.not_valid_after_utc
    assert LoginCredential.from_json(credential.to_json()).fingerprint == credential.fingerprint


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"exec": {"command": "/bin/sh"}}, "kubeconfig_plugin"),
        ({"token": TOKEN, "exec": {"command": "/bin/sh"}}, "kubeconfig_plugin"),
        ({"auth-provider": {"name": "gcp"}}, "kubeconfig_plugin"),
        ({"tokenFile": "/var/run/secrets/token"}, "kubeconfig_file"),
        ({"token": TOKEN, "tokenFile": "/etc/passwd"}, "kubeconfig_file"),
        ({"client-certificate": "/etc/x.crt", "client-key": "/etc/x.key"}, "kubeconfig_file"),
        ({"username": "admin", "password": "x"}, "kubeconfig_basic"),
        ({"token": TOKEN, "as": "system:admin"}, "kubeconfig_impersonation"),
        ({"token": TOKEN, "as-groups": ["system:masters"]}, "kubeconfig_impersonation"),
        ({"token": "two words"}, "token_malformed"),
        ({"client-certificate-data": "!", "client-key-data": "!"}, "kubeconfig_certificate"),
        ({"client-certificate-data": "eA==", "client-key-data": "eA=="}, "kubeconfig_certificate"),
        ({}, "kubeconfig_empty"),
    ],
)
def test_what_a_kubeconfig_could_make_the_console_do_is_refused(user: dict[str, Any], expected: str) -> None:
    assert problem(kubeconfig(SERVER, user)) == expected


@pytest.mark.parametrize(
    "server",
    [
        "https://evil.example.com:6443",
        "http://169.254.169.254/",
        "https://api.example.com",
        "https://[::1",
        "x",
    ],
)
def test_a_kubeconfig_for_another_server_is_refused(server: str) -> None:
    assert problem(kubeconfig(server, {"token": TOKEN})) == "kubeconfig_elsewhere"


def test_another_server_is_named_without_what_else_its_address_holds() -> None:
    text = kubeconfig("https://me:secret@evil.example.com/x?y", {"token": TOKEN})

    with pytest.raises(Invalid) as raised:
        read_kubeconfig(text, HOME, NOW)

    assert raised.value.causes[0].part == "evil.example.com"


def test_another_address_of_the_same_authority_is_the_same_server(tmp_path: Path) -> None:
    ours, other = (Authority(tmp_path, name).root for name in ("ours", "other"))
    home = Home(HOME.addresses, frozenset({ours.certificate.fingerprint(hashes.SHA256())}))

    def of(pair: Pair) -> str:
        data = base64.b64encode(pair.pem.encode()).decode()
        return kubeconfig(
            "https://outside.example.com", {"token": TOKEN}, **{"certificate-authority-data": data}
        )

    assert read_kubeconfig(of(ours), home, NOW).token == TOKEN
    assert problem(of(other), home) == "kubeconfig_elsewhere"


def test_a_key_must_belong_to_its_certificate_and_be_open(pair: Pair, tmp_path: Path) -> None:
    other = client_certificate(Authority(tmp_path).issue(common_name="vic"))
    locked = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    mixed = {**client_certificate(pair), "client-key-data": other["client-key-data"]}
    closed = {**client_certificate(pair), "client-key-data": base64.b64encode(locked).decode()}

    assert problem(kubeconfig(SERVER, mixed)) == "kubeconfig_certificate"
    assert problem(kubeconfig(SERVER, closed)) == "kubeconfig_certificate"


def test_a_certificate_with_any_wrong_byte_is_refused_or_whole(pair: Pair) -> None:
    """Anybody may post one. A part of it is parsed when it is read, and an unknown version is an error of its own."""
    der = ssl.PEM_cert_to_DER_cert(pair.certificate_file.read_text())
    source = random.Random(10)
    problems, names = set(), set()
    for place in range(0, len(der), 3):
        wrong = bytearray(der)
        wrong[place] ^= source.randrange(1, 256)
        pem = ssl.DER_cert_to_PEM_cert(bytes(wrong))
        encoded = base64.b64encode(pem.encode()).decode()
        user = {**client_certificate(pair), "client-certificate-data": encoded}
        try:
            credential = read_kubeconfig(kubeconfig(SERVER, user), HOME, NOW)
        except Invalid as error:
            problems.add(error.causes[0].problem)
        else:
            names.add(credential.common_name)
        assert len(authorities_in(pem.encode())) <= 1
    assert problems == {Problem.KUBECONFIG_CERTIFICATE}
    assert "vic" in names


def test_an_expired_certificate_is_said_to_be(tmp_path: Path) -> None:
    expired = Authority(tmp_path).expired()

    assert problem(kubeconfig(SERVER, client_certificate(expired)), now=datetime.now(UTC)) == "proof_expired"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "[1, 2]",
        "a: [",
        "kind: Secret\nusers: []",
        "[" * 5000,
        "users: !!python/object/apply:os.system [id]",
        "users: &a [1]\ncontexts: *a",
        "users: " + "x" * 200_000,
    ],
    ids=["nothing", "words", "list", "broken", "kind", "deep", "python", "alias", "long"],
)
def test_what_is_no_kubeconfig_is_said_to_be_none(text: str) -> None:
    assert problem(text) == "kubeconfig_malformed"


@pytest.mark.parametrize(
    "text",
    [
        "users: []",
        "users: []\ncurrent-context: gone",
        "users: 3\ncurrent-context: a\ncontexts: [{name: a, context: {user: u, cluster: c}}]",
    ],
)
def test_a_kubeconfig_whose_context_leads_nowhere_is_said_to(text: str) -> None:
    assert problem(text) == "kubeconfig_context"


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("https://A.example.com", ("a.example.com", 443)),
        ("https://a:6443/prefix", ("a", 6443)),
        ("a.example.com:6443", ("a.example.com", 6443)),
        ("https://[::1]:6443", ("::1", 6443)),
        ("https://a:port", ("", 0)),
    ],
)
def test_an_address_is_host_and_port(server: str, address: tuple[str, int]) -> None:
    assert address_of(server) == address


def test_everything_that_can_be_wrong_has_words() -> None:
    source = Path(credential.__file__).read_text()
    problems = {Problem[name] for name in re.findall(r"Problem\.([A-Z_]+)", source)}

    assert len(problems) > 8
    assert all(len(credential_text(Cause("kubeconfig", it, part="x"))) > 10 for it in problems)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("width", [64, 76, 5])
def test_base64_with_line_ends_is_read_as_kubectl_does(pair: Pair, width: int, end: str) -> None:
    whole = client_certificate(pair)
    wrapped = {
        name: end.join(it[at : at + width] for at in range(0, len(it), width)) + end
        for name, it in whole.items()
    }
    found = read_kubeconfig(kubeconfig("https://api.example.com:6443", wrapped), HOME, NOW)
    assert found == read_kubeconfig(kubeconfig("https://api.example.com:6443", whole), HOME, NOW)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_is_read_in_the_encodings_of_windows(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    text = kubeconfig("https://api.example.com:6443", {"token": "abc"})
    decoded = decode_kubeconfig(mark + text.encode(encoding))
    assert decoded == text
    assert read_kubeconfig(decoded, HOME, NOW).token == "abc"
    assert read_kubeconfig("\ufeff" + text, HOME, NOW).token == "abc"


def test_bytes_that_are_no_text_are_no_kubeconfig() -> None:
    for raw in (b"\xff\xfe\x00", b"\xfe\xff\xd8\x00", b"\xef\xbb\xbf", b"\xff" * 100):
        assert problem(decode_kubeconfig(raw)) == Problem.KUBECONFIG_MALFORMED
