"""A pull secret that somebody changed or deleted is right again within five seconds, and nobody else's is touched.

All with the real time between two sweeps: it is the watch that notices.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from registries.cluster import lease as leases
from registries.cluster.paths import SECRETS, secret, secrets_in
from registries.domain.errors import Conflict
from registries.domain.registry import Key
from registries.pull_secrets import reconcile
from registries.pull_secrets.secret import MANAGED_BY, TYPE
from registries.stores.cluster import watch
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.cluster.damages import (
    DAMAGES,
    EMPTY,
    SOON,
    WRONG,
    add,
    deleted,
    is_right,
    is_watching,
    patched,
    repaired_in,
)
from tests.cluster.kept_secrets import secret_on
from tests.peers.api_server import ApiServer
from tests.peers.cable import Cable
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for

WATCH_ROLE = "registry-console-pull-secrets-watch"


@pytest.fixture
def store(empty: Cluster) -> Iterator[KubernetesStore]:
    with empty.store(pull_secrets=True) as store:
        store.changes(None)
        assert wait_for(lambda: is_watching(store))
        yield store


def test_whatever_is_done_to_one_is_undone_within_five_seconds(
    store: KubernetesStore,
    empty: Cluster,
    record_property: Callable[[str, object], None],
) -> None:
    keys = {name: add(store, name) for name in DAMAGES}

    for name, damage in DAMAGES.items():
        damage(empty, keys[name])

    taken = repaired_in(empty, list(keys.values()))
    record_property("seconds", taken)
    assert taken < SOON


def test_each_is_undone_again_and_again(store: KubernetesStore, empty: Cluster) -> None:
    key = add(store, "x")
    for name in ("no-label-first", "immutable-wrong", "deleted", "disowned", "emptied"):
        DAMAGES[name](empty, key)
        assert repaired_in(empty, [key]) < SOON, name


def test_many_at_once(store: KubernetesStore, empty: Cluster) -> None:
    keys = [add(store, f"many-{number:02}") for number in range(40)]

    assert empty.server.call("DELETE", secrets_in("team-a")).status == 200

    assert repaired_in(empty, keys) < SOON


FOREIGN: dict[str, dict[str, Any]] = {
    "plain": {},
    "immutable": {"immutable": True},
    "of-its-type": {"type": TYPE, "data": {".dockerconfigjson": EMPTY}},
    "of-its-type-immutable": {"type": TYPE, "data": {".dockerconfigjson": EMPTY}, "immutable": True},
    "with-its-label": {"metadata": {"labels": MANAGED_BY}, "immutable": True},
    "of-another-owner": {
        "type": TYPE,
        "data": {".dockerconfigjson": EMPTY},
        "immutable": True,
        "metadata": {
            "labels": MANAGED_BY,
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}],
        },
    },
}


def test_one_that_somebody_put_in_its_place_is_left_alone(store: KubernetesStore, empty: Cluster) -> None:
    theirs = {}
    for name, body in FOREIGN.items():
        key = Key("team-a", name)
        made = {**body, "metadata": {"name": name, **body.get("metadata", {})}}
        theirs[key] = empty.server.call("POST", secrets_in("team-a"), made).body["metadata"]
        add(store, name)
        empty.server.call("PATCH", secret(key), {"metadata": {"annotations": {"x": "y"}}}, kind=MERGE_PATCH)
    last = add(store, "last")
    deleted(empty, last)
    assert repaired_in(empty, [last]) < SOON, "so those before it were looked at"

    for key, metadata in theirs.items():
        assert secret_on(empty, key)["metadata"]["uid"] == metadata["uid"], key


def test_one_that_takes_the_place_just_before_the_deletion_is_not_deleted(
    store: KubernetesStore,
    empty: Cluster,
) -> None:
    key = add(store, "x")
    patched(immutable=True)(empty, key)
    assert repaired_in(empty, [key]) < SOON
    store.stop()
    mine = {**secret_on(empty, key), "immutable": True}
    deleted(empty, key)
    theirs = empty.server.call("POST", secrets_in("team-a"), {"metadata": {"name": "x"}}).body["metadata"]

    with pytest.raises(Conflict):
        store._secrets._replace(key, mine, mine)

    assert secret_on(empty, key)["metadata"]["uid"] == theirs["uid"]


def test_what_it_watches_has_no_content(store: KubernetesStore, empty: Cluster) -> None:
    add(store, "x")
    [watcher] = store._follower.here()._reconciler._watching  # type: ignore[union-attr]
    lean = watcher._connection  # type: ignore[attr-defined]
    query = {"labelSelector": "app.kubernetes.io/managed-by=registry-console"}

    items, _ = lean.list_all(SECRETS, subject="x", query=query, take=lambda item: item)
    events = lean.watch(
        SECRETS, subject="x", query={**query, "watch": "1", "timeoutSeconds": "1"}, stop=threading.Event()
    )

    for item in (*items, *(event["object"] for event in events)):
        assert item["kind"] == "PartialObjectMetadata"
        assert "data" not in item


# Who watches


def test_a_replica_without_the_lease_watches_no_secret(
    empty: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leases, "DURATION", 600.0)
    monkeypatch.setattr(reconcile, "RENEWAL", 0.2)
    leader = empty.lease("another replica")
    assert leader.hold()
    with empty.store(pull_secrets=True) as store:
        store.changes(None)
        key = add(store, "x")
        deleted(empty, key)
        assert not wait_for(lambda: is_watching(store) or secret_on(empty, key), 0.6)

        leader.release()

        assert wait_for(lambda: is_watching(store) and is_right(empty, key))
        deleted(empty, key)
        assert repaired_in(empty, [key]) < SOON


def test_without_the_right_to_watch_it_sweeps_and_nothing_else_is_missing(
    empty: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(reconcile, "SWEEP", 2.0)
    monkeypatch.setattr(reconcile, "RENEWAL", 0.2)
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["watch"]}
    empty.unbind("console", WATCH_ROLE)
    try:
        assert wait_for(lambda: not empty.allows("console", rule))
        with empty.store(pull_secrets=True) as store:
            store.changes(None)
            key = add(store, "x")
            deleted(empty, key)
            assert wait_for(lambda: is_right(empty, key)), "swept"
            patched(immutable=True, **WRONG)(empty, key)
            assert wait_for(lambda: is_right(empty, key)), "swept"
            deleted(empty, key)
            assert store.pull_secret(key) == "ready", "read"
            assert not is_watching(store)
            assert not store.freshness().problem
    finally:
        empty.bind("console", WATCH_ROLE)
    told = [it.getMessage() for it in caplog.records if it.name.endswith("cluster.watch")]
    assert set(told) == {f"{SECRETS} cannot be watched: cluster_forbidden"}
    assert len(told) <= 2, "not at each attempt"


def test_who_is_given_the_right_later_watches(
    empty: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "REFUSED_PAUSE", 0.2)
    empty.unbind("console", WATCH_ROLE)
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["watch"]}
    try:
        assert wait_for(lambda: not empty.allows("console", rule))
        with empty.store(pull_secrets=True) as store:
            store.changes(None)
            key = add(store, "x")
            assert not wait_for(lambda: is_watching(store), 0.5)

            empty.bind("console", WATCH_ROLE)

            assert wait_for(lambda: is_watching(store))
            deleted(empty, key)
            assert repaired_in(empty, [key]) < SOON
    finally:
        empty.bind("console", WATCH_ROLE)


# On a bad day


@pytest.fixture
def server(mortal_server: ApiServer) -> ApiServer:
    mortal_server.revive()
    return mortal_server


@pytest.fixture
def mortal(server: ApiServer) -> Cluster:
    cluster = Cluster(server)
    cluster.empty("team-a")
    server.call("DELETE", secrets_in("team-a"))
    server.call("DELETE", "/apis/coordination.k8s.io/v1/namespaces/registry-console/leases/registry-console")
    return cluster


def test_what_was_done_while_the_console_was_cut_off_is_undone(mortal: Cluster, cable: Cable) -> None:
    with mortal.store(pull_secrets=True, port=cable.port) as store:
        store.changes(None)
        assert wait_for(lambda: is_watching(store))
        keys = {name: add(store, name) for name in ("deleted", "immutable-wrong", "no-label-first")}
        cable.pull()
        for name, key in keys.items():
            DAMAGES[name](mortal, key)
        time.sleep(0.5)

        cable.plug()

        assert all(wait_for(lambda: is_right(mortal, key)) for key in keys.values())  # noqa: B023


def test_a_server_that_was_killed_or_lost_everything_is_watched_again(
    mortal: Cluster, server: ApiServer
) -> None:
    with mortal.store(pull_secrets=True) as store:
        store.changes(None)
        assert wait_for(lambda: is_watching(store))
        key = add(store, "x")

        server.kill_api()
        server.start_api()
        assert wait_for(lambda: not store.freshness().problem)
        deleted(mortal, key)
        assert wait_for(lambda: is_right(mortal, key))

        server.restart_with_another_history("without-secrets")
        mortal.install()
        mortal.empty("team-a")
        mortal.apply("team-a", "restored", domain="harbor.example.com", password=CANARY)
        restored = Key("team-a", "restored")
        assert wait_for(lambda: is_right(mortal, restored))
        deleted(mortal, restored)
        assert wait_for(lambda: is_right(mortal, restored))
