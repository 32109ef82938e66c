"""A cluster as tests of pull secrets find it."""

import pytest

from registries.cluster.paths import secret, secrets_in
from registries.domain.registry import Key
from tests.peers.cluster import Cluster


@pytest.fixture
def empty(cluster: Cluster) -> Cluster:
    """Without registries, Secrets and the lease of another test."""
    cluster.empty("team-a", "team-b")
    for namespace in ("team-a", "team-b"):
        for item in cluster.server.call("GET", secrets_in(namespace)).body["items"]:
            cluster.server.call("DELETE", secret(Key(namespace, item["metadata"]["name"])))
    cluster.server.call(
        "DELETE", "/apis/coordination.k8s.io/v1/namespaces/registry-console/leases/registry-console"
    )
    return cluster
