"""A keyed digest that tells whether two registries have the same credential, without telling the password.

It is in the database and nowhere else: no page, answer, annotation, metric or log line contains it.
"""

import hmac
import json
from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from registries.domain.registry import Credential, RegistrySecret

OWN = "+"
"""Stands in the digest of a row of its own."""


class CredentialDigest:
    """HMAC-SHA256 of address, trust settings, user name, password and probe image. The key is derived from the
    console's secret.

    Credentials with other trust settings or another probe image are different, since their verdicts differ.
    """

    def __init__(self, secret: str) -> None:
        derived = HKDF(SHA256(), length=32, salt=None, info=b"registries.schedule.digest")
        self._key = derived.derive(secret.encode())
        self.key_id = hmac.new(self._key, b"key id", sha256).hexdigest()[:8]
        """Tells digests of different keys apart."""

    def __call__(self, credential: Credential) -> str:
        """`<key id>:<64 hexadecimal digits>`."""
        trust = sha256(credential.ca_bundle.encode()).hexdigest() if credential.ca_bundle else ""
        values = (
            credential.address,
            "skip" if credential.skip_tls_verify else trust,
            credential.username,
            credential.password,
            *filter(None, [credential.probe_image]),
        )
        return f"{self.key_id}:{hmac.new(self._key, json.dumps(values).encode(), sha256).hexdigest()}"


def fingerprint(registry: RegistrySecret) -> str:
    """Changes when the credential, its address, its trust settings or its probe image may have changed."""
    # The API server does not count a password that is the same as before. It gets a first test as well.
    changed = registry.password_changed_at.isoformat() if registry.password_changed_at else ""
    more = filter(None, (registry.probe_image, changed))
    values = (registry.generation, registry.binding, registry.username, *more)
    return sha256("\0".join(values).encode()).hexdigest()


def own_digest(digest: str, whose: str) -> str:
    """The digest of a row of its own; without `whose`, the beginning of all of them. Two that are the same by chance
    share a row."""
    return digest + OWN + (urlsafe_b64encode(sha256(whose.encode()).digest())[:6].decode() if whose else "")


def shared_digest(digest: str) -> str:
    """The digest of the credential, from that of any row."""
    return digest.partition(OWN)[0]
