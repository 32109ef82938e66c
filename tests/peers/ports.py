"""Ports of 127.0.0.1 for the servers of tests. No two processes of tests on this machine get the same one.

The system gives ports above 32767 to every client. A server of a test needs a port that stays its own, also while the
server is down. So a process locks a block of the ports below, and hands out each port of it once.
"""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from registries.demo.behaviours import OFFSETS

LOWEST, HIGHEST = 10000, 32000
BLOCK = 200
"""Ports in a block. A process that has handed out all of them takes one more block."""
_locks: list[int] = []
"""Open files: a lock lives as long as its process."""


class Ports:
    """The ports that this process holds, and has not handed out yet."""

    def __init__(self) -> None:
        self._left = range(0)

    def take(self, count: int) -> int:
        """The first of `count` free ports in a row, which are handed out to nobody else."""
        while True:
            if len(self._left) < count:
                self._left = _block()
            base = self._left.start
            self._left = range(base + count, self._left.stop)
            if all(map(_is_free, range(base, base + count))):
                return base


def free_port() -> int:
    return _ports.take(1)


def demo_base() -> int:
    """The first of the ports that a demo with all its registries takes."""
    return _ports.take(max(OFFSETS.values()) + 1)


def _block() -> range:
    """A block that no other process holds. Raises RuntimeError if there is none left."""
    folder = Path(tempfile.gettempdir()) / f"console-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for base in _bases():
        lock = os.open(folder / str(base), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        _locks.append(lock)
        return range(base, base + BLOCK)
    raise RuntimeError("no ports are free")


def _bases() -> Iterator[int]:
    """Every block, from one that depends on the process: what the one before left on its ports has time to end."""
    count = (HIGHEST - LOWEST) // BLOCK
    for number in range(count):
        yield LOWEST + (os.getpid() + number) % count * BLOCK


def _is_free(port: int) -> bool:
    with socket.socket() as holder:
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_ports = Ports()
