"""What the certificates of a server say, for the reader who has to decide whether to trust them. Imports
scrubber.py."""

import hashlib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from .scrubber import IN_A_NAME, Scrubber

_MOST_SENT = 10  # certificates; a server may send as many as fit into 100 KB
_MOST_NAMES = 50
_LONGEST_PEM = 16_384
_DER = 2  # what _ssl calls ENCODING_DER
# RFC 4514, section 3.
_SHORT = {
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A certificate as it came: its DER bytes, and what OpenSSL reads in them, {} if it cannot."""

    der: bytes = field(repr=False)
    described: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()

    @property
    def subject(self) -> object:
        return self.described.get("subject")

    @property
    def issuer(self) -> object:
        return self.described.get("issuer")

    @property
    def signed_itself(self) -> bool:
        """By its own word: nothing here checks signatures."""
        return bool(self.subject) and self.subject == self.issuer

    @property
    def pem(self) -> str:
        return ssl.DER_cert_to_PEM_cert(self.der)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate; nothing in it was verified. Names are as in RFC 4514, `CN=…,O=…`; times ISO 8601 in
    UTC, None when unreadable; `sha256` is the fingerprint as 64 hex digits."""

    subject: str
    issuer: str
    not_before: str | None
    not_after: str | None
    sha256: str

    def scrubbed(self, scrubber: Scrubber) -> "CertificateFacts":
        return replace(self, subject=scrubber.detail(self.subject), issuer=scrubber.detail(self.issuer))

    def to_json(self) -> dict[str, object]:
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "notBefore": self.not_before,
            "notAfter": self.not_after,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The certificates that a server showed; nothing in them was verified, but for `ca`. The leaf's own
    facts are as in CertificateFacts; `names` are its subject alternative names, 50 at most. `chain` is
    what was sent, the leaf first, 10 at most. `ca_pem` is the one certificate that, configured as CA,
    makes this server believed (that was tried), and `ca` its facts; None when there is no such."""

    subject: str
    issuer: str
    not_before: str | None
    not_after: str | None
    sha256: str
    names: tuple[str, ...] = ()
    self_signed: bool = False
    ca_pem: str | None = None
    ca: CertificateFacts | None = None
    chain: tuple[CertificateFacts, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TlsFacts":
        """From what dataclasses.asdict() made, perhaps by way of JSON; older ones lack `ca` and `chain`."""
        ca = values.get("ca")
        return cls(
            **{
                **values,
                "names": tuple(values.get("names", ())),
                "ca": CertificateFacts(**ca) if ca else None,
                "chain": tuple(CertificateFacts(**sent) for sent in values.get("chain", ())),
            }
        )

    def scrubbed(self, scrubber: Scrubber) -> "TlsFacts":
        """The same without any secret, in everything that a server may write freely, and each text short
        and on one line."""
        hidden = self.ca_pem is not None and scrubber.reveals(_bytes_as_text(self.ca_pem))
        return replace(
            self,
            subject=scrubber.detail(self.subject),
            issuer=scrubber.detail(self.issuer),
            names=tuple(scrubber.detail(name) for name in self.names),
            ca_pem=None if hidden else self.ca_pem,
            ca=self.ca.scrubbed(scrubber) if self.ca and not hidden else None,
            chain=tuple(sent.scrubbed(scrubber) for sent in self.chain),
        )

    def to_json(self) -> dict[str, object]:
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "notBefore": self.not_before,
            "notAfter": self.not_after,
            "sha256": self.sha256,
            "names": list(self.names),
            "selfSigned": self.self_signed,
            "caPem": self.ca_pem,
            "ca": self.ca.to_json() if self.ca else None,
            "chain": [sent.to_json() for sent in self.chain],
        }


def read_chain(tls: ssl.SSLSocket) -> list[Sent]:
    """The certificates of a connection as sent, the leaf first; [] when there is none."""
    # The method is public from Python 3.13 on, and there returns bytes without a description; the object
    # beneath has it from 3.10 to 3.14. Without it the leaf's fingerprint still stands.
    beneath = getattr(tls, "_sslobj", None)
    unverified = getattr(beneath, "get_unverified_chain", None)
    sent = list((unverified() if unverified is not None else None) or ())[:_MOST_SENT]
    if sent:
        return [Sent(certificate.public_bytes(_DER), _described(certificate)) for certificate in sent]
    leaf = tls.getpeercert(binary_form=True)
    return [Sent(leaf)] if leaf else []


def anchor(chain: Sequence[Sent]) -> Sent | None:
    """The one certificate of a chain to be trusted: the last of the leaf's issuers that were sent, or the
    leaf if it signed itself. None if the issuer was not sent: to trust a leaf holds until its renewal."""
    top, seen = chain[0], {chain[0].sha256}
    while not top.signed_itself:
        above = [sent for sent in chain if sent.subject == top.issuer and sent.sha256 not in seen]
        if not above or top.issuer is None:
            break
        top = above[0]
        seen.add(top.sha256)
    found = top is not chain[0] or top.signed_itself
    return top if found and len(top.pem) <= _LONGEST_PEM else None


def describe(chain: Sequence[Sent], ca: Sent | None) -> TlsFacts:
    """The facts of a chain that is not empty; `ca` is the certificate that is worth offering."""
    leaf = chain[0]
    own = _facts(leaf)
    names = leaf.described.get("subjectAltName", ())
    return TlsFacts(
        subject=own.subject,
        issuer=own.issuer,
        not_before=own.not_before,
        not_after=own.not_after,
        sha256=own.sha256,
        names=tuple(str(value) for _, value in names[:_MOST_NAMES]),
        self_signed=leaf.signed_itself,
        ca_pem=ca.pem if ca else None,
        ca=_facts(ca) if ca else None,
        chain=tuple(_facts(sent) for sent in chain),
    )


def _facts(sent: Sent) -> CertificateFacts:
    return CertificateFacts(
        subject=_name(sent.subject),
        issuer=_name(sent.issuer),
        not_before=_moment(sent.described.get("notBefore")),
        not_after=_moment(sent.described.get("notAfter")),
        sha256=sent.sha256,
    )


def _described(certificate: Any) -> Mapping[str, Any]:
    try:
        info: Mapping[str, Any] = certificate.get_info()
    except (OSError, ValueError):
        return {}
    return info


def _bytes_as_text(pem: str) -> str:
    return ssl.PEM_cert_to_DER_cert(pem).decode("latin-1")


def _name(parts: Any) -> str:
    """((('countryName', 'x'),), (('commonName', 'y'),)) -> 'CN=y,C=x': as in RFC 4514, the last part first."""
    return ",".join(
        "+".join(f"{_SHORT.get(key, key)}={_escaped(value)}" for key, value in relative)
        for relative in reversed(parts or ())
    )


def _escaped(value: str) -> str:
    """RFC 4514, section 2.4."""
    text = value.translate(IN_A_NAME)
    if text.startswith(("#", " ")):
        text = f"\\{text}"
    return f"{text[:-1]}\\ " if text.endswith(" ") and text != "\\ " else text


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
