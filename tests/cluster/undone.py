"""A deletion on a cluster and its undo, for tests."""

from typing import Any

import pytest

from registries.domain.registry import Key, RegistrySecret
from registries.wiring import services
from tests.cast import Cast
from tests.cluster.test_doubt import Silence
from tests.cluster.test_pages import on_cluster as on_cluster
from tests.peers.cluster import Cluster

KEY = Key("team-a", "harbor-prod")


@pytest.fixture
def cast_on_cluster(on_cluster: Cluster, cast: Cast) -> Cast:
    return cast


@pytest.fixture
def silence(cast_on_cluster: Cast, monkeypatch: pytest.MonkeyPatch) -> Silence:
    return Silence(monkeypatch)


def delete(cast: Cast) -> bool:
    found = services().store.get(KEY)
    return services().registries.delete(access=cast.access("nina"), key=KEY, uid=found.uid)


def restore(cast: Cast) -> RegistrySecret:
    return services().undo.restore(access=cast.access("nina"), key=KEY)


def stored(cluster: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = cluster.server.call("GET", cluster.path("team-a", KEY.name)).body
    return found


def content(resource: dict[str, Any]) -> tuple[Any, ...]:
    metadata = resource["metadata"]
    return metadata.get("labels"), metadata["annotations"], resource["spec"]
