"""How the names in certificates are written."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from registries.intake.ca_bundle import read_bundle
from registries.probe.certificate import Sent, TlsFacts, describe
from registries.probe.scrubber import Scrubber


def test_a_secret_is_found_in_a_name_that_escapes_it() -> None:
    secret = "a,b+c;d\\"
    name = ((("organizationName", f"x {secret} y"),), (("commonName", secret),))
    facts = _described(b"", name).scrubbed(Scrubber("admin", secret))
    assert (facts.subject, facts.issuer) == ("CN=***,O=x *** y",) * 2


@pytest.mark.parametrize("value", ["Foo, Inc.", " a ", "#b", 'c "d" <e>; f+g\\', "中 文"])
def test_a_name_is_written_as_where_its_certificate_is_trusted(value: str) -> None:
    """One subject, read by OpenSSL here and by `cryptography` there: in one form."""
    oids = {
        "countryName": NameOID.COUNTRY_NAME,
        "organizationName": NameOID.ORGANIZATION_NAME,
        "emailAddress": NameOID.EMAIL_ADDRESS,
        "commonName": NameOID.COMMON_NAME,
    }
    values = {"countryName": "CN", "organizationName": value, "emailAddress": "a@b.c", "commonName": value}
    pem = _self_signed(x509.Name([x509.NameAttribute(oid, values[name]) for name, oid in oids.items()]))
    described = tuple(((name, values[name]),) for name in oids)
    ours = _described(ssl.PEM_cert_to_DER_cert(pem), described)
    (theirs,) = read_bundle(pem)[1]
    assert (ours.subject, ours.issuer) == (theirs.subject, theirs.issuer)


def _described(der: bytes, name: object) -> TlsFacts:
    return describe([Sent(der, {"subject": name, "issuer": name})], None)


def _self_signed(name: x509.Name) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(begins).not_valid_after(begins + timedelta(days=9))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
