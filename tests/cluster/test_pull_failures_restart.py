"""Failing pods are made again as the person, with the rights that the cluster gives them, and no others are touched."""

from collections.abc import Iterator
from typing import Any

import pytest

from registries.cluster.paths import pods_in
from registries.models import AuditEntry
from registries.pull_secrets.named import COLLECTIONS
from registries.pull_secrets.restart import RESTARTED_AT
from registries.wiring import services
from tests.cluster.failures_page import PAGE
from tests.cluster.people import log_in
from tests.cluster.users import account, make, pod_spec
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.failing_pods import IMAGE, RESTARTER, fails, leading_to

pytest_plugins = ("tests.cluster.people", "tests.cluster.users")


@pytest.fixture
def workloads(place: Cluster, people: Cluster) -> Cluster:
    return people


@pytest.fixture
def allowed(workloads: Cluster) -> Iterator[Cluster]:
    workloads.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", RESTARTER)
    workloads.bind("team-a-admin", "restarter-of-workloads", "team-a")
    yield workloads
    workloads.unbind("team-a-admin", "restarter-of-workloads", "team-a")


def reference(cluster: Cluster, kind: str, name: str) -> list[dict[str, Any]]:
    """The owner reference that a controller sets; an object of an unknown kind does not exist."""
    if kind not in COLLECTIONS:
        return [{"apiVersion": "x.io/v1", "kind": kind, "name": name, "uid": "1", "controller": True}]
    base, plural = COLLECTIONS[kind]
    found = cluster.server.call("GET", f"{base}/namespaces/team-a/{plural}/{name}").body
    uid, version = found["metadata"]["uid"], base.removeprefix("/apis/").removeprefix("/api/")
    return [{"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": True}]


def failing(cluster: Cluster, kind: str) -> str:
    """The failing pod `<kind>-1` of a new workload of that kind, as controllers make it. Returns its uid."""
    name = kind.lower() or "bare"
    if kind in COLLECTIONS:
        make(cluster, kind, name, pod_spec(IMAGE, again="Never" if kind == "Job" else "Always"))
    owner = reference(cluster, kind, name) if kind else []
    labels = {}
    if kind == "Deployment":
        make(cluster, "ReplicaSet", "deployment-5d4", pod_spec(IMAGE), ownerReferences=owner)
        owner, labels = reference(cluster, "ReplicaSet", "deployment-5d4"), {"pod-template-hash": "5d4"}
    return fails(cluster, f"{name}-1", ownerReferences=owner, labels=labels)


def restarted(cluster: Cluster, kind: str) -> bool:
    base, plural = COLLECTIONS[kind]
    found = cluster.server.call("GET", f"{base}/namespaces/team-a/{plural}/{kind.lower()}").body
    return RESTARTED_AT in (found["spec"]["template"]["metadata"].get("annotations") or {})


def pods(cluster: Cluster) -> list[str]:
    items = cluster.server.call("GET", pods_in("team-a")).body["items"]
    return [it["metadata"]["name"] for it in items if "deletionTimestamp" not in it["metadata"]]


def post(user: str, uid: str, pod: str, namespace: str = "team-a") -> tuple[int, str]:
    """Status and page."""
    response = log_in(user).post(f"{PAGE}{namespace}/{pod}/restart/", {"uid": uid})
    return response.status_code, response.content.decode()


def recorded() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.filter(action="restart").order_by("pk").values_list("outcome", "note"))


def test_a_workload_is_rolled_out_again(allowed: Cluster) -> None:
    kinds = ("Deployment", "DaemonSet")
    uids = {kind: failing(allowed, kind) for kind in kinds}

    done = [post("team-a-admin", uid, f"{kind.lower()}-1")[0] for kind, uid in uids.items()]

    assert done == [302, 302]
    assert [restarted(allowed, kind) for kind in kinds] == [True, True]
    assert pods(allowed) == ["daemonset-1", "deployment-1"]
    assert recorded() == [("ok", f"workload {kind}/{kind.lower()}") for kind in kinds]
    assert "重启 Deployment/deployment" in log_in("olive").get("/journal/").content.decode()


def test_the_pod_of_another_workload_is_deleted(allowed: Cluster) -> None:
    for kind in ("StatefulSet", "ReplicaSet", "ReplicationController", "Job", "CloneSet"):
        uid, pod = failing(allowed, kind), f"{kind.lower()}-1"
        assert post("team-a-admin", uid, pod)[0] == 302
        assert pods(allowed) == []
        assert recorded()[-1] == ("ok", f"workload Pod/{pod}")


def test_a_pod_that_nothing_makes_again_stays(allowed: Cluster) -> None:
    uid = failing(allowed, "")

    assert "/restart/" not in log_in("team-a-admin").get(PAGE).content.decode()
    assert post("team-a-admin", uid, "bare-1")[0] == 409
    assert pods(allowed) == ["bare-1"]


def test_a_static_pod_stays(allowed: Cluster) -> None:
    """Its kubelet would make the mirror again, and pull with what it has."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": "edge-1", "uid": "1", "controller": True}
    uid = fails(allowed, "proxy-edge-1", ownerReferences=[owner])

    assert "/restart/" not in log_in("team-a-admin").get(PAGE).content.decode()
    assert post("team-a-admin", uid, "proxy-edge-1")[0] == 409
    assert pods(allowed) == ["proxy-edge-1"]


def test_another_pod_of_the_name_stays(allowed: Cluster) -> None:
    failing(allowed, "StatefulSet")

    answers = [
        post("team-a-admin", *it)
        for it in (("another", "statefulset-1"), ("", "statefulset-1"), ("x", "gone"))
    ]
    assert [status for status, _ in answers] == [409] * 3
    for (_, page), pod in zip(answers, ("statefulset-1", "statefulset-1", "gone"), strict=True):
        assert "</code> 已被替换或删除，或已不再等待镜像" in page
        assert page.count(pod) == page.count(f">{pod}</code>") + page.count(f"/{pod}/"), (
            "it does not stand alone"
        )
        assert "已被他人修改" not in page
        assert 'href="/pull-failures/?namespace=team-a">查看最新的拉取故障' in page
        assert 'name="uid"' not in page, "a second press could only fail again"
    assert post("team-a-admin", "x", "statefulset-1", "team-b")[0] == 404

    assert pods(allowed) == ["statefulset-1"]


def test_another_workload_of_the_name_stays(allowed: Cluster) -> None:
    uid = failing(allowed, "DaemonSet")
    daemons = "/apis/apps/v1/namespaces/team-a/daemonsets/daemonset"
    assert allowed.server.call("DELETE", f"{daemons}?propagationPolicy=Background").status == 200
    make(allowed, "DaemonSet", "daemonset", pod_spec(IMAGE))

    assert post("team-a-admin", uid, "daemonset-1")[0] == 409

    assert not restarted(allowed, "DaemonSet")


def test_the_name_of_an_owner_leads_to_no_other_workload(allowed: Cluster) -> None:
    """Whoever makes pods in team-a chooses it, and the click is of a person with rights elsewhere."""
    allowed.bind("team-a-admin", "restarter-of-workloads", "team-b")
    make(allowed, "Deployment", "victim", pod_spec(IMAGE), namespace="team-b")
    path = "/apis/apps/v1/namespaces/team-b/deployments/victim"
    uid = allowed.server.call("GET", path).body["metadata"]["uid"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "uid": uid, "controller": True}
    odd = (*leading_to("deployments", "victim"), "a\x03b", "a\nb", "a b", "\u202ea", "$(id)")
    pods = [fails(allowed, f"pod-{n}", ownerReferences=[{**owner, "name": it}]) for n, it in enumerate(odd)]

    page = log_in("team-a-admin").get(PAGE).content.decode()
    done = [post("team-a-admin", uid, f"pod-{n}")[0] for n, uid in enumerate(pods)]

    assert done == [409] * len(odd)
    assert "/restart/" not in page
    template = allowed.server.call("GET", path).body["spec"]["template"]
    assert not template["metadata"].get("annotations")
    allowed.unbind("team-a-admin", "restarter-of-workloads", "team-b")


def test_a_pod_that_has_its_image_stays(allowed: Cluster) -> None:
    make(allowed, "StatefulSet", "shop", pod_spec(IMAGE))
    owner = reference(allowed, "StatefulSet", "shop")
    uid = fails(allowed, "shop-1", reason="CrashLoopBackOff", ownerReferences=owner)

    assert post("team-a-admin", uid, "shop-1")[0] == 409

    assert pods(allowed) == ["shop-1"]


def test_a_refusal_of_the_cluster_is_said(workloads: Cluster) -> None:
    for kind in ("Deployment", "StatefulSet"):
        pod = f"{kind.lower()}-1"
        status, page = post("team-a-admin", failing(workloads, kind), pod)
        assert status == 409
        assert "你在集群上无权重启该工作负载" in page
        assert 'name="uid"' in page, "with the permission, the same press can succeed"
        assert recorded()[-1] == ("Forbidden", f"workload Pod/{pod}")
    others = {user: post(user, "x", "deployment-1")[0] for user in ("omar", "vic", "stranger")}

    assert others == {"omar": 409, "vic": 409, "stranger": 404}
    assert pods(workloads) == ["deployment-1", "statefulset-1"]
    assert not restarted(workloads, "Deployment")


def test_a_cluster_that_is_away_is_said_in_the_dialog(allowed: Cluster, cable: Cable, settings: Any) -> None:
    settings.ACCESS_SECONDS = 600.0
    vars(services()).pop("cluster_sessions", None)
    uid, client = failing(allowed, "StatefulSet"), log_in("team-a-admin")
    client.get(PAGE)
    cable.pull()

    response = client.post(f"{PAGE}team-a/statefulset-1/restart/", {"uid": uid})
    cable.plug()

    assert response.status_code == 409
    assert 'role="alert"' in response.content.decode()
    assert pods(allowed) == ["statefulset-1"]


def test_a_bound_pull_secret_leads_to_the_restart(allowed: Cluster) -> None:
    allowed.apply("team-a", "harbor-prod", domain="harbor.example.com", password="p")
    account(allowed, secrets=("harbor-prod",))
    uid, pod = failing(allowed, "Deployment"), failing(allowed, "StatefulSet")
    client = log_in("team-a-admin")

    page = client.get(PAGE).content.decode()
    dialog = client.get(f"{PAGE}team-a/deployment-1/restart/", {"uid": uid}).content.decode()
    of_pod = client.get(f"{PAGE}team-a/statefulset-1/restart/", {"uid": pod}).content.decode()
    of_another = client.get(f"{PAGE}team-a/deployment-1/restart/", {"uid": "another"}).content.decode()

    assert f"/pull-failures/team-a/deployment-1/restart/?uid={uid}" in page
    assert f"/pull-failures/team-a/statefulset-1/restart/?uid={pod}" in page
    assert "重启 deployment" in page
    assert "重新创建 statefulset-1" in page
    assert "rollout restart" not in page
    assert uid in dialog
    assert "将滚动重启 Deployment <code>deployment</code> 的全部 Pod，共 1 个。" in dialog
    assert "只删除这一个 Pod，由其控制器重新创建" in of_pod
    assert "其他工作负载只删除此 Pod" in of_another, "what is not known is not named"
    assert not restarted(allowed, "Deployment")
