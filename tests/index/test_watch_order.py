"""A watch tells every change in order: random histories of several writers, and clients of two replicas that start
anywhere, read slowly, break off and continue. What each of them received must be the history after its start.

For the embedded store, the history is what the writers wrote. For a cluster, it is the API server's own watch.
"""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from django.conf import settings

from registries.api.watch import Follower
from registries.cluster import paths
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.errors import AlreadyExists, Conflict, NotFound
from registries.domain.query import Criteria
from registries.domain.reading import to_domain
from registries.domain.registry import Draft, Key, Provider, RegistrySecret
from registries.index.search import Index
from registries.stores.base import Changes, Store
from registries.stores.embedded import EmbeddedStore
from registries.stores.sealing import Sealer
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.command import LONG
from tests.stores.test_concurrency import together

pytestmark = pytest.mark.django_db(transaction=True)
OLIVE = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
NAMESPACES = ("team-a", "team-b")
LAST = "zz-last"
Event = tuple[str, int, dict[str, Any]]
"""Type, version and document."""


Client = tuple[str, int, list[Event]]
"""The namespace that a client watches, or ""; the version after which it starts; and what it received."""


@dataclass
class Written:
    """What the writers of a history know of it: documents by version, and the uids of what they deleted."""

    documents: dict[int, bytes] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def note(self, registry: RegistrySecret) -> RegistrySecret:
        self.documents[int(registry.resource_version)] = registry.document
        return registry


def write(store: Store, seed: int, steps: int, written: Written) -> None:
    """Few names, so that writers meet. Sometimes without a pause, sometimes with one."""
    rng = random.Random(seed)
    for _ in range(steps):
        key = Key(rng.choice(NAMESPACES), rng.choice("abc"))
        title = str(rng.random())
        try:
            try:
                it = written.note(
                    store.create(Draft(key, "h.example.com", "u", Provider.OTHER, "p", display_name=title))
                )
            except AlreadyExists:
                it = store.get(key)
            for number in range(rng.choice((0, 1, 5))):
                it = written.note(store.annotate(key, {"x": f"{title} {number}"}, uid=it.uid))
            if rng.random() < 0.7:
                store.delete(key, uid=it.uid)
                written.deleted.append(it.uid)
        except (NotFound, Conflict):
            pass
        time.sleep(rng.choice((0, 0, 0.01)))


def read(line: bytes) -> Event:
    event = json.loads(line)
    assert event["type"] != "ERROR", event
    return event["type"], int(event["object"]["metadata"]["resourceVersion"]), event["object"]


def follow(indexes: list[Index], rng: random.Random, namespace: str, since: int, seen: list[Event]) -> None:
    """Reads until the last registry is there; breaks off at random, and continues at any replica."""
    while not (seen and seen[-1][2]["metadata"]["name"] == LAST):
        since = seen[-1][1] if seen else since
        stay, begun = rng.choice((1, 3, 10**6)), len(seen)
        lines = Follower(rng.choice(indexes), OLIVE, lambda: OLIVE, Criteria(namespace), LONG, False).lines(
            str(since), lambda: False
        )
        for piece in lines:
            seen += map(read, piece.splitlines())
            if len(seen) - begun >= stay or (seen and seen[-1][2]["metadata"]["name"] == LAST):
                break
            time.sleep(rng.choice((0, 0, 0, 0.1)))


def run(stores: list[Store], seed: int, begin: int, *writers: Callable[[], None]) -> list[Client]:
    """One history. Returns what each client received. The first client begins with the history and sees everything."""
    indexes = [Index(store, lambda: datetime.now(UTC)) for store in stores]
    for index in indexes:
        index.fresh()
    last = Draft(Key("team-a", LAST), "h.example.com", "u", Provider.OTHER, "p")
    finished = threading.Barrier(len(writers), action=lambda: stores[0].create(last) and None)
    clients: list[Client] = []

    def writing(work: Callable[[], None]) -> Callable[[], None]:
        def then() -> None:
            try:
                work()
            finally:
                finished.wait(LONG)

        return then

    def watching(number: int) -> Callable[[], None]:
        def work() -> None:
            rng = random.Random(seed * 100 + number)
            namespace, since = "", begin
            if number:
                namespace = rng.choice(("", "team-a"))
                time.sleep(rng.choice((0, 0.05, 0.3)))
                if rng.random() < 0.5:
                    since = int(rng.choice(indexes).listing(OLIVE, Criteria(), 0, 1).version)
            seen: list[Event] = []
            clients.append((namespace, since, seen))
            follow(indexes, rng, namespace, since, seen)

        return work

    together(*(watching(number) for number in range(6)), *map(writing, writers))
    return clients


def assert_each_got_its_part(clients: list[Client], whole: list[Event]) -> None:
    for namespace, since, seen in clients:
        there = (it for it in whole if it[1] > since)
        assert seen == [it for it in there if not namespace or it[2]["metadata"]["namespace"] == namespace]


@pytest.mark.parametrize("seed", range(4))
def test_clients_of_the_embedded_store_get_the_history_that_the_writers_wrote(seed: int) -> None:
    sealer = Sealer(settings.PASSWORD_KEYS)
    stores: list[Store] = [EmbeddedStore(sealer), EmbeddedStore(sealer)]
    for name in NAMESPACES:
        stores[0].create_namespace(name)
    begin, written = stores[0].changes(None).mark, Written()

    clients = run(
        stores,
        seed,
        begin,
        *(partial(write, stores[number % 2], seed * 100 + number, 12, written) for number in range(3)),
    )

    whole = max((seen for _, since, seen in clients if since == begin), key=len)
    assert [version for _, version, _ in whole] == list(range(begin + 1, begin + 1 + len(whole)))
    states: dict[str, dict[str, Any]] = {}
    deleted = []
    for kind, version, document in whole[:-1]:
        uid = document["metadata"]["uid"]
        if kind == "DELETED":
            deleted.append(uid)
            states[uid]["metadata"]["resourceVersion"] = str(version)
            assert document == states[uid]
        else:
            assert (kind == "ADDED") == (uid not in states)
            states[uid] = json.loads(written.documents.pop(version))
            assert document == states[uid]
    assert written.documents == {}
    assert sorted(deleted) == sorted(written.deleted)
    assert len(deleted) > 5
    assert_each_got_its_part(clients, whole)


def test_clients_of_a_cluster_get_the_history_of_the_api_server_kubernetes(cluster: Cluster) -> None:
    """The writers are two replicas and kubectl."""
    cluster.empty(*NAMESPACES)
    begin = int(cluster.server.call("GET", paths.EVERYWHERE).body["metadata"]["resourceVersion"])
    whole: list[Event] = []
    with cluster.store() as one, cluster.store() as two:

        def kubectl() -> None:
            rng = random.Random(7)
            for number in range(40):
                path = cluster.path(rng.choice(NAMESPACES), rng.choice("abc"))
                note = {"metadata": {"annotations": {"kubectl": str(number)}}}
                cluster.server.call("PATCH", path, note, kind=MERGE_PATCH)
                if rng.random() < 0.2:
                    cluster.server.call("DELETE", path)

        def oracle() -> None:
            query = {"watch": "1", "resourceVersion": str(begin), "timeoutSeconds": "300"}
            watch = cluster.connection().watch(
                paths.EVERYWHERE, subject="oracle", query=query, stop=threading.Event()
            )
            for event in watch:
                item = event["object"]
                document = json.loads(to_domain(item).document)
                whole.append((event["type"], int(item["metadata"]["resourceVersion"]), document))
                if item["metadata"]["name"] == LAST:
                    return

        watching = threading.Thread(target=oracle)
        watching.start()
        writers = [partial(write, store, number, 12, Written()) for number, store in enumerate((one, two))]
        clients = run([one, two], 1, begin, *writers, kubectl)
        watching.join(LONG)

    assert len(whole) > 60
    assert_each_got_its_part(clients, whole)


class Behind(EmbeddedStore):
    """A replica that has not heard of the last writes yet."""

    behind = False

    def changes(self, since: str | None) -> Changes:
        return Changes(since or "", complete=False) if self.behind else super().changes(since)

    def reached(self, version: int) -> bool:
        return True


def test_a_client_of_a_replica_that_is_ahead_gets_nothing_twice() -> None:
    store = Behind(Sealer(settings.PASSWORD_KEYS))
    store.create_namespace("team-a")
    index = Index(store, lambda: datetime.now(UTC))
    index.fresh()
    store.behind = True
    versions = [
        store.create(Draft(Key("team-a", name), "h.example.com", "u", Provider.OTHER, "p")).resource_version
        for name in "abc"
    ]

    def catch_up() -> bool:
        store.behind = False
        return False

    lines = Follower(index, OLIVE, lambda: OLIVE, Criteria(), LONG, False).lines(versions[1], catch_up)

    assert next(lines) == b""
    assert [read(line)[2]["metadata"]["name"] for line in next(lines).splitlines()] == ["c"]
