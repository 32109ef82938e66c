"""Base64 as Kubernetes and Go decode it, and passwords in it."""

import base64


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
