"""Service accounts, workloads and pods that use pull secrets, on a real API server. A plugin of pytest, for the test
files that name it.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from registries.cluster import personal
from registries.cluster.configuration import configuration
from registries.cluster.credential import LoginCredential
from registries.cluster.paths import default_account, secret, secrets_in
from registries.cluster.personal import Person
from registries.domain.registry import Draft, Key, Provider
from registries.pull_secrets.kinds import Dependent
from registries.pull_secrets.named import COLLECTIONS
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.peers.api_server import Answer, ApiServer, canary_token
from tests.peers.cluster import MERGE_PATCH, Cluster, patience
from tests.peers.scripted import wait_for

KEY = Key("team-a", "harbor-prod")
HARBOR = "harbor.example.com"
ACCOUNTS = "/api/v1/namespaces/team-a/serviceaccounts"
KEEPER = {
    "metadata": {"name": "keeper-of-registries"},
    "rules": [
        {
            "apiGroups": ["image.theriseunion.io"],
            "resources": ["registrysecrets"],
            "verbs": ["get", "list", "watch", "patch", "create", "delete"],
        }
    ],
}
"""A role of somebody's own: all of image-admin that is about registries, and nothing of what uses them."""


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
    return store.create(Draft(key, domain, "robot$ci", Provider.OTHER, CANARY)).uid


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


@pytest.fixture
def person(place: Cluster) -> Iterator[Person]:
    """team-a-admin, who may do everything with the registries of team-a, and nothing with anything else."""
    place.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", KEEPER)
    place.unbind("team-a-admin", "image-admin", "team-a")  # which another test module may have given them
    pods = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    assert wait_for(lambda: not place.allows("team-a-admin", pods, "team-a"))
    place.bind("team-a-admin", "keeper-of-registries", "team-a")
    given = configuration(place.server.kubeconfig("console"))
    target = personal.ApiServer(given, place.connection("console"))
    yield Person(target, 1, lambda: LoginCredential(token=canary_token("team-a-admin")), lambda wholly: None)
    place.unbind("team-a-admin", "keeper-of-registries", "team-a")


@pytest.fixture
def admin(place: Cluster, person: Person) -> Iterator[Person]:
    """The same with the role image-admin in team-a, as it is shipped."""
    place.bind("team-a-admin", "image-admin", "team-a")
    yield person
    place.unbind("team-a-admin", "image-admin", "team-a")
