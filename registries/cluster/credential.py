"""The credential of a person on the cluster: a bearer token, or a client certificate with its key.

Only the credential is taken from a kubeconfig. A kubeconfig can also name a server, a CA, files and programs; the
console must not call, trust, read or run any of them.
"""

import base64
import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from unicodedata import category
from urllib.parse import urlsplit

import yaml
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from registries.cluster.private_key import read_private_key
from registries.domain.errors import Cause, Invalid, Problem
from registries.domain.resource import decode_base64

TOKEN_MAX = 16_384
KUBECONFIG_MAX = 131_072
"""Characters. A kubeconfig with a dozen clusters has less than half of that."""
NODES_MAX = 10_000
DEPTH_MAX = 50
AUTHORITIES_MAX = 65_536
"""Bytes of the CAs of one cluster."""
CHAIN_MAX = 65_536
"""Characters of a client certificate with those of its issuers."""
_PLAIN_TAGS = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:bool")
_TOKEN = re.compile(r"[!-~]+")
_REFUSED = {
    "exec": Problem.KUBECONFIG_PLUGIN,
    "auth-provider": Problem.KUBECONFIG_PLUGIN,
    "tokenFile": Problem.KUBECONFIG_FILE,
    "client-certificate": Problem.KUBECONFIG_FILE,
    "client-key": Problem.KUBECONFIG_FILE,
    "username": Problem.KUBECONFIG_BASIC,
    "password": Problem.KUBECONFIG_BASIC,
    "as": Problem.KUBECONFIG_IMPERSONATION,
    "as-uid": Problem.KUBECONFIG_IMPERSONATION,
    "as-groups": Problem.KUBECONFIG_IMPERSONATION,
    "as-user-extra": Problem.KUBECONFIG_IMPERSONATION,
}
_DAMAGED = frozenset(
    {
        Problem.TOKEN_MALFORMED,
        Problem.CREDENTIAL_INVISIBLE,
        Problem.KUBECONFIG_MALFORMED,
        Problem.KUBECONFIG_CONTEXT,
        Problem.KUBECONFIG_CERTIFICATE,
        Problem.KUBECONFIG_EMPTY,
    }
)
"""The problems that an invisible character can cause."""
_PORTS = {"https": 443, "http": 80}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LoginCredential:
    """A token, or a certificate and its key as PEM. `expires_at` is None when the credential names no date."""

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    expires_at: datetime | None = None

    @property
    def fingerprint(self) -> str:
        return sha256(self.to_json().encode()).hexdigest()

    @property
    def common_name(self) -> str:
        """The common name of the certificate; "" for a token, and for no or several common names."""
        if not self.certificate:
            return ""
        subject = x509.load_pem_x509_certificates(self.certificate.encode())[0].subject
        names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if len(names) == 1 else ""

    def to_json(self) -> str:
        return json.dumps({"token": self.token, "certificate": self.certificate, "key": self.key})

    @classmethod
    def from_json(cls, text: str) -> "LoginCredential":
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Home:
    """The API server of the console: its addresses (host, port), and its CAs (SHA-256 of the DER)."""

    addresses: frozenset[tuple[str, int]]
    authorities: frozenset[bytes] = frozenset()

    def is_meant(self, cluster: Json) -> bool:
        """Whether the cluster of a kubeconfig is this one, by its address or by its CA.

        One server has many addresses. A cluster without a server is accepted, like a pasted token.
        """
        server = str(cluster.get("server") or "")
        if not server or address_of(server) in self.addresses:
            return True
        try:
            given = decode_base64(str(cluster.get("certificate-authority-data") or ""))
        except ValueError:
            return False
        return bool(authorities_in(given) & self.authorities)


def address_of(server: str) -> tuple[str, int]:
    """Host and port of the URL of a server; ("", 0) for an invalid URL."""
    try:
        parts = urlsplit(server if "//" in server else f"https://{server}")
        return (parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))
    except ValueError:
        return ("", 0)


def authorities_in(pem: bytes) -> frozenset[bytes]:
    """The fingerprints of all certificates in a PEM text; empty for an invalid and for a very long text."""
    if len(pem) > AUTHORITIES_MAX:
        return frozenset()
    try:
        found = x509.load_pem_x509_certificates(pem)
    except (ValueError, x509.InvalidVersion):
        return frozenset()
    return frozenset(certificate.fingerprint(hashes.SHA256()) for certificate in found)


def read_token(text: str, now: datetime) -> LoginCredential:
    """The credential of a pasted token. Invalid for a text that cannot be a token, and for an expired token."""
    token = text.strip().removeprefix("Bearer ").strip()
    if len(token) > TOKEN_MAX or not _TOKEN.fullmatch(token):
        invisible = _invisible_in(token[:TOKEN_MAX])
        problem = Problem.CREDENTIAL_INVISIBLE if invisible else Problem.TOKEN_MALFORMED
        raise _invalid("token", problem, invisible)
    return _current("token", LoginCredential(token=token, expires_at=_expiry_of(token)), now)


def read_kubeconfig(text: str, home: Home, now: datetime) -> LoginCredential:
    """The credential of the current context. Invalid, with a problem for each kubeconfig that cannot be used here."""
    try:
        return _read_kubeconfig(text, home, now)
    except Invalid as error:
        invisible = _invisible_in(text[:KUBECONFIG_MAX]) if error.causes[0].problem in _DAMAGED else ""
        if invisible:
            raise _invalid("kubeconfig", Problem.CREDENTIAL_INVISIBLE, invisible) from None
        raise


def _read_kubeconfig(text: str, home: Home, now: datetime) -> LoginCredential:
    config = _parsed(text)
    context = _context(config)
    user = _named(config, "users", "user", str(context.get("user") or ""))
    cluster = _named(config, "clusters", "cluster", str(context.get("cluster") or ""))
    if not home.is_meant(cluster):
        raise _invalid("kubeconfig", Problem.KUBECONFIG_ELSEWHERE, address_of(str(cluster.get("server")))[0])
    for name, problem in _REFUSED.items():
        if user.get(name):
            raise _invalid("kubeconfig", problem)
    if user.get("client-certificate-data"):  # an API server prefers it, too
        return _current("kubeconfig", _certificate(user), now)
    if user.get("token"):
        try:
            return read_token(str(user["token"]), now)
        except Invalid as error:
            raise _invalid("kubeconfig", error.causes[0].problem) from None
    raise _invalid("kubeconfig", Problem.KUBECONFIG_EMPTY)


class _Plain(yaml.CSafeLoader):
    """A loader in C that makes texts, truth values and null only. A long number in base 60 takes seconds."""

    yaml_implicit_resolvers = {
        first: [it for it in found if it[0] in _PLAIN_TAGS]
        for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _text(loader: _Plain, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


for _tag in ("int", "float", "timestamp", "binary"):
    _Plain.add_constructor(f"tag:yaml.org,2002:{_tag}", _text)


def _count(text: str) -> None:
    """YAMLError for an alias, which makes a small file expand without end, and for too many or too deep nodes."""
    nodes = depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or nodes > NODES_MAX or depth > DEPTH_MAX:
            raise yaml.YAMLError


def decode_kubeconfig(raw: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 with a byte order mark, as `>` of PowerShell writes it."""
    utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return raw.decode("utf-16" if utf16 else "utf-8-sig", errors="replace")


def _parsed(text: str) -> Json:
    text = text.removeprefix("\ufeff")
    if len(text) > KUBECONFIG_MAX:
        raise _invalid("kubeconfig", Problem.KUBECONFIG_MALFORMED)
    try:
        _count(text)
        config = yaml.load(text, Loader=_Plain)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _invalid("kubeconfig", Problem.KUBECONFIG_MALFORMED) from None
    if not isinstance(config, dict) or config.get("kind", "Config") != "Config" or "users" not in config:
        raise _invalid("kubeconfig", Problem.KUBECONFIG_MALFORMED)
    return config


def _context(config: Json) -> Json:
    current = str(config.get("current-context") or "")
    contexts = _entries(config, "contexts", "context")
    if not current and len(contexts) == 1:
        return next(iter(contexts.values()))
    found = contexts.get(current)
    if found is None:
        raise _invalid("kubeconfig", Problem.KUBECONFIG_CONTEXT)
    return found


def _named(config: Json, kind: str, inner: str, name: str) -> Json:
    found = _entries(config, kind, inner).get(name)
    if found is None:
        raise _invalid("kubeconfig", Problem.KUBECONFIG_CONTEXT)
    return found


def _entries(config: Json, kind: str, inner: str) -> dict[str, Json]:
    listed = config.get(kind)
    entries = [it for it in listed if isinstance(it, dict)] if isinstance(listed, list) else []
    return {str(it.get("name")): it[inner] for it in entries if isinstance(it.get(inner), dict)}


def _certificate(user: Json) -> LoginCredential:
    try:
        certificate, key = (
            decode_base64(str(user.get(name) or "")).decode("ascii")
            for name in ("client-certificate-data", "client-key-data")
        )
        if len(certificate) > CHAIN_MAX:
            raise ValueError
        private = read_private_key(key)
        own = x509.load_pem_x509_certificates(certificate.encode())[0]
        fits = _public(own.public_key) == _public(private.public_key)  # type: ignore[arg-type]
        found = LoginCredential(certificate=certificate, key=key, expires_at=own.not_valid_after_utc)
        _ = found.common_name  # a part of a certificate is parsed when it is read
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):  # TypeError: an encrypted key
        fits = False
    if not fits:
        raise _invalid("kubeconfig", Problem.KUBECONFIG_CERTIFICATE)
    return found


def _public(key: Callable[[], CertificatePublicKeyTypes]) -> bytes:
    return key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _expiry_of(token: str) -> datetime | None:
    """The `exp` of a JWT; None for other tokens. It is not verified, and can only shorten a session."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None


def _current(name: str, credential: LoginCredential, now: datetime) -> LoginCredential:
    if credential.expires_at is not None and credential.expires_at <= now:
        raise _invalid(name, Problem.PROOF_EXPIRED)
    return credential


def _invisible_in(text: str) -> str:
    """The first character without width, or space that is no plain one, as U+200B; "" without one."""
    odd = (it for it in text.strip().removeprefix("\ufeff") if it != " " and category(it) in ("Cf", "Zs"))
    return next((f"U+{ord(it):04X}" for it in odd), "")


def _invalid(name: str, problem: Problem, part: str = "") -> Invalid:
    return Invalid("", (Cause(name, problem, part=part),))
