"""Certificates of a trusted authority: for which name, for which use and until when they are accepted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from registries.probe import Policy, Reason, probe
from registries.probe.validity import EXPIRED, params_of
from tests.peers.basic_registry import PASSWORD, USER, registry, run_probe
from tests.peers.certificates import Authority, Pair
from tests.peers.scripted import HERE, scripted

pytest_plugins = ("tests.peers.authorities",)


@pytest.mark.parametrize("kind", ["expired", "not_yet_valid"])
def test_an_expired_or_early_certificate(authority: Authority, trusting: Policy, kind: str) -> None:
    result, server = run_probe(authority, getattr(authority, kind)("localhost"), trusting)
    assert result.reason is Reason.TLS_EXPIRED
    assert result.tls is not None
    leaf = result.tls.leaf
    assert leaf.not_before
    assert leaf.not_after
    day = (leaf.not_after if kind == "expired" else leaf.not_before).astimezone().date()
    zh, en = {
        "expired": (f"证书已于 {day} 过期", f"Certificate expired on {day}"),
        "not_yet_valid": (f"证书 {day} 才生效", f"Certificate not valid before {day}"),
    }[kind]
    assert (result.message("zh"), result.message("en"), result.to_json("en")["message"]) == (zh, en, en)
    assert ("Renew the certificate" in result.hint("en")) is (kind == "expired")
    assert ("时钟" in result.hint("zh")) is (kind == "not_yet_valid")
    assert server.requests == []


def test_the_last_day_of_all_is_said_where_no_clock_reaches_it(
    authority: Authority, trusting: Policy
) -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    pair = authority.issue("localhost", not_before=last - timedelta(seconds=1), not_after=last)
    result, _ = run_probe(authority, pair, trusting)
    assert result.message("en") == "Certificate not valid before 9999-12-31"


def test_an_untrusted_certificate_that_expired_says_both(authority: Authority) -> None:
    pair = authority.issue("localhost", self_signed=True, not_after=datetime.now(UTC) - timedelta(hours=1))
    result, _ = run_probe(authority, pair, HERE)
    day = pair.certificate.not_valid_after_utc.astimezone().date()
    assert (result.reason, result.cause) == (Reason.TLS_UNTRUSTED, Reason.TLS_EXPIRED)
    assert result.cause_message("zh") == f"证书已于 {day} 过期"


def test_an_expired_authority_is_named_as_such(authority: Authority, trusting: Policy) -> None:
    result, _ = run_probe(authority, _by_an_expired_authority(authority), trusting)
    day = (datetime.now(UTC) - timedelta(days=1)).astimezone().date()
    assert result.message("en") == f"CA of the certificate expired on {day}"
    assert params_of(None, EXPIRED, datetime.now(UTC)) == {"validity": "expired_unknown"}


@pytest.mark.parametrize("names", [("other.example",), ("*.other.example",), ("127.0.0.2",), ("*",)])
def test_a_certificate_for_another_name(authority: Authority, trusting: Policy, names: tuple[str]) -> None:
    result, server = run_probe(authority, authority.issue(*names), trusting)
    assert result.reason is Reason.TLS_HOSTNAME_MISMATCH
    assert server.requests == []


@pytest.mark.parametrize(
    ("names", "host", "right"),
    [
        (("*.corp.example",), "harbor.corp.example", True),
        (("*.corp.example",), "a.harbor.corp.example", False),
        (("*.corp.example",), "corp.example", False),
        (("harbor.corp.example",), "HARBOR.Corp.Example.", True),
        (("other.example", "harbor.corp.example"), "harbor.corp.example", True),
        (("*.*.example",), "harbor.corp.example", False),
        (("harbor.*.example",), "harbor.corp.example", False),
        (("xn--fiqs8s.example",), "中国.example", True),
    ],
)
def test_names_and_wildcards(
    names: tuple[str], host: str, right: bool, authority: Authority, trusting: Policy
) -> None:
    with scripted(registry, tls=authority.server_context(authority.issue(*names))) as server:
        policy = replace(trusting, resolver=lambda host, port: ["127.0.0.1"])
        result = probe(f"{host}:{server.port}", USER, PASSWORD, policy)
    assert result.reason is (Reason.OK if right else Reason.TLS_HOSTNAME_MISMATCH)


def _not_for_servers(authority: Authority) -> Pair:
    purpose = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH])
    return authority.issue("localhost", extensions=[purpose])


def _outside_the_constraint(authority: Authority) -> Pair:
    elsewhere = x509.NameConstraints([x509.DNSName("corp.example")], None)
    middle = authority.intermediate("Constrained CA", extensions=[elsewhere])
    return authority.issue("localhost", issuer=middle, send=[middle])


def _by_no_authority(authority: Authority) -> Pair:
    middle = authority.intermediate("No CA", authority=False)
    return authority.issue("localhost", issuer=middle, send=[middle])


def _by_an_expired_authority(authority: Authority) -> Pair:
    middle = authority.intermediate("Expired CA", not_after=datetime.now(UTC) - timedelta(days=1))
    return authority.issue("localhost", issuer=middle, send=[middle])


def _without_the_intermediate(authority: Authority) -> Pair:
    return authority.issue("localhost", issuer=authority.intermediate("Missing CA"))


def _with_an_unknown_critical_extension(authority: Authority) -> Pair:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    return authority.issue("localhost", extensions=[unknown])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_not_for_servers, Reason.TLS_UNTRUSTED),
        (_outside_the_constraint, Reason.TLS_UNTRUSTED),
        (_by_no_authority, Reason.TLS_UNTRUSTED),
        (_by_an_expired_authority, Reason.TLS_EXPIRED),
        (_without_the_intermediate, Reason.TLS_UNTRUSTED),
        (_with_an_unknown_critical_extension, Reason.TLS_UNTRUSTED),
    ],
)
def test_a_certificate_of_a_trusted_authority_may_be_bad_all_the_same(
    make: Callable[[Authority], Pair], reason: Reason, authority: Authority, trusting: Policy
) -> None:
    result, server = run_probe(authority, make(authority), trusting)
    assert result.reason is reason
    assert result.tls is not None
    assert result.tls.ca_pem is None
    assert server.requests == []


def test_a_common_name_is_not_a_host_name(authority: Authority, trusting: Policy) -> None:
    """Go ignores the common name, so the nodes do, and so does the probe."""
    result, _ = run_probe(authority, authority.issue(common_name="localhost"), trusting)
    assert result.reason is Reason.TLS_HOSTNAME_MISMATCH


def test_an_ip_address_is_looked_for_among_the_ip_addresses(authority: Authority, trusting: Policy) -> None:
    for names, reason in [(("127.0.0.1",), Reason.OK), (("localhost",), Reason.TLS_HOSTNAME_MISMATCH)]:
        with scripted(registry, tls=authority.server_context(authority.issue(*names))) as server:
            assert probe(f"127.0.0.1:{server.port}", USER, PASSWORD, trusting).reason is reason
