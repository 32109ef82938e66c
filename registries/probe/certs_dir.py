"""The folder of CA certificates per host, in the layout of containerd and docker: which certificates the nodes
trust for a registry.

containerd reads the first of these folders that exists: `<host>_<port>_`, `<host>:<port>`, `_default`
(core/remotes/docker/config, hostDirFromRoot). docker and podman read `<host>:<port>`. The port counts only if the
image reference contains it: `harbor.example` and `harbor.example:443` are different folders for all of them, and
here.

Every `*.crt` in the folder is a CA. If the folder has a `hosts.toml`, containerd reads only that file. Here both
count: the `*.crt` files, which docker reads, and the `ca` of `hosts.toml` for the registry itself, not for its
mirrors. `skip_verify` is reported and not followed: sending a password to an unverified server must be decided for
one registry, not in a file for all nodes. Mirrors are reported: containerd sends them the credential of the registry.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_DEFAULT = "_default"


@dataclass(frozen=True, slots=True)
class NodeTrust:
    """`authorities` are PEM files to trust in addition to the system's. `skips_verification` is True if containerd
    would verify nothing, `has_mirrors` if it would pull from another host first."""

    authorities: tuple[Path, ...] = ()
    skips_verification: bool = False
    has_mirrors: bool = False


def node_trust(root: str, host: str) -> NodeTrust:
    """Reads the folder `root` for the registry `host` (host[:port] as in an image reference). OSError or ValueError
    when its hosts.toml cannot be read."""
    folder = next((path for path in _folders(Path(root), host) if path.is_dir()), None)
    if folder is None:
        return NodeTrust()
    authorities = sorted(folder.glob("*.crt"))
    skips = False
    try:
        text = (folder / "hosts.toml").read_text(encoding="utf-8")
    except FileNotFoundError:
        return NodeTrust(tuple(authorities))
    document = tomllib.loads(text)
    for table in _tables(document, host):
        authorities += [folder / path for path in _paths(table.get("ca"))]
        skips = skips or table.get("skip_verify") is True
    return NodeTrust(tuple(dict.fromkeys(authorities)), skips, _has_mirrors(document, host))


def _folders(root: Path, host: str) -> Iterator[Path]:
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and not name.endswith(":"):
        yield root / f"{name}_{port}_"
    yield root / host
    yield root / _DEFAULT


def _tables(document: dict[str, Any], host: str) -> Iterator[dict[str, Any]]:
    """The tables for the registry itself: `[host."https://…"]` with its name, and the root table unless `server`
    names another host."""
    hosts = document.get("host", {})
    for url, table in hosts.items() if isinstance(hosts, dict) else ():
        if _names(url, host) and isinstance(table, dict):
            yield table
    server = document.get("server")
    if server is None or _names(server, host):
        yield document


def _has_mirrors(document: dict[str, Any], host: str) -> bool:
    """Whether a table `[host."https://…"]` of another host may pull or resolve, as it may by default."""
    hosts = document.get("host", {})
    tables = hosts.items() if isinstance(hosts, dict) else ()
    may = (
        table.get("capabilities")
        for url, table in tables
        if isinstance(table, dict) and not _names(url, host)
    )
    return any(it is None or (isinstance(it, list) and {"pull", "resolve"} & {*map(str, it)}) for it in may)


def _names(url: object, host: str) -> bool:
    """Whether a URL, or a bare host, which containerd also accepts, names `host`."""
    if not isinstance(url, str):
        return False
    written = urlsplit(url if "://" in url else f"https://{url}").netloc.lower()
    # containerd's documentation uses this name for the server of docker.io.
    return written == ("registry-1.docker.io" if host == "docker.io" else host)


def _paths(value: object) -> list[str]:
    """One path or a list of paths. Relative paths start at the folder."""
    values = value if isinstance(value, list) else [value]
    return [path for path in values if isinstance(path, str)]
