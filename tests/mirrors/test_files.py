"""The generated configuration: its values, and the real programs that read it."""

import json
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from registries.mirrors.files import (
    CERTS_D,
    DOCKER,
    RANCHER,
    ConfigFile,
    containerd_files,
    docker_files,
    left_out,
    rancher_files,
)
from registries.mirrors.listing import MirrorView
from registries.probe.certs_dir import node_trust
from tests.peers.certificates import Authority
from tests.peers.containerd import Node, running_containerd
from tests.peers.docker_registry import docker_registry
from tests.peers.dockerd import running_dockerd
from tests.peers.images import push, single
from tests.peers.parts import require_part

pytest_plugins = ("tests.peers.authorities",)


def mirror(upstream: str, address: str, *, resolves: bool = True, number: int = 0) -> MirrorView:
    return MirrorView(number, upstream, address, "", resolves, None, None, "", "", "")


def read(files: list[ConfigFile], path: str) -> str:
    return next(it.text for it in files if it.path == path)


LIST = [
    mirror("docker.io", "mirror.example.com"),
    mirror("docker.io", "http://10.0.0.1:5000"),
    mirror("docker.io", "public.example.org", resolves=False),
    mirror("ghcr.io", "mirror.example.com"),
    mirror("http://reg.internal:5000", "[2001:db8::1]:8443"),
    mirror("registry.k8s.io", "xn--fsqu00a.xn--0zwm56d"),
]
CAS = {
    host: f"# team-a/x\nPEM {host}\n"
    for host in ("mirror.example.com", "reg.internal:5000", "[2001:db8::1]:8443")
}


def test_hosts_toml_has_the_mirrors_in_their_order() -> None:
    files = containerd_files(LIST, CAS)
    hub = tomllib.loads(read(files, f"{CERTS_D}/docker.io/hosts.toml"))

    assert hub["server"] == "https://registry-1.docker.io"
    assert "ca" not in hub
    assert list(hub["host"]) == [
        "https://mirror.example.com",
        "http://10.0.0.1:5000",
        "https://public.example.org",
    ]
    assert hub["host"]["https://mirror.example.com"] == {
        "capabilities": ["pull", "resolve"],
        "ca": "mirror.example.com.crt",
    }
    assert hub["host"]["https://public.example.org"] == {"capabilities": ["pull"]}
    own = tomllib.loads(read(files, f"{CERTS_D}/reg.internal:5000/hosts.toml"))
    assert own["server"] == "http://reg.internal:5000"
    assert own["ca"] == "reg.internal_5000.crt"
    assert own["host"]["https://[2001:db8::1]:8443"]["ca"] == "2001_db8__1-8443.crt"


def test_every_ca_that_a_file_names_is_a_file_too() -> None:
    files = containerd_files(LIST, CAS)
    paths = {it.path for it in files}
    for it in files:
        if it.path.endswith("hosts.toml"):
            document = tomllib.loads(it.text)
            for table in (document, *document["host"].values()):
                if "ca" in table:
                    assert f"{it.path.removesuffix('hosts.toml')}{table['ca']}" in paths
    rancher = rancher_files(LIST, CAS)
    configs = yaml.safe_load(rancher[0].text)["configs"]
    assert {it["tls"]["ca_file"] for it in configs.values()} == {it.path for it in rancher[1:]}
    assert len(paths) == len(files)


def test_our_reader_of_hosts_toml_agrees(tmp_path: Path) -> None:
    for it in containerd_files(LIST, CAS):
        place = tmp_path / Path(it.path).relative_to(CERTS_D)
        place.parent.mkdir(exist_ok=True)
        place.write_text(it.text)

    for host in ("docker.io", "ghcr.io", "registry.k8s.io", "reg.internal:5000"):
        assert node_trust(str(tmp_path), host).has_mirrors
    assert (
        tmp_path / "reg.internal:5000/reg.internal_5000.crt"
        in node_trust(str(tmp_path), "reg.internal:5000").authorities
    )


def test_daemon_json_has_the_mirrors_of_docker_hub_that_resolve() -> None:
    files = docker_files(LIST, CAS)

    assert json.loads(files[0].text) == {
        "registry-mirrors": ["https://mirror.example.com", "http://10.0.0.1:5000"]
    }
    assert [it.path for it in files] == [
        f"{DOCKER}/daemon.json",
        f"{DOCKER}/certs.d/mirror.example.com/ca.crt",
    ]
    assert docker_files(LIST[2:], CAS) == []
    assert left_out(LIST) == ["public.example.org"]


def test_registries_yaml_has_all_upstreams() -> None:
    files = rancher_files(LIST, CAS)
    document: dict[str, Any] = yaml.safe_load(files[0].text)

    assert files[0].path == f"{RANCHER}/registries.yaml"
    assert {host: it["endpoint"] for host, it in document["mirrors"].items()} == {
        "docker.io": ["https://mirror.example.com", "http://10.0.0.1:5000"],
        "ghcr.io": ["https://mirror.example.com"],
        "reg.internal:5000": ["https://[2001:db8::1]:8443", "http://reg.internal:5000"],
        "registry.k8s.io": ["https://xn--fsqu00a.xn--0zwm56d"],
    }
    assert set(document["configs"]) == set(CAS)
    assert "configs" not in yaml.safe_load(rancher_files(LIST, {})[0].text)
    assert rancher_files([], CAS) == docker_files([], CAS) == containerd_files([], CAS) == []


def test_a_host_has_one_file_whatever_its_scheme() -> None:
    """The form refuses the second scheme; an older list may have both."""
    addresses = (("http://reg.io", "a.io"), ("b.io", "c.io"), ("reg.io", "http://a.io"), ("reg.io", "a.io"))
    both = [mirror(*it) for it in addresses]
    files = containerd_files(both, {"reg.io": "PEM\n"})

    assert [it.path for it in files] == [
        f"{CERTS_D}/{it}" for it in ("reg.io/hosts.toml", "reg.io/reg.io.crt", "b.io/hosts.toml")
    ]
    assert list(tomllib.loads(files[0].text)["host"]) == ["https://a.io", "http://a.io"]
    assert list(yaml.safe_load(rancher_files(both, {})[0].text)["mirrors"]) == ["reg.io", "b.io"]


@dataclass
class Place:
    """A containerd, and two registries with TLS: only the mirror has the image."""

    node: Node
    mirror: str
    upstream: str
    pem: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Place]:
    require_part("docker-registry")
    folder = tmp_path_factory.mktemp("mirrors")
    pair = authority.issue("localhost")
    with ExitStack() as stack:
        node = stack.enter_context(running_containerd(folder))
        plain = stack.enter_context(docker_registry(folder / "plain"))
        push(f"http://{plain}", "demo/app", "1.0", single("linux/amd64"))
        mirrored = stack.enter_context(
            docker_registry(folder / "mirror", tls=pair, proxied=f"http://{plain}")
        )
        upstream = stack.enter_context(docker_registry(folder / "upstream", tls=pair))
        yield Place(node, mirrored, upstream, authority.root.pem)


def install(node: Node, files: list[ConfigFile]) -> None:
    for it in files:
        place = node.certs_dir / Path(it.path).relative_to(CERTS_D)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(it.text)


@pytest.mark.parametrize(
    ("resolves", "with_ca", "said"),
    [(True, True, ""), (True, False, "certificate"), (False, True, "not found")],
)
def test_containerd_pulls_through_the_mirror(place: Place, resolves: bool, with_ca: bool, said: str) -> None:
    """The upstream has no images: without the CA of the mirror, or without its right to resolve, there is no image."""
    host = place.upstream
    cas = {host: place.pem, place.mirror: place.pem} if with_ca else {host: place.pem}
    install(place.node, containerd_files([mirror(host, place.mirror, resolves=resolves)], cas))
    try:
        error = place.node.pull(f"{host}/demo/app:1.0")
    finally:
        shutil.rmtree(place.node.certs_dir / host)

    assert (error == "") is (said == ""), error
    assert said in error


def test_dockerd_takes_daemon_json(place: Place, tmp_path: Path) -> None:
    """It refuses to start with a mirror that it cannot read."""
    more = json.loads(docker_files(LIST, CAS)[0].text)
    with running_dockerd(tmp_path, place.node.socket, more=more) as docker:
        status, body = docker.ask("GET", "/info")

    assert status == 200
    assert json.loads(body)["RegistryConfig"]["Mirrors"] == [f"{it}/" for it in more["registry-mirrors"]]
