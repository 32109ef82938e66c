"""Tests from one node of each node group and architecture, on a real API server, with fake kubelets that pull through
the real containerd from the real docker-registry."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from registries.cluster.paths import NODES, pods_in
from registries.cluster.personal import Person
from registries.domain.errors import Invalid, Problem, TooManyRequests
from registries.models import ApiBucket, AuditEntry
from registries.pull_secrets.explain import Code
from registries.pull_secrets.node_test import AT_ONCE, PATIENCE, Node, Outcome, one_per_group
from registries.service.node_tests import NodeTests
from registries.stores.cluster.store import KubernetesStore
from tests.cluster.node_desk import USERS, Desk, add, pods
from tests.cluster.users import KEY
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.containerd import Node as Containerd
from tests.peers.containerd import Runtime
from tests.peers.docker_registry import docker_registry
from tests.peers.fake_kubelet import fake_kubelet
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.users", "tests.cluster.people", "tests.cluster.node_desk")
pytestmark = pytest.mark.django_db

OPENYURT, KUBEEDGE = "apps.openyurt.io/nodepool", "apps.kubeedge.io/belonging-to"
LABELS = (OPENYURT, KUBEEDGE)
FLEET = {
    "edge-01": ("arm64", {OPENYURT: "east", KUBEEDGE: "other"}, False),
    "edge-02": ("arm64", {OPENYURT: "east"}, True),
    "edge-03": ("amd64", {OPENYURT: "east"}, True),
    "edge-04": ("loong64", {KUBEEDGE: "west"}, False),
    "edge-05": ("", {KUBEEDGE: "west", "kubernetes.io/arch": "riscv64"}, True),
    "master": ("amd64", {}, True),
}
"""Node -> architecture, labels, whether it is ready."""
GROUPS = [
    ("", "amd64", "master"),
    ("east", "amd64", "edge-03"),
    ("east", "arm64", "edge-02"),
    ("west", "loong64", "edge-04"),
    ("west", "riscv64", "edge-05"),
]


def test_one_ready_node_of_each_group_and_architecture() -> None:
    fleet = [Node(name, ready, arch, group) for name, ready, arch, group in _fleet()]

    for order in (fleet, fleet[::-1]):
        assert [it.name for it in one_per_group(order)] == ["c-01", "a-03", "a-02", "b-02"]
    assert one_per_group([]) == ()


def _fleet() -> Iterator[tuple[str, bool, str, str]]:
    yield from [("c-01", False, "amd64", ""), ("c-02", False, "amd64", "")]  # none is ready: the first
    yield from [("a-01", False, "arm64", "east"), ("a-02", True, "arm64", "east")]
    yield from [("a-03", True, "amd64", "east"), ("a-04", True, "amd64", "east")]
    yield from [("b-03", True, "riscv64", "west"), ("b-02", True, "riscv64", "west")]


@pytest.fixture
def fleet(place: Cluster) -> Iterator[Cluster]:
    for name, (architecture, labels, ready) in FLEET.items():
        made = place.server.call("POST", NODES, {"metadata": {"name": name, "labels": labels}})
        assert made.status == 201, made.body
        ready_now = {"type": "Ready", "status": "True" if ready else "Unknown"}
        status = {"nodeInfo": {"architecture": architecture}, "conditions": [ready_now]}
        patch = {"status": status} if architecture else {"status": {"conditions": [ready_now]}}
        patched = place.server.call("PATCH", f"{NODES}/{name}/status", patch, kind=MERGE_PATCH)
        assert patched.status == 200, patched.body
        shown = patched.body["metadata"]["resourceVersion"]
        assert wait_for(lambda: place.cached(NODES).get(name) == shown)  # noqa: B023
    yield place
    for name in FLEET:
        place.server.call("DELETE", f"{NODES}/{name}")
    assert wait_for(lambda: not place.cached(NODES))


@pytest.fixture
def lister(fleet: Cluster, prober: Person) -> Iterator[Person]:
    """A person who may list the nodes, too."""
    fleet.bind("team-a-admin", "image-prober")
    yield prober
    fleet.unbind("team-a-admin", "image-prober")


@pytest.fixture
def desk(store: KubernetesStore, lister: Person) -> Desk:
    desk = Desk(store, lister)
    desk.tests._group_labels = LABELS
    return desk


def chosen(desk: Desk) -> list[str]:
    return [it.name for it in one_per_group(desk.tests.nodes(access=desk.access, key=KEY))]


def test_groups_come_from_the_first_label_that_a_node_has(desk: Desk, store: KubernetesStore) -> None:
    add(store, "harbor.example.com")

    found = one_per_group(desk.tests.nodes(access=desk.access, key=KEY))

    assert [(it.group, it.architecture, it.name) for it in found] == GROUPS
    assert {it.name: it.ready for it in found} == {name: FLEET[name][2] for _, _, name in GROUPS}
    assert isinstance(desk.tests, NodeTests)


class Cut(Runtime):
    """The runtime of a node that does not reach the registry."""

    def pull(self, image: str, username: str = "", password: str = "") -> str:
        said = f'failed to do request: Head "https://{image}": dial tcp 10.0.0.1:443: i/o timeout'
        return f"rpc error: code = Unknown desc = {said}"


def test_each_node_has_a_verdict_of_its_own(
    desk: Desk,
    store: KubernetesStore,
    fleet: Cluster,
    containerd: Containerd,
    tmp_path: Path,
) -> None:
    """Three reach the registry, one does not, and one is away."""
    with docker_registry(tmp_path / "registry", users=USERS) as registry, ExitStack() as stack:
        add(store, registry)
        names = chosen(desk)
        tests = dict(zip(desk.begin_all(names), names, strict=True))
        runtimes: dict[str, Runtime] = dict.fromkeys(("edge-02", "edge-03", "master"), containerd)
        for node, runtime in {**runtimes, "edge-05": Cut()}.items():
            stack.enter_context(fake_kubelet(fleet.server, node, runtime))  # type: ignore[arg-type]
        found = {node: desk.verdict(test) for test, node in tests.items() if node != "edge-04"}
        [away] = [test for test, node in tests.items() if node == "edge-04"]
        assert desk.look(away).outcome is Outcome.WAITING
        desk.late = PATIENCE + timedelta(seconds=2)
        found["edge-04"] = desk.look(away)

    assert {node: it.outcome for node, it in found.items()} == {
        **dict.fromkeys(("edge-02", "edge-03", "master"), Outcome.ACCEPTED),
        "edge-05": Outcome.EXPLAINED,
        "edge-04": Outcome.SILENT,
    }
    explanation = found["edge-05"].explanation
    assert explanation
    assert explanation.code is Code.NETWORK
    assert pods(fleet) == []
    assert AuditEntry.objects.get(action="node_test").note == ", ".join(names)
    assert not ApiBucket.objects.filter(caller__startswith="node tests").exists()


@pytest.mark.usefixtures("fleet")
class TestLimits:
    """No kubelet runs."""

    @pytest.fixture(autouse=True)
    def added(self, store: KubernetesStore) -> None:
        add(store, "harbor.example.com")

    @pytest.mark.parametrize(
        ("nodes", "problem"),
        [
            ([], Problem.REQUIRED),
            ([""], Problem.REQUIRED),
            (["master", "a/../b"], Problem.CHARACTERS),
            (["master", "nowhere"], Problem.UNKNOWN),
            (list(FLEET), Problem.TOO_MANY),
        ],
    )
    def test_wrong_choices_make_no_pod(
        self, desk: Desk, place: Cluster, nodes: list[str], problem: Problem
    ) -> None:
        assert len(FLEET) > AT_ONCE
        with pytest.raises(Invalid) as error:
            desk.begin_all(nodes)

        assert [(it.field, it.problem) for it in error.value.causes] == [("node", problem)]
        assert pods(place) == []

    def test_a_node_that_is_named_twice_is_tested_once(self, desk: Desk, place: Cluster) -> None:
        assert len(desk.begin_all(["master", "master"])) == 1
        assert len(pods(place)) == 2

    def test_all_or_none_fit(self, desk: Desk, place: Cluster) -> None:
        desk.begin_all(["edge-02", "edge-03"])

        with pytest.raises(TooManyRequests):
            desk.begin_all(["edge-04", "edge-05", "master", "edge-01"])
        assert len(pods(place)) == 4
        desk.begin_all(["edge-04", "edge-05", "master"])
        with pytest.raises(TooManyRequests):
            desk.begin_all(["edge-01"])

    def test_one_person_has_five_in_all_namespaces_together(self, desk: Desk, place: Cluster) -> None:
        """Those in another namespace are claims of the person alone."""
        desk.begin_all(["edge-02", "edge-03", "edge-04"])
        ApiBucket.objects.filter(caller__startswith="node tests team-a|").delete()

        with pytest.raises(TooManyRequests):
            desk.begin_all(["edge-05", "master", "edge-01"])
        assert len(pods(place)) == 6
        desk.begin_all(["edge-05", "master"])

    def test_a_refusal_in_the_middle_leaves_nothing(self, desk: Desk, place: Cluster) -> None:
        """The quota has room for the Pods of one node."""
        quotas, hard = "/api/v1/namespaces/team-a/resourcequotas", {"pods": "3"}
        assert (
            place.server.call("POST", quotas, {"metadata": {"name": "few"}, "spec": {"hard": hard}}).status
            == 201
        )
        try:
            status = {"status": {"hard": hard, "used": {"pods": "0"}}}
            place.server.call("PATCH", f"{quotas}/few/status", status, kind=MERGE_PATCH)
            said: list[Problem | None] = []
            assert wait_for(lambda: _refused(desk, place, said)), said
        finally:
            place.server.call("DELETE", f"{quotas}/few")
        assert pods(place) == []
        assert not ApiBucket.objects.filter(caller__startswith="node tests").exists()


def _refused(desk: Desk, place: Cluster, said: list[Problem | None]) -> bool:
    """Whether the quota refuses now. Admission learns of it a moment later."""
    from registries.domain.errors import Refused

    try:
        desk.begin_all(["edge-02", "edge-03"])
    except Refused as error:
        said.append(error.problem)
        return error.problem == Problem.QUOTA_EXCEEDED
    for clean in desk.later:
        clean()
    desk.later.clear()
    place.server.call("DELETE", f"{pods_in('team-a')}?gracePeriodSeconds=0")
    return False
