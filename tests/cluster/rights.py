"""The rights of an overlay, and a console that has only these."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import yaml

from registries import wiring
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster, patience
from tests.peers.deployed import ACCOUNT, DEPLOY, documents, rights_of, settings_of
from tests.peers.scripted import wait_for

RBAC = "/apis/rbac.authorization.k8s.io/v1"
HOME = "/api/v1/namespaces/registry-console"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/registry-console/leases/registry-console"
ADDRESS = "127.0.0.1:9"
"""Of registries whose tests end at once: loopback is refused."""


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource, or on one path. `namespace` is "" for the whole cluster."""

    namespace: str
    group: str
    resource: str
    name: str
    verb: str

    def covers(self, use: "Right") -> bool:
        return (self.group, self.resource, self.verb) == (use.group, use.resource, use.verb) and (
            self.namespace in ("", use.namespace) and self.name in ("", use.name)
        )


def roles() -> dict[str, list[dict[str, Any]]]:
    """The rules of each cluster role."""
    items = yaml.safe_load_all((DEPLOY / "base" / "definitions.yaml").read_text())
    return {it["metadata"]["name"]: it["rules"] for it in items if it["kind"] == "ClusterRole"}


def rights_in(rules: list[dict[str, Any]], namespace: str = "") -> list[Right]:
    found = []
    for rule in rules:
        for path, verb in product(rule.get("nonResourceURLs", ()), rule["verbs"]):
            found.append(Right("", "", path, "", verb))
        names = rule.get("resourceNames", [""])
        for group, resource, name, verb in product(
            rule.get("apiGroups", ()), rule.get("resources", ()), names, rule["verbs"]
        ):
            found.append(Right(namespace, group, resource, name, verb))
    return found


def granted(variant: str) -> list[Right]:
    return [it for role, place in rights_of(variant) for it in rights_in(roles()[role], place)]


@contextmanager
def deployed(variant: str, cluster: Cluster) -> Iterator[str]:
    """Binds the roles to the service account as the overlay does. Gives a token of the account."""
    cluster.server.call("POST", f"{HOME}/serviceaccounts", {"metadata": {"name": "registry-console"}})
    places = []
    for item in documents(variant):
        if item["kind"] in ("RoleBinding", "ClusterRoleBinding"):
            namespace = item["metadata"].get("namespace")
            place = f"namespaces/{namespace}/rolebindings" if namespace else "clusterrolebindings"
            assert cluster.server.call("POST", f"{RBAC}/{place}", item).status == 201
            places.append(f"{RBAC}/{place}/{item['metadata']['name']}")
    for role, namespace in rights_of(variant):
        assert wait_for(lambda: all(cluster.allows(ACCOUNT, it, namespace) for it in roles()[role]))  # noqa: B023
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    asked = cluster.server.call("POST", f"{HOME}/serviceaccounts/registry-console/token", request)
    try:
        yield asked.body["status"]["token"]
    finally:
        for place in places:
            cluster.server.call("DELETE", place)
        for role, namespace in rights_of(variant):
            assert wait_for(lambda: not any(cluster.allows(ACCOUNT, it, namespace) for it in roles()[role]))  # noqa: B023


@contextmanager
def console(variant: str, cluster: Cluster, server: ApiServer, settings: Any) -> Iterator[None]:
    """The console of an overlay."""
    given = settings_of(variant)
    with deployed(variant, cluster) as token, patience():
        settings.STORE, settings.AUTH = given["CONSOLE_STORE"], given.get("CONSOLE_AUTH", "local")
        settings.CLUSTER_NAMESPACES = given.get("CONSOLE_CLUSTER_NAMESPACES", "").split(",")
        settings.CLUSTER_NAMESPACES = [it for it in settings.CLUSTER_NAMESPACES if it]
        config = yaml.safe_load(server.kubeconfig("console").read_text())
        config["users"][0]["user"]["token"] = token
        (server.folder / variant).write_text(yaml.safe_dump(config))
        settings.KUBECONFIG, settings.KUBE_NAMESPACE = str(server.folder / variant), "registry-console"
        settings.ACCESS_SECONDS = 0.0
        if settings.AUTH == "kubernetes":
            settings.AUTHENTICATION_BACKENDS = ["registries.log_in.backend.ClusterBackend"]
        wiring.reset()
        store = services().store
        try:
            yield
        finally:
            assert isinstance(store, KubernetesStore)
            store.stop()
            settings.AUTH, settings.STORE = "local", "embedded"
            wiring.reset()
