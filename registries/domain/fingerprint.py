"""A keyed digest that tells whether two registries have the same credential, without the password.

The key is random and exists only in the memory of this process: a digest is worth nothing anywhere else. It is never
stored, shown, sent or logged, since whoever reads two of them knows whether two passwords are equal.
"""

from hashlib import blake2b
from secrets import token_bytes

_KEY = token_bytes(32)
_SIZE = 16


def fingerprint(address: str, username: str, password: str) -> bytes:
    """The digest of a canonical address, a user name and a password: 16 bytes. Trust settings do not count."""
    digest = blake2b(key=_KEY, digest_size=_SIZE)
    for value in (address, username, password):
        raw = value.encode(errors="surrogatepass")
        digest.update(len(raw).to_bytes(8))
        digest.update(raw)
    return digest.digest()
