"""Writes that a cluster took and did not answer: they may have been done, and the journal says so."""

import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes.client import Configuration

from registries.cluster.connection import Connection, Json
from registries.domain.errors import Problem, Unavailable
from registries.domain.registry import Key
from registries.models import AuditEntry
from registries.probe.result import Reason, Result
from registries.runs import execution
from registries.wiring import services
from tests.api.test_api import MERGE, TEAM_A, body
from tests.cast import Cast, typed
from tests.cluster.test_pages import on_cluster as on_cluster
from tests.cluster.test_pages import people as people
from tests.peers.cluster import Cluster

KEY = Key("team-a", "harbor-prod")


class Silence:
    """What the server answers to the next writes of one kind gets lost on its way, though it has done them; or they
    do not even arrive, which looks the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.method, self.times, self.arrives = "", 0, True
        call = Connection.call

        def unanswered(connection: Connection, method: str, path: str, **values: Any) -> Json:
            if method != self.method or "registrysecrets" not in path or not self.times:
                return call(connection, method, path, **values)
            self.times -= 1
            if self.arrives:
                call(connection, method, path, **values)
            raise Unavailable(values["subject"], Problem.CLUSTER_UNCERTAIN, passing=True)

        monkeypatch.setattr(Connection, "call", unanswered)

    def about(self, method: str, times: int = 1, *, arrives: bool = True) -> None:
        self.method, self.times, self.arrives = method, times, arrives


@pytest.fixture
def silence(people: Cast, monkeypatch: pytest.MonkeyPatch) -> Silence:
    return Silence(monkeypatch)


def entries(*outcomes: str) -> list[tuple[str, str, str, str]]:
    found = AuditEntry.objects.filter(outcome__in=outcomes, person="nina").exclude(name="").order_by("pk")
    return list(found.values_list("person", "action", "name", "outcome"))


def is_there(cluster: Cluster) -> bool:
    return cluster.server.call("GET", cluster.path("team-a", KEY.name)).status == 200


def test_one_that_was_added_is_in_the_journal(people: Cast, on_cluster: Cluster, silence: Silence) -> None:
    silence.about("POST")
    client = people.client("nina")

    assert client.post("/registries/-/add/", typed()).status_code == 503

    assert is_there(on_cluster)
    assert entries("ok", "uncertain") == [("nina", "create", "harbor-prod", "uncertain")]
    assert "未收到响应：可能已完成" in client.get("/journal/").content.decode()


def test_one_that_was_deleted_is_in_the_journal(people: Cast, on_cluster: Cluster, silence: Silence) -> None:
    uid = people.add().uid
    silence.about("DELETE")

    with pytest.raises(Unavailable, match=Problem.CLUSTER_UNCERTAIN):
        services().registries.delete(access=people.access("nina"), key=KEY, uid=uid)

    assert not is_there(on_cluster)
    assert entries("ok", "uncertain") == [("nina", "delete", "harbor-prod", "uncertain")]


REHEARSALS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "create": (
        "POST",
        lambda it: it.post(f"{TEAM_A}?dryRun=All", body("new"), content_type="application/json"),
    ),
    "edit": (
        "PATCH",
        lambda it: it.patch(
            f"{TEAM_A}/harbor-prod?dryRun=All",
            {"metadata": {"annotations": {"theriseunion.io/display-name": "x"}}},
            content_type=MERGE,
        ),
    ),
    "delete": ("DELETE", lambda it: it.delete(f"{TEAM_A}/harbor-prod?dryRun=All")),
}


@pytest.mark.parametrize("hello", [0, 1], ids=["at once", "within the greeting of TLS"])
def test_one_that_breaks_off_before_it_is_sent_was_not_done(hello: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def break_off() -> None:
            client, _ = listener.accept()
            client.recv(hello)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # with a reset
            client.close()

        threading.Thread(target=break_off, daemon=True).start()
        given = Configuration(host=f"https://127.0.0.1:{listener.getsockname()[1]}")
        given.retries = False
        with pytest.raises(Unavailable, match=Problem.CLUSTER_AWAY):
            Connection(given).call("POST", "/x", subject="", body={})


@pytest.mark.parametrize("name", REHEARSALS)
def test_a_rehearsal_has_done_nothing(people: Cast, on_cluster: Cluster, silence: Silence, name: str) -> None:
    people.add()
    method, ask = REHEARSALS[name]
    client = people.api("nina")
    silence.about(method)

    assert ask(client).status_code == 503

    assert silence.times == 0
    assert entries("uncertain") == []


def test_a_run_that_asks_again_says_it_once(
    people: Cast, silence: Silence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "PAUSE", 0.0)
    access, runs = people.access("nina"), services().runs["delete"]
    run = runs.propose(access=access, registries=[people.add()])
    silence.about("DELETE", times=3, arrives=False)

    runs.start(access=access, run_id=run)

    assert entries("ok", "uncertain") == [
        ("nina", "delete", "harbor-prod", "uncertain"),
        ("nina", "delete", "harbor-prod", "ok"),
    ]


def test_a_verdict_that_is_recorded_again_is_in_doubt_once(
    people: Cast, on_cluster: Cluster, silence: Silence
) -> None:
    people.add()
    access, service = people.access("nina"), services()
    check, _ = service.tests.begin_test(access=access, key=KEY)
    silence.about("PATCH", times=3)

    service.tests.record_test(access=access, check=check, result=Result(Reason.OK), again=lambda error: True)

    assert entries("ok", "uncertain") == [
        ("nina", "test", "harbor-prod", "uncertain"),
        ("nina", "test", "harbor-prod", "ok"),
    ]
