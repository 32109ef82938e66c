"""A CONNECT proxy (RFC 9110, 9.3.6) whose tunnels all lead to one port on loopback."""

import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.peers.scripted import ScriptedServer, registry_ok, scripted


@dataclass
class ConnectProxy:
    """A running proxy. `heads` has the head of every request, `targets` what was asked for."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        return [head.split()[1].decode() for head in self.heads]


@contextmanager
def connect_proxy(
    server: ScriptedServer, answer: Callable[[str], bytes] = lambda target: b"200 OK"
) -> Iterator[ConnectProxy]:
    """A proxy in front of `server`. `answer` maps a target to the status line after the version."""
    proxy = ConnectProxy()

    def greet(connection: socket.socket) -> bool:
        proxy.heads.append(connection.recv(4096))
        status = answer(proxy.targets[-1])
        connection.sendall(b"HTTP/1.1 " + status + b"\r\n\r\n")
        if status.startswith(b"2"):
            with socket.create_connection(("127.0.0.1", server.port)) as upstream:
                _pump(connection, upstream)
        return False

    with scripted(lambda request: registry_ok(), greet=greet) as listener:
        proxy.port = listener.port
        yield proxy


def _pump(one: socket.socket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select(5):
                source, target = key.fileobj, key.data
                data = source.recv(65536)  # type: ignore[union-attr]
                if not data:
                    return
                target.sendall(data)
