"""Debian's containerd without kubelet and network plugins, and pulls through it as a kubelet makes them."""

import json
import os
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.peers.parts import require_part

PLACE = Path("/usr/local/kubebuilder/bin")
INSTALL = "run tests/parts.sh as root on Debian 12"
_UNUSED = (
    *("internal.v1.opt", "internal.v1.tracing", "snapshotter.v1.btrfs", "snapshotter.v1.zfs"),
    *("snapshotter.v1.devmapper", "snapshotter.v1.aufs", "snapshotter.v1.overlayfs", "monitor.v1.cgroups"),
)
NOT_THERE = ("not found", "manifest unknown")
"""What a pull of a missing tag says after its credential was accepted."""


class Runtime(ABC):
    """A container runtime that pulls."""

    @abstractmethod
    def pull(self, image: str, username: str = "", password: str = "") -> str:
        """The error of one pull, "" after a success. Without a user name it has no credential."""

    def accepts(self, registry: str, username: str = "", password: str = "") -> bool:
        """Whether the registry accepts the credential: a tag that cannot exist is then missing, not refused."""
        said = self.pull(f"{registry}/project/app:no-such-tag", username, password)
        assert said, "nothing has this tag"
        return said.endswith(NOT_THERE)


@dataclass
class Node(Runtime):
    """A running containerd. `certs_dir` is its certs.d, read at each pull."""

    certs_dir: Path
    socket: Path
    _process: subprocess.Popen[str]
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def pull(self, image: str, username: str = "", password: str = "") -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        with self._one_at_a_time:
            stdin.write(json.dumps({"image": image, "username": username, "password": password}) + "\n")
            stdin.flush()
            return str(json.loads(stdout.readline()))

    def configure(self, registry: str, hosts_toml: str) -> None:
        """Writes the hosts.toml of a registry."""
        folder = self.certs_dir / registry
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hosts.toml").write_text(hosts_toml)


@contextmanager
def running_containerd(folder: Path) -> Iterator[Node]:
    """containerd with all its files in a folder, and one program that pulls."""
    containerd, pull = (
        require_part(name, path if (path := PLACE / name).exists() else None, INSTALL)
        for name in ("containerd", "cri-pull")
    )
    if os.geteuid() != 0:
        pytest.skip("containerd needs root")
    certs_dir, socket = folder / "certs.d", folder / "sock"
    (folder / "config.toml").write_text(_config(folder, certs_dir, socket))
    environment = {name: it for name, it in os.environ.items() if not name.lower().endswith("_proxy")}
    with (folder / "log").open("wb") as log:
        runtime = subprocess.Popen(
            [containerd, "--config", str(folder / "config.toml")], stdout=log, stderr=log, env=environment
        )
    puller = subprocess.Popen(
        [pull, str(socket)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield Node(certs_dir, socket, puller)
    finally:
        puller.kill()
        puller.communicate()
        runtime.terminate()
        runtime.wait(30)


def _config(folder: Path, certs_dir: Path, socket: Path) -> str:
    unused = json.dumps([f"io.containerd.{name}" for name in _UNUSED])
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""
version = 2
root = "{folder / "root"}"
state = "{folder / "state"}"
disabled_plugins = {unused}
[grpc]
address = "{socket}"
[ttrpc]
address = "{socket}.ttrpc"
[{cri}.containerd]
snapshotter = "native"
[{cri}.registry]
config_path = "{certs_dir}"
"""
