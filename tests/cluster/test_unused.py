"""Registries that nothing uses, on a real API server: a part is read at a time, and no other one is called unused."""

import re

import pytest

from registries.cluster.personal import Person
from registries.domain.access import Access, Role
from registries.domain.errors import Problem
from registries.people import grants
from registries.pull_secrets import in_use as in_use_reader
from registries.pull_secrets.named import LISTED, REPOSITORY
from registries.service import secret_scan
from registries.service.secret_scan import FAILED_FOR, KEPT_FOR, ROUND, SecretScan
from registries.stores.base import Freshness
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.cast import Cast
from tests.cluster.test_secret_scan import fill
from tests.cluster.test_secret_scan import people as people
from tests.cluster.users import HARBOR, make, pod_spec
from tests.peers.cluster import Cluster

pytest_plugins = ("tests.cluster.users",)


def test_unused_registries_are_a_filter_of_the_list(people: Cast, place: Cluster) -> None:
    fill(place)
    people.add("harbor-prod", domain=HARBOR)
    people.add("idle", domain="idle.example.com")
    make(place, "Pod", "uses", pod_spec("nginx", ("harbor-prod",)))
    idle = people.find("idle").uid

    for name in ("olive", "nina", "vic"):
        client = people.client(name)
        page = client.get("/registries/", {"use": "unused"}).content.decode()
        assert (f'id="r-{idle}"' in page, people.find("harbor-prod").uid in page) == (True, False), name
        assert "没有 Pod、工作负载或服务账号引用它们的拉取凭证" in page
        chosen = client.get("/registries/-/selection/", {"use": "unused"}).json()["uids"]
        assert chosen == [idle]
        search = client.get("/registries/-/selection/", {"use": "unused", "q": "harbor"}).json()["uids"]
        assert search == []
    assert people.client("sam").get("/registries/-/selection/", {"use": "unused"}).json()["uids"] == []
    assert (
        people.client("nina").get("/registries/", {"use": "unused", "namespace": "team-b"}).status_code == 404
    )


@pytest.fixture
def of_two(people: Cast, place: Cluster, monkeypatch: pytest.MonkeyPatch) -> Access:
    """Somebody with roles in two namespaces, of which one is read at a time. Each has an unused registry."""
    for namespace in ("team-a", "team-b"):
        people.add("idle", namespace, domain="idle.example.com")
    grants.set_grant(people.users["vic"], "team-b", Role.VIEWER)
    monkeypatch.setattr(secret_scan, "MOST_NAMESPACES", 1)
    return grants.access_of(people.users["vic"])


def test_namespaces_that_are_left_are_read_the_next_time(of_two: Access) -> None:
    now = [1000.0]
    found = SecretScan(services().store, services().index, lambda: now[0])

    def known(*, reads: bool = True) -> tuple[int, int, bool]:
        unused = found.unused(access=of_two, reads=reads)
        assert unused
        return len(unused.uids), unused.left, unused.complete

    assert [known(reads=False), known(), known(reads=False)] == [(0, 2, True), (1, 1, True), (1, 1, True)]
    now[0] += KEPT_FOR - 1
    assert [known(), known()] == [(2, 0, True), (2, 0, True)]
    now[0] += 2 + 2 * ROUND
    assert known(reads=False) == (1, 1, True), "what is old is not known"


def test_many_namespaces_are_read_with_one_list_for_each_kind(
    of_two: Access, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(secret_scan, "MANY", 1)
    caplog.set_level("DEBUG", "urllib3.connectionpool")

    def lists() -> list[str]:
        found = [re.search(r'"GET (\S*/deployments)\?', it) for it in caplog.messages]
        caplog.clear()
        return [it[1] for it in found if it]

    lists()
    scan = SecretScan(services().store, services().index)
    unused = scan.unused(access=of_two)
    assert unused
    assert (len(unused.uids), unused.left) == (2, 0)
    assert lists() == ["/apis/apps/v1/deployments"]
    assert len(scan.find(access=of_two).unused) == 2
    assert lists() == ["/apis/apps/v1/deployments"]


LISTS_WORKLOADS = {
    "metadata": {"name": "lists-workloads"},
    "rules": [
        {"apiGroups": [""], "resources": ["serviceaccounts", "replicationcontrollers"], "verbs": ["list"]},
        {"apiGroups": ["apps", "batch"], "resources": ["*"], "verbs": ["list"]},
    ],
}
"""Every kind but pods."""


def test_a_kind_that_is_refused_costs_the_others_no_list_of_each_namespace(
    store: KubernetesStore, place: Cluster, admin: Person, caplog: pytest.LogCaptureFixture
) -> None:
    make(place, "Deployment", "d", pod_spec("nginx", ("one",)), namespace="team-b")
    make(place, "Pod", "p", pod_spec("nginx", ("two",)))
    reader = store.acting_as(admin).pull_failures()
    assert reader
    place.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", LISTS_WORKLOADS)
    place.bind("team-a-admin", "lists-workloads")
    caplog.set_level("DEBUG", "urllib3.connectionpool")
    caplog.clear()
    try:
        found, problem = reader.in_use(["team-a", "team-b"], all_of_them=True, most=1)
    finally:
        place.unbind("team-a-admin", "lists-workloads")

    asked = [it[1] for message in caplog.messages if (it := re.search(r'"GET (\S*)\?', message))]
    assert [it for it in asked if "deployments" in it] == ["/apis/apps/v1/deployments"]
    of_namespaces = [f"/api/v1/namespaces/{it}/pods" for it in ("team-a", "team-b")]
    assert sorted(it for it in asked if "pods" in it) == sorted(["/api/v1/pods", *of_namespaces])
    assert problem is None
    assert found["team-a"].users == {"two": [("Pod", "p")]}
    assert found["team-b"].users == {"one": [("Deployment", "d")]}, "one kind is left for ten times as many"
    assert (found["team-a"].forbidden, found["team-b"].forbidden) == ([], ["Pod"])


def test_a_refusal_of_the_lists_of_the_cluster_is_asked_for_once(
    store: KubernetesStore, admin: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "urllib3.connectionpool")
    caplog.clear()

    assert set(in_use_reader.read_everywhere(admin.connection())) <= {REPOSITORY}

    asked = [it[1] for message in caplog.messages if (it := re.search(r'"GET (\S*)\?', message))]
    assert len(asked) == len(set(asked)) == len(LISTED)


def test_a_long_round_ends_although_its_first_answers_are_old_by_then(
    of_two: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(secret_scan, "ROUND", KEPT_FOR)
    found = SecretScan(services().store, services().index, lambda: now[0])
    left = []
    for _ in range(2):
        unused = found.unused(access=of_two)
        assert unused
        left.append(unused.left)
        now[0] += KEPT_FOR + 1
    later = found.unused(access=of_two, reads=False)

    assert left == [1, 0]
    assert later
    assert (len(later.uids), later.left) == (2, 0)


def test_of_too_many_answers_the_oldest_are_forgotten(
    of_two: Access, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_scan, "KEPT", 2)
    found = SecretScan(services().store, services().index)
    for _ in range(2):
        found.unused(access=of_two)
    found.unused(access=people.access("nina"))
    kept = found.unused(access=of_two, reads=False)

    assert kept
    assert (len(kept.uids), kept.left) == (1, 1)


def test_what_could_not_be_read_is_read_again_soon_and_last(
    of_two: Access, place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    found = SecretScan(services().store, services().index, lambda: now[0])
    with monkeypatch.context() as slow:
        slow.setattr(in_use_reader, "PATIENCE", -1.0)
        first = found.unused(access=of_two)
    assert first
    assert (first.uids, first.left, first.complete) == (frozenset(), 1, False)
    now[0] += FAILED_FOR + 1
    second, third = found.unused(access=of_two), found.unused(access=of_two)
    assert second
    assert (len(second.uids), second.left, second.complete) == (1, 0, False), (
        "the other namespace comes first"
    )
    assert third
    assert (len(third.uids), third.left, third.complete) == (2, 0, True)


def test_a_cluster_that_is_too_large_for_one_list_is_read_namespace_by_namespace(
    of_two: Access, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, olive = SecretScan(services().store, services().index), people.access("olive")
    namespaces = len(services().index.namespaces(olive))
    with monkeypatch.context() as slow:
        slow.setattr(in_use_reader, "PATIENCE", -1.0)
        first = found.unused(access=olive)
    assert first
    assert (first.left, first.complete) == (namespaces, True), "nothing is called unreadable"
    with monkeypatch.context() as slow:
        slow.setattr(in_use_reader, "PATIENCE", -1.0)
        page = people.client("olive").get("/registries/", {"use": "unused"}).content.decode()
    assert f"已检查 0 / {namespaces} 个命名空间" in page
    assert "data-more" in page
    for left in range(namespaces - 1, -1, -1):
        again = found.unused(access=olive)
        assert again
        assert again.left == left
    assert {people.find("idle", it).uid for it in ("team-a", "team-b")} <= again.uids


def test_the_list_grows_until_every_namespace_is_read(of_two: Access, people: Cast) -> None:
    client = people.client("vic")
    first, second = (client.get("/registries/", {"use": "unused"}).content.decode() for _ in range(2))
    assert "已检查 1 / 2 个命名空间" in first
    assert (first.count('id="r-'), second.count('id="r-')) == (1, 2)
    assert 'id="unused-note" data-more>' in first
    assert "data-more" not in second


def test_what_is_not_known_to_be_unused_is_not_selected(
    people: Cast, place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "Select all" must not get every registry when the cluster does not answer."""
    people.add("idle", domain="idle.example.com")
    monkeypatch.setattr(services().index, "freshness", lambda: Freshness(Problem.CLUSTER_TIMEOUT))
    client = people.client("nina")

    assert client.get("/registries/-/selection/", {"use": "unused"}).json()["uids"] == []
    assert "集群现在没有响应" in client.get("/registries/", {"use": "unused"}).content.decode()
