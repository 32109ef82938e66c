"""The images that pods run and the platforms of nodes, on a real API server, within the rights of the person."""

from collections.abc import Iterator

import pytest

from registries.cluster.paths import NODES
from registries.cluster.personal import Person
from registries.pull_secrets import pods as pod_reader
from registries.stores.cluster.store import KubernetesStore
from tests.cluster.users import HARBOR, make, pod_spec
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.users",)

PLATFORMS = {
    "cloud-1": ("linux", "amd64"),
    "cloud-2": ("linux", "amd64"),
    "edge-1": ("linux", "arm64"),
    "edge-2": ("linux", "arm"),
    "edge-3": ("linux", "riscv64"),
    "edge-4": ("linux", "loong64"),
    "odd": ("<b>", "\x1b"),
}
READER = {
    "metadata": {"name": "node-reader"},
    "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}],
}


@pytest.fixture
def nodes(place: Cluster) -> Iterator[Cluster]:
    """Nodes as their kubelets report them; and a role that may list them."""
    place.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", READER)
    for name, (system, architecture) in PLATFORMS.items():
        place.server.call("POST", NODES, {"metadata": {"name": name}})
        info = dict.fromkeys(
            ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion"), ""
        ) | {"kubeletVersion": "", "kubeProxyVersion": ""}
        status = {"nodeInfo": {**info, "operatingSystem": system, "architecture": architecture}}
        done = place.server.call("PATCH", f"{NODES}/{name}/status", {"status": status}, kind=MERGE_PATCH)
        assert done.status == 200, done.body
        version = done.body["metadata"]["resourceVersion"]
        assert wait_for(lambda: place.cached(NODES).get(name) == version)  # noqa: B023
    yield place
    for name in PLATFORMS:
        place.server.call("DELETE", f"{NODES}/{name}?gracePeriodSeconds=0")


def images(store: KubernetesStore, *hosts: str, namespace: str = "team-a") -> tuple[str, ...] | None:
    reader = store.pull_failures()
    assert reader
    return reader.images(namespace, hosts or (HARBOR,))


def test_images_of_pods_are_those_of_this_registry(store: KubernetesStore, place: Cluster) -> None:
    spec = pod_spec(f"{HARBOR}/shop/web:1")
    spec["containers"].append({"name": "d", "image": f"{HARBOR}/shop/side:2"})
    spec["initContainers"] = [{"name": "i", "image": f"{HARBOR}/shop/init@sha256:{'0' * 64}"}]
    make(place, "Pod", "a", spec)
    make(place, "Pod", "b", pod_spec(f"{HARBOR}/shop/web:1"))
    make(place, "Pod", "c", pod_spec(f"{HARBOR}/NOT/valid"))
    make(place, "Pod", "d", pod_spec("nginx"))
    make(place, "Pod", "e", pod_spec(f"{HARBOR}.evil.example/x"))
    make(place, "Pod", "f", pod_spec(f"{HARBOR}/other:1"), namespace="team-b")

    assert images(store) == (
        f"{HARBOR}/shop/init@sha256:{'0' * 64}",
        f"{HARBOR}/shop/side:2",
        f"{HARBOR}/shop/web:1",
    )
    assert images(store, "docker.io") == ("nginx",)


def test_a_person_sees_images_of_pods_that_they_may_list(
    store: KubernetesStore, place: Cluster, person: Person, admin: Person
) -> None:
    make(place, "Pod", "a", pod_spec(f"{HARBOR}/shop/web:1"))
    make(place, "Pod", "b", pod_spec(f"{HARBOR}/shop/web:2"), namespace="team-b")

    assert images(store.acting_as(admin)) == (f"{HARBOR}/shop/web:1",)
    assert images(store.acting_as(admin), namespace="team-b") is None


def test_there_are_not_too_many_images(
    store: KubernetesStore, place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_reader, "MOST_IMAGES", 2)
    for name in ("a", "b", "c", "d"):
        make(place, "Pod", name, pod_spec(f"{HARBOR}/shop/{name}:1"))
    make(place, "Pod", "e", pod_spec("nginx"))

    assert len(images(store) or ()) == 2
    found = images(store, HARBOR, "docker.io")
    assert found
    assert len(found) == 3
    assert "nginx" in found, "many images of one host hide no other host"


def test_nodes_are_counted_by_platform(store: KubernetesStore, nodes: Cluster, person: Person) -> None:
    mine = store.acting_as(person).pull_failures()
    assert mine
    assert mine.node_platforms() is None

    nodes.bind("team-a-admin", "node-reader")
    try:
        assert mine.node_platforms() == {
            "linux/amd64": 2,
            "linux/arm64": 1,
            "linux/arm/v7": 1,
            "linux/riscv64": 1,
            "linux/loong64": 1,
        }
    finally:
        nodes.unbind("team-a-admin", "node-reader")
