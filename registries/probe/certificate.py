"""What the certificates of a server say, for a reader who decides whether to trust them."""

import hashlib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from .scrubber import Scrubber

_MOST_SENT = 10  # certificates; a server may send as many as fit into 100 KB
_MOST_NAMES = 50
_LONGEST_PEM = 16_384
_LARGEST_LEAF = 64 * 1024  # bytes of DER
_DER = 2  # ENCODING_DER of the module _ssl
_NAMES = {
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.SERIAL_NUMBER: "serialNumber",
    NameOID.SURNAME: "surname",
    NameOID.GIVEN_NAME: "givenName",
    NameOID.TITLE: "title",
    NameOID.POSTAL_CODE: "postalCode",
    NameOID.BUSINESS_CATEGORY: "businessCategory",
    NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier",
    NameOID.JURISDICTION_COUNTRY_NAME: "jurisdictionCountryName",
    NameOID.JURISDICTION_STATE_OR_PROVINCE_NAME: "jurisdictionStateOrProvinceName",
    NameOID.JURISDICTION_LOCALITY_NAME: "jurisdictionLocalityName",
}
"""OpenSSL's names of attributes for which RFC 4514 has none."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What one certificate says. None of it was verified.

    Names are written as in RFC 4514, `CN=…,O=…`. `sha256` is the fingerprint as 64 hex digits. Of a certificate that
    cannot be read only the fingerprint is known: its names are empty and its times None.
    """

    subject: str
    issuer: str
    not_before: datetime | None
    not_after: datetime | None
    sha256: str

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "CertificateFacts":
        """ValueError for a name that cannot be decoded."""
        return cls(
            subject=certificate.subject.rfc4514_string(_NAMES),
            issuer=certificate.issuer.rfc4514_string(_NAMES),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            sha256=certificate.fingerprint(SHA256()).hex(),
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 as openssl prints it: AA:BB:…"""
        return bytes.fromhex(self.sha256).hex(":").upper()

    def reveals(self, scrubber: Scrubber) -> bool:
        """Whether a name contains a secret in any encoding, also in one that the bytes do not show, such as UTF-16."""
        return any(scrubber.reveals(name) for name in (self.subject, self.issuer))

    def scrubbed(self, scrubber: Scrubber) -> "CertificateFacts":
        return replace(self, subject=scrubber.detail(self.subject), issuer=scrubber.detail(self.issuer))

    def to_json(self) -> dict[str, object]:
        """Times are ISO 8601 in UTC."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "notBefore": self.not_before.isoformat() if self.not_before else None,
            "notAfter": self.not_after.isoformat() if self.not_after else None,
            "sha256": self.sha256,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "CertificateFacts":
        """Reads `to_json`, and the keys `not_before` and `not_after` of older rows."""
        return cls(
            subject=values["subject"],
            issuer=values["issuer"],
            not_before=_moment(_either(values, "notBefore", "not_before")),
            not_after=_moment(_either(values, "notAfter", "not_after")),
            sha256=values["sha256"],
        )


@dataclass(frozen=True, slots=True)
class ServerCertificates:
    """The certificates that a server showed. Only `ca` was verified.

    `names` are the subject alternative names of the leaf, 50 at most. `chain` is what was sent, the leaf first, 10 at
    most. `ca_pem` is the one certificate that makes this server trusted when it is configured as CA (a handshake
    proved it), and `ca` holds its facts. Both are None when there is no such certificate.
    """

    leaf: CertificateFacts
    names: tuple[str, ...] = ()
    self_signed: bool = False
    ca_pem: str | None = None
    ca: CertificateFacts | None = None
    chain: tuple[CertificateFacts, ...] = ()

    def scrubbed(self, scrubber: Scrubber) -> "ServerCertificates":
        """A copy without secrets. Every text that a server may write freely is short and on one line."""
        hidden = self.ca_pem is not None and (
            scrubber.contains(_bytes_as_text(self.ca_pem))
            or (self.ca is not None and self.ca.reveals(scrubber))
        )
        return replace(
            self,
            leaf=self.leaf.scrubbed(scrubber),
            names=tuple(scrubber.detail(name) for name in self.names),
            ca_pem=None if hidden else self.ca_pem,
            ca=self.ca.scrubbed(scrubber) if self.ca and not hidden else None,
            chain=tuple(sent.scrubbed(scrubber) for sent in self.chain),
        )

    def to_json(self) -> dict[str, object]:
        return {
            **self.leaf.to_json(),
            "names": list(self.names),
            "selfSigned": self.self_signed,
            "caPem": self.ca_pem,
            "ca": self.ca.to_json() if self.ca else None,
            "chain": [sent.to_json() for sent in self.chain],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ServerCertificates":
        """Reads `to_json`, and older rows: their keys have underscores, and the oldest lack `ca` and `chain`."""
        ca = values.get("ca")
        return cls(
            leaf=CertificateFacts.from_json(values),
            names=tuple(values.get("names", ())),
            self_signed=bool(_either(values, "selfSigned", "self_signed")),
            ca_pem=_either(values, "caPem", "ca_pem"),
            ca=CertificateFacts.from_json(ca) if ca else None,
            chain=tuple(CertificateFacts.from_json(sent) for sent in values.get("chain", ())),
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """A certificate as it was sent: its DER bytes, and the certificate in them, None if it cannot be read."""

    der: bytes = field(repr=False)
    certificate: x509.Certificate | None = field(default=None, repr=False)

    @classmethod
    def read(cls, der: bytes) -> "Sent":
        try:
            certificate = x509.load_der_x509_certificate(der)
            CertificateFacts.of(certificate)
        except (ValueError, x509.InvalidVersion):
            return cls(der)
        return cls(der, certificate)

    @property
    def facts(self) -> CertificateFacts:
        if self.certificate is None:
            return CertificateFacts("", "", None, None, hashlib.sha256(self.der).hexdigest())
        return CertificateFacts.of(self.certificate)

    @property
    def subject(self) -> x509.Name | None:
        return self.certificate.subject if self.certificate else None

    @property
    def issuer(self) -> x509.Name | None:
        return self.certificate.issuer if self.certificate else None

    @property
    def signed_itself(self) -> bool:
        """Whether subject and issuer are the same. The signature is not checked."""
        return bool(self.subject) and self.subject == self.issuer

    @property
    def pem(self) -> str:
        return ssl.DER_cert_to_PEM_cert(self.der)


def ends_at(der: bytes) -> datetime | None:
    """The end of a certificate; None if it cannot be read."""
    if not 0 < len(der) <= _LARGEST_LEAF:
        return None
    try:
        return x509.load_der_x509_certificate(der).not_valid_after_utc
    except (ValueError, x509.InvalidVersion):
        return None


def read_chain(tls: ssl.SSLObject) -> list[Sent]:
    """The certificates of a connection in the order sent, the leaf first; [] when there is none."""
    # Public from Python 3.13 on, where it returns bytes. In Python 3.10 to 3.14 the object below has it.
    beneath = getattr(tls, "_sslobj", None)
    unverified = getattr(beneath, "get_unverified_chain", None)
    sent = list((unverified() if unverified is not None else None) or ())[:_MOST_SENT]
    if sent:
        return [Sent.read(certificate.public_bytes(_DER)) for certificate in sent]
    leaf = tls.getpeercert(binary_form=True)
    return [Sent.read(leaf)] if leaf else []


def anchor(chain: Sequence[Sent]) -> Sent | None:
    """The certificate of a chain to trust: the last issuer of the leaf that was sent, or a leaf that signed itself.

    None if the issuer of the leaf was not sent. Trust in the leaf alone would end with its renewal.
    """
    top, seen = chain[0], {chain[0].der}
    while not top.signed_itself:
        above = [sent for sent in chain if sent.subject == top.issuer and sent.der not in seen]
        if not above or top.issuer is None:
            break
        top = above[0]
        seen.add(top.der)
    found = top is not chain[0] or top.signed_itself
    return top if found and len(top.pem) <= _LONGEST_PEM else None


def describe(chain: Sequence[Sent], ca: Sent | None) -> ServerCertificates:
    """The facts of a chain, which is not empty. `ca` is the certificate that is worth offering."""
    leaf = chain[0]
    return ServerCertificates(
        leaf=leaf.facts,
        names=_alternative_names(leaf.certificate) if leaf.certificate else (),
        self_signed=leaf.signed_itself,
        ca_pem=ca.pem if ca else None,
        ca=ca.facts if ca else None,
        chain=tuple(sent.facts for sent in chain),
    )


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The certificate's domain names, addresses and others; () when there are none or they cannot be read."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return ()
    names = list(extension.value)[:_MOST_NAMES]
    return tuple(_general_name(name) for name in names if not isinstance(name, x509.OtherName))


def _general_name(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DirectoryName):
        return name.value.rfc4514_string(_NAMES)
    if isinstance(name, x509.RegisteredID):
        return name.value.dotted_string
    return str(name.value)


def _bytes_as_text(pem: str) -> str:
    return ssl.PEM_cert_to_DER_cert(pem).decode("latin-1")


def _either(values: Mapping[str, Any], *keys: str) -> Any:
    return next((values[key] for key in keys if key in values), None)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
