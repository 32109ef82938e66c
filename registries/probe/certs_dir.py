"""The folder of per-host CAs, in the layout of containerd and docker: what the nodes believe of a registry.
Standard library only.

containerd reads one folder, the first that exists of `<host>_<port>_`, `<host>:<port>` and `_default`
(core/remotes/docker/config, hostDirFromRoot); docker and podman read `<host>:<port>`. A port is there only if
it is written in the image's name: `harbor.example` and `harbor.example:443` are two folders to all of them, and
so they are here. In the folder every `*.crt` is a CA. Where a `hosts.toml` stands beside them, containerd reads
that instead: here its `ca` counts beside the `*.crt` that docker reads, those of the registry itself and not of
its mirrors; and its `skip_verify` is told to the reader but not followed: to send a password to whoever answers
takes a decision about this registry, not a line in a file about all nodes."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_DEFAULT = "_default"


@dataclass(frozen=True, slots=True)
class NodeTrust:
    """`authorities` are PEM files to believe beside the system's; `skips_verification` says that containerd
    would verify nothing."""

    authorities: tuple[Path, ...] = ()
    skips_verification: bool = False


def node_trust(root: str, host: str) -> NodeTrust:
    """What the folder `root` says of the registry `host`, host[:port] as it stands in an image's name. OSError
    or ValueError when its hosts.toml cannot be read."""
    folder = next((path for path in _folders(Path(root), host) if path.is_dir()), None)
    if folder is None:
        return NodeTrust()
    authorities = sorted(folder.glob("*.crt"))
    skips = False
    try:
        text = (folder / "hosts.toml").read_text(encoding="utf-8")
    except FileNotFoundError:
        return NodeTrust(tuple(authorities))
    for table in _tables(tomllib.loads(text), host):
        authorities += [folder / path for path in _paths(table.get("ca"))]
        skips = skips or table.get("skip_verify") is True
    return NodeTrust(tuple(dict.fromkeys(authorities)), skips)


def _folders(root: Path, host: str) -> Iterator[Path]:
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and not name.endswith(":"):
        yield root / f"{name}_{port}_"
    yield root / host
    yield root / _DEFAULT


def _tables(document: dict[str, Any], host: str) -> Iterator[dict[str, Any]]:
    """The tables that concern the registry itself: `[host."https://…"]` with its name, and the root unless
    `server` leads elsewhere."""
    hosts = document.get("host", {})
    for url, table in hosts.items() if isinstance(hosts, dict) else ():
        if _names(url, host) and isinstance(table, dict):
            yield table
    server = document.get("server")
    if server is None or _names(server, host):
        yield document


def _names(url: object, host: str) -> bool:
    """Whether a URL, or a bare host as containerd admits it too, is that of `host`."""
    if not isinstance(url, str):
        return False
    written = urlsplit(url if "://" in url else f"https://{url}").netloc.lower()
    # containerd's documentation has docker.io's server under this name.
    return written == ("registry-1.docker.io" if host == "docker.io" else host)


def _paths(value: object) -> list[str]:
    """One path, or a list of them; relative ones start from the folder."""
    values = value if isinstance(value, list) else [value]
    return [path for path in values if isinstance(path, str)]
