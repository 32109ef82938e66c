from collections.abc import Iterator

import pytest
from django.conf import settings

from registries.stores.base import Store
from registries.stores.embedded import EmbeddedStore
from registries.stores.sealing import Sealer
from tests.peers.cluster import Cluster


@pytest.fixture
def embedded_store(db: None) -> EmbeddedStore:
    store = EmbeddedStore(Sealer(settings.PASSWORD_KEYS))
    store.create_namespace("team-a")
    store.create_namespace("team-b")
    return store


@pytest.fixture(params=["embedded", "kubernetes"])
def store(request: pytest.FixtureRequest, db: None) -> Iterator[Store]:
    if request.param == "embedded":
        yield request.getfixturevalue("embedded_store")
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    cluster.empty("team-a", "team-b")
    with cluster.store() as on_a_cluster:
        yield on_a_cluster
