"""Servers on loopback that accept connections and never respond."""

import select
import socket


class SilentServers:
    """Nobody calls accept(): the system completes a connection, which then waits."""

    def __init__(self) -> None:
        self._listening: list[socket.socket] = []

    def __call__(self, count: int) -> list[str]:
        """Opens this many servers; returns their addresses as an operator would type them."""
        opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        self._listening += opened
        return [f"127.0.0.1:{server.getsockname()[1]}" for server in opened]

    @property
    def ports(self) -> list[int]:
        return [int(server.getsockname()[1]) for server in self._listening]

    def connected(self) -> int:
        """The number of servers that have a connection."""
        return len(select.select(self._listening, [], [], 0)[0])

    def hang_up(self) -> None:
        """Closes waiting connections and refuses new ones. The ports stay reserved, so no other program answers
        there."""
        for server in self._listening:
            server.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for server in self._listening:
            server.close()
