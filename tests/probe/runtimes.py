"""Registries, and the programs of nodes that log in to them."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from registries.probe import Policy
from tests.peers.certificates import Authority, Pair
from tests.peers.connect_proxy import connect_proxy
from tests.peers.containerd import Node, running_containerd
from tests.peers.docker_registry import docker_registry, signing_pair, token_service
from tests.peers.dockerd import Docker, running_dockerd
from tests.peers.parts import require_part
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    ScriptedServer,
    basic,
    json_reply,
    registry_ok,
    scripted,
    unauthorized,
)

RIGHT = ("robot$team+ci", "pässwörd €")
USERS = {"admin": "correct horse", RIGHT[0]: RIGHT[1]}
CREDENTIALS = {
    "right": ("admin", "correct horse"),
    "right, not ASCII": RIGHT,
    "wrong password": ("admin", "wrong"),
    "white space": ("admin", "correct horse "),
    "wrong user": ("nobody", "correct horse"),
}
REGISTRIES = ("basic http", "basic tls", "token http", "token tls", "open")


@dataclass
class Place:
    """Registries by name, as host:port, and two runtimes that pull from them."""

    node: Node
    docker: Docker
    policy: Policy
    ca_dir: Path
    proxy: str
    signer: Pair
    registries: dict[str, str] = field(default_factory=dict)
    tokens: ScriptedServer | None = None

    def address(self, name: str) -> str:
        return self.registries[name] if name.endswith("tls") else f"http://{self.registries[name]}"


def one_user(request: Request) -> Reply:
    """A registry with one user and no images."""
    if request.authorization != basic(*CREDENTIALS["right"]):
        return unauthorized("Basic")
    unknown = json_reply({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}, 404)
    return registry_ok() if request.path == "/v2/" else unknown


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Place]:
    require_part("docker-registry")
    require_part("skopeo")
    folder = tmp_path_factory.mktemp("node")
    ca = folder / "ca"
    ca.mkdir()
    (ca / "ca.crt").write_text(authority.root.pem)
    signer, pair = signing_pair(authority), authority.issue("localhost", "harbor.example")
    with ExitStack() as stack:
        harbor = stack.enter_context(scripted(one_user, tls=authority.server_context(pair)))
        proxy = f"http://127.0.0.1:{stack.enter_context(connect_proxy(harbor)).port}"
        node = stack.enter_context(running_containerd(folder))
        docker = stack.enter_context(running_dockerd(folder / "docker", node.socket, proxy))
        place = Place(node, docker, replace(HERE, ca_pem=authority.root.pem), ca, proxy, signer)
        for name in REGISTRIES:
            tls = pair if name.endswith("tls") else None
            realm = None
            if name.startswith("token"):
                context = authority.server_context(pair) if tls else None
                service = stack.enter_context(scripted(token_service(USERS, signer), tls=context))
                place.tokens, realm = place.tokens or service, service.url("/token")
            users = USERS if name.startswith("basic") else None
            options = {"users": users, "token_realm": realm, "signer": signer if realm else None, "tls": tls}
            registry = stack.enter_context(docker_registry(folder / name.replace(" ", "-"), **options))
            place.registries[name] = registry
            if tls:
                trust = f'ca = "{ca / "ca.crt"}"\n'
                # Without the second table, containerd 1.6 speaks plain HTTP to every localhost.
                hosts = f'server = "https://{registry}"\n{trust}[host."https://{registry}"]\n{trust}'
                node.configure(registry, hosts)
        yield place
