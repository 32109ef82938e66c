"""What uses a pull secret: what a deletion would leave without."""

from typing import Any

import pytest

from registries.cluster.connection import Configuration, Connection
from registries.cluster.paths import secrets_in
from registries.cluster.personal import Person
from registries.domain.registry import Key
from registries.pull_secrets import usage
from registries.pull_secrets.kinds import Dependent
from registries.pull_secrets.named import COLLECTIONS, LISTED
from registries.stores.cluster.store import KubernetesStore
from tests.cluster.users import (
    ACCOUNTS,
    HARBOR,
    KEY,
    account,
    add,
    listed,
    make,
    pod_spec,
    usage_of,
)
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.ports import free_port

pytest_plugins = ("tests.cluster.users",)


def container(name: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "image": f"{HARBOR}/a/b", **more}


def variable(secret: str) -> dict[str, Any]:
    return {"name": "AUTH", "valueFrom": {"secretKeyRef": {"name": secret, "key": ".dockerconfigjson"}}}


def test_everything_that_names_it_is_found_and_nothing_else(store: KubernetesStore, place: Cluster) -> None:
    add(store)
    mine = ("harbor-prod",)
    image = f"{HARBOR}/shop/web:1"
    account(place, name="builder", secrets=mine)
    account(place, name="stranger", secrets=("other",))
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"):
        make(place, kind, f"{kind.lower()}-named", pod_spec(image, mine))
        make(place, kind, f"{kind.lower()}-other", pod_spec(image, ("other",)))
    make(place, "Job", "job-named", pod_spec("nginx", mine, again="Never"))
    make(place, "CronJob", "cron-named", pod_spec(image, mine, again="Never"))
    make(place, "Deployment", "through-account", pod_spec("nginx", account="builder"))
    make(place, "Deployment", "account-overridden", pod_spec("nginx", ("other",), account="builder"))
    make(place, "Deployment", "another-account", pod_spec(image, account="stranger"))
    make(place, "Pod", "runs", pod_spec(image, mine))
    make(place, "Pod", "runs-another", pod_spec("nginx", mine))
    make(place, "Pod", "names-none", pod_spec(image))
    make(place, "Pod", "elsewhere", pod_spec(image, mine), namespace="team-b")

    found = usage_of(store)

    assert [(it.kind, it.name, it.pulls) for it in found] == [
        ("ServiceAccount", "builder", False),
        ("Deployment", "deployment-named", True),
        ("Deployment", "through-account", False),
        ("StatefulSet", "statefulset-named", True),
        ("DaemonSet", "daemonset-named", True),
        ("ReplicaSet", "replicaset-named", True),
        ("ReplicationController", "replicationcontroller-named", True),
        ("CronJob", "cron-named", True),
        ("Job", "job-named", False),
        ("Pod", "runs", True),
        ("Pod", "runs-another", False),
    ]
    assert {it.registries for it in found} == {mine}


@pytest.mark.parametrize(
    "more",
    [
        {"volumes": [{"name": "v", "secret": {"secretName": "harbor-prod"}}]},
        {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "harbor-prod"}}]}}]},
        {"containers": [container(env=[variable("harbor-prod")])]},
        {"containers": [container(envFrom=[{"secretRef": {"name": "harbor-prod"}}])]},
        {
            "initContainers": [
                container("init", env=[{"name": "PLAIN", "value": "x"}, variable("harbor-prod")])
            ]
        },
    ],
    ids=["volume", "projected volume", "variable", "environment", "init container"],
)
def test_what_builds_images_with_it_is_found_too(
    store: KubernetesStore, place: Cluster, more: dict[str, Any]
) -> None:
    """It has the password inside, and pulls nothing with it."""
    add(store)
    make(place, "Pod", "kaniko", pod_spec(f"{HARBOR}/a/b") | more)
    make(place, "Deployment", "builds", pod_spec(f"{HARBOR}/a/b") | more)
    make(place, "Pod", "other", pod_spec() | {"volumes": [{"name": "v", "secret": {"secretName": "other"}}]})

    found = usage_of(store)

    assert [(it.kind, it.name, it.pulls) for it in found] == [
        ("Deployment", "builds", False),
        ("Pod", "kaniko", False),
    ]


def test_what_a_workload_reads_inside_does_not_hide_what_it_pulls_with(
    store: KubernetesStore, place: Cluster
) -> None:
    hub = Key("team-a", "hub")
    add(store)
    add(store, hub, "docker.io")
    account(place, secrets=("hub",))
    inside = {"volumes": [{"name": "v", "secret": {"secretName": "harbor-prod"}}]}
    make(place, "Deployment", "builds", pod_spec("nginx") | inside)

    found = usage_of(store, {KEY: HARBOR, hub: "docker.io"})

    assert [(it.kind, it.registries, it.pulls) for it in found] == [
        ("ServiceAccount", ("hub",), False),
        ("Deployment", ("harbor-prod", "hub"), True),
    ]


def test_an_account_that_has_it_among_its_secrets_names_it_and_its_pods_do_not(
    store: KubernetesStore, place: Cluster
) -> None:
    add(store)
    account(place, name="tekton")
    theirs = {"secrets": [{"name": "harbor-prod"}]}
    patched = place.server.call("PATCH", f"{ACCOUNTS}/tekton", theirs, kind=MERGE_PATCH)
    listed(place, ACCOUNTS, patched)
    make(place, "Deployment", "web", pod_spec(f"{HARBOR}/a/b", account="tekton"))

    assert [(it.kind, it.name, it.pulls) for it in usage_of(store)] == [("ServiceAccount", "tekton", False)]


def test_what_a_workload_makes_is_told_once_and_what_is_over_not_at_all(
    store: KubernetesStore, place: Cluster
) -> None:
    add(store)
    mine = ("harbor-prod",)
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u", "controller": True}
    make(place, "ReplicaSet", "web-1", pod_spec(secrets=mine), ownerReferences=[owner])
    make(place, "Pod", "finished", pod_spec(secrets=mine))
    make(place, "Pod", "waiting", pod_spec(secrets=mine))
    over = {"status": {"phase": "Succeeded"}}
    pods = "/api/v1/namespaces/team-a/pods"
    ended = place.server.call("PATCH", f"{pods}/finished/status", over, kind=MERGE_PATCH)
    assert ended.status == 200
    listed(place, pods, ended)

    assert [(it.kind, it.name) for it in usage_of(store)] == [("Pod", "waiting")]


def test_of_several_registries_each_user_says_which(store: KubernetesStore, place: Cluster) -> None:
    hub, far = Key("team-a", "hub"), Key("team-b", "harbor-prod")
    add(store)
    add(store, hub, "docker.io")
    add(store, far)
    make(place, "Pod", "both", pod_spec("nginx", ("harbor-prod", "hub")))
    make(place, "Pod", "far", pod_spec(f"{HARBOR}/a/b", ("harbor-prod",)), namespace="team-b")

    found = usage_of(store, {KEY: HARBOR, hub: "docker.io", far: HARBOR})

    assert found == [
        Dependent("team-a", "Pod", "both", ("harbor-prod", "hub"), pulls=True),
        Dependent("team-b", "Pod", "far", ("harbor-prod",), pulls=True),
    ]


@pytest.mark.parametrize("domain", ["registry-1.docker.io", "index.docker.io"])
def test_docker_hub_is_pulled_from_whatever_the_registry_calls_it(
    store: KubernetesStore, place: Cluster, domain: str
) -> None:
    add(store, domain=domain)
    make(place, "Pod", "hub", pod_spec("nginx", (KEY.name,)))
    make(place, "Pod", "far", pod_spec("h.example.com/nginx", (KEY.name,)))

    assert [(it.name, it.pulls) for it in usage_of(store, {KEY: domain})] == [("hub", True), ("far", False)]


def test_a_secret_of_somebody_else_is_not_taken_away_so_its_users_are_not_told(
    store: KubernetesStore, place: Cluster
) -> None:
    place.server.call("POST", secrets_in("team-a"), {"metadata": {"name": KEY.name}, "data": {"x": "eA=="}})
    add(store)
    make(place, "Pod", "theirs", pod_spec(secrets=("harbor-prod",)))

    assert usage_of(store) == []


def test_a_cluster_that_does_not_answer_keeps_nobody_waiting(
    store: KubernetesStore, place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = store.pull_secret_users()
    assert found
    monkeypatch.setattr(usage, "PATIENCE", 0.0)

    seen = found.usage({KEY: HARBOR})

    assert seen.dependents == ()
    assert seen.unseen == tuple(("team-a", kind) for kind in LISTED)


def test_a_list_that_is_too_long_is_unseen(
    store: KubernetesStore, place: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add(store)
    for pod in "abc":
        make(place, "Pod", pod, pod_spec(secrets=("harbor-prod",)))
    found = store.pull_secret_users()
    assert found
    monkeypatch.setattr(usage, "MOST_OBJECTS", 2)

    seen = found.usage({KEY: HARBOR})

    assert (seen.dependents, seen.unseen) == ((), (("team-a", "Pod"),))
    [line] = [it.getMessage() for it in caplog.records if it.name == usage.__name__]
    assert line == (
        "pods of team-a not listed: ServiceUnavailable: team-a: cluster_timeout (Enough: more than 2 objects)"
    )


def test_why_a_list_failed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    given = Configuration(host=f"http://127.0.0.1:{port}")
    users = usage.Users(Connection(given), Connection(given), lambda key: False)

    seen = users.usage({KEY: HARBOR})

    assert len(seen.unseen) == len(LISTED)
    lines = [it.getMessage() for it in caplog.records if it.name == usage.__name__]
    assert len(lines) == len(LISTED)
    assert "pods of team-a not listed: ServiceUnavailable: team-a: cluster_away (" in "\n".join(lines)
    assert all("Connection refused" in it for it in lines)
    assert max(map(len, lines)) < 600


def test_what_a_person_may_not_list_is_named_and_nothing_of_it_told(
    store: KubernetesStore, place: Cluster, person: Person
) -> None:
    add(store)
    make(place, "Pod", "hidden", pod_spec(secrets=("harbor-prod",)))
    found = store.acting_as(person).pull_secret_users()
    assert found

    seen = found.usage({KEY: HARBOR})

    assert seen.dependents == ()
    assert seen.unseen == tuple(("team-a", kind) for kind in COLLECTIONS)


def test_an_image_admin_sees_all_that_uses_it(store: KubernetesStore, place: Cluster, admin: Person) -> None:
    add(store)
    mine = ("harbor-prod",)
    account(place, name="builder", secrets=mine)
    workloads = [kind for kind in COLLECTIONS if kind not in ("ServiceAccount", "Pod")]
    for kind in workloads:
        again = "Never" if kind in ("Job", "CronJob") else "Always"
        make(place, kind, f"{kind.lower()}-named", pod_spec(secrets=mine, again=again))
    make(place, "Pod", "named", pod_spec(secrets=mine))
    found = store.acting_as(admin).pull_secret_users()
    assert found

    seen = found.usage({KEY: HARBOR})

    assert seen.unseen == ()
    assert [it.kind for it in seen.dependents] == list(COLLECTIONS)
