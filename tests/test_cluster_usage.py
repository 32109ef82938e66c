"""Who uses a pull secret: the default service account that is bound to it, and what a deletion would leave without."""

from collections.abc import Iterator
from typing import Any

import pytest

from registries.domain import Draft, Key, Provider
from registries.errors import Conflict, Forbidden, Unavailable
from registries.resource import new_resource
from registries.stores.base import Binding, Dependent
from registries.stores.kubernetes import users
from registries.stores.kubernetes.client import configuration
from registries.stores.kubernetes.gate import Gate, Person
from registries.stores.kubernetes.paths import default_account, secret, secrets_in
from registries.stores.kubernetes.proof import Proof
from registries.stores.kubernetes.store import KubernetesStore
from registries.stores.kubernetes.users import COLLECTIONS, Users, image_host
from tests.canary import CANARY
from tests.peers.api_server import Answer, ApiServer, canary_token
from tests.peers.cluster import MERGE_PATCH, Cluster, patience
from tests.peers.scripted import wait_for

KEY = Key("team-a", "harbor-prod")
HARBOR = "harbor.example.com"
ACCOUNTS = "/api/v1/namespaces/team-a/serviceaccounts"
EDITOR = {
    "metadata": {"name": "editor-of-accounts"},
    "rules": [{"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get", "patch"]}],
}


@pytest.fixture
def place(cluster: Cluster) -> Iterator[Cluster]:
    """Two namespaces with a default service account each, as the controllers make it, and nothing else."""
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    cluster.empty("team-a", "team-b")
    for namespace in ("team-a", "team-b"):
        for base, plural in COLLECTIONS.values():
            base = base.replace("batch/v1", "batch/v1beta1") if plural == "cronjobs" else base
            collection = f"{base}/namespaces/{namespace}/{plural}"
            query = "gracePeriodSeconds=0&propagationPolicy=Background"
            cluster.server.call("DELETE", f"{collection}?{query}")
            assert wait_for(lambda: not cluster.cached(collection))  # noqa: B023
        for item in cluster.server.call("GET", secrets_in(namespace)).body["items"]:
            cluster.server.call("DELETE", secret(Key(namespace, item["metadata"]["name"])))
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        made = cluster.server.call("POST", accounts, {"metadata": {"name": "default"}})
        assert made.status == 201
        listed(cluster, accounts, made)
    with patience():
        yield cluster


def listed(cluster: Cluster, collection: str, answer: Answer) -> None:
    """What was answered to a write is in lists."""
    written = answer.body["metadata"]
    assert wait_for(lambda: cluster.cached(collection).get(written["name"]) == written["resourceVersion"])


@pytest.fixture
def store(place: Cluster) -> Iterator[KubernetesStore]:
    with place.store(pull_secrets=True) as store:
        store.changes(None)
        yield store


def add(store: KubernetesStore, key: Key = KEY, domain: str = HARBOR) -> str:
    created = store.create(new_resource(Draft(key, domain, "robot$ci", Provider.OTHER, CANARY)))
    return str(created["metadata"]["uid"])


def account(cluster: Cluster, *, name: str = "default", secrets: tuple[str, ...] | None = ()) -> None:
    """Let a service account of team-a name these; None: it has no such list at all."""
    given = None if secrets is None else [{"name": it} for it in secrets]
    path = f"{ACCOUNTS}/{name}"
    if cluster.server.call("GET", path).status == 404:
        cluster.server.call("POST", ACCOUNTS, {"metadata": {"name": name}})
    patched = cluster.server.call("PATCH", path, {"imagePullSecrets": given}, kind=MERGE_PATCH)
    assert patched.status == 200
    listed(cluster, ACCOUNTS, patched)


def named(cluster: Cluster) -> list[str] | None:
    found = cluster.server.call("GET", default_account("team-a")).body.get("imagePullSecrets")
    return None if found is None else [it["name"] for it in found]


def pod_spec(
    image: str = "nginx", secrets: tuple[str, ...] = (), account: str = "", again: str = "Always"
) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [{"name": "c", "image": image}], "restartPolicy": again}
    if secrets:
        spec["imagePullSecrets"] = [{"name": it} for it in secrets]
    if account:
        spec["serviceAccountName"] = account
    return spec


def make(
    cluster: Cluster,
    kind: str,
    name: str,
    spec: dict[str, Any],
    *,
    namespace: str = "team-a",
    **metadata: Any,
) -> None:
    base, plural = COLLECTIONS[kind]
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    selector: Any = {"matchLabels": labels}
    if kind == "Pod":
        body: dict[str, Any] = spec
    elif kind == "CronJob":
        base = "/apis/batch/v1beta1"
        body = {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template}}}
    elif kind == "Job":
        body = {"template": template}
    else:
        body = {"selector": labels if kind == "ReplicationController" else selector, "template": template}
        body |= {"serviceName": name} if kind == "StatefulSet" else {}
    collection = f"{base}/namespaces/{namespace}/{plural}"
    answer = cluster.server.call("POST", collection, {"metadata": {"name": name, **metadata}, "spec": body})
    assert answer.status == 201, answer.body
    listed(cluster, collection, answer)


def usage_of(store: KubernetesStore, domains: dict[Key, str] | None = None) -> list[Dependent]:
    found = store.pull_secret_users()
    assert found
    seen = found.usage(domains or {KEY: HARBOR})
    assert seen.unseen == ()
    return list(seen.dependents)


# The default service account


@pytest.mark.parametrize("before", [None, (), ("other",)], ids=["no list", "empty list", "another"])
def test_it_is_bound_and_unbound_whatever_else_it_names(
    store: KubernetesStore, place: Cluster, before: tuple[str, ...] | None
) -> None:
    add(store)
    account(place, secrets=before)
    found = store.pull_secret_users()
    assert found
    assert found.binding(KEY) is Binding.UNBOUND

    found.bind(KEY, bound=True)
    found.bind(KEY, bound=True)

    assert sorted(named(place) or ()) == sorted((*(before or ()), "harbor-prod"))
    assert found.binding(KEY) is Binding.BOUND
    found.bind(KEY, bound=False)
    found.bind(KEY, bound=False)
    assert (named(place) or []) == list(before or ())
    assert found.binding(KEY) is Binding.UNBOUND


def test_what_somebody_else_binds_meanwhile_is_not_lost(store: KubernetesStore, place: Cluster) -> None:
    class Slow:
        """Somebody is faster, twice."""

        faster = 0

        def call(self, method: str, *arguments: Any, **values: Any) -> Any:
            if method == "PATCH" and self.faster < 2:
                self.faster += 1
                account(place, secrets=tuple(f"other-{number}" for number in range(self.faster)))
            return place_connection.call(method, *arguments, **values)

    place_connection, slow = place.connection("console"), Slow()
    Users(place_connection, slow, lambda key: False).bind(KEY, bound=True)

    assert named(place) == ["other-0", "other-1", "harbor-prod"]
    Users(place_connection, slow, lambda key: False).bind(KEY, bound=False)
    assert named(place) == ["other-0", "other-1"]


def test_what_else_is_in_the_account_is_left_as_it_is(store: KubernetesStore, place: Cluster) -> None:
    add(store)
    theirs = {"metadata": {"annotations": {"a": "b"}}, "secrets": [{"name": "token"}]}
    place.server.call("PATCH", default_account("team-a"), theirs, kind=MERGE_PATCH)
    found = store.pull_secret_users()
    assert found

    found.bind(KEY, bound=True)

    stored = place.server.call("GET", default_account("team-a")).body
    assert stored["metadata"]["annotations"] == {"a": "b"}
    assert stored["secrets"] == [{"name": "token"}]


def test_where_there_is_none_yet_it_says_so(store: KubernetesStore, place: Cluster) -> None:
    add(store)
    place.server.call("DELETE", default_account("team-a"))
    found = store.pull_secret_users()
    assert found

    assert found.binding(KEY) is Binding.ABSENT
    with pytest.raises(Conflict, match="no_service_account"):
        found.bind(KEY, bound=True)


def test_without_pull_secrets_nobody_uses_any(place: Cluster) -> None:
    with place.store() as store:
        assert store.pull_secret_users() is None


# As a person


@pytest.fixture
def person(place: Cluster) -> Iterator[Person]:
    """team-a-admin, who has the role image-admin in team-a and nothing beside it."""
    place.bind("team-a-admin", "image-admin", "team-a")
    given = configuration(place.server.kubeconfig("console"))
    gate = Gate(given, place.connection("console"))
    yield Person(gate, 1, lambda: Proof(token=canary_token("team-a-admin")), lambda wholly: None)
    place.unbind("team-a-admin", "image-admin", "team-a")


def test_the_cluster_has_the_last_word_about_a_persons_service_accounts(
    store: KubernetesStore, place: Cluster, person: Person
) -> None:
    add(store)
    found = store.acting_as(person).pull_secret_users()
    assert found

    assert found.binding(KEY) is Binding.UNKNOWN, "may not be read"
    with pytest.raises(Forbidden, match="serviceaccounts_forbidden"):
        found.bind(KEY, bound=True)
    assert named(place) is None

    place.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", EDITOR)
    place.bind("team-a-admin", "editor-of-accounts", "team-a")
    try:
        found.bind(KEY, bound=True)
        assert named(place) == ["harbor-prod"]
        assert found.binding(KEY) is Binding.BOUND
    finally:
        place.unbind("team-a-admin", "editor-of-accounts", "team-a")


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


# What uses one


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


def test_a_secret_of_somebody_else_is_not_taken_away_so_its_users_are_not_told(
    store: KubernetesStore, place: Cluster
) -> None:
    place.server.call("POST", secrets_in("team-a"), {"metadata": {"name": KEY.name}, "data": {"x": "eA=="}})
    add(store)
    make(place, "Pod", "theirs", pod_spec(secrets=("harbor-prod",)))

    assert usage_of(store) == []


def test_a_cluster_that_does_not_answer_keeps_nobody_waiting(
    place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        asked = 0

        def call(self, *arguments: object, **values: object) -> dict[str, Any]:
            self.asked += 1
            raise Unavailable("", "cluster_timeout")

    monkeypatch.setattr(users, "PATIENCE", 0.0)
    silent = Silent()
    seen = Users(silent, silent, lambda key: False).usage({KEY: HARBOR})

    assert (seen.dependents, silent.asked) == ((), 0)
    assert seen.unseen == tuple(("team-a", kind) for kind in COLLECTIONS)


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("nginx", "docker.io"),
        ("library/nginx:1", "docker.io"),
        ("index.docker.io/library/nginx", "docker.io"),
        ("docker.io/library/nginx", "docker.io"),
        ("harbor.example.com/p/a@sha256:00", "harbor.example.com"),
        ("localhost/a", "localhost"),
        ("registry:5000/a", "registry:5000"),
        ("", "docker.io"),
    ],
)
def test_where_an_image_comes_from(image: str, host: str) -> None:
    assert image_host(image) == host
