"""A server whose certificate is not trusted: which facts are shown, and which CA is offered."""

import hashlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from registries.probe import Reason, Result, probe
from registries.probe.certificate import CertificateFacts, Sent, ServerCertificates, anchor, describe
from registries.probe.scrubber import Scrubber
from tests.peers.basic_registry import PASSWORD, USER, registry
from tests.peers.certificates import Authority, Pair
from tests.peers.scripted import HERE, ScriptedServer, scripted

pytest_plugins = ("tests.peers.authorities",)


@pytest.fixture(scope="module")
def namesake(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority with the same name."""
    return Authority(tmp_path_factory.mktemp("namesake"))


@pytest.fixture
def server(authority: Authority) -> Iterator[ScriptedServer]:
    with scripted(registry, tls=authority.server_context(authority.issue("localhost"))) as server:
        yield server


def shown(authority: Authority, pair: Pair) -> Result:
    """The result of a probe without a configured CA. If the result offers a CA, a probe with it must succeed."""
    with scripted(registry, tls=authority.server_context(pair)) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
        assert server.requests == [], "nothing is sent to a server that is not trusted"
        assert [step.name for step in result.steps] == ["resolve", "connect", "tls"]
        assert result.tls is not None
        if result.tls.ca_pem is not None:
            trusting = replace(HERE, ca_pem=result.tls.ca_pem)
            assert probe(server.address, USER, PASSWORD, trusting).reason is Reason.OK
    return result


def test_an_unknown_ca_is_shown_and_offered(authority: Authority) -> None:
    pair = authority.issue("localhost", "127.0.0.1", common_name="harbor", send_root=True)
    result = shown(authority, pair)
    assert (result.reason, result.cause) == (Reason.TLS_UNTRUSTED, None)
    facts = result.tls
    assert facts is not None
    assert (facts.leaf.subject, facts.leaf.issuer) == ("CN=harbor", "CN=Test CA")
    assert facts.leaf.sha256 == pair.sha256
    assert facts.names == ("localhost", "127.0.0.1")
    assert facts.leaf.not_after == pair.certificate.not_valid_after_utc
    assert facts.leaf.not_before == pair.certificate.not_valid_before_utc
    assert not facts.self_signed
    assert facts.ca_pem == authority.root.pem
    assert facts.ca is not None
    assert (facts.ca.subject, facts.ca.issuer) == ("CN=Test CA", "CN=Test CA")
    assert facts.ca.sha256 == authority.root.sha256
    assert facts.ca.not_after == authority.root.certificate.not_valid_after_utc
    assert [sent.sha256 for sent in facts.chain] == [pair.sha256, authority.root.sha256]
    assert ServerCertificates.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_the_facts_have_stable_names_in_json(authority: Authority) -> None:
    result = shown(authority, authority.issue("localhost", send_root=True))
    facts = result.to_json()["tls"]
    assert isinstance(facts, dict)
    assert set(facts) == {
        *("subject", "issuer", "notBefore", "notAfter", "sha256"),
        *("names", "selfSigned", "caPem", "ca", "chain"),
    }
    assert set(facts["ca"]) == {"subject", "issuer", "notBefore", "notAfter", "sha256"}
    assert facts["chain"][-1] == facts["ca"]
    assert facts["ca"]["notAfter"] == authority.root.certificate.not_valid_after_utc.isoformat()


def test_rows_of_the_version_before_are_read(authority: Authority) -> None:
    certificate = authority.root.certificate
    root = {
        "subject": "CN=Test CA",
        "issuer": "CN=Test CA",
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "sha256": authority.root.sha256,
    }
    leaf = {**root, "subject": "CN=harbor", "not_before": None, "sha256": "ab" * 32}
    row = {
        **leaf,
        "names": ["a.example"],
        "self_signed": True,
        "ca_pem": "PEM",
        "ca": root,
        "chain": [leaf, root],
    }

    read = ServerCertificates.from_json(row)

    facts = CertificateFacts.of(certificate)
    assert (read.leaf.subject, read.leaf.not_before, read.leaf.not_after) == (
        "CN=harbor",
        None,
        facts.not_after,
    )
    assert (read.names, read.self_signed, read.ca_pem) == (("a.example",), True, "PEM")
    assert (read.ca, read.chain) == (facts, (read.leaf, facts))
    assert ServerCertificates.from_json(leaf) == ServerCertificates(read.leaf)


def test_a_self_signed_certificate_is_offered_itself(authority: Authority) -> None:
    """Go does the same, and so do docker and containerd."""
    pair = authority.issue("localhost", self_signed=True)
    facts = shown(authority, pair).tls
    assert facts is not None
    assert facts.self_signed
    assert facts.ca_pem == pair.pem
    assert facts.ca is not None
    assert facts.ca == facts.leaf


def test_without_its_root_the_intermediate_is_offered(authority: Authority) -> None:
    middle = authority.intermediate("Middle CA")
    facts = shown(authority, authority.issue("localhost", issuer=middle, send=[middle])).tls
    assert facts is not None
    assert facts.ca_pem == middle.pem
    assert facts.ca is not None
    assert (facts.ca.subject, facts.ca.issuer) == ("CN=Middle CA", "CN=Test CA")


@pytest.mark.parametrize("order", ["in order", "root first", "with another CA"])
def test_the_root_is_found_in_any_order(authority: Authority, other_authority: Authority, order: str) -> None:
    middle = authority.intermediate("Middle CA")
    send = {
        "in order": [middle, authority.root],
        "root first": [authority.root, middle],
        "with another CA": [middle, authority.root, other_authority.root],
    }[order]
    facts = shown(authority, authority.issue("localhost", issuer=middle, send=send)).tls
    assert facts is not None
    assert facts.ca_pem == authority.root.pem


@pytest.mark.parametrize("send", ["nothing", "another CA", "the root without the intermediate"])
def test_nothing_is_offered_without_the_issuer(
    authority: Authority, other_authority: Authority, send: str
) -> None:
    """Trust in a leaf that another CA signed would end with its renewal."""
    middle = authority.intermediate("Middle CA")
    pair = {
        "nothing": authority.issue("localhost"),
        "another CA": authority.issue("localhost", send=[other_authority.root]),
        "the root without the intermediate": authority.issue("localhost", issuer=middle, send_root=True),
    }[send]
    facts = shown(authority, pair).tls
    assert facts is not None
    assert (facts.ca_pem, facts.ca) == (None, None)


def test_a_ca_that_has_only_the_name_is_not_offered(authority: Authority, namesake: Authority) -> None:
    """A server may write any name into a certificate. A handshake shows whether the key belongs to the issuer."""
    facts = shown(authority, authority.issue("localhost", send=[namesake.root])).tls
    assert facts is not None
    assert [sent.subject for sent in facts.chain][1:] == ["CN=Test CA"]
    assert facts.ca_pem is None


def test_a_certificate_that_may_not_issue_others_is_not_offered(authority: Authority) -> None:
    middle = authority.intermediate("No CA", authority=False)
    facts = shown(authority, authority.issue("localhost", issuer=middle, send=[middle])).tls
    assert facts is not None
    assert facts.ca_pem is None


@pytest.mark.parametrize(
    ("kind", "cause"), [("expired", Reason.TLS_EXPIRED), ("other", Reason.TLS_HOSTNAME_MISMATCH)]
)
def test_what_would_still_be_wrong_is_told_at_once(authority: Authority, kind: str, cause: Reason) -> None:
    """Otherwise an administrator would trust a CA and then see the next problem."""
    pair = authority.issue(*([] if kind == "expired" else ["other.example"]), send_root=True)
    if kind == "expired":
        expired = authority.expired("localhost")
        pair = replace(expired, chain_file=expired.chain_file)
        pair.chain_file.write_text(expired.pem + authority.root.pem)
    result = shown(authority, pair)
    assert (result.reason, result.cause) == (Reason.TLS_UNTRUSTED, cause)
    assert result.tls is not None
    assert result.tls.ca_pem is None
    assert "；" in result.hint("zh")


@pytest.mark.parametrize("kind", ["expired", "not_yet_valid", "other"])
def test_no_ca_is_offered_where_none_would_help(authority: Authority, kind: str) -> None:
    pair = authority.issue("other.example") if kind == "other" else getattr(authority, kind)("localhost")
    pair.chain_file.write_text(pair.pem + authority.root.pem)
    with scripted(registry, tls=authority.server_context(pair)) as server:
        result = probe(server.address, USER, PASSWORD, replace(HERE, ca_pem=authority.root.pem))
    assert result.reason in (Reason.TLS_EXPIRED, Reason.TLS_HOSTNAME_MISMATCH)
    assert result.tls is not None
    assert (result.tls.leaf.sha256, result.tls.ca_pem, result.tls.ca) == (pair.sha256, None, None)
    assert len(result.tls.chain) == 2


def test_what_a_server_writes_is_short_clean_and_on_one_line(authority: Authority) -> None:
    names = [f"{'n' * 60}.{number}.example" for number in range(200)]
    pair = authority.issue(*names, common_name="a\x1b[31m\nb\u202e" + "c" * 50, self_signed=True)
    facts = shown(authority, pair).tls
    assert facts is not None
    assert facts.leaf.subject == facts.leaf.issuer == "CN=a [31m b " + "c" * 50
    assert len(facts.names) == 50


def named(subject: str, issuer: str) -> Sent:
    """A certificate of these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    builder = x509.CertificateBuilder(*reversed(names), key.public_key(), x509.random_serial_number())
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    builder = builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=9))
    return Sent.read(builder.sign(key, SHA256()).public_bytes(Encoding.DER))


def test_a_large_certificate_is_described_but_not_offered(authority: Authority) -> None:
    names = [f"{'n' * 60}.{number}.example" for number in range(300)]
    pair = authority.issue("localhost", *names, self_signed=True)
    assert len(pair.pem) > 16_384
    facts = shown(authority, pair).tls
    assert facts is not None
    assert facts.self_signed
    assert facts.ca_pem is None


def test_a_long_chain_is_cut(authority: Authority) -> None:
    middles = [authority.intermediate(f"Middle {number}") for number in range(20)]
    facts = shown(authority, authority.issue("localhost", send=middles)).tls
    assert facts is not None
    assert len(facts.chain) == 10


def test_issuers_that_name_each_other_end_the_search() -> None:
    leaf, a, b = named("leaf", "a"), named("a", "b"), named("b", "a")
    assert anchor([leaf, a, b]) is b


def test_a_certificate_that_cannot_be_read_has_its_fingerprint_still(authority: Authority) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.root.pem)[:-1]
    leaf = Sent.read(der)
    assert anchor([leaf]) is None
    facts = describe([leaf], None)
    assert facts.leaf == CertificateFacts("", "", None, None, hashlib.sha256(der).hexdigest())
    assert not facts.self_signed


def test_a_secret_that_a_server_learned_is_in_no_part_of_a_certificate(authority: Authority) -> None:
    secret = "CanarySecretWord"
    pair = authority.issue(f"{secret}.example", common_name=secret, self_signed=True)
    own = Sent.read(ssl.PEM_cert_to_DER_cert(pair.pem))
    facts = describe([own], own).scrubbed(Scrubber(USER, secret))
    assert secret not in repr(facts)
    assert (facts.ca_pem, facts.ca) == (None, None)
    assert facts.names == ("***.example",)
    assert facts.leaf.subject == facts.leaf.issuer == "CN=***"


def test_a_server_that_shows_nothing_the_second_time_is_still_a_result(authority: Authority) -> None:
    seen: list[int] = []

    def once(connection: object) -> bool:
        seen.append(1)
        return len(seen) == 1

    context = authority.server_context(authority.issue("localhost"))
    with scripted(registry, tls=context, greet=once) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert (result.reason, result.tls) == (Reason.TLS_UNTRUSTED, None)


def test_a_failed_inspection_leaves_no_step(server: ScriptedServer) -> None:
    result = probe(server.address, USER, PASSWORD, HERE)
    assert [(step.name, step.ok) for step in result.steps] == [
        ("resolve", True),
        ("connect", True),
        ("tls", False),
    ]


def test_a_server_that_stalls_the_second_time_cannot_stretch_a_test(authority: Authority) -> None:
    seen: list[float] = []

    def stall(connection: socket.socket) -> bool:
        seen.append(time.monotonic())
        if len(seen) > 1:
            connection.sendall(b"\x16\x03\x03\x40\x00")
            for _ in range(1200):
                connection.sendall(b"\x02")
                time.sleep(0.05)
        return True

    context = authority.server_context(authority.issue("localhost", send_root=True))
    with scripted(registry, tls=context, greet=stall) as server:
        for limit in (0.8, 8.0, 80.0):
            seen.clear()
            started = time.monotonic()
            result = probe(server.address, USER, PASSWORD, replace(HERE, total_timeout=limit))
            beyond = time.monotonic() - started - limit
            if len(seen) > 1:  # on a slow machine the time may run out earlier
                break
    assert (result.reason, result.tls) == (Reason.TLS_UNTRUSTED, None)
    assert beyond < 30, "the server sends for a minute"
