"""A TLS 1.3 server that sends nothing but session tickets after the handshake, as fast as it can: 700 in a record. They
cost the client far more time than the server."""

import contextlib
import hmac
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Iterator
from hashlib import sha384
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.peers.certificates import Pair

_TICKET = struct.pack(">II", 7200, 1) + b"\x01\x01" + b"\x00\x01x" + b"\x00\x00"
_MESSAGE = b"\x04" + len(_TICKET).to_bytes(3, "big") + _TICKET
_PLAIN = _MESSAGE * (16_000 // len(_MESSAGE)) + b"\x16"
_HEAD = b"\x17\x03\x03" + struct.pack(">H", len(_PLAIN) + 16)


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label of RFC 8446, 7.1, for one block."""
    name = b"tls13 " + label
    info = struct.pack(">H", size) + bytes([len(name)]) + name + b"\0"
    return hmac.new(secret, info + b"\x01", sha384).digest()[:size]


def _flood(client: socket.socket, secret: bytes) -> None:
    """Encrypts the records itself: OpenSSL makes tickets no faster than a client reads them."""
    cipher, iv = AESGCM(_expand(secret, b"key", 32)), int.from_bytes(_expand(secret, b"iv", 12), "big")
    number = 0
    while True:
        client.sendall(_HEAD + cipher.encrypt((iv ^ number).to_bytes(12, "big"), _PLAIN, _HEAD))
        number += 1


@contextlib.contextmanager
def ticket_flood(pair: Pair) -> Iterator[int]:
    """Gives its port on loopback. For one client."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        keys = Path(folder) / "keys"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.chain_file, pair.key_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.num_tickets = 0
        context.keylog_filename = str(keys)

        def serve() -> None:
            with (
                contextlib.suppress(OSError),
                context.wrap_socket(server.accept()[0], server_side=True) as tls,
            ):
                assert tls.cipher()[0] == "TLS_AES_256_GCM_SHA384"  # type: ignore[index]
                lines = keys.read_text().split("\n")
                secret = next(it for it in lines if it.startswith("SERVER_TRAFFIC_SECRET_0")).split()[2]
                with socket.socket(fileno=tls.detach()) as client:
                    _flood(client, bytes.fromhex(secret))

        threading.Thread(target=serve, daemon=True).start()
        yield int(server.getsockname()[1])
