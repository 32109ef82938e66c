"""Watching: what was there, what happens, in order and from a version on; and what one may not see is not told."""

import errno
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
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
from tests.cast import Cast
from tests.clock import Clock
from tests.peers.command import LONG
from tests.peers.scripted import wait_for
from tests.peers.served_api import serving


def events(response: Any) -> Iterator[dict[str, Any]]:
    """What a watch tells, as it comes; None stands for the bare passing of time in none of them."""
    for piece in response.streaming_content:
        yield from (json.loads(line) for line in piece.decode().splitlines())


def told(event: dict[str, Any]) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"].get("name", "")


class Resting(Clock):
    """The time of a watch: it passes where a watch rests, and nowhere else."""

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Resting(monkeypatch, watch)
    monkeypatch.setattr(Index, "wait", lambda _index, _place, seconds: clock.sleep(seconds))
    return clock


def test_tells_first_what_is_there_then_what_happens(cast: Cast) -> None:
    cast.add("a")
    client = cast.api("nina")
    following = events(client.get(f"{TEAM_A}?watch=true&timeoutSeconds=20"))

    seen = [told(next(following))]
    patch(client, f"{TEAM_A}/a", notes(display_name="neu"))
    seen.append(told(next(following)))
    post(client, TEAM_A, {"metadata": {"name": "b"}, "spec": cast_spec()})
    seen.append(told(next(following)))
    client.delete(f"{TEAM_A}/a")
    gone = next(following)
    seen.append(told(gone))

    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    assert "password" not in gone["object"]["spec"]
    assert gone["object"]["metadata"]["annotations"]["theriseunion.io/display-name"] == "neu"


def cast_spec() -> dict[str, str]:
    return {"domain": "h.example.com", "username": "u", "password": "p", "provider": "other"}


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


def test_a_client_that_has_gone_holds_no_seat(tmp_path: Path) -> None:
    """A real server, which writes nothing as long as nothing changes. One of the clients has sent a byte too many."""
    with serving(tmp_path / "data", CONSOLE_API_RATE="100000") as (console, token):

        def watching() -> socket.socket | None:
            client = socket.create_connection(("127.0.0.1", console.port), timeout=LONG)
            client.sendall(
                f"GET {TEAM_A}?watch=true&timeoutSeconds=1800 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {token}\r\n\r\n".encode()
            )
            if b" 200 " in client.recv(4096).partition(b"\r\n")[0]:
                return client
            client.close()
            return None

        first = [watching() for _ in range(5)]
        assert [client is not None for client in first] == [True] * 4 + [False]
        for client in first[:4]:
            assert client
            client.sendall(b"G")
            client.close()

        second: list[socket.socket] = []
        assert wait_for(lambda: bool((one := watching()) and (second.append(one) or len(second) == 4)))
        for client in second:
            client.close()


def test_a_client_that_takes_nothing_is_dropped_by_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SILENT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.getsockname())
        connection, _ = server.accept()
        connection.settimeout(LONG)
        watch.drop_when_silent(connection)

        with connection, pytest.raises(TimeoutError) as caught:
            connection.sendall(bytes(2**26))

    assert caught.value.errno == errno.ETIMEDOUT, "from the kernel, not from this test"


def test_over_the_network_a_change_comes_at_once_and_pages_are_answered_meanwhile(tmp_path: Path) -> None:
    """A real server: lines are not held back, and as many watches as there are keep nobody waiting."""
    with serving(tmp_path / "data") as (console, token):
        base = f"http://127.0.0.1:{console.port}{TEAM_A}"
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {token}"
        watches = [
            session.get(base, params={"watch": "true", "timeoutSeconds": "300"}, stream=True, timeout=60)
            for _ in range(4)
        ]
        assert [it.status_code for it in watches] == [200] * 4
        assert session.get(base, params={"watch": "true"}, timeout=60).status_code == 429
        lines = watches[0].iter_lines()
        threading.Timer(
            0.3,
            lambda: requests.post(
                base,
                json={"metadata": {"name": "a"}, "spec": cast_spec()},
                headers=dict(session.headers),
                proxies={"http": ""},
                timeout=60,
            ),
        ).start()
        begun = time.monotonic()
        event = json.loads(next(lines))

        assert told(event) == ("ADDED", "a")
        assert time.monotonic() - begun < 30, "a line that is held back comes after five minutes"
        for it in watches:
            it.close()
        assert console.status("/healthz") == 200
        assert console.stop() < 30, "and neither do they hold up who stops it"
