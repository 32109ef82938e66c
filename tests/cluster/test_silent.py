"""An API server that takes connections and says nothing: what is known already keeps nobody waiting."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from registries import wiring
from registries.cluster.connection import Connection
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.cast import Cast
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster, patience
from tests.peers.scripted import wait_for

DETAILS = "/registries/team-a/known/"


@pytest.fixture
def console(mortal_server: ApiServer, settings: Any) -> Iterator[None]:
    mortal_server.revive()
    cluster = Cluster(mortal_server)
    cluster.empty("team-a", "team-b")
    settings.STORE, settings.KUBECONFIG = "kubernetes", str(mortal_server.kubeconfig("console"))
    wiring.reset()
    with patience():
        store = services().store
        try:
            yield
        finally:
            mortal_server.thaw_api()
    assert isinstance(store, KubernetesStore)
    store.stop()
    wiring.reset()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What requests asked the API server, as they come in this thread; others go on beside them."""
    paths: list[str] = []
    call = Connection.call

    def noted(self: Connection, method: str, path: str, **values: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            paths.append(path)
        return call(self, method, path, **values)

    monkeypatch.setattr(Connection, "call", noted)
    return paths


def test_pages_that_show_one_registry_do_not_ask_a_server_that_is_known_to_be_silent(
    console: None, mortal_server: ApiServer, cast: Cast, asked: list[str]
) -> None:
    cast.add("known")
    client = cast.client("nina")
    assert "就绪" in client.get(DETAILS).content.decode()
    assert asked
    mortal_server.freeze_api()
    assert wait_for(lambda: services().index.freshness().problem)
    asked.clear()

    details = client.get(DETAILS)
    parts = [
        client.get(f"{DETAILS}{part}", headers={"HX-Request": "true"})
        for part in ("pull-secret/", "row/", "row/?show=panel", "status/")
    ]

    assert details.status_code == 200
    assert [it.status_code for it in parts] == [200] * 4
    assert asked == []
    assert 'id="away"' in details.content.decode()
    assert "harbor.example.com" in details.content.decode()
    assert "未知" in parts[0].content.decode()

    mortal_server.thaw_api()
    assert wait_for(lambda: not services().index.freshness().problem)
    assert "就绪" in client.get(DETAILS).content.decode()
