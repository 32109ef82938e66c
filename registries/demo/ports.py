"""The ports of the demo on 127.0.0.1: chosen once, remembered in a file, taken again on every later start."""

import errno
import json
import os
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ADDRESS = "127.0.0.1"
LAST_PORT = 65535
# Somebody else has the port, or the system keeps it for itself.
TAKEN = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)


@dataclass
class Ports:
    """`by_host` is every port, `sockets` those that are held now, `skipped` those that somebody else has."""

    by_host: dict[str, int] = field(default_factory=dict)
    sockets: dict[str, socket.socket] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)


def take(file: Path, base: int, offsets: Mapping[str, int], closed: Collection[str]) -> Ports:
    """Listen on a port for each host, or only hold it if the host is in `closed`.

    A remembered port is the only one a host may have, for its address is stored in places that cannot be
    changed. A new host gets base + offset or, if that is taken, the next free port that no other host wants.
    Raises OSError if there is no free port left.
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
    """A socket on this port, or None if somebody else has it."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if listen:
            # Closed connections of the last run may linger on the port. Not for a port that is only held:
            # with this option set on both sides, another could bind it too.
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
    """The remembered ports; none if the file is absent or was damaged."""
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
