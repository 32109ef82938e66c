"""An undo on a cluster when something breaks: lost answers, a killed process, what cannot be read."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from registries.cluster.connection import Connection, Json
from registries.domain.errors import Forbidden, NotFound, Problem, Unavailable
from registries.models import AuditEntry, DayRecord, DeletedRegistry
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.test_doubt import Silence
from tests.cluster.test_pages import on_cluster as on_cluster
from tests.cluster.undone import KEY, delete, restore, stored
from tests.cluster.undone import cast_on_cluster as cast_on_cluster
from tests.cluster.undone import silence as silence
from tests.peers.cluster import Cluster
from tests.peers.command import manage
from tests.peers.prepared import ready_folder


@pytest.mark.parametrize("arrives", [True, False])
def test_an_undo_without_an_answer_is_finished_by_the_next(
    cast_on_cluster: Cast, silence: Silence, *, arrives: bool
) -> None:
    old = cast_on_cluster.add()
    delete(cast_on_cluster)
    DayRecord.objects.create(uid=old.uid, day="2026-11-01")
    silence.about("POST", arrives=arrives)

    with pytest.raises(Unavailable, match=Problem.CLUSTER_UNCERTAIN):
        restore(cast_on_cluster)
    assert DeletedRegistry.objects.exists()
    restored = restore(cast_on_cluster)

    assert DayRecord.objects.get().uid == restored.uid == services().store.get(KEY).uid
    assert not DeletedRegistry.objects.exists()
    entries = AuditEntry.objects.filter(action="undo").order_by("pk")
    assert [it.outcome for it in entries] == ["uncertain", "ok"]


def test_a_deletion_without_an_answer_can_be_undone(cast_on_cluster: Cast, silence: Silence) -> None:
    cast_on_cluster.add()
    silence.about("DELETE")

    with pytest.raises(Unavailable):
        delete(cast_on_cluster)

    assert restore(cast_on_cluster).domain == "harbor.example.com"


SCRIPT = """
import os, signal, sys
from registries.cluster.connection import Connection
from registries.domain.access import Access, Role
from registries.domain.errors import ConsoleError
from registries.domain.registry import Key, RegistrySecret
from registries.models import DayRecord, DeletedRegistry
from registries.wiring import services
method, when, step = "{method}", "{when}", "{step}"
call = Connection.call
def dying(connection, asked, path, **values):
    writes = asked == method and "registrysecrets" in path
    if writes and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = call(connection, asked, path, **values)
    if writes:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
Connection.call = dying
access, key = Access.from_grants("nina", [("team-a", Role.ADMIN)]), Key("team-a", "harbor-prod")
try:
    if step == "delete":
        uid = services().store.get(key).uid
        DayRecord.objects.get_or_create(uid=uid, day="2026-11-01")
        services().registries.delete(access=access, key=key, uid=uid)
    else:
        services().undo.restore(access=access, key=key)
except ConsoleError as error:
    print(error)
else:
    print("done", *DayRecord.objects.values_list("uid", flat=True), DeletedRegistry.objects.count())
os._exit(0)
"""


@pytest.mark.parametrize(
    ("method", "when", "undone"),
    [
        ("DELETE", "before", "AlreadyExists"),
        ("DELETE", "after", "done"),
        ("POST", "before", "done"),
        ("POST", "after", "done"),
    ],
)
def test_a_process_that_is_killed_between_two_steps_loses_nothing(
    cluster: Cluster, tmp_path: Path, method: str, when: str, undone: str
) -> None:
    cluster.empty("team-a")
    cluster.apply("team-a", KEY.name, password=CANARY)
    before = stored(cluster)
    folder = ready_folder(tmp_path / "data")
    settings = {"CONSOLE_STORE": "kubernetes", "KUBECONFIG": str(cluster.server.kubeconfig("console"))}

    def step(name: str, method: str = "", when: str = "") -> "subprocess.CompletedProcess[str]":
        script = SCRIPT.format(step=name, method=method, when=when)
        return manage(folder, "shell", "-v", "0", "-c", script, **settings)

    if method == "POST":
        assert step("delete").stdout.startswith("done")
    killed = step("undo" if method == "POST" else "delete", method, when)
    again = step("undo").stdout

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert again.startswith(undone)
    after = stored(cluster)
    assert after["spec"] == before["spec"]
    if undone == "done":
        assert again.split() == ["done", after["metadata"]["uid"], "0"]
    else:
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert step("delete").stdout.startswith("done")
        assert step("undo").stdout.split()[0] == "done", "the next deletion can be undone"


def test_nothing_of_a_deletion_that_is_refused_is_kept(
    cast_on_cluster: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast_on_cluster.add()
    call = Connection.call

    def refused(connection: Connection, method: str, path: str, **values: Any) -> Json:
        if method == "DELETE":
            raise Forbidden(values["subject"])
        return call(connection, method, path, **values)

    with monkeypatch.context() as broken:
        broken.setattr(Connection, "call", refused)
        with pytest.raises(Forbidden):
            delete(cast_on_cluster)

    assert not DeletedRegistry.objects.exists()


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_what_cannot_be_read_is_deleted_without_an_undo(
    cast_on_cluster: Cast, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    uid = cast_on_cluster.add().uid
    call = Connection.call

    def unread(connection: Connection, asked: str, path: str, **values: Any) -> Json:
        if asked == method and path.endswith("/harbor-prod"):
            raise Forbidden(values["subject"])
        return call(connection, asked, path, **values)

    with monkeypatch.context() as broken:
        broken.setattr(Connection, "call", unread)
        access = cast_on_cluster.access("nina")
        undoable = services().registries.delete(access=access, key=KEY, uid=uid)

    assert undoable == (method != "GET")
    with pytest.raises(NotFound):
        services().store.get(KEY)
