"""A namespace holds a limited number of registries, and bytes of them. Others are not concerned."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils.html import strip_tags

from registries import wiring
from registries.cluster.connection import Json
from registries.domain.errors import NotFound, Problem, Refused
from registries.domain.registry import Key
from registries.intake import read_draft
from registries.models import DeletedRegistry
from registries.runs.clean_up import forget_deleted
from registries.stores.cluster import follower
from registries.stores.cluster.cache import Cache
from registries.stores.cluster.watch import Listing
from registries.stores.embedded import EmbeddedStore
from registries.stores.room import Room
from registries.wiring import services
from tests.api.test_api import TEAM_A, body, post
from tests.cast import Cast, typed
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


@pytest.mark.parametrize(
    ("changed", "size", "again"),
    [
        ("a", 400_000, True),
        ("a", 590_000, False),
        ("b", 400_000, True),
        ("b", 700_000, False),
        ("c", 1, False),
    ],
    ids=["smaller", "hardly smaller", "left out and smaller", "left out and larger", "not its turn"],
)
def test_a_registry_that_became_smaller_makes_room(changed: str, size: int, again: bool) -> None:
    limits = Room(registries=3, mib=1)
    cache = Cache(["registries "], patience=0.1, room=limits)
    sink = follower._Registries(cache, None, "", limits)

    def item(name: str, size: int, version: str = "11") -> Json:
        created = {"namespace": "team-a", "creationTimestamp": f"2026-01-0{'abc'.index(name) + 1}T00:00:00Z"}
        metadata = {**created, "name": name, "uid": name, "resourceVersion": version}
        return {"metadata": {**metadata, "annotations": {"example.com/x": "x" * size}}, "spec": {}}

    def listed(*items: Json) -> None:
        sink.begun()
        sink.listed(Listing([sink.taken(it) for it in items], items[0]["metadata"]["resourceVersion"], False))
        sink.answered()
        sink._listed_at -= follower.LISTED_AGAIN

    def names() -> set[str]:
        return {it.name for it in cache.changes(None).upserted}

    sizes = {"a": 600_000, "b": 600_000, "c": 600_000}
    listed(*(item(name, size) for name, size in sizes.items()))
    assert (names(), sink.wants_list()) == ({"a"}, False)

    sink.happened("MODIFIED", item(changed, size, "12"))
    assert sink.wants_list() is again
    listed(*(item(name, size, "12") for name, size in (sizes | {changed: size}).items()))

    assert names() == ({"a", "b"} if again else {"a"})
    assert not sink.wants_list(), "one list is enough"


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


def text(page: HttpResponse) -> str:
    """The words of a page, without the marks of names."""
    return strip_tags(page.content.decode())


def test_pages_tell_those_who_see_the_namespace(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    store = services().store
    monkeypatch.setattr(type(store), "overfull", lambda self: frozenset({"team-a"}))

    def told(name: str) -> bool:
        return "部分镜像源未显示：team-a" in text(cast.client(name).get("/registries/"))

    assert told("vic")
    assert not told("sam")


def test_the_notice_names_ten_namespaces_and_says_how_many_more(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, full = services().store, [f"full-{n:02}" for n in range(12)]
    monkeypatch.setattr(type(store), "overfull", lambda self: frozenset(full))
    client = cast.client("olive")

    assert f"{'、'.join(full[:10])}，另有 2 个。" in text(client.get("/registries/"))
    client.cookies["django_language"] = "en"
    assert f"{', '.join(full[:10])}, and 2 more. Delete" in text(client.get("/registries/"))


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


@pytest.mark.parametrize(
    ("room", "much", "most"),
    [(Room(registries=16), 1, 18), (Room(mib=1), 240_000, 12)],
    ids=["number", "bytes"],
)
def test_what_is_deleted_without_end_fills_no_disk(cast: Cast, room: Room, much: int, most: int) -> None:
    """The newest ones come back, and other namespaces lose nothing."""
    services().trash._room = room
    registries, undo, nina = services().registries, services().undo, cast.access("nina")
    elsewhere, olive = cast.add(namespace="team-b"), cast.access("olive")
    registries.delete(access=olive, key=elsewhere.key, uid=elsewhere.uid)

    for number in range(40):
        draft = replace(read_draft(typed(f"r-{number}")), annotations={"example.com/text": "x" * much})
        made = registries.create(access=nina, draft=draft)
        registries.delete(access=nina, key=made.key, uid=made.uid)

    kept = DeletedRegistry.objects.filter(namespace="team-a").exclude(sealed="")
    assert 2 <= kept.count() <= most
    assert services().trash.reseal() == kept.count() + 1
    assert undo.restore(access=nina, key=Key("team-a", "r-39")).name == "r-39"
    with pytest.raises(NotFound):
        undo.restore(access=nina, key=Key("team-a", "r-0"))
    assert undo.restore(access=olive, key=elsewhere.key).name == elsewhere.name
    forget_deleted(timedelta(hours=24))
    assert not DeletedRegistry.objects.filter(sealed="").exists()
