"""What a list of a cluster calls its version, and what is told after it; selectors on what kubectl does."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from registries.cluster import paths
from registries.cluster.connection import MERGE_PATCH
from registries.domain.query import Criteria
from registries.domain.selectors import read_selector
from registries.index.search import Index
from registries.stores.cluster.store import KubernetesStore
from tests.cluster.test_store import KEY, OLIVE, make
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for


@pytest.fixture
def empty(cluster: Cluster) -> Cluster:
    cluster.empty("team-a", "team-b")
    return cluster


@pytest.fixture
def store(empty: Cluster) -> Iterator[KubernetesStore]:
    with empty.store() as store:
        yield store


def place(index: Index, version: str) -> int:
    return (index.place_of(version) or (-1, 0))[0]


@pytest.mark.parametrize("by", ["console", "kubectl"])
def test_a_list_after_a_deletion_has_another_version(store: KubernetesStore, empty: Cluster, by: str) -> None:
    index = Index(store, lambda: datetime.now(UTC))
    listing = lambda: index.listing(OLIVE, Criteria(), 0, 10)  # noqa: E731
    created, before = store.create(make()), listing()
    old = int(before.version)
    if by == "console":
        store.delete(KEY, uid=created.uid)
        assert listing().total == 0
    else:
        empty.delete("team-a", "harbor-prod")

    assert wait_for(lambda: int(listing().version) > old)
    new = listing()
    news = index.changes(OLIVE, "", place(index, before.version))
    assert news
    assert [(it.type.value, it.key) for it in news.changes] == [("DELETED", KEY)]
    news = index.changes(OLIVE, "", place(index, new.version))
    assert news
    assert news.changes == ()


def test_labels_that_kubectl_changes_are_seen_through_a_selector(
    store: KubernetesStore, empty: Cluster
) -> None:
    store.create(make())
    index, selector = Index(store, lambda: datetime.now(UTC)), read_selector("app=web", "")
    begun = place(index, str(index.fresh().mark))
    seen = lambda: [it.type.value for it in index.changes(OLIVE, "", begun, selector).changes]  # type: ignore[union-attr]  # noqa: E731
    listed = lambda: index.listing(OLIVE, Criteria(selector=selector), 0, 10).total  # noqa: E731
    assert (seen(), listed()) == ([], 0)

    for value, told in (("web", ["ADDED"]), ("x", ["ADDED", "DELETED"])):
        labels = {"metadata": {"labels": {"app": value}}}
        empty.server.call("PATCH", empty.path("team-a", "harbor-prod"), labels, kind=MERGE_PATCH)
        assert wait_for(lambda told=told: index.fresh() and seen() == told)
        assert listed() == (value == "web")


def test_a_version_that_another_replica_has_told_is_known(store: KubernetesStore, empty: Cluster) -> None:
    index = Index(store, lambda: datetime.now(UTC))
    begun = place(index, str(index.fresh().mark))
    annotated = {"metadata": {"annotations": {"example.com/note": "nothing of ours"}}}
    empty.server.call("PATCH", f"{paths.NAMESPACES}/team-a", annotated, kind=MERGE_PATCH)
    listed = empty.server.call("GET", paths.EVERYWHERE).body["metadata"]["resourceVersion"]

    assert int(listed) > index.fresh().mark
    assert index.place_of(listed) == (begun, int(listed)), "changes up to there are not sent again"
    assert index.place_of(str(int(listed) + 10**9)) is None
