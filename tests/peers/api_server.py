"""A real Kubernetes API server on loopback with its etcd. Tests change the cluster with their own HTTP calls, not with
the client under test."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import urllib3
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests import canary
from tests.peers.certificates import Authority
from tests.peers.deployed import ACCOUNT
from tests.peers.parts import require_part
from tests.peers.ports import free_port

PLACE = Path("/usr/local/kubebuilder/bin")
INSTALL = (
    f"run tests/peers/kube_apiserver.sh as root on Debian 12, or put etcd and kube-apiserver into {PLACE}"
)
USERS = ("console", "stranger", "team-a-admin", "olive", "omar", "vic")
"""The users besides `admin`, who may do everything. Tests bind roles to them."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    status: int
    body: Json


class ApiServer:
    """etcd and kube-apiserver in a folder. Tokens stay the same after a restart: `<user>-token`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file = folder / "certificates" / "apiserver.crt"
        self.port, *self._etcd_ports = (free_port() for _ in range(3))
        self._programs = {
            name: require_part(name, _binary(name), INSTALL) for name in ("etcd", "kube-apiserver")
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._write_files()
        self.client_authority = Authority(folder, "Clients")

    @property
    def audit_file(self) -> Path:
        """One JSON object a line: the requests of the account in deploy/, without their bodies."""
        return self.folder / "audit.log"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.start_etcd()
        self.start_api()

    def start_etcd(self, data: str = "etcd") -> None:
        """Another `data` folder gives another history, as after restoring a backup."""
        client, peer = (f"http://127.0.0.1:{port}" for port in self._etcd_ports)
        self._run(
            "etcd",
            f"--data-dir={self.folder / data}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        )
        self._wait(lambda: _listens(self._etcd_ports[0]), "etcd")

    def start_api(self) -> None:
        files = self.folder
        self._run(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_ports[0]}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={files / 'certificates'}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            f"--token-auth-file={files / 'tokens.csv'}",
            f"--client-ca-file={self.client_authority.root.certificate_file}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={files / 'accounts.pub'}",
            f"--service-account-signing-key-file={files / 'accounts.key'}",
            "--disable-admission-plugins=ServiceAccount",
            f"--audit-policy-file={files / 'audit-policy.yaml'}",
            f"--audit-log-path={self.audit_file}",
        )
        self._wait(self._is_ready, "kube-apiserver")

    def kill_api(self) -> None:
        self._end("kube-apiserver", signal.SIGKILL)

    def freeze_api(self) -> None:
        """The server still accepts connections, but sends no response."""
        self._processes["kube-apiserver"].send_signal(signal.SIGSTOP)

    def thaw_api(self) -> None:
        self._processes["kube-apiserver"].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._end("kube-apiserver", signal.SIGKILL)
        self._end("etcd", signal.SIGKILL)

    def revive(self) -> None:
        """Repairs whatever a failed test left behind."""
        if not self._is_ready():
            self.stop()
            self.start()

    def restart_with_another_history(self, data: str) -> None:
        self.stop()
        self.start_etcd(data)
        self.start_api()

    def compact(self) -> None:
        """Compacts etcd's history, as an API server does every five minutes."""
        gateway = f"http://127.0.0.1:{self._etcd_ports[0]}/v3"
        revision = _post(f"{gateway}/maintenance/status", {})["header"]["revision"]
        _post(f"{gateway}/kv/compaction", {"revision": revision, "physical": True})

    def kubeconfig(
        self, user: str = "admin", *, token: str | None = None, port: int = 0, ca_file: Path | None = None
    ) -> Path:
        """A kubeconfig file for a user. Token, port and CA may differ from the server's."""
        path = self.folder / f"kubeconfig-{user}-{token or 'own'}-{port}-{ca_file.stem if ca_file else 'own'}"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "test",
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
                    "clusters": [
                        {
                            "name": "test",
                            "cluster": {
                                "server": f"https://127.0.0.1:{port or self.port}",
                                "certificate-authority": str(ca_file or self.ca_file),
                            },
                        }
                    ],
                    "users": [{"name": user, "user": {"token": token or f"{user}-token"}}],
                }
            )
        )
        return path

    def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        user: str = "admin",
        token: str = "",
        kind: str = "application/json",
    ) -> Answer:
        """One HTTP call with the token of a user, or another token. Returns any response, also an error."""
        answer = _connections(str(self.ca_file), self.ca_file.stat().st_mtime_ns, os.getpid()).request(
            method,
            self.url + path,
            body=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token or f'{user}-token'}",
                "Content-Type": kind,
                "Accept": "application/json",
            },
        )
        return Answer(answer.status, json_of(answer.data))

    def create_namespace(self, name: str) -> None:
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def finalize_namespace(self, name: str) -> None:
        """Removes a deleted namespace, as the namespace controller would; it does not run here."""
        path = f"/api/v1/namespaces/{name}"
        self.call("DELETE", path)
        namespace = self.call("GET", path).body
        if "metadata" in namespace and namespace.get("spec"):
            self.call("PUT", f"{path}/finalize", {**namespace, "spec": {"finalizers": []}})

    def _write_files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = ["admin-token,admin,admin-uid,system:masters"]
        rows += [f"{user}-token,{user},{user}-uid" for user in USERS]
        rows += [f"{canary_token(user)},{user},{user}-uid" for user in USERS]
        (self.folder / "tokens.csv").write_text("\n".join(rows) + "\n")
        self.audit_file.touch()
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [{"level": "Metadata", "users": [ACCOUNT]}, {"level": "None"}],
        }
        (self.folder / "audit-policy.yaml").write_text(yaml.safe_dump(policy))
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (self.folder / "accounts.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        (self.folder / "accounts.pub").write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def _run(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [self._programs[name], *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _end(self, name: str, how: signal.Signals) -> None:
        process = self._processes.pop(name, None)
        if process is not None:
            process.send_signal(how)
            process.wait(60)

    def _is_ready(self) -> bool:
        try:
            return self.ca_file.exists() and self.call("GET", "/readyz").status == 200
        except (OSError, urllib3.exceptions.HTTPError):
            return False

    def _wait(self, ready: Callable[[], bool], name: str) -> None:
        until = time.monotonic() + 180
        while not ready():
            if self._processes[name].poll() is not None or time.monotonic() > until:
                self.stop()
                tail = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{name} did not start:\n{tail}")
            time.sleep(0.05)


@contextmanager
def running_server(folder: Path) -> Iterator[ApiServer]:
    """A server of our own, which tests may kill."""
    server = ApiServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def canary_token(user: str) -> str:
    """The token with which a user logs in to the console. It must not appear anywhere."""
    return f"{canary.TOKEN}-{user}"


@cache
def _connections(ca_file: str, written: int, process: int) -> urllib3.PoolManager:
    """Kept open, for a handshake costs both ends several milliseconds. A server that starts again has a new CA file. A
    process that was forked must not use the connections of its parent."""
    return urllib3.PoolManager(ca_certs=ca_file, timeout=60, maxsize=8, retries=urllib3.Retry(False))


def _binary(name: str) -> Path | None:
    folders = [Path(folder) for folder in (os.environ.get("KUBEBUILDER_ASSETS"), PLACE) if folder]
    return next((folder / name for folder in folders if os.access(folder / name, os.X_OK)), None)


def _post(url: str, body: Json) -> Json:
    return json_of(urllib3.request("POST", url, json=body, timeout=60).data)


def json_of(raw: bytes) -> Json:
    try:
        parsed = json.loads(raw)
    except ValueError:
        return {"text": raw.decode(errors="replace")}
    return parsed if isinstance(parsed, dict) else {"items": parsed}


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True
