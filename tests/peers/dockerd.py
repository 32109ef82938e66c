"""Debian's dockerd on a containerd of the tests, and pulls through it as `docker pull` makes them.

It listens on a socket in its folder only, and its names are resolved nowhere. It has a mount namespace of its own, so
that its mounts end with it.
"""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Any
from urllib.parse import urlencode

from tests.peers.containerd import INSTALL, PLACE, Runtime
from tests.peers.parts import require_part
from tests.peers.scripted import wait_for

ETC = Path("/etc/docker")
"""dockerd reads certs.d here and writes a key. In its mount namespace a folder of the test covers it."""


class Docker(Runtime):
    """A running dockerd. `certs_dir` is its certs.d, read at each pull. Registries on 127.0.0.0/8 are insecure for it:
    their certificates are not verified, and plain HTTP is allowed."""

    def __init__(self, certs_dir: Path, api: Path) -> None:
        self.certs_dir = certs_dir
        self._api = api

    def pull(self, image: str, username: str = "", password: str = "") -> str:
        name, _, tag = image.rpartition(":")
        headers = {}
        if username:
            config = json.dumps({"username": username, "password": password}).encode()
            headers["X-Registry-Auth"] = base64.urlsafe_b64encode(config).decode()
        target = f"/images/create?{urlencode({'fromImage': name, 'tag': tag})}"
        status, body = self.ask("POST", target, headers)
        if status != 200:
            return str(json.loads(body)["message"])
        return next((it["error"] for it in map(json.loads, body.splitlines()) if "error" in it), "")

    def ask(self, method: str, target: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of one request to its API. OSError if it does not listen."""
        connection = HTTPConnection("dockerd", timeout=60)
        connection.sock = socket(AF_UNIX)
        try:
            connection.sock.connect(str(self._api))
            connection.request(method, target, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def running_dockerd(
    folder: Path, containerd: Path, proxy: str = "", more: dict[str, Any] | None = None
) -> Iterator[Docker]:
    """dockerd with all its files in a folder. `containerd` is a socket; `proxy` a URL, used except for loopback. `more`
    are further values of daemon.json."""
    program = require_part("dockerd", path if (path := PLACE / "dockerd").exists() else None, INSTALL)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "containerd": str(containerd),
        "hosts": [f"unix://{folder / 'sock'}"],
        "data-root": str(folder / "root"),
        "exec-root": str(folder / "exec"),
        "pidfile": str(folder / "pid"),
        "storage-driver": "vfs",
        "bridge": "none",
        "iptables": False,
        "ip6tables": False,
        "userland-proxy": False,
        "max-download-attempts": 1,
        **(more or {}),
    }
    (folder / "daemon.json").write_text(json.dumps(config))
    environment = {name: it for name, it in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"PATH": f"{PLACE}:{environment['PATH']}", "HTTPS_PROXY": proxy}
    log, own = folder / "log", folder / "etc"
    own.mkdir()
    ETC.mkdir(exist_ok=True)
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")  # refuses at once
    start = 'mount --bind etc "$1" && mount --bind resolv.conf /etc/resolv.conf && shift && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", start, "sh", str(ETC), program]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--config-file", str(folder / "daemon.json")],
            stdout=output,
            stderr=output,
            env=environment,
            cwd=folder,
        )
    docker = Docker(own / "certs.d", folder / "sock")

    def listens() -> bool:
        with suppress(OSError):
            return docker.ask("GET", "/_ping")[0] == 200
        return False

    try:
        wait_for(lambda: process.poll() is not None or listens())
        assert process.poll() is None, f"dockerd did not start:\n{log.read_text(errors='replace')}"
        yield docker
    finally:
        process.terminate()
        process.wait(30)
