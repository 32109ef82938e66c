"""A cluster with the console's resource on it, and stores that follow it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from registries.cluster import connection as client
from registries.cluster import installation, reviews
from registries.cluster.configuration import configuration
from registries.cluster.connection import Connection, Timeouts
from registries.cluster.lease import Lease
from registries.cluster.paths import EVERYWHERE, GROUP_PATH, NAMESPACES
from registries.pull_secrets import usage
from registries.stores.cluster.store import KubernetesStore
from tests.peers.api_server import Answer, ApiServer
from tests.peers.deployed import rights_of
from tests.peers.given_server import GivenServer
from tests.peers.scripted import wait_for

MERGE_PATCH = "application/merge-patch+json"
PATIENT = Timeouts(connect=60.0, read=60.0)
"""A server that does not respond for some seconds is not away."""
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


@contextmanager
def patience(timeouts: Timeouts = PATIENT) -> Iterator[None]:
    """Sets the timeouts of everything that the console builds, also of access reviews and of the search for users
    of a Secret."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "Timeouts", lambda: timeouts)
        patch.setattr(reviews, "PATIENCE", timeouts.read)
        patch.setattr(usage, "PATIENCE", timeouts.read)
        yield


class Cluster:
    def __init__(self, server: ApiServer | GivenServer) -> None:
        self.server = server
        self.install()

    def install(self) -> None:
        connection = self.connection()
        installation.apply(connection)
        connection.close()
        assert wait_for(lambda: self.server.call("GET", EVERYWHERE).status == 200)
        self.server.create_namespace("registry-console")
        self.grant_console()

    def grant_console(self) -> None:
        """Gives the user `console` exactly the rights of deploy/local-accounts."""
        for role, namespace in rights_of("local-accounts"):
            self.bind("console", role, namespace)

    def revoke_console(self) -> None:
        for role, namespace in rights_of("local-accounts"):
            self.unbind("console", role, namespace)

    def connection(self, user: str = "admin", timeouts: Timeouts = PATIENT, **config: Any) -> Connection:
        return Connection(configuration(self.server.kubeconfig(user, **config)), timeouts)

    @contextmanager
    def store(
        self,
        user: str = "console",
        timeouts: Timeouts = PATIENT,
        *,
        pull_secrets: bool = False,
        **config: Any,
    ) -> Iterator[KubernetesStore]:
        """A store that writes and watches as that user; by default as the console itself."""
        lease = (lambda: self.lease("test")) if pull_secrets else None
        store = KubernetesStore(self.connection(user, timeouts, **config), lease=lease)
        try:
            yield store
        finally:
            store.stop()

    def lease(self, identity: str, name: str = "registry-console") -> Lease:
        return Lease(self.connection("console"), "registry-console", name, identity)

    def bind(self, user: str, role: str, namespace: str = "") -> None:
        """Binds a cluster role to a user, everywhere or in one namespace, and waits until the authorizer knows it."""
        group = "rbac.authorization.k8s.io"
        binding = {
            "metadata": {"name": f"{user}-{role}"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }
        place = f"namespaces/{namespace}/rolebindings" if namespace else "clusterrolebindings"
        self.server.call("POST", f"/apis/{group}/v1/{place}", binding)
        rules = self.server.call("GET", f"/apis/{group}/v1/clusterroles/{role}").body["rules"]
        assert wait_for(lambda: all(self.allows(user, rule, namespace) for rule in rules)), role

    def unbind(self, user: str, role: str, namespace: str = "") -> None:
        place = f"namespaces/{namespace}/rolebindings" if namespace else "clusterrolebindings"
        self.server.call("DELETE", f"/apis/rbac.authorization.k8s.io/v1/{place}/{user}-{role}")

    def allows(self, user: str, rule: dict[str, Any], namespace: str = "") -> bool:
        """Whether the authorizer allows a user one action of a rule, as a sample of the whole rule."""
        asked: dict[str, Any] = {"verb": rule["verbs"][-1]}
        if "resources" in rule:
            resource, _, part = rule["resources"][0].partition("/")
            asked |= {"group": rule["apiGroups"][0], "resource": resource, "subresource": part}
            asked |= {"namespace": namespace, "name": next(iter(rule.get("resourceNames") or ()), "")}
            spec: dict[str, Any] = {"user": user, "resourceAttributes": asked}
        else:
            asked["path"] = rule["nonResourceURLs"][0]
            spec = {"user": user, "nonResourceAttributes": asked}
        return bool(self.server.call("POST", ACCESS_REVIEWS, {"spec": spec}).body["status"]["allowed"])

    def empty(self, *namespaces: str) -> None:
        """Deletes all registries, creates these namespaces, and waits until lists show it."""
        for namespace in namespaces:
            self.server.create_namespace(namespace)
        for item in self.server.call("GET", EVERYWHERE).body["items"]:
            self.server.call("DELETE", self.path(item["metadata"]["namespace"], item["metadata"]["name"]))
        assert wait_for(lambda: not self.cached(EVERYWHERE))
        assert wait_for(lambda: self.cached(NAMESPACES).keys() >= set(namespaces))

    def cached(self, collection: str) -> dict[str, str]:
        """Resource versions by name from the server's cache, which answers lists and may be slightly old."""
        items = self.server.call("GET", f"{collection}?resourceVersion=0").body["items"]
        return {it["metadata"]["name"]: it["metadata"]["resourceVersion"] for it in items}

    # As kubectl does

    def apply(self, namespace: str, name: str, **spec: str) -> Answer:
        """As the first `kubectl apply`: an annotation holds a copy of the whole resource."""
        body: dict[str, Any] = {
            "apiVersion": "image.theriseunion.io/v1alpha1",
            "kind": "RegistrySecret",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"domain": "h.example.com", "username": "admin", "provider": "harbor", **spec},
        }
        copy = {"kubectl.kubernetes.io/last-applied-configuration": repr(body)}
        body["metadata"]["annotations"] = copy
        return self.server.call("POST", self.path(namespace), body)

    def annotate(self, namespace: str, name: str, annotations: dict[str, str]) -> Answer:
        patch = {"metadata": {"annotations": annotations}}
        return self.server.call("PATCH", self.path(namespace, name), patch, kind=MERGE_PATCH)

    def delete(self, namespace: str, name: str) -> Answer:
        return self.server.call("DELETE", self.path(namespace, name))

    @staticmethod
    def path(namespace: str, name: str = "") -> str:
        return f"{GROUP_PATH}/namespaces/{namespace}/registrysecrets" + (f"/{name}" if name else "")
