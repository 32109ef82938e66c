"""Base64 as Kubernetes and Go decode it."""

import base64


def decode_base64(text: str) -> bytes:
    """Standard base64 with padding; line ends do not count, as in Go's encoding/base64. ValueError for other text."""
    letters = text.replace("\r", "").replace("\n", "")
    if len(letters) % 4 or letters.endswith("==="):  # Python decodes "QUJD=" and "QUJD====" all the same
        raise ValueError("base64 without its padding, or with too much")
    return base64.b64decode(letters, validate=True)
