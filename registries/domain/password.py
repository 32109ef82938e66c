"""Passwords in resources: base64 as Kubernetes and Go read it, and a digest that stands for a credential.

The key of the digest is random and exists only in the memory of this process: a digest is worth nothing anywhere else.
It is never stored, shown, sent or logged, since whoever reads two of them knows whether two passwords are equal.
"""

import base64
from hashlib import blake2b
from secrets import token_bytes

_KEY = token_bytes(32)
_SIZE = 16


def decode_base64(text: str) -> bytes:
    """Standard base64 with padding; line ends do not count, as in Go's encoding/base64. ValueError for other text."""
    letters = text.replace("\r", "").replace("\n", "")
    if len(letters) % 4 or letters.endswith("==="):  # Python decodes "QUJD=" and "QUJD====" all the same
        raise ValueError("base64 without its padding, or with too much")
    return base64.b64decode(letters, validate=True)


def decode_password(stored: str) -> str:
    """Decodes canonical base64 of valid UTF-8, with or without line ends. Any other text is the password itself
    (api.md)."""
    try:
        raw = decode_base64(stored)
        if base64.b64encode(raw).decode() == stored.replace("\r", "").replace("\n", ""):
            return raw.decode()
    except ValueError:  # not base64, not ASCII, or not UTF-8 once decoded
        return stored
    return stored


def encode_password(password: str) -> str:
    return base64.b64encode(password.encode()).decode()


def fingerprint(address: str, username: str, password: str) -> bytes:
    """The digest of a canonical address, a user name and a password: 16 bytes. Trust settings do not count."""
    digest = blake2b(key=_KEY, digest_size=_SIZE)
    for value in (address, username, password):
        raw = value.encode(errors="surrogatepass")
        digest.update(len(raw).to_bytes(8))
        digest.update(raw)
    return digest.digest()
