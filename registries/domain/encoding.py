"""Base64 as Kubernetes and Go decode it."""

import base64


def decode_base64(text: str) -> bytes:
    """Standard base64 with padding; line ends do not count, as in Go's encoding/base64. ValueError for other text."""
    return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
