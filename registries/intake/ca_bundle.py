"""Certificates that somebody gives for one registry: read, checked, described. Nothing of ours, no Django."""

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

BUNDLE_MAX = 64 * 1024
"""Characters of a bundle; an annotation may not grow without bounds (Kubernetes allows 256 KiB for all)."""
MOST = 20
_NAMES = {NameOID.EMAIL_ADDRESS: "emailAddress", NameOID.SERIAL_NUMBER: "serialNumber"}
"""Beside those of RFC 4514, which `cryptography` knows; as OpenSSL, with which the connection test reads, has them."""
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class BundleError(ValueError):
    """A bundle that cannot be used. `problem` is `too_long`, `ca_private_key`, `ca_empty`, `ca_too_many` or
    `ca_unreadable`. Holds nothing of what was given: it may be a key."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Authority:
    """One certificate of a bundle; `sha256` is the fingerprint as openssl prints it, AA:BB:…, times are in UTC."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    sha256: str

    def is_expired(self, now: datetime) -> bool:
        return now > self.not_after


def read_bundle(text: str) -> tuple[str, tuple[Authority, ...]]:
    """The certificates of a PEM text as one canonical bundle, each once, and what they say; or BundleError.

    What stands around the blocks is dropped. A private key is refused: it must not be kept where everybody
    who sees the registry can read it.
    """
    if len(text) > BUNDLE_MAX:
        raise BundleError("too_long")
    if "PRIVATE KEY" in text:
        raise BundleError("ca_private_key")
    blocks = _BLOCK.findall(text)
    if not blocks:
        raise BundleError("ca_empty")
    if len(blocks) > MOST:
        raise BundleError("ca_too_many")
    found: dict[str, Authority] = {}
    for block in blocks:
        try:
            certificate = x509.load_pem_x509_certificate(block.encode())
            pem = certificate.public_bytes(Encoding.PEM).decode()
            found[pem] = _described(certificate)
        except ValueError as error:  # UnicodeEncodeError and cryptography's own are ValueErrors
            raise BundleError("ca_unreadable") from error
    return "".join(found), tuple(found.values())


def fingerprint(digest: bytes) -> str:
    return digest.hex(":").upper()


def _described(certificate: x509.Certificate) -> Authority:
    return Authority(
        subject=certificate.subject.rfc4514_string(_NAMES),
        issuer=certificate.issuer.rfc4514_string(_NAMES),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        sha256=fingerprint(certificate.fingerprint(SHA256())),
    )
