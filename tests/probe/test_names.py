"""Names in certificates, as text."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from registries.intake import read_bundle
from registries.probe.certificate import CertificateFacts, Sent
from registries.probe.scrubber import Scrubber

OIDS = (
    NameOID.COUNTRY_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.EMAIL_ADDRESS,
    NameOID.SERIAL_NUMBER,
    NameOID.COMMON_NAME,
)


def test_a_secret_is_found_in_a_name_that_escapes_it() -> None:
    secret = "a,b+c;d\\"
    certificate = _self_signed({NameOID.ORGANIZATION_NAME: f"x {secret} y", NameOID.COMMON_NAME: secret})
    facts = CertificateFacts.of(certificate)
    assert "\\," in facts.subject
    scrubbed = facts.scrubbed(Scrubber("admin", secret))
    assert (scrubbed.subject, scrubbed.issuer) == ("CN=***,O=x *** y",) * 2


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Foo, Inc.", r"Foo\, Inc."),
        (" a ", r"\ a\ "),
        ("#b", r"\#b"),
        ('c "d" <e>; f+g\\', r"c \"d\" \<e\>\; f\+g\\"),
        ("中 文", "中 文"),
    ],
)
def test_a_name_is_written_as_in_rfc_4514_wherever_it_is_read(value: str, written: str) -> None:
    certificate = _self_signed(dict(zip(OIDS, ("CN", value, "a@b.c", "7", value), strict=True)))
    sent = Sent.read(certificate.public_bytes(Encoding.DER)).facts
    (trusted,) = read_bundle(certificate.public_bytes(Encoding.PEM).decode())[1]
    assert sent == trusted
    assert sent.subject == f"CN={written},serialNumber=7,emailAddress=a@b.c,O={written},C=CN"


def _self_signed(values: dict[x509.ObjectIdentifier, str]) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in values.items()])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(begins).not_valid_after(begins + timedelta(days=9))
    return builder.sign(key, SHA256())
