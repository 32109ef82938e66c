"""Watching: what was there, what happens, in order and from a version on; and what one may not see is not told."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from registries import wiring
from registries.api import watch
from registries.domain.access import Role
from registries.index.search import Index
from registries.models import ApiToken, StoreChange
from registries.people.grants import remove_grant, set_grant
from registries.wiring import services
from tests.api.test_api import ALL, TEAM_A, notes, patch, post
from tests.api.watching import clock as clock
from tests.api.watching import events, spec, told
from tests.cast import Cast
from tests.clock import Clock


def test_tells_first_what_is_there_then_what_happens(cast: Cast) -> None:
    cast.add("a")
    client = cast.api("nina")
    following = events(client.get(f"{TEAM_A}?watch=true&timeoutSeconds=20"))

    seen = [told(next(following))]
    patch(client, f"{TEAM_A}/a", notes(display_name="neu"))
    seen.append(told(next(following)))
    post(client, TEAM_A, {"metadata": {"name": "b"}, "spec": spec()})
    seen.append(told(next(following)))
    client.delete(f"{TEAM_A}/a")
    gone = next(following)
    seen.append(told(gone))

    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    assert "password" not in gone["object"]["spec"]
    assert gone["object"]["metadata"]["annotations"]["theriseunion.io/display-name"] == "neu"


def test_goes_on_from_a_version(cast: Cast) -> None:
    client = cast.api("nina")
    cast.add("a")
    version = client.get(TEAM_A).json()["metadata"]["resourceVersion"]
    cast.add("b")
    client.delete(f"{TEAM_A}/a")

    found = [
        told(it) for it in events(client.get(f"{TEAM_A}?watch=1&resourceVersion={version}&timeoutSeconds=1"))
    ]

    assert found == [("ADDED", "b"), ("DELETED", "a")]


def test_a_list_after_a_deletion_has_another_version(cast: Cast) -> None:
    cast.add("a")
    cast.add("b")
    client = cast.api("nina")
    before = client.get(TEAM_A)
    client.delete(f"{TEAM_A}/b")
    after = client.get(TEAM_A)
    old, new = (int(it.json()["metadata"]["resourceVersion"]) for it in (before, after))

    def since(version: int) -> list[dict[str, Any]]:
        path = f"{TEAM_A}?watch=true&resourceVersion={version}&timeoutSeconds=1"
        return list(events(client.get(path)))

    assert new > old
    assert before["ETag"] != after["ETag"]
    assert [told(it) for it in since(old)] == [("DELETED", "b")]
    assert since(old)[0]["object"]["metadata"]["resourceVersion"] == str(new)
    assert since(new) == []
    wiring.reset()  # as in another process, or after a restart
    assert client.get(TEAM_A)["ETag"] == after["ETag"]
    assert since(new) == []
    assert since(old)[0]["object"]["reason"] == "Expired", "what went meanwhile is not known here"


@pytest.mark.parametrize("version", ["x", "-1", "٣", "9" * 30])
def test_what_is_no_version_is_a_400(cast: Cast, version: str) -> None:
    answer = cast.api("vic").get(TEAM_A, {"watch": "true", "resourceVersion": version, "timeoutSeconds": "1"})

    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")
    assert "resourceVersion" in answer.json()["message"]


@pytest.mark.parametrize(("given", "seconds"), [("0", 300), ("7", 7), ("99999", 1800)])
def test_lasts_as_long_as_was_asked_for(cast: Cast, clock: Clock, given: str, seconds: int) -> None:
    begun = clock.now
    assert list(events(cast.api("vic").get(TEAM_A, {"watch": "true", "timeoutSeconds": given}))) == []

    assert seconds <= clock.now - begun <= seconds + watch.LOOK


@pytest.mark.parametrize("version", ["1", "9" * 19])
def test_a_version_that_is_too_old_is_told_so(cast: Cast, version: str) -> None:
    cast.add("a")
    path = f"{TEAM_A}?watch=true&resourceVersion={version}&timeoutSeconds=5"

    [event] = events(cast.api("nina").get(path))

    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


def test_tells_nothing_of_another_namespace(cast: Cast) -> None:
    client = cast.api("nina")
    following = events(client.get(f"{ALL}?watch=true&timeoutSeconds=1"))
    cast.add("hidden", "team-b")
    cast.add("shown", "team-a")

    assert [told(it) for it in following] == [("ADDED", "shown")]


def test_a_new_namespace_of_an_old_name_tells_nothing_of_the_old_one(cast: Cast) -> None:
    access, path = cast.access("olive"), TEAM_A.replace("team-a", "team-c")
    services().registries.create_namespace(access=access, name="team-c")
    version = services().index.fresh().mark
    old = cast.add("old", "team-c", description="of the team before")
    services().registries.delete(access=access, key=old.key, uid=old.uid)
    services().registries.delete_namespace(access=access, name="team-c")
    assert "team-c" not in services().index.fresh().namespaces
    services().registries.create_namespace(access=access, name="team-c")
    set_grant(cast.users["vic"], "team-c", Role.VIEWER)
    cast.add("new", "team-c")

    def since(person: str) -> list[tuple[str, str]]:
        path_since = f"{path}?watch=1&resourceVersion={version}&timeoutSeconds=1"
        return [told(it) for it in events(cast.api(person).get(path_since))]

    assert since("vic") == [("ADDED", "new")]
    assert since("olive") == [("ADDED", "old"), ("DELETED", "old"), ("ADDED", "new")]


def test_a_bookmark_says_up_to_where(cast: Cast) -> None:
    cast.add("a")
    client = cast.api("vic")

    found = list(events(client.get(f"{TEAM_A}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1")))

    assert [it["type"] for it in found] == ["ADDED", "BOOKMARK"]
    version = client.get(TEAM_A).json()["metadata"]["resourceVersion"]
    assert found[1]["object"]["metadata"] == {"resourceVersion": version}


@pytest.mark.parametrize("end", ["revoked", "expired", "deactivated", "deleted", "less", "grant lost"])
@pytest.mark.parametrize("busy", [False, True])
def test_ends_when_the_rights_change(cast: Cast, clock: Clock, end: str, busy: bool) -> None:
    """Also while it is sending what is there."""
    for number in range(3 * busy):
        cast.add(f"r{number}")
    following = events(cast.api("vic").get(f"{TEAM_A}?watch=true&timeoutSeconds=20"))
    if busy:
        assert told(next(following)) == ("ADDED", "r0")
        clock.sleep(watch.RIGHTS + 0.1)
    match end:
        case "revoked":
            [token] = services().tokens.all(access=cast.access("vic"))
            services().tokens.revoke(access=cast.access("vic"), token_id=token.id)
        case "expired":
            ApiToken.objects.update(expires_at=timezone.now())
        case "deactivated":
            User.objects.filter(username="vic").update(is_active=False)
        case "deleted":
            cast.users["vic"].delete()
        case "less":
            ApiToken.objects.update(namespaces="team-b")
        case _:
            remove_grant(cast.users["vic"], "team-a")
    begun = clock.now

    assert list(following) == []
    assert clock.now - begun <= watch.RIGHTS + watch.LOOK


def test_there_are_so_many_at_once(cast: Cast, settings: Any) -> None:
    settings.API_WATCHES = 1
    wiring.reset()
    client = cast.api("vic")

    first = client.get(f"{TEAM_A}?watch=true&timeoutSeconds=1")
    second = client.get(f"{TEAM_A}?watch=true&timeoutSeconds=1")
    assert second.status_code == 429
    assert second["Retry-After"]
    list(events(first))
    assert client.get(f"{TEAM_A}?watch=true&timeoutSeconds=1").status_code == 200


@pytest.mark.parametrize("tokens", [1, 5])
def test_seats_are_shared_by_people_not_by_tokens(cast: Cast, tokens: int) -> None:
    clients = {name: [cast.api(name) for _ in range(tokens)] for name in ("vic", "olive", "omar", "nina")}
    ask = f"{TEAM_A}?watch=true&timeoutSeconds=1"

    held = {name: [own[i % tokens].get(ask) for i in range(5)] for name, own in clients.items()}

    counts = {name: [it.status_code for it in answers].count(200) for name, answers in held.items()}
    assert counts == {"vic": 4, "olive": 2, "omar": 1, "nina": 1}
    list(events(held["vic"][0]))
    assert clients["vic"][-1].get(ask).status_code == 429, "the free seat is for somebody with fewer"
    list(events(held["olive"][0]))
    assert clients["olive"][-1].get(ask).status_code == 200


def test_a_head_holds_no_seat(cast: Cast) -> None:
    answer = cast.api("vic").head(f"{TEAM_A}?watch=true&timeoutSeconds=1")

    assert not answer.streaming
    assert answer["ETag"]


def test_after_a_gap_every_watch_lists_again(cast: Cast) -> None:
    """As on a cluster after a broken watch: the single changes are not known any more."""
    kept = cast.add("kept")
    client = cast.api("nina")
    version = client.get(TEAM_A).json()["metadata"]["resourceVersion"]
    following = events(client.get(f"{TEAM_A}?watch=true&resourceVersion={version}&timeoutSeconds=9"))
    other = Index(services().store, lambda: datetime.now(UTC))
    other.fresh()
    new = cast.add("new")
    services().store.delete(new.key, uid=new.uid)
    StoreChange.objects.filter(resource_version=new.resource_version).delete()

    begun = other.place_of(version)
    assert begun is None
    [event] = following
    assert (event["type"], event["object"]["reason"]) == ("ERROR", "Expired")
    [item] = client.get(TEAM_A).json()["items"]
    assert item["metadata"]["uid"] == kept.uid
