"""The ports of the demo on 127.0.0.1: chosen once, saved in a file, used again on every later start."""

import errno
import json
import os
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ADDRESS = "127.0.0.1"
LAST_PORT = 65535
# Another program uses the port, or the system reserves it.
TAKEN = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)


@dataclass
class Ports:
    """`by_host` has every port, `sockets` those that are bound now, `skipped` those that another program uses."""

    by_host: dict[str, int] = field(default_factory=dict)
    sockets: dict[str, socket.socket] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)


def take(file: Path, base: int, offsets: Mapping[str, int], closed: Collection[str]) -> Ports:
    """Listens on a port for each host; for a host in `closed` only binds it.

    A saved port is never changed, because stored addresses contain it. A new host gets base + offset; if that is in
    use, the next free port that no other host wants. OSError if no port is free.
    """
    remembered = _read(file)
    wanted = {host: remembered.get(host, base + offset) for host, offset in offsets.items()}
    ports = Ports()
    for host, port in wanted.items():
        listen = host not in closed
        found = _hold(port, listen=listen)
        if found is None and host not in remembered:
            port, found = _next_free(port, set(wanted.values()) | set(ports.by_host.values()), listen=listen)
        ports.by_host[host] = port
        if found is None:
            ports.skipped[host] = port
        else:
            ports.sockets[host] = found
    if not ports.by_host.items() <= remembered.items():
        _write(file, {**remembered, **ports.by_host})
    return ports


def _next_free(port: int, unwanted: Collection[int], *, listen: bool) -> tuple[int, socket.socket]:
    for candidate in range(port + 1, LAST_PORT + 1):
        if candidate not in unwanted and (found := _hold(candidate, listen=listen)):
            return candidate, found
    raise OSError(errno.EADDRINUSE, f"no free port above {port}")


def _hold(port: int, *, listen: bool) -> socket.socket | None:
    """A socket bound to this port, or None if another program uses it."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if listen:
            # Closed connections of the last run may still occupy the port. Not for a port that is only bound:
            # if another program also set this option, it could bind the same port.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((ADDRESS, port))
        if listen:
            held.listen(512)
            held.setblocking(False)
    except OSError as problem:
        held.close()
        if problem.errno in TAKEN:
            return None
        raise
    return held


def _read(file: Path) -> dict[str, int]:
    """The saved ports; none if the file is absent or damaged."""
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {host: port for host, port in content.items() if isinstance(port, int) and 0 < port <= LAST_PORT}


def _write(file: Path, ports: Mapping[str, int]) -> None:
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(json.dumps(ports, indent=1) + "\n")
    partial.replace(file)
