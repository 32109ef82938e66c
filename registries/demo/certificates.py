"""The demo's certificate authority and its certificates, in files of mode 0600. They are made once, and renewed
when one expires soon or the host names change."""

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = ipaddress.IPv4Address("127.0.0.1")
ORGANIZATION = "Registry console demo"
CA_DAYS, LEAF_DAYS, RENEW_DAYS = 3650, 397, 14


@dataclass(frozen=True)
class Certificates:
    """PEM files. `ca` is the CA certificate that clients trust; each other file holds a key and its certificate."""

    ca: Path
    registries: Path
    self_signed: Path
    expired: Path
    wrong_name: Path


@dataclass(frozen=True)
class _Pair:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def pem(self) -> bytes:
        private = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return private + self.certificate.public_bytes(serialization.Encoding.PEM)


def issue(folder: Path, hosts: Sequence[str]) -> Certificates:
    """The certificates for these host names, read from `folder`, or made and saved there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC)
    authority = _read(folder / "ca-key.pem")
    if authority is None or not _lasts(authority.certificate, now):
        authority = _make_authority(now)
        _write(folder / "ca-key.pem", authority.pem())
    files = Certificates(
        ca=folder / "ca.pem",
        registries=folder / "registries.pem",
        self_signed=folder / "self-signed.pem",
        expired=folder / "expired.pem",
        wrong_name=folder / "wrong-name.pem",
    )
    _write(files.ca, authority.certificate.public_bytes(serialization.Encoding.PEM))
    names = [*hosts, "localhost"]
    later = now + dt.timedelta(days=LEAF_DAYS)
    past = now - dt.timedelta(days=1)
    _renew(files.registries, authority, names, now, later)
    _renew(files.self_signed, None, names, now, later)
    _renew(files.expired, authority, names, now, past)
    # This one contains neither our address nor `localhost`, so the name never matches.
    _renew(files.wrong_name, authority, ["former-name.localhost"], now, later, address=False)
    return files


def _renew(
    path: Path,
    authority: _Pair | None,
    names: Sequence[str],
    now: dt.datetime,
    until: dt.datetime,
    *,
    address: bool = True,
) -> None:
    """Writes a new leaf to `path` unless the present one is good. Without an authority the leaf signs itself."""
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    if address:
        alternatives.append(x509.IPAddress(LOOPBACK))
    wanted = x509.SubjectAlternativeName(alternatives)
    old = _read(path)
    meant_to_be_expired = until <= now
    if (
        old is not None
        and _signed_by(old, authority or old)
        and _names(old.certificate) == wanted
        and (meant_to_be_expired or _lasts(old.certificate, now))
    ):
        return
    _write(path, _make_leaf(authority, wanted, names[0], until).pem())


def _make_authority(now: dt.datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    # Its key is in a plain file, so the CA is valid for loopback only.
    loopback_only = x509.NameConstraints(
        permitted_subtrees=[
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.IPv4Network("127.0.0.0/8")),
        ],
        excluded_subtrees=None,
    )
    builder = _builder("demo CA", key, now + dt.timedelta(days=CA_DAYS)).issuer_name(_name("demo CA"))
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(loopback_only, critical=True)
    )
    return _Pair(key, builder.sign(key, hashes.SHA256()))


def _make_leaf(
    authority: _Pair | None, names: x509.SubjectAlternativeName, title: str, until: dt.datetime
) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = authority.key if authority else key
    issuer = authority.certificate.subject if authority else _name(title)
    builder = _builder(title, key, until).issuer_name(issuer)
    builder = (
        builder.add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    return _Pair(key, builder.sign(signer, hashes.SHA256()))


def _builder(title: str, key: ec.EllipticCurvePrivateKey, until: dt.datetime) -> x509.CertificateBuilder:
    # One day early, for clients whose clock is slow. An expired leaf must begin before it ends.
    began = min(until, dt.datetime.now(dt.UTC)) - dt.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(title))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(title: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, title),
        ]
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return None


def _lasts(certificate: x509.Certificate, now: dt.datetime) -> bool:
    return (
        certificate.not_valid_before_utc
        <= now
        < certificate.not_valid_after_utc - dt.timedelta(days=RENEW_DAYS)
    )


def _signed_by(leaf: _Pair, signer: _Pair) -> bool:
    try:
        leaf.certificate.verify_directly_issued_by(signer.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _read(path: Path) -> _Pair | None:
    """A key and its certificate. None if the file is absent or damaged, or if the two do not match."""
    try:
        pem = path.read_bytes()
        key = serialization.load_pem_private_key(pem, password=None)
        certificate = x509.load_pem_x509_certificate(pem)
    except (OSError, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return _Pair(key, certificate)


def _write(path: Path, content: bytes) -> None:
    """Replaces the file atomically: another process never reads half of it, and it is never world-readable."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)
