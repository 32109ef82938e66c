"""Servers on loopback that take connections and never say a word, for as long as a test wants them to."""

import select
import socket


class SilentServers:
    """Nobody calls accept(): the system completes a connection by itself, and it waits."""

    def __init__(self) -> None:
        self._listening: list[socket.socket] = []

    def __call__(self, count: int) -> list[str]:
        """Open so many; their addresses, as an operator would type them."""
        opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        self._listening += opened
        return [f"127.0.0.1:{server.getsockname()[1]}" for server in opened]

    @property
    def ports(self) -> list[int]:
        return [int(server.getsockname()[1]) for server in self._listening]

    def connected(self) -> int:
        """To how many of them somebody has connected."""
        return len(select.select(self._listening, [], [], 0)[0])

    def hang_up(self) -> None:
        """Break off what waits, and refuse who comes after it. The ports stay ours: nobody else answers there."""
        for server in self._listening:
            server.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for server in self._listening:
            server.close()
