"""Tests from a node on a real API server, with a fake kubelet that pulls through the real containerd from the real
docker-registry."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from django.utils import timezone

from registries.audit.log import AuditLog
from registries.cluster.paths import pods_in
from registries.cluster.personal import Person
from registries.domain.access import Access, Permission, Role
from registries.domain.errors import (
    ConsoleError,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    Refused,
    TooManyRequests,
)
from registries.domain.registry import Draft, Provider
from registries.limits import Claims
from registries.models import ApiBucket, AuditEntry
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
from registries.service.guard import Guard
from registries.service.node_tests import NodeTests
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.cluster.users import KEY
from tests.peers.admission import mirrored
from tests.peers.api_server import ApiServer
from tests.peers.certificates import Authority
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.containerd import Node, running_containerd
from tests.peers.docker_registry import docker_registry
from tests.peers.fake_kubelet import fake_kubelet
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.users",)
pytestmark = pytest.mark.django_db

EDGE, AWAY = "edge-07", "edge-08"
PODS = pods_in("team-a")
USERS = {"robot$ci": CANARY}
PROBER = {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}


@pytest.fixture(scope="module")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running_containerd(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture
def prober(place: Cluster, admin: Person) -> Iterator[Person]:
    """image-admin, and image-prober in team-a only, so that nodes cannot be listed."""
    place.bind("team-a-admin", "image-prober", "team-a")
    yield admin
    place.unbind("team-a-admin", "image-prober", "team-a")
    assert wait_for(lambda: not place.allows("team-a-admin", PROBER, "team-a"))


class Desk:
    """The service, a clock that a test moves, and the work for later."""

    def __init__(self, store: KubernetesStore, person: Person) -> None:
        self.late = timedelta()
        self.later: list[Callable[[], None]] = []
        held = MappingProxyType({"team-a": Role.ADMIN.permissions})
        self.access = Access("team-a-admin", namespaces=held, acting=person)
        audit = AuditLog()
        self.tests = NodeTests(
            store, Guard(store, audit, nullcontext), audit, self.now, lambda _, it: self.later.append(it), ()
        )

    def now(self) -> datetime:
        return timezone.localtime() + self.late

    def begin(self, node: str = EDGE, repository: str = "project/app") -> str:
        return self.begin_all([node], repository)[0]

    def begin_all(self, nodes: Sequence[str], repository: str = "project/app") -> list[str]:
        return self.tests.begin(access=self.access, key=KEY, nodes=nodes, repository=repository)

    def look(self, test: str) -> NodeVerdict:
        return self.tests.look(access=self.access, key=KEY, test=test)

    def verdict(self, test: str) -> NodeVerdict:
        found: list[NodeVerdict] = []
        assert wait_for(lambda: found.append(self.look(test)) or found[-1].outcome is not Outcome.WAITING)  # type: ignore[func-returns-value]
        return found[-1]


@pytest.fixture
def desk(store: KubernetesStore, prober: Person) -> Desk:
    return Desk(store, prober)


def add(store: KubernetesStore, domain: str, password: str = CANARY) -> None:
    store.create(Draft(KEY, domain, "robot$ci", Provider.OTHER, password))


@pytest.fixture
def added(store: KubernetesStore) -> None:
    add(store, "harbor.example.com")


def pods(cluster: Cluster) -> list[dict[str, Any]]:
    return list(cluster.server.call("GET", PODS).body["items"])


@pytest.mark.parametrize(
    ("case", "outcome", "code"),
    [
        ("right", Outcome.ACCEPTED, Code.IMAGE_MISSING),
        ("wrong", Outcome.EXPLAINED, Code.CREDENTIAL_OLD),
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

    @pytest.mark.parametrize(
        "image", ["harbor.example.com/project/app:1", "quay.io/project/app:console-test-{test}", "x"]
    )
    def test_a_pod_that_asks_for_another_image_proves_nothing(
        self, desk: Desk, place: Cluster, image: str
    ) -> None:
        test = desk.begin()
        waiting = {"reason": "ErrImagePull", "message": "failed to pull: not found"}
        for it in pods(place):
            path = f"{PODS}/{it['metadata']['name']}"
            container = {"name": "test", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
            denied = {**waiting, "message": "401 Unauthorized"} if path.endswith("-control") else waiting
            status = {"containerStatuses": [{**container, "state": {"waiting": denied}}]}
            place.server.call("PATCH", f"{path}/status", {"status": status}, kind=MERGE_PATCH)
            change = [
                {
                    "op": "replace",
                    "path": "/spec/containers/0/image",
                    "value": image.format(test=test),
                }
            ]
            answer = place.server.call("PATCH", path, change, kind="application/json-patch+json")
            assert answer.status == 200

        assert desk.look(test).outcome is Outcome.CHANGED
        assert pods(place) == []

    def test_a_webhook_that_gives_pods_a_mirror_is_named(
        self, desk: Desk, place: Cluster, tmp_path: Path
    ) -> None:
        server: ApiServer = place.server  # type: ignore[assignment]
        with mirrored(server, "team-a", tmp_path, "mirror.corp.example"):
            test = desk.begin()
            found = desk.look(test)
            assert found.outcome is Outcome.CHANGED
            assert found.pod
            assert found.pod.image.startswith("mirror.corp.example/")
            assert pods(place) == []
        with mirrored(server, "team-a", tmp_path, "mirror.corp.example", exempt=LABEL):
            assert desk.look(desk.begin()).outcome is Outcome.WAITING

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

    def test_a_quota_refuses_both_pods(self, desk: Desk, place: Cluster) -> None:
        """The first Pod fits."""
        quotas, hard = "/api/v1/namespaces/team-a/resourcequotas", {"pods": "1"}
        made = {"metadata": {"name": "few"}, "spec": {"hard": hard}}
        assert place.server.call("POST", quotas, made).status == 201
        try:
            status = {"status": {"hard": hard, "used": {"pods": "0"}}}
            place.server.call("PATCH", f"{quotas}/few/status", status, kind=MERGE_PATCH)
            found: list[ConsoleError] = []
            assert wait_for(lambda: _raised(desk, found) == Problem.QUOTA_EXCEEDED), found
        finally:
            place.server.call("DELETE", f"{quotas}/few")
        assert isinstance(found[-1], Refused)
        assert pods(place) == []
        assert not ApiBucket.objects.filter(caller__startswith="node tests").exists()

    def test_a_rule_of_the_cluster_refuses(self, desk: Desk, place: Cluster) -> None:
        with limit_range(place, {"type": "Pod", "max": {"memory": "1Mi"}}):
            found: list[ConsoleError] = []
            assert wait_for(lambda: _raised(desk, found) == Problem.CLUSTER_REFUSED), found
        assert pods(place) == []
        assert AuditEntry.objects.filter(action="node_test", outcome="refused").exists()

    @pytest.mark.parametrize(
        "limit",
        [
            {"min": {"memory": "64Mi", "cpu": "50m"}},
            {
                "min": {"memory": "32Mi"},
                "defaultRequest": {"memory": "64Mi"},
                "default": {"memory": "1Gi"},
            },
        ],
    )
    def test_a_namespace_with_a_least_size_chooses_it(
        self, desk: Desk, place: Cluster, limit: dict[str, Any]
    ) -> None:
        with limit_range(place, {"type": "Container", **limit}):

            def sizes() -> set[str]:
                """Admission learns of a new rule a moment later."""
                desk.begin()
                containers = [pod["spec"]["containers"][0] for pod in pods(place)]
                desk.later.pop()()
                return {it["resources"]["requests"]["memory"] for it in containers}

            assert wait_for(lambda: sizes() == {"64Mi"})
        assert pods(place) == []

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


@contextmanager
def limit_range(place: Cluster, limit: dict[str, Any]) -> Iterator[None]:
    ranges = "/api/v1/namespaces/team-a/limitranges"
    made = {"metadata": {"name": "sizes"}, "spec": {"limits": [limit]}}
    assert place.server.call("POST", ranges, made).status == 201
    try:
        yield
    finally:
        place.server.call("DELETE", f"{ranges}/sizes")


def _raised(desk: Desk, found: list[ConsoleError]) -> Problem | None:
    """The problem of one try. Admission learns of a new rule a moment later."""
    try:
        desk.look(desk.begin())
    except ConsoleError as error:
        found.append(error)
        return error.problem
    desk.later.pop()()
    return None


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
