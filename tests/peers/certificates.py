"""Certificate authorities and server certificates for tests, valid and invalid."""

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in PEM files. A server sends the certificates of `chain_file`."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    certificate_file: Path
    key_file: Path
    chain_file: Path

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


class Authority:
    """A certificate authority with its files in one folder."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        self._folder = folder
        self._name = name
        self._count = 0
        self.root = self._write(name, *self._make(name, authority=True, issuer=None), chain=[])

    def issue(
        self,
        *names: str,
        common_name: str = "test registry",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        self_signed: bool = False,
        send_root: bool = False,
        issuer: Pair | None = None,
        send: Sequence[Pair] = (),
        extensions: Sequence[x509.ExtensionType] = (),
    ) -> Pair:
        """A server certificate for DNS names and IP addresses; without any it has only the common name. `issuer` is
        the root unless given. The server sends `send` after its own certificate."""
        certificate, key = self._make(
            common_name,
            names=names,
            issuer=None if self_signed else issuer or self.root,
            not_before=not_before,
            not_after=not_after,
            extensions=extensions,
        )
        sent = [*send, self.root] if send_root else send
        return self._write(common_name, certificate, key, chain=[pair.certificate for pair in sent])

    def intermediate(
        self,
        common_name: str,
        *,
        authority: bool = True,
        not_after: datetime | None = None,
        extensions: Sequence[x509.ExtensionType] = (),
    ) -> Pair:
        """A certificate of the root that may issue others, or, without `authority`, only looks like one."""
        made = self._make(
            common_name,
            authority=authority,
            issuer=self.root,
            not_before=_now() - 30 * DAY,
            not_after=not_after,
            extensions=extensions,
        )
        return self._write(common_name, *made, chain=[])

    def expired(self, *names: str) -> Pair:
        return self.issue(*names, not_before=_now() - 30 * DAY, not_after=_now() - DAY)

    def not_yet_valid(self, *names: str) -> Pair:
        return self.issue(*names, not_before=_now() + DAY, not_after=_now() + 30 * DAY)

    def server_context(self, pair: Pair, *, client_certificate: bool = False) -> ssl.SSLContext:
        """A server's TLS context. With `client_certificate` it demands one of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.chain_file, pair.key_file)
        if client_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.root.certificate_file)
        return context

    def _make(
        self,
        common_name: str,
        *,
        names: tuple[str, ...] = (),
        authority: bool = False,
        issuer: Pair | None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        extensions: Sequence[x509.ExtensionType] = (),
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before or _now() - DAY)
            .not_valid_after(not_after or _now() + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(map(_alternative, names)), critical=False
            )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(issuer.key if issuer else key, hashes.SHA256()), key

    def _write(
        self,
        name: str,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        chain: list[x509.Certificate],
    ) -> Pair:
        self._count += 1
        base = self._folder / f"{self._name}-{self._count}-{name}".replace(" ", "-").replace("*", "any")
        files = [base.with_suffix(suffix) for suffix in (".crt", ".key", ".chain.pem")]
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        files[0].write_bytes(pem)
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        files[2].write_bytes(pem + b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain))
        return Pair(certificate, key, *files)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _now() -> datetime:
    return datetime.now(UTC)
