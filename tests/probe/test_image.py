"""Whether an image can be pulled: the answer equals that of `skopeo inspect` and of containerd, at the real
docker-registry, for images of every kind."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from registries.probe import Result, probe
from registries.probe.image import ImageQuery, ImageResult
from registries.probe.reason import ImageReason, Reason
from tests.peers.certificates import Authority
from tests.peers.containerd import Node, running_containerd
from tests.peers.docker_registry import docker_registry, signing_pair, token_service
from tests.peers.images import DOCKER, dockerconfig, index, push, push_scope, single
from tests.peers.parts import require_part
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    basic,
    registry_ok,
    scripted,
    unauthorized,
)

pytest_plugins = ("tests.peers.authorities",)

USER, PASSWORD = "admin", "correct horse"
REGISTRIES = ("basic", "token", "open")
EDGE = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/riscv64", "linux/loong64")
IMAGES = {
    "oci-index": index(EDGE),
    "docker-list": index(("linux/amd64", "linux/arm64"), DOCKER),
    "oci-single": single("linux/amd64"),
    "docker-single": single("linux/amd64", DOCKER),
    "attested": index(("linux/amd64", "linux/arm64"), attested=True),
    "arm-index": index(("linux/arm64", "linux/arm/v6")),
    "arm-single": single("linux/arm64"),
    "windows": index(("windows/amd64",)),
}
REPOSITORY = "team/app"


@dataclass
class Place:
    node: Node
    folder: Path
    registries: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Place]:
    require_part("docker-registry")
    require_part("skopeo")
    folder, users, signer = tmp_path_factory.mktemp("images"), {USER: PASSWORD}, signing_pair(authority)
    with ExitStack() as stack:
        place = Place(stack.enter_context(running_containerd(folder)), folder)
        service = stack.enter_context(scripted(token_service(users, signer)))
        realm = service.url("/token")
        options = {"basic": {"users": users}, "token": {"token_realm": realm, "signer": signer}, "open": {}}
        for name, given in options.items():
            registry = stack.enter_context(docker_registry(folder / name, **given))  # type: ignore[arg-type]
            place.registries[name] = registry
            header = {"basic": basic(USER, PASSWORD), "token": "", "open": ""}[name]
            if name == "token":
                asked = {"service": "test-registry", "scope": push_scope(REPOSITORY)}
                answer = requests.get(realm, params=asked, auth=(USER, PASSWORD), timeout=60)
                header = f"Bearer {answer.json()['token']}"
            for tag, image in IMAGES.items():
                push(f"http://{registry}", REPOSITORY, tag, image, header)
        yield place


def ask(registry: str, reference: str, *, nodes: dict[str, int] | None = None, **options: str) -> Result:
    repository = options.get("repository", REPOSITORY)
    query = ImageQuery(f"{registry}/{repository}:{reference}", repository, reference, nodes)
    return probe(f"http://{registry}", USER, PASSWORD, HERE, query)


def looked(result: Result) -> ImageResult:
    assert result.ok, result
    assert result.image is not None
    return result.image


def skopeo_raw(place: Place, name: str, reference: str) -> bytes | None:
    """The manifest that `skopeo inspect --raw` prints; None when it fails."""
    registry, auth = place.registries[name], place.folder / "auth.json"
    auth.write_text(dockerconfig(registry, USER, PASSWORD))
    command = [require_part("skopeo"), "inspect", "--raw", "--tls-verify=false", "--authfile", str(auth)]
    home = {**os.environ, "HOME": str(place.folder), "XDG_RUNTIME_DIR": str(place.folder)}
    image = f"docker://{registry}/{REPOSITORY}:{reference}"
    done = subprocess.run([*command, image], check=False, capture_output=True, timeout=60, env=home)
    return done.stdout if done.returncode == 0 else None


@pytest.mark.parametrize("name", REGISTRIES)
@pytest.mark.parametrize("tag", [*IMAGES, "no-such-tag"])
def test_the_answer_is_that_of_skopeo_and_of_a_node(name: str, tag: str, place: Place) -> None:
    registry, image = place.registries[name], IMAGES.get(tag)
    found = looked(ask(registry, tag, nodes={"linux/amd64": 3}))
    raw = skopeo_raw(place, name, tag)
    pulled = place.node.pull(f"{registry}/{REPOSITORY}:{tag}", USER, PASSWORD) == ""

    assert (raw is not None) is (found.reason in (ImageReason.PULLABLE, ImageReason.PLATFORM_MISSING))
    if image is None:
        assert (found.reason, pulled) == (ImageReason.TAG_MISSING, False)
        return
    assert raw == image.top.body
    assert found.digest == image.top.digest
    assert {it.name: it.size for it in found.platforms} == image.sizes
    # containerd does not look at the platform of a single manifest; the container then fails.
    assert pulled is (found.ok or tag == "arm-single")
    assert found.ok is ("linux/amd64" in image.sizes)
    assert [(it.name, it.count, it.covered) for it in found.nodes] == [("linux/amd64", 3, found.ok)]


@pytest.mark.parametrize("name", REGISTRIES)
def test_an_image_by_digest(name: str, place: Place) -> None:
    digest = IMAGES["oci-index"].manifests[1].digest
    found = looked(ask(place.registries[name], digest))

    assert (found.reason, found.digest) == (ImageReason.PULLABLE, digest)
    assert [it.name for it in found.platforms] == ["linux/arm64"]


NODES = {"linux/amd64": 12, "linux/arm64": 3, "linux/arm/v7": 2, "linux/riscv64": 1, "linux/loong64": 1}
MISSING = {
    "oci-index": set(),
    "docker-list": {"linux/arm/v7", "linux/riscv64", "linux/loong64"},
    "attested": {"linux/arm/v7", "linux/riscv64", "linux/loong64"},
    "arm-index": {"linux/amd64", "linux/riscv64", "linux/loong64"},  # arm/v7 runs arm/v6
    "arm-single": {*NODES} - {"linux/arm64"},
    "oci-single": {*NODES} - {"linux/amd64"},
    "windows": {*NODES},
}


@pytest.mark.parametrize("tag", MISSING)
def test_each_platform_of_the_nodes_is_compared(tag: str, place: Place) -> None:
    found = looked(ask(place.registries["basic"], tag, nodes=NODES))

    assert {it.name for it in found.nodes if not it.covered} == MISSING[tag]
    assert {it.name: it.count for it in found.nodes} == NODES
    wanted = ImageReason.PLATFORM_MISSING if MISSING[tag] else ImageReason.PULLABLE
    assert (found.reason, found.ok) == (wanted, MISSING[tag] != {*NODES})


def test_without_nodes_only_the_platforms_are_named(place: Place) -> None:
    found = looked(ask(place.registries["basic"], "windows"))

    assert (found.reason, found.nodes) == (ImageReason.PULLABLE, ())


@pytest.mark.parametrize("name", REGISTRIES)
def test_an_unknown_repository_is_not_an_unknown_tag(name: str, place: Place) -> None:
    found = looked(ask(place.registries[name], "1", repository="team/nowhere"))

    assert found.reason is ImageReason.REPOSITORY_UNKNOWN


@pytest.mark.parametrize("name", REGISTRIES)
def test_the_log_in_comes_first(name: str, place: Place) -> None:
    registry = place.registries[name]
    query = ImageQuery("", REPOSITORY, "oci-index")
    result = probe(f"http://{registry}", USER, "wrong", HERE, query)

    assert (result.ok, result.image is None) == ((True, False) if name == "open" else (False, True))


def test_what_is_read_is_little(place: Place) -> None:
    """A HEAD, the index, and a manifest for each of five platforms: no layer."""
    without = probe(f"http://{place.registries['basic']}", USER, PASSWORD, HERE)
    found = ask(place.registries["basic"], "oci-index")

    assert found.requests - without.requests == 7
    assert [it.name for it in found.steps if it.name == "image"] == ["image"]


def test_values_survive_the_history(place: Place) -> None:
    found = looked(ask(place.registries["basic"], "arm-index", nodes=NODES))

    assert ImageResult.of_values(json.loads(json.dumps(found.values()))) == found
    assert ImageResult.of_values({**found.values(), "reason": "image_of_tomorrow"}) is None
    assert ImageResult.of_values(None) is None


def test_a_saved_image_decides_only_where_a_log_in_proves_nothing(place: Place) -> None:
    query = ImageQuery("", REPOSITORY, "oci-index", decides=True)
    basic_one = probe(f"http://{place.registries['basic']}", USER, PASSWORD, HERE, query)
    open_one = probe(f"http://{place.registries['open']}", USER, PASSWORD, HERE, query)

    assert (basic_one.reason, basic_one.image) == (Reason.OK, None)
    assert open_one.reason is Reason.OK_UNVERIFIED  # everybody may pull it
    assert open_one.image is not None
    assert (open_one.image.reason, open_one.image.proves) == (ImageReason.PULLABLE, False)


def test_several_images_are_looked_at_until_the_registry_asks_for_a_pause() -> None:
    """One log-in, then each image: found, missing, and a 429, after which nothing is asked."""
    manifests = {"/v2/a/manifests/1": 200, "/v2/b/manifests/1": 404, "/v2/c/manifests/1": 429}
    single_manifest = IMAGES["oci-single"].top

    def answer(request: Request) -> Reply:
        if request.authorization is None:
            return unauthorized('Basic realm="x"')
        status = manifests.get(request.path, 200)
        if request.path not in manifests:
            return registry_ok()
        return Reply(
            status,
            [("Content-Type", single_manifest.kind)],
            single_manifest.body if status == 200 and request.method == "GET" else b"",
        )

    with scripted(answer) as registry:
        queries = [ImageQuery(f"{registry.netloc}/{it}:1", it, "1") for it in "abcd"]
        result = probe(f"http://{registry.netloc}", USER, PASSWORD, HERE, *queries)
        asked = [it.path for it in registry.requests]

    assert result.reason is Reason.OK
    assert [it.image[-3:] for it in result.images] == ["a:1", "b:1", "c:1"]
    assert result.images[1].reason in (ImageReason.TAG_MISSING, ImageReason.REPOSITORY_UNKNOWN)
    assert result.images[2].reason is ImageReason.RATE_LIMITED
    assert result.image == result.images[-1]
    assert not any("/d/" in it for it in asked)
    assert asked.count("/v2/") == 2, "one log-in"
