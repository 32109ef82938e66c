"""Tests from a node on a real API server, with a fake kubelet that pulls through the real containerd from the real
docker-registry."""

from datetime import timedelta
from typing import Any

import pytest

from registries.cluster.personal import Person
from registries.domain.access import Access, Permission
from registries.domain.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    TooManyRequests,
)
from registries.limits import Claims
from registries.models import AuditEntry
from registries.pull_secrets.explain import Code
from registries.pull_secrets.failing import Phase
from registries.pull_secrets.node_test import (
    AT_ONCE,
    CONTROL,
    LABEL,
    NO_SECRET,
    PATIENCE,
    NodeVerdict,
    Outcome,
)
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.cluster.node_desk import AWAY, EDGE, PODS, USERS, Desk, add, pods
from tests.cluster.users import KEY
from tests.peers.certificates import Authority
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.containerd import Node
from tests.peers.docker_registry import docker_registry
from tests.peers.fake_kubelet import fake_kubelet

pytest_plugins = ("tests.cluster.users", "tests.cluster.node_desk")
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("case", "outcome", "code"),
    [
        ("right", Outcome.ACCEPTED, Code.IMAGE_MISSING),
        ("wrong", Outcome.EXPLAINED, Code.CREDENTIAL_UNTESTED),
        ("open", Outcome.OPEN, Code.IMAGE_MISSING),
        ("ca missing", Outcome.EXPLAINED, Code.CERTIFICATE),
        ("nobody there", Outcome.EXPLAINED, Code.NETWORK),
    ],
)
def test_what_a_node_gets_is_the_verdict(
    desk: Desk,
    store: KubernetesStore,
    place: Cluster,
    containerd: Node,
    tmp_path: Any,
    case: str,
    outcome: Outcome,
    code: Code,
) -> None:
    tls = Authority(tmp_path).issue("localhost") if case == "ca missing" else None
    with docker_registry(tmp_path / "registry", users=None if case == "open" else USERS, tls=tls) as registry:
        if tls:
            containerd.configure(registry, f'server = "https://{registry}"\n[host."https://{registry}"]\n')
        domain = "localhost:9" if case == "nobody there" else registry
        add(store, domain, "wrong" if case == "wrong" else CANARY)
        with fake_kubelet(place.server, EDGE, containerd):  # type: ignore[arg-type]
            found = desk.verdict(desk.begin())

    assert (found.outcome, found.node) == (outcome, EDGE)
    assert CANARY not in found.message
    assert AuditEntry.objects.get(action="node_test").note == EDGE
    assert pods(place) == [], "deleted at the verdict"
    if found.explanation:
        assert found.explanation.code is code


@pytest.mark.usefixtures("added")
class TestWithoutANode:
    """No kubelet runs."""

    def test_the_pods_are_restricted_owned_and_end_by_themselves(
        self, desk: Desk, store: KubernetesStore, place: Cluster
    ) -> None:
        test = desk.begin()

        made = {it["metadata"]["name"]: it for it in pods(place)}
        assert made.keys() == {f"registry-console-{test}", f"registry-console-{test}-control"}
        for name, pod in made.items():
            spec, [container] = pod["spec"], pod["spec"]["containers"]
            [owner] = pod["metadata"]["ownerReferences"]
            secret = NO_SECRET if name.endswith("control") else KEY.name
            assert owner["uid"] == store.get(KEY).uid
            assert spec["imagePullSecrets"] == [{"name": secret}]
            assert {"operator": "Exists"} in spec["tolerations"]
            assert (spec["nodeName"], spec["restartPolicy"]) == (EDGE, "Never")
            assert spec["activeDeadlineSeconds"] < PATIENCE.total_seconds()
            assert spec["automountServiceAccountToken"] is False
            assert spec["securityContext"]["runAsNonRoot"] is True
            assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["image"] == f"harbor.example.com/project/app:console-test-{test}"
            assert container["imagePullPolicy"] == "Always"

    def test_a_node_that_does_not_answer_is_an_outcome(self, desk: Desk, place: Cluster) -> None:
        test = desk.begin(AWAY)
        assert desk.look(test).outcome is Outcome.WAITING
        desk.late = PATIENCE + timedelta(seconds=2)

        assert desk.look(test) == NodeVerdict(Outcome.SILENT, AWAY)
        assert pods(place) == []
        assert desk.look(test).outcome is Outcome.GONE

    def test_pods_that_nobody_looks_at_are_deleted_later(self, desk: Desk, place: Cluster) -> None:
        desk.begin(AWAY)
        [clean] = desk.later

        clean()

        assert pods(place) == []

    def test_the_next_test_deletes_what_a_dead_console_left(self, desk: Desk, place: Cluster) -> None:
        desk.begin(AWAY)
        desk.late = PATIENCE + timedelta(seconds=2)
        test = desk.begin()

        assert {it["metadata"]["labels"]["registry-console/node-test"] for it in pods(place)} == {test}

    def test_a_pod_of_somebody_else_with_the_label_is_left_alone(self, desk: Desk, place: Cluster) -> None:
        """Whoever may change Pods could have another one deleted by the next person who tests."""
        names = ("shop", "registry-console-app", "registry-console-0123456789abcdef0", "shop-control")
        container = {"name": "main", "image": "shop:1"}
        for label, name in zip(("x", "0123456789abcdef", "0123456789abcdef", "shop"), names, strict=True):
            body = {
                "metadata": {"name": name, "labels": {LABEL: label, CONTROL: "true"}},
                "spec": {"containers": [container]},
            }
            assert place.server.call("POST", PODS, body).status == 201
        desk.late = PATIENCE + timedelta(seconds=2)
        test = desk.begin(AWAY)
        place.server.call("PATCH", f"{PODS}/shop", {"metadata": {"labels": {LABEL: test}}}, kind=MERGE_PATCH)
        desk.late *= 2

        assert desk.look(test) == NodeVerdict(Outcome.SILENT, AWAY)
        for work in desk.later:
            work()

        assert {it["metadata"]["name"] for it in pods(place)} == set(names)
        for name in names:
            place.server.call("DELETE", f"{PODS}/{name}", {"gracePeriodSeconds": 0})

    def test_few_tests_at_once(self, desk: Desk, place: Cluster) -> None:
        for _ in range(AT_ONCE):
            desk.begin()

        with pytest.raises(TooManyRequests):
            desk.begin()
        assert len(pods(place)) == 2 * AT_ONCE

    def test_tests_of_another_process_that_has_not_created_its_pods_count(
        self, desk: Desk, place: Cluster
    ) -> None:
        claims = Claims(AT_ONCE, 600)
        for number in range(AT_ONCE - 1):
            assert claims.take("node tests team-a", f"other-{number}")
            assert claims.take("node tests team-b", f"other-{number}")
        desk.begin()

        with pytest.raises(TooManyRequests):
            desk.begin()
        assert len(pods(place)) == 2
        claims.give_back("node tests team-a", "other-0")
        desk.begin()

    def test_the_end_of_a_test_makes_room(self, desk: Desk, place: Cluster) -> None:
        """By its verdict, and by the work for later."""
        for _ in range(AT_ONCE):
            test = desk.begin(AWAY)
        desk.late = PATIENCE + timedelta(seconds=2)
        assert desk.look(test).outcome is Outcome.SILENT
        desk.late = timedelta()
        desk.begin(AWAY)
        with pytest.raises(TooManyRequests):
            desk.begin(AWAY)
        for work in desk.later:
            work()
        assert pods(place) == []
        for _ in range(AT_ONCE):
            desk.begin(AWAY)

    def test_what_is_no_name_is_refused(self, desk: Desk, place: Cluster) -> None:
        for node, repository in (("a/../b", "project/app"), (EDGE, "project/app:1"), ("", "")):
            with pytest.raises(Invalid) as error:
                desk.begin(node, repository)
            fields = [it.field for it in error.value.causes]
            assert fields == [
                *(["node"] if node != EDGE else []),
                *(["repository"] if repository != "project/app" else []),
            ]
        assert pods(place) == []

    def test_with_the_right_to_list_nodes_they_are_offered_and_compared(
        self, desk: Desk, place: Cluster
    ) -> None:
        place.server.call("POST", "/api/v1/nodes", {"metadata": {"name": EDGE}})
        assert desk.tests.nodes(access=desk.access, key=KEY) == ()
        place.bind("team-a-admin", "image-prober")
        try:
            assert [it.name for it in desk.tests.nodes(access=desk.access, key=KEY)] == [EDGE]
            with pytest.raises(Invalid):
                desk.begin(AWAY)
            assert desk.begin(EDGE)
        finally:
            place.unbind("team-a-admin", "image-prober")
            place.server.call("DELETE", f"/api/v1/nodes/{EDGE}")

    def test_a_test_of_an_earlier_registry_of_the_name_is_no_verdict(
        self, desk: Desk, store: KubernetesStore
    ) -> None:
        test = desk.begin()
        store.delete(KEY, uid=store.get(KEY).uid)
        add(store, "harbor.example.com")

        assert desk.look(test).outcome is Outcome.GONE

    def test_its_pods_are_no_pull_failures(self, desk: Desk, store: KubernetesStore, place: Cluster) -> None:
        desk.begin()
        waiting = {"reason": "ErrImagePull", "message": "401 Unauthorized"}
        container = {"name": "test", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
        status = {"containerStatuses": [{**container, "state": {"waiting": waiting}}]}
        for it in pods(place):
            path = f"{PODS}/{it['metadata']['name']}/status"
            place.server.call("PATCH", path, {"status": status}, kind=MERGE_PATCH)
        reader = store.pull_failures()
        assert reader

        assert reader.pods(["team-a"], Phase.PENDING, all_of_them=False).pods == []
        assert reader.images("team-a", ["harbor.example.com"]) == ()


def test_without_the_role_nothing_is_offered_or_made(
    store: KubernetesStore, place: Cluster, admin: Person
) -> None:
    add(store, "harbor.example.com")
    desk = Desk(store, admin)

    assert not desk.tests.offered(access=desk.access, key=KEY)
    with pytest.raises(Forbidden, match=Problem.PODS_FORBIDDEN):
        desk.begin()
    assert pods(place) == []
    assert AuditEntry.objects.get(action="node_test").outcome == "Forbidden"


def test_it_is_offered_to_people_of_the_cluster_who_may_test(desk: Desk, store: KubernetesStore) -> None:
    add(store, "harbor.example.com")
    viewer = Access("vic", namespaces={"team-a": frozenset({Permission.SEE})}, acting=desk.access.acting)
    account = Access("nina", namespaces=desk.access.namespaces)

    assert desk.tests.offered(access=desk.access, key=KEY)
    assert not desk.tests.offered(access=viewer, key=KEY)
    assert not desk.tests.offered(access=account, key=KEY)
    with pytest.raises(Forbidden):
        desk.tests.begin(access=viewer, key=KEY, nodes=[EDGE], repository="a")
    with pytest.raises(NotFound):
        desk.tests.begin(access=account, key=KEY, nodes=[EDGE], repository="a")
