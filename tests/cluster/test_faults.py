"""A cluster that goes away, comes back, forgets, or hangs: what is known stays, and nothing is missed."""

import time
from collections.abc import Iterator

import pytest

from registries.cluster.connection import Timeouts
from registries.cluster.failures import Expired
from registries.cluster.paths import EVERYWHERE
from registries.domain.errors import Unavailable
from registries.domain.registry import Draft, Key, Provider
from registries.stores.cluster import watch
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.peers.api_server import ApiServer
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for


@pytest.fixture
def server(mortal_server: ApiServer) -> ApiServer:
    mortal_server.revive()
    return mortal_server


@pytest.fixture
def cluster(server: ApiServer) -> Cluster:
    cluster = Cluster(server)
    cluster.empty("team-a")
    return cluster


@pytest.fixture
def store(cluster: Cluster, cable: Cable) -> Iterator[KubernetesStore]:
    """One that follows the cluster over a cable."""
    with cluster.store(port=cable.port) as store:
        yield store


def make(name: str) -> Draft:
    return Draft(Key("team-a", name), "h.example.com", "u", Provider.OTHER, CANARY)


def names(store: KubernetesStore) -> set[str]:
    return {it.name for it in store.changes(None).upserted}


@pytest.fixture
def direct(cluster: Cluster) -> Iterator[KubernetesStore]:
    """One that follows it directly."""
    with cluster.store() as store:
        yield store


def test_a_server_that_is_killed_and_restarted(
    direct: KubernetesStore, server: ApiServer, cluster: Cluster
) -> None:
    store = direct
    store.create(make("before"))
    assert names(store) == {"before"}

    server.kill_api()

    assert wait_for(lambda: store.freshness().problem)
    assert store.freshness().problem == "cluster_away"
    assert store.freshness().as_of is not None
    assert names(store) == {"before"}
    with pytest.raises(Unavailable, match="cluster_away"):
        store.create(make("lost"))

    server.start_api()
    cluster.apply("team-a", "after", password=CANARY)

    assert wait_for(lambda: not store.freshness().problem and names(store) == {"before", "after"})
    store.create(make("saved"))
    assert names(store) == {"before", "after", "saved"}


def test_a_cut_is_no_news_and_nothing_is_missed(
    store: KubernetesStore, cable: Cable, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To who follows; a question whether the server is there is not cut off here."""
    monkeypatch.setattr(watch, "CHECK_EVERY", 600.0)
    cluster.apply("team-a", "stays", password=CANARY)
    assert wait_for(lambda: names(store) == {"stays"})

    cable.cut()
    cluster.apply("team-a", "new", password=CANARY)
    cluster.delete("team-a", "stays")

    assert wait_for(lambda: names(store) == {"new"})
    assert not store.freshness().problem


def test_what_happened_while_it_was_cut_off_is_seen_though_the_history_is_forgotten(
    store: KubernetesStore, cable: Cable, cluster: Cluster, server: ApiServer
) -> None:
    cluster.apply("team-a", "deleted", password=CANARY)
    assert wait_for(lambda: names(store) == {"deleted"})
    cable.pull()
    assert wait_for(lambda: store.freshness().problem)

    cluster.delete("team-a", "deleted")
    cluster.apply("team-a", "created", password=CANARY)
    server.compact()
    assert names(store) == {"deleted"}
    cable.plug()

    assert wait_for(lambda: names(store) == {"created"})
    assert wait_for(lambda: not store.freshness().problem)


def test_a_version_that_is_forgotten_is_told_apart_from_a_failure(
    cluster: Cluster, server: ApiServer
) -> None:
    import threading

    cluster.apply("team-a", "x", password=CANARY)
    server.compact()
    server.kill_api()
    server.start_api()
    query = {"watch": "1", "resourceVersion": "1", "timeoutSeconds": "5"}

    with pytest.raises(Expired):
        list(cluster.connection().watch(EVERYWHERE, subject="x", query=query, stop=threading.Event()))


def test_a_forgotten_version_is_listed_anew(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch that ends is continued; here its version is forgotten by then."""
    monkeypatch.setattr(watch, "WATCH_SECONDS", (1, 1))
    with cluster.store() as store:
        assert names(store) == set()
        for watcher in store._follower.here().watchers:
            original = watcher._events  # type: ignore[union-attr]
            watcher._events = lambda version, follow=original: follow("1")  # type: ignore[union-attr, method-assign, misc]
        cluster.apply("team-a", "x", password=CANARY)
        assert wait_for(lambda: names(store) == {"x"})


def test_a_server_that_hangs_is_noticed(
    cluster: Cluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "CHECK_EVERY", 0.5)
    cluster.apply("team-a", "known", password=CANARY)
    assert wait_for(lambda: "known" in cluster.cached(EVERYWHERE))
    with cluster.store(timeouts=Timeouts(connect=1, read=1)) as store:
        assert wait_for(lambda: not store.freshness().problem and store.freshness().known)
        assert names(store) == {"known"}
        server.freeze_api()
        try:
            assert wait_for(lambda: store.freshness().problem)
            assert names(store) == {"known"}
            with pytest.raises(Unavailable, match="cluster_uncertain"):
                store.create(make("perhaps"))
        finally:
            server.thaw_api()
        assert wait_for(lambda: not store.freshness().problem)


def test_a_call_waits_no_longer_for_a_connection_than_for_an_answer(
    cluster: Cluster, server: ApiServer
) -> None:
    fresh = cluster.connection(timeouts=Timeouts(connect=20))
    server.freeze_api()
    try:
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="cluster_timeout"):
            fresh.call("GET", EVERYWHERE, subject="", read=0.3)
        assert time.monotonic() - begun < 10.0
    finally:
        server.thaw_api()
        fresh.close()


def test_a_cluster_without_the_resource_says_so_until_it_has_it(cluster: Cluster, server: ApiServer) -> None:
    definition = (
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/registrysecrets.image.theriseunion.io"
    )
    server.call("DELETE", definition)
    assert wait_for(lambda: server.call("GET", EVERYWHERE).status == 404)
    with cluster.store() as store:
        with pytest.raises(Unavailable, match="crd_missing"):
            store.changes(None)
        with pytest.raises(Unavailable, match="crd_missing"):
            store.create(make("x"))

        cluster.install()

        assert wait_for(lambda: not store.freshness().problem)
        assert names(store) == set()


def test_another_history_replaces_everything(
    store: KubernetesStore, cluster: Cluster, server: ApiServer
) -> None:
    for number in range(5):
        store.create(make(f"old-{number}"))
    assert len(names(store)) == 5

    server.restart_with_another_history("restored")
    cluster.install()
    cluster.empty("team-a")
    cluster.apply("team-a", "restored", password=CANARY)

    assert wait_for(lambda: names(store) == {"restored"})
    assert wait_for(lambda: not store.freshness().problem)
