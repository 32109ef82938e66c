"""Kubernetes Events: what the console does to a registry is on the registry, once, and costs the change nothing."""

import logging
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from registries.cluster.configuration import configuration
from registries.cluster.connection import Connection, Timeouts
from registries.cluster.paths import events_in
from registries.domain.registry import Draft, Key, Provider, RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import information_annotations, verification_annotations
from registries.probe.reason import Reason
from registries.stores.cluster import events
from registries.stores.cluster.events import Events, _sentence
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.command import LONG, ROOT
from tests.peers.scripted import wait_for
from tests.peers.silent import SilentServers

KEY = Key("team-a", "harbor-prod")
SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
FAILS = "The connection test failed: Wrong user name or password"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end everything is written, however busy the machine is."""
    monkeypatch.setattr(events, "LAST", float(LONG))


@pytest.fixture
def empty(cluster: Cluster) -> Cluster:
    cluster.empty("team-a", "team-b")
    for namespace in ("team-a", "team-b"):
        cluster.server.call("DELETE", events_in(namespace))
    return cluster


@pytest.fixture
def store(empty: Cluster) -> Iterator[KubernetesStore]:
    with empty.store() as store:
        store.changes(None)
        yield store


def make(key: Key = KEY) -> Draft:
    return Draft(key, "harbor.example.com", "robot$ci", Provider.OTHER, CANARY)


def test_with(store: KubernetesStore, registry: RegistrySecret, reason: Reason, **values: Any) -> None:
    status = VerifyStatus.SUCCESS if reason.ok else VerifyStatus.FAILED
    verdict = Verification(status, reason.value, f"words of a server, {CANARY}"[:16], datetime.now(UTC))
    store.annotate(registry.key, verification_annotations(verdict), uid=registry.uid, **values)


test_with.__test__ = False  # type: ignore[attr-defined]


def edit(store: KubernetesStore, registry: RegistrySecret, **fields: str) -> None:
    store.annotate(registry.key, information_annotations(fields), uid=registry.uid)


def on(cluster: Cluster, namespace: str = "team-a") -> list[dict[str, Any]]:
    """The Events of a namespace."""
    items = cluster.server.call("GET", events_in(namespace)).body["items"]
    return sorted(items, key=lambda it: (it["firstTimestamp"], it["action"], it["message"]))


def said(cluster: Cluster) -> list[tuple[str, str, str, int]]:
    found = [(it["action"], it["message"], it["type"], it["count"]) for it in on(cluster)]
    return sorted(found)


def test_every_change_leaves_one(store: KubernetesStore, empty: Cluster) -> None:
    made = store.create(make())
    edit(store, made, display_name="主仓库", description="text")
    store.set_password(KEY, f"{CANARY}-2", uid=made.uid)
    test_with(store, made, Reason.BAD_CREDENTIALS)
    test_with(store, made, Reason.OK_UNVERIFIED)
    test_with(store, made, Reason.OK)
    store.delete(KEY, uid=made.uid)
    store.stop()

    passed = "The connection test passed"
    unproven = f"{passed}: Connected, but the registry does not check credentials."
    assert said(empty) == [
        ("ChangePassword", "The password was changed.", "Normal", 1),
        ("Create", "Created.", "Normal", 1),
        ("Delete", "Deleted.", "Normal", 1),
        ("Edit", "Edited: display name, description.", "Normal", 1),
        ("Test", f"{FAILS}.", "Warning", 1),
        ("Test", f"{passed}.", "Normal", 1),
        ("Test", unproven, "Normal", 1),
    ]
    for it in on(empty):
        assert it["reason"] == "ImageManagement"
        assert it["reportingComponent"] == it["source"]["component"] == "registry-console"
        assert it["involvedObject"] == {
            "apiVersion": "image.theriseunion.io/v1alpha1",
            "kind": "RegistrySecret",
            "namespace": "team-a",
            "name": "harbor-prod",
            "uid": made.uid,
        }
        assert CANARY[:8] not in str(it)
        assert "words of" not in str(it), "a text of a server"
        assert "主仓库" not in str(it), "a value"


def test_what_changes_nothing_leaves_none(store: KubernetesStore, empty: Cluster) -> None:
    store.create(make(), dry_run=True)
    made = store.create(make())
    for _ in range(3):
        test_with(store, made, Reason.TIMEOUT)
    test_with(store, made, Reason.OK, dry_run=True)
    store.annotate(KEY, information_annotations({"owner": "x"}), uid=made.uid, dry_run=True)
    store.set_password(KEY, CANARY, uid=made.uid, dry_run=True)
    store.delete(KEY, uid=made.uid, dry_run=True)
    empty.annotate("team-a", "harbor-prod", {"theriseunion.io/display-name": "by kubectl"})
    store.stop()

    assert said(empty) == [
        ("Create", "Created.", "Normal", 1),
        ("Test", "The connection test failed: Timed out.", "Warning", 1),
    ]


def test_what_repeats_is_counted_over_processes(
    store: KubernetesStore, empty: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store.create(make())
    with empty.store() as other:
        other.changes(None)
        for number in range(4):
            for one in (store, other):
                edit(one, made, owner=f"{one is store}-{number}")
        assert wait_for(lambda: sum(it["count"] for it in on(empty)) == 9)
        later = datetime.now(UTC) + timedelta(minutes=1)
        monkeypatch.setattr(events, "datetime", SimpleNamespace(now=lambda zone: later))
        edit(other, made, owner="last")
    store.stop()

    assert said(empty)[1] == ("Edit", "Edited: owner.", "Normal", 9)
    edited = next(it for it in on(empty) if it["action"] == "Edit")
    assert edited["firstTimestamp"] < edited["lastTimestamp"]
    assert len(on(empty)) == 2


def test_a_registry_of_any_name_has_one(store: KubernetesStore, empty: Cluster) -> None:
    names = ["a" * 253, "b" * 199 + ".c", "d" * 199 + "-e", "x.y-z", "0"]
    for name in names:
        store.create(make(Key("team-a", name)))
    store.stop()

    assert {it["involvedObject"]["name"] for it in on(empty)} == set(names)
    assert all(re.fullmatch(SUBDOMAIN, it["metadata"]["name"]) for it in on(empty))


def test_many_at_once_are_all_written_at_the_end(store: KubernetesStore, empty: Cluster) -> None:
    for number in range(40):
        store.create(make(Key("team-a", f"r-{number}")))
    store.stop()

    assert len(on(empty)) == 40


def test_what_waits_is_counted(empty: Cluster) -> None:
    notes = Events(empty.connection("console"))
    for _ in range(500):
        notes.deleted(KEY, "uid", held=False)
    notes.stop()

    assert said(empty) == [("Delete", "Deleted.", "Normal", 500)]


def test_a_process_that_ends_writes_what_waits(empty: Cluster) -> None:
    """Such as `manage.py verify`."""
    empty.server.create_namespace("team-a")
    script = (
        "import sys; from registries.cluster.configuration import configuration;"
        "from registries.cluster.connection import Connection;"
        "from registries.domain.registry import Key; from registries.stores.cluster import events;"
        "events.LAST = 60.0; it = events.Events(Connection(configuration(sys.argv[1])));"
        "[it.deleted(Key('team-a', f'r-{n}'), f'uid-{n}', held=n % 2) for n in range(10)]"
    )
    kubeconfig = str(empty.server.kubeconfig("console"))
    subprocess.run([sys.executable, "-c", script, kubeconfig], cwd=ROOT, check=True, timeout=LONG)

    held = "Marked for deletion. A finalizer keeps it for now."
    assert [it[1] for it in said(empty)] == ["Deleted."] * 5 + [held] * 5


def test_without_the_right_nothing_fails_and_the_log_has_one_line(
    empty: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    if not isinstance(empty.server, ApiServer):
        pytest.skip("the given cluster knows one user only")
    caplog.set_level(logging.INFO, "registries")
    asked: list[str] = []
    connection = empty.connection("stranger")
    real = connection.call

    def call(method: str, path: str, **values: Any) -> Any:
        asked.append(path)
        return real(method, path, **values)

    connection.call = call  # type: ignore[method-assign]
    notes = Events(connection)
    for number in range(30):
        notes.deleted(Key(f"team-{'ab'[number % 2]}", f"r-{number}"), f"uid-{number}", held=False)
    notes.stop()

    assert sorted(asked) == [events_in("team-a"), events_in("team-b")], "each namespace is asked once"
    [line] = [it.getMessage() for it in caplog.records if it.name.startswith("registries")]
    assert line == "no Kubernetes Event was written in the namespace team-a: cluster_forbidden"


def test_a_namespace_that_is_being_deleted_is_no_problem(
    empty: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    if not isinstance(empty.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    empty.server.create_namespace("team-gone")
    empty.server.call("DELETE", "/api/v1/namespaces/team-gone")
    notes = Events(empty.connection("console"))
    notes.deleted(Key("team-gone", "r"), "uid", held=False)
    notes.stop()

    assert [it for it in caplog.records if it.name == events.__name__] == []
    empty.server.finalize_namespace("team-gone")


def test_a_server_that_does_not_answer_delays_no_change(
    empty: Cluster, silent_servers: SilentServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LAST", 0.1)
    monkeypatch.setattr(events, "READ", float(LONG))
    [silent] = silent_servers(1)
    given = configuration(empty.server.kubeconfig("console", port=int(silent.rpartition(":")[2])))
    notes = Events(Connection(given, Timeouts(connect=LONG, read=LONG)))
    begun = time.monotonic()
    for number in range(5_000):
        notes.deleted(Key("team-a", f"r-{number}"), f"uid-{number}", held=False)
    waiting = len(notes._waiting)
    notes.stop()

    assert time.monotonic() - begun < LONG / 2, "the server is silent for longer"
    assert events.WAITING - 1 <= waiting <= events.WAITING
    assert not notes._waiting


def test_every_reason_has_a_sentence_of_our_own() -> None:
    texts = [_sentence(it.value) for it in Reason]

    assert all(text and "{" not in text and "…" not in text and len(text) < 200 for text in texts)
    assert _sentence(Reason.RATE_LIMITED.value) == "rate_limited"


@pytest.mark.parametrize("over", ["QUIET", "BUSY"])
def test_many_changes_go_before_their_events(
    empty: Cluster, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    """Until there is no change any more, but not for ever."""
    monkeypatch.setattr(events, "MANY", 2)
    monkeypatch.setattr(events, "QUIET", 600.0)
    monkeypatch.setattr(events, "BUSY", 600.0)
    with empty.store() as store:
        registries = [store.create(make(Key("team-a", f"r-{number}")), dry_run=True) for number in range(12)]
    writing = Events(empty.connection("console"))
    try:
        with writing._changed:  # all of them come before the first is written
            for it in registries:
                writing.created(it)

        def number() -> int:
            return len(empty.server.call("GET", events_in("team-a")).body["items"])

        assert not wait_for(lambda: number() > 0, 0.5)
        monkeypatch.setattr(events, over, 0.0)  # this time is over
        with writing._changed:
            writing._changed.notify_all()
        assert wait_for(lambda: number() == len(registries))
    finally:
        writing.stop()
