"""/readyz on a cluster: not before the first list, and from then on whatever becomes of the API server."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from registries import wiring
from registries.stores.cluster import watch
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.canary import CANARY
from tests.peers.api_server import ApiServer
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for


@pytest.fixture
def cable(cluster: Cluster, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cable]:
    """Between the console and its cluster; pulled at first."""
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    monkeypatch.setattr(watch, "CHECK_EVERY", 0.3)
    cluster.empty("team-a")
    cable = Cable(cluster.server.port)
    cable.pull()
    settings.STORE = "kubernetes"
    settings.KUBECONFIG = str(cluster.server.kubeconfig("console", port=cable.port))
    wiring.reset()
    store = services().store
    yield cable
    assert isinstance(store, KubernetesStore)
    store.stop()
    cable.close()
    wiring.reset()


def readiness() -> tuple[int, str]:
    response = Client().get("/readyz")
    return response.status_code, response.content.decode()


def test_it_waits_for_the_first_list_and_says_for_what(cable: Cable, cluster: Cluster, db: None) -> None:
    cluster.apply("team-a", "known", password=CANARY)

    assert readiness()[0] == 503
    assert wait_for(lambda: readiness() == (503, "cluster: cluster_away\n"))
    assert Client().get("/healthz").status_code == 200, "which is no reason to restart it"
    cable.plug()

    assert wait_for(lambda: readiness() == (200, "ok\n"))
    assert services().index._snapshot.version is not None, "and nobody waits for the index either"


def test_a_cluster_that_goes_away_later_takes_nothing_out_of_service(cable: Cable, db: None) -> None:
    cable.plug()
    assert wait_for(lambda: readiness()[0] == 200)

    cable.pull()

    assert wait_for(lambda: services().index.freshness().problem)
    assert readiness() == (200, "ok\n")


def test_what_the_cluster_refuses_is_said(cable: Cable, cluster: Cluster, settings: Any, db: None) -> None:
    settings.KUBECONFIG = str(cluster.server.kubeconfig("stranger", port=cable.port))  # type: ignore[call-arg]
    services().stop()
    wiring.reset()
    cable.plug()

    assert wait_for(lambda: readiness() == (503, "cluster: cluster_forbidden\n"))
    services().stop()
