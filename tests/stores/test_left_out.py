"""What a namespace of a cluster has no room for is left out of memory, and is not gone."""

import json
from datetime import UTC, datetime
from itertools import permutations
from typing import cast as cast_type

import pytest

from registries.cluster.connection import Json
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.errors import Refused
from registries.domain.registry import Key
from registries.index.search import Index
from registries.index.snapshot import Snapshot
from registries.stores import room
from registries.stores.base import ChangeType, Event, Store
from registries.stores.cluster import follower
from registries.stores.cluster.cache import Cache
from registries.stores.cluster.watch import Listing
from registries.stores.room import Kept, Room
from tests.cluster.test_cache import registry, written
from tests.stores.crowds import aged, names
from tests.stores.crowds import cache as cache
from tests.stores.test_store import KEY


def test_a_cluster_s_namespace_has_room_for_some(cache: Cache) -> None:
    for version, name in enumerate("abc", 11):
        cache.happened(written(str(version), uid=name, key=Key("team-a", name)))
    cache.happened(written("14", uid="d", key=Key("team-b", "d")))

    assert names(cache) == {"a", "b", "d"}
    assert cache.overfull == {"team-a"}
    assert {it.registry.name for it in cache.changes(cache.changes(None).version).events} == set()


def test_a_registry_that_grows_too_large_is_left_out_and_those_who_watch_see_it_go(cache: Cache) -> None:
    cache.put(aged("a", 1, 11))
    before = cache.changes(None).version

    cache.happened(Event(ChangeType.MODIFIED, aged("a", 1, 12, 2**20)))

    changes = cache.changes(before)
    assert [it.uid for it in changes.removed] == ["a"]
    assert changes.events == (Event(ChangeType.DELETED, aged("a", 1, 12)),)
    assert json.loads(changes.events[0].registry.document)["metadata"]["resourceVersion"] == "12"
    assert changes.left_out == {"team-a": {"a"}}
    assert names(cache) == set()


def test_a_namespace_that_the_console_may_not_read_for_a_while_is_not_gone() -> None:
    cache = Cache(["a", "b"], patience=0.1, room=Room(registries=2, mib=1))

    def listed(source: str) -> None:
        namespace = f"team-{source}"
        found = registry("1", uid=source, key=Key(namespace, "x"))
        cache.replace([found], "10", another_history=False, namespace=namespace)
        cache.answered(source)

    listed("a")
    listed("b")
    cache.refused("a", "team-a")
    refused, overfull = cache.changes(None), cache.overfull
    cache.require_room(KEY, 1)
    listed("a")

    assert {it.uid for it in refused.upserted} == {"b"}
    assert overfull == frozenset(), "it is not full"
    assert not Snapshot(None, frozenset(), {}).after(refused).is_gone("a", "team-a")
    assert {it.uid for it in cache.changes(None).upserted} == {"a", "b"}
    assert cache.changes(None).left_out == {}


def test_the_oldest_are_kept_whatever_came_first() -> None:
    """Also a large one: the registries after it are left out, though some of them would fit."""
    sizes = {"a": 1, "b": 600_000, "c": 1, "d": 500_000, "e": 1}
    all_of_them = [aged(name, day, day, size) for day, (name, size) in enumerate(sizes.items(), 1)]
    for order in permutations(all_of_them):
        kept = Kept(Room(registries=4, mib=1))
        for it in order:
            kept.put(it)
        assert {it.name for it in kept.registries.values()} == {"a", "b", "c"}
        assert kept.left_out() == {"team-a": {"d", "e"}}
        assert set(kept.keys()) == {it.key for it in all_of_them}


def test_a_new_registry_pushes_no_older_one_out_and_an_older_one_comes_back(cache: Cache) -> None:
    for version, (name, day) in enumerate({"b": 2, "c": 3}.items(), 11):
        cache.happened(Event(ChangeType.ADDED, aged(name, day, version)))
    before = cache.changes(None).version

    cache.happened(Event(ChangeType.ADDED, aged("new", 9, 13)))
    assert names(cache) == {"b", "c"}
    cache.happened(Event(ChangeType.ADDED, aged("a", 1, 14)))
    assert names(cache) == {"a", "b"}

    told = [(it.type, it.registry.name) for it in cache.changes(before).events]
    assert told == [(ChangeType.DELETED, "c"), (ChangeType.ADDED, "a")]
    for version, name in enumerate(("c", "new"), 15):
        assert cache.overfull == {"team-a"}
        cache.happened(Event(ChangeType.DELETED, aged(name, 9, version)))
    assert (cache.overfull, cache.changes(None).left_out) == (set(), {})


def test_a_full_namespace_takes_no_more_while_some_are_left_out(cache: Cache) -> None:
    for version, name in enumerate("abc", 11):
        cache.happened(Event(ChangeType.ADDED, aged(name, 1, version)))
    cache.happened(Event(ChangeType.DELETED, aged("a", 1, 14)))

    with pytest.raises(Refused, match="namespace_full"):
        cache.require_room(Key("team-a", "new"), 1)


def test_nothing_is_gone_among_too_many_to_know(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REMEMBERED", 2)
    index = Index(cast_type(Store, cache), lambda: datetime.now(UTC))
    left_out = [aged(name, 2, 20) for name in "cde"]
    for it in (aged("a", 1, 11), aged("b", 1, 12), *left_out[:2]):
        cache.happened(Event(ChangeType.ADDED, it))
    few = index.fresh()
    cache.happened(Event(ChangeType.ADDED, left_out[2]))
    many = index.fresh()

    gone = {uid: few.is_gone(uid, "team-a") for uid in ("a", "b", "c", "d", "e")}
    assert gone == {"a": False, "b": False, "c": False, "d": False, "e": True}
    assert few.is_gone("e")
    assert not many.is_gone("other", "team-a")
    assert not many.is_gone("other")
    assert many.is_gone("other", "team-b")


def test_those_who_watch_see_what_comes_back_with_a_list_of_the_same_version(cache: Cache) -> None:
    index = Index(cast_type(Store, cache), lambda: datetime.now(UTC))
    olive = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
    for version, name in enumerate("abc", 11):
        cache.happened(Event(ChangeType.ADDED, aged(name, version, version)))
    cache.happened(Event(ChangeType.DELETED, aged("a", 11, 14)))
    index.fresh()
    place = index.place_of("14")
    assert place

    cache.replace([aged("b", 12, 12), aged("c", 13, 13)], "14", another_history=False)

    news = index.changes(olive, "team-a", place[0])
    assert news
    assert [(it.type, it.key.name) for it in news.changes] == [(ChangeType.ADDED, "c")]
    assert news.version == "14"
    later = index.place_of("14")
    assert later, "who listed a moment ago continues"
    again = index.changes(olive, "team-a", later[0])
    assert again
    assert [it.key.name for it in again.changes] == ["c"]


def test_a_list_is_cut(cache: Cache) -> None:
    cache.put(registry("11", uid="old", key=Key("team-a", "old")))
    listed = [registry("12", uid=name, key=Key("team-a", name)) for name in "abc"]

    cache.replace(listed, "12", another_history=False)

    assert names(cache) == {"a", "b"}


def test_a_list_that_would_come_too_soon_comes_later() -> None:
    cache = Cache(["registries "], patience=0.1, room=Room(registries=1))
    sink = follower._Registries(cache, None, "", Room(registries=1))
    created = {"namespace": "team-a", "creationTimestamp": "2026-01-01T00:00:00Z"}
    items: list[Json] = [
        {"metadata": {**created, "name": it, "uid": it, "resourceVersion": "11"}, "spec": {}} for it in "abc"
    ]
    sink.begun()
    sink.listed(Listing([sink.taken(it) for it in items], "11", False))

    sink.happened("DELETED", items[0])
    assert not sink.wants_list()
    sink._listed_at -= follower.LISTED_AGAIN
    assert sink.wants_list()
    sink.begun()
    sink.listed(Listing([sink.taken(it) for it in items[1:]], "12", False))

    sink.answered()
    assert not sink.wants_list()
    assert (names(cache), cache.overfull) == ({"b"}, {"team-a"})
