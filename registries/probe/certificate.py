"""What a server's certificate says, for the reader who has to decide whether to trust it. Imports the
standard library only."""

import hashlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The certificate that a server showed; nothing in it was verified. Times are ISO 8601 in UTC, None
    when unreadable; `sha256` is the fingerprint as 64 hex digits; `names` the subject alternative names;
    `ca_pem` the certificate to configure as CA, when the server sent one: the root it shows, or the
    self-signed one."""

    subject: str
    issuer: str
    not_before: str | None
    not_after: str | None
    sha256: str
    names: tuple[str, ...] = ()
    self_signed: bool = False
    ca_pem: str | None = None

    def scrubbed(self, scrub: Callable[[str], str]) -> "TlsFacts":
        """The same facts with everything that a server may write freely passed through `scrub`."""
        return replace(
            self,
            subject=scrub(self.subject),
            issuer=scrub(self.issuer),
            names=tuple(scrub(name) for name in self.names),
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
        }


def read_certificate(connection: socket.socket, server_name: str) -> TlsFacts | None:
    """Shake hands on a fresh connection without verifying, and read the certificates; None when the
    server shows none or OpenSSL cannot tell. Nothing is sent over the connection, above all no
    credentials."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with context.wrap_socket(connection, server_hostname=server_name) as tls:
            return _facts(tls)
    except (OSError, ValueError):
        return None


def _facts(tls: ssl.SSLSocket) -> TlsFacts | None:
    leaf = tls.getpeercert(binary_form=True)
    if leaf is None:
        return None
    chain = _chain(tls)
    described: dict[str, Any] = chain[0].get_info() if chain else {}
    subject, issuer = _name(described.get("subject", ())), _name(described.get("issuer", ()))
    return TlsFacts(
        subject=subject,
        issuer=issuer,
        not_before=_moment(described.get("notBefore")),
        not_after=_moment(described.get("notAfter")),
        sha256=hashlib.sha256(leaf).hexdigest(),
        names=tuple(str(value) for _, value in described.get("subjectAltName", ())),
        self_signed=bool(subject) and subject == issuer,
        ca_pem=_ca_pem(chain),
    )


def _chain(tls: ssl.SSLSocket) -> list[Any]:
    """The certificates as sent. The method is public from Python 3.13 on, and there returns bytes without a
    description; the object beneath has it in all versions. Without it the fingerprint still stands."""
    beneath = getattr(tls, "_sslobj", None)
    unverified = getattr(beneath, "get_unverified_chain", None)
    return list(unverified() or ()) if unverified is not None else []


def _ca_pem(chain: list[Any]) -> str | None:
    """The last certificate sent, if it signed itself: a leaf or an intermediate is no CA to configure."""
    if not chain:
        return None
    last = chain[-1].get_info()
    if last.get("subject") != last.get("issuer"):
        return None
    return ssl.DER_cert_to_PEM_cert(chain[-1].public_bytes(_DER))


_DER = 2


def _name(parts: Any) -> str:
    """((('commonName', 'x'),), …) -> 'commonName=x, …', the leaf's own part last as OpenSSL has it."""
    return ", ".join(f"{key}={value}" for relative in parts for key, value in relative)


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
