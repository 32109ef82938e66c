"""A namespace holds a limited number of registries, and bytes of them. Others are not concerned."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from registries import wiring
from registries.domain.errors import Problem, Refused
from registries.domain.registry import Key
from registries.stores.cluster import follower
from registries.stores.cluster.cache import Cache
from registries.stores.cluster.store import KubernetesStore
from registries.stores.embedded import EmbeddedStore
from registries.stores.room import Room
from registries.wiring import services
from tests.api.test_api import TEAM_A, body, post
from tests.cast import Cast, typed
from tests.cluster.test_cache import registry, written
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for
from tests.stores.test_store import KEY, make

OTHER, THIRD = Key("team-a", "other"), Key("team-a", "third")
ELSEWHERE = Key("team-b", "harbor-prod")


@pytest.fixture
def small(embedded_store: EmbeddedStore) -> EmbeddedStore:
    embedded_store._room = Room(registries=2)
    return embedded_store


def test_a_full_namespace_takes_no_more(small: EmbeddedStore) -> None:
    small.create(make())
    other = small.create(make(OTHER))

    for dry_run in (True, False):
        with pytest.raises(Refused) as refused:
            small.create(make(THIRD), dry_run=dry_run)
        assert refused.value.problem is Problem.NAMESPACE_FULL
    small.create(make(ELSEWHERE))
    small.delete(OTHER, uid=other.uid)
    small.create(make(THIRD))

    assert {it.key for it in small.changes(None).upserted} == {KEY, THIRD, ELSEWHERE}


def test_a_full_namespace_keeps_what_is_replaced_in_it(small: EmbeddedStore) -> None:
    created = small.create(make())
    small.create(make(OTHER))
    small._room = Room(registries=1)

    assert (
        small.replace(replace(make(), domain="new.example.com"), uid=created.uid).domain == "new.example.com"
    )


def test_bytes_are_limited(embedded_store: EmbeddedStore) -> None:
    embedded_store._room = Room(mib=1)
    much = {f"example.com/{number}": "x" * 240_000 for number in range(1)}
    for number in range(4):
        embedded_store.create(make(Key("team-a", f"fat-{number}"), annotations=much))

    with pytest.raises(Refused, match="namespace_full"):
        embedded_store.create(make(THIRD, annotations=much))
    embedded_store.create(make(OTHER))


def test_people_and_programs_are_told_what_to_do(cast: Cast, settings: Any) -> None:
    settings.NAMESPACE_REGISTRIES = 1
    wiring.reset()
    client: Client = cast.client("nina")
    assert client.post("/registries/-/add/", typed("first")).status_code == 302

    page = client.post("/registries/-/add/", typed("second"))
    answer = post(cast.api("nina"), TEAM_A, body())

    assert page.status_code == 422
    assert "CONSOLE_NAMESPACE_REGISTRIES" in page.content.decode()
    assert answer.status_code == 403
    assert answer.json()["details"]["causes"][0]["reason"] == "QuotaExceeded"
    assert "CONSOLE_NAMESPACE_REGISTRIES" in answer.json()["message"]


@pytest.fixture
def cache() -> Cache:
    cache = Cache(["registries"], patience=0.1, room=Room(registries=2, mib=1))
    cache.replace([], "10", another_history=False)
    cache.answered("registries")
    return cache


def names(cache: Cache) -> set[str]:
    return {it.name for it in cache.changes(None).upserted}


def test_a_cluster_s_namespace_has_room_for_some(cache: Cache) -> None:
    for version, name in enumerate("abc", 11):
        cache.happened(written(str(version), uid=name, key=Key("team-a", name)))
    cache.happened(written("14", uid="d", key=Key("team-b", "d")))

    assert names(cache) == {"a", "b", "d"}
    assert cache.overfull == {"team-a"}
    assert {it.registry.name for it in cache.changes(cache.changes(None).version).events} == set()


def test_a_registry_that_grows_too_large_is_left_out(cache: Cache) -> None:
    cache.put(registry("11", key=KEY))
    before = cache.changes(None).version
    grown = replace(written("12"), registry=replace(registry("12", key=KEY), document=b"x" * 2**20))

    cache.happened(grown)

    changes = cache.changes(before)
    assert [it.key for it in changes.removed] == [KEY]
    assert changes.events == ()
    assert names(cache) == set()


def test_a_list_is_cut(cache: Cache) -> None:
    cache.put(registry("11", uid="old", key=Key("team-a", "old")))
    listed = [registry("12", uid=name, key=Key("team-a", name)) for name in "abc"]

    cache.replace(listed, "12", another_history=False)

    assert names(cache) == {"a", "b"}


@pytest.fixture
def crowded(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubernetesStore]:
    monkeypatch.setattr(follower, "LISTED_AGAIN", 0.0)
    cluster.empty("team-a", "team-b")
    for key in (KEY, OTHER, THIRD, ELSEWHERE):
        cluster.apply(key.namespace, key.name, password="cA==")
    store = KubernetesStore(cluster.connection("admin"), room=Room(registries=2))
    yield store
    store.stop()


def test_what_was_left_out_comes_when_there_is_room(crowded: KubernetesStore, cluster: Cluster) -> None:
    def kept() -> set[Key]:
        return {it.key for it in crowded.changes(None).upserted}

    first = kept()
    assert (len(first), ELSEWHERE in first) == (3, True)
    assert crowded.overfull() == {"team-a"}
    with pytest.raises(Refused, match="namespace_full"):
        crowded.create(make(Key("team-a", "fourth")))
    gone = min(first - {ELSEWHERE})
    cluster.delete(gone.namespace, gone.name)

    assert wait_for(lambda: kept() == {KEY, OTHER, THIRD, ELSEWHERE} - {gone})
    assert wait_for(lambda: crowded.overfull() == set())


def test_pages_tell_those_who_see_the_namespace(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    store = services().store
    monkeypatch.setattr(type(store), "overfull", lambda self: frozenset({"team-a"}))

    def told(name: str) -> bool:
        return "部分镜像源未显示：team-a" in cast.client(name).get("/registries/").content.decode()

    assert told("vic")
    assert not told("sam")


def test_an_undo_in_a_full_namespace_says_so_and_keeps_what_was_deleted(cast: Cast, settings: Any) -> None:
    settings.NAMESPACE_REGISTRIES = 1
    wiring.reset()
    client, gone = cast.client("nina"), cast.add("gone", "team-a")
    services().registries.delete(access=cast.access("nina"), key=gone.key, uid=gone.uid)
    other = cast.add("other", "team-a")
    undo = f"/registries/team-a/gone/undo/{gone.uid}/"

    refused = client.post(undo)
    services().registries.delete(access=cast.access("nina"), key=other.key, uid=other.uid)
    restored = client.post(undo)

    assert refused.status_code == 403
    assert "CONSOLE_NAMESPACE_REGISTRIES" in refused.content.decode()
    assert restored.status_code == 302
    assert cast.find("gone").uid != gone.uid
