"""Registries that refuse in every way, and a runtime that reaches them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode

from tests.canary import CANARY
from tests.peers.certificates import Authority
from tests.peers.containerd import Node, Runtime, running_containerd
from tests.peers.docker_registry import docker_registry, signing_pair, token_service
from tests.peers.fake_kubelet import SIGNATURE
from tests.peers.images import index, push, single
from tests.peers.scripted import (
    Reply,
    Request,
    basic,
    json_reply,
    registry_ok,
    scripted,
    silent_port,
    unauthorized,
)

USER = "robot$ci"
SPOKEN = {
    "slow.example.com": 'Head "https://slow.example.com/v2/a/manifests/1": net/http: TLS handshake timeout',
    "busy.example.com": "pull QPS exceeded",
    "full.example.com": 'failed to pull and unpack image "full.example.com/a:1": failed to extract layer sha256:0: '
    "write /var/lib/containerd/snapshots/7/fs/a: no space left on device: unknown",
    "signed.example.com": "SignatureValidationFailed: image pull failed for signed.example.com/a:1 because the "
    "signature validation failed: Source image rejected: A signature was required, but no signature exists",
    "docker.io": "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
}
"""What takes a runtime longer than a test, or is the kubelet's own."""


@dataclass
class World(Runtime):
    """`hosts` has host:port by name. `password` is what the registry `changing` accepts."""

    node: Node
    hosts: dict[str, str] = field(default_factory=dict)
    password: str = CANARY

    def pull(self, image: str, username: str = "", password: str = "") -> str:
        spoken = SPOKEN.get(image.partition("/")[0], "")
        if spoken.startswith(SIGNATURE):
            return spoken
        return (
            f"rpc error: code = Unknown desc = {spoken}"
            if spoken
            else self.node.pull(image, username, password)
        )

    def changing(self, request: Request) -> Reply:
        if request.authorization != basic(USER, self.password):
            return unauthorized('Basic realm="x"')
        return registry_ok()


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    with ExitStack() as stack:
        world = World(stack.enter_context(running_containerd(folder)))
        _real_ones(world, folder, stack)
        answers = {
            "busy": _error(429, "TOOMANYREQUESTS", "You have reached your pull rate limit."),
            "ill": _error(503, "UNAVAILABLE", "later"),
            "chart": Reply(200, [("Content-Type", "application/vnd.oci.artifact.manifest.v1+json")], b"{}"),
            "page": Reply(200, [("Content-Type", "text/html")], b"<!doctype html>"),
        }
        for name, answer in answers.items():
            world.hosts[name] = stack.enter_context(scripted(_always(answer))).netloc
        world.hosts["changing"] = stack.enter_context(scripted(world.changing)).netloc
        world.hosts["nobody"] = f"localhost:{stack.enter_context(silent_port())}"
        _with_certificates(world, folder, stack)
        yield world


def _real_ones(world: World, folder: Path, stack: ExitStack) -> None:
    """Three docker-registries: private, open, and one whose token service gives nobody any right."""
    users = {USER: CANARY}
    world.hosts["private"] = stack.enter_context(docker_registry(folder / "private", users=users))
    world.hosts["open"] = stack.enter_context(docker_registry(folder / "open"))
    image = single("linux/amd64")
    push(f"http://{world.hosts['private']}", "shop/web", "1", image, basic(USER, CANARY))
    push(f"http://{world.hosts['private']}", "shop/arm", "1", index(["linux/s390x"]), basic(USER, CANARY))
    push(f"http://{world.hosts['open']}", "shop/web", "1", image)
    signer = signing_pair(Authority(folder, "Tokens"))
    tokens = stack.enter_context(scripted(_without_scope(token_service(users, signer))))
    realm = tokens.url("/token")
    registry = docker_registry(folder / "token", token_realm=realm, signer=signer)
    world.hosts["token"] = stack.enter_context(registry)
    for name in ("docker.io", world.hosts["private"].replace("localhost", "LOCALHOST")):
        world.node.configure(name, f'[host."http://{world.hosts["private"]}"]\n')


def _with_certificates(world: World, folder: Path, stack: ExitStack) -> None:
    known, other = Authority(folder, "Known"), Authority(folder, "Other")
    pairs = {
        "unknown-ca": other.issue("localhost"),
        "expired": known.expired("localhost"),
        "wrong-name": known.issue("elsewhere.example.com"),
    }
    trust = f'ca = "{known.root.certificate_file}"'
    for name, pair in pairs.items():
        server = scripted(_always(registry_ok()), tls=known.server_context(pair))
        world.hosts[name] = host = stack.enter_context(server).netloc
        world.node.configure(host, f'server = "https://{host}"\n[host."https://{host}"]\n{trust}\n')
    world.hosts["http"] = host = world.hosts["open"].replace("localhost", "127.0.0.1")
    world.node.configure(host, f'server = "https://{host}"\n[host."https://{host}"]\n')


def _always(reply: Reply) -> Callable[[Request], Reply]:
    return lambda request: reply


def _error(status: int, code: str, message: str) -> Reply:
    return json_reply({"errors": [{"code": code, "message": message}]}, status)


def _without_scope(service: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
    """A token service that knows the account, and gives it no repository."""
    query = urlencode({"service": "test-registry"})
    return lambda request: service(replace(request, target=f"/token?{query}"))
