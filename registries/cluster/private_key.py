"""Reads the private key of a person without the expensive checks that a hostile key can ask for."""

import base64
import binascii

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

LONGEST = 8192
"""Characters of PEM. An RSA key of 8192 bits has about 6400."""
LONGEST_NUMBER = 1025
"""Bytes of a number in a key: 8192 bits, and the sign."""
_DEEPEST = 6
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30


def read_private_key(pem: str) -> PrivateKeyTypes:
    """ValueError, TypeError or UnsupportedAlgorithm for a key that cannot be used.

    The sizes of all numbers are judged before the key is parsed. Whether the factors of an RSA key are prime is not
    checked: the check takes seconds, and a wrong key harms only its owner.
    """
    if len(pem) > LONGEST:
        raise ValueError("too long")
    for der in _blocks(pem):
        _judge(der, _DEEPEST)
    return serialization.load_pem_private_key(
        pem.encode(), password=None, unsafe_skip_rsa_key_validation=True
    )


def _blocks(pem: str) -> list[bytes]:
    """The contents of all PEM blocks. ValueError for one that is not base64; headers make a block unreadable."""
    found = []
    for block in pem.split("-----BEGIN ")[1:]:
        _label, begun, rest = block.partition("-----")
        body, ended, _after = rest.partition("-----END ")
        if not begun or not ended:
            raise ValueError("a block without an end")
        try:
            found.append(base64.b64decode("".join(body.split()), validate=True))
        except binascii.Error:
            raise ValueError("not base64") from None
    return found


def _judge(der: bytes, depth: int) -> None:
    """ValueError for a number that is too long, and for what is no DER."""
    at = 0
    while at < len(der):
        tag, start, end = _element(der, at)
        if tag == _INTEGER and end - start > LONGEST_NUMBER:
            raise ValueError("a number is too long")
        if tag == _SEQUENCE or (tag == _OCTETS and der[start : start + 1] == bytes((_SEQUENCE,))):
            if depth == 0:
                raise ValueError("nested too deeply")
            try:
                _judge(der[start:end], depth - 1)
            except ValueError:
                if tag == _SEQUENCE:
                    raise
                if end - start > LONGEST_NUMBER:  # a short string may begin like a sequence by chance
                    raise
        at = end


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of one element."""
    if at + 2 > len(der):
        raise ValueError("cut off")
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(der[start : start + size], "big"), start + size
    if start + length > len(der):
        raise ValueError("cut off")
    return tag, start, start + length
