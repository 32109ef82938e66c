"""A store on a cluster that was used before the process forked: it follows in the child as well, with threads, locks
and sockets of the child's own."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from registries.cluster import paths, personal
from registries.cluster.configuration import configuration
from registries.cluster.connection import Connection
from registries.cluster.credential import LoginCredential
from registries.cluster.personal import Person
from registries.cluster.reviews import may
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.query import Criteria
from registries.domain.registry import Draft, Key, Provider
from registries.index.search import Index
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.canary import CANARY
from tests.cluster.test_pages import configured
from tests.peers.api_server import ApiServer
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.forked import Child
from tests.peers.scripted import wait_for

OLIVE = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
CALLS = 60


@pytest.fixture
def empty(cluster: Cluster) -> Cluster:
    cluster.empty("team-a")
    return cluster


@pytest.fixture
def store(empty: Cluster) -> Iterator[KubernetesStore]:
    with empty.store() as store:
        yield store


def make(name: str) -> Draft:
    return Draft(Key("team-a", name), "h.example.com", "u", Provider.OTHER, CANARY)


def names(index: Index) -> list[str]:
    return [it.name for it in index.matching(OLIVE, Criteria())]


def seen(index: Index, *expected: str) -> list[str]:
    """What is listed, once it is that or a while has passed."""
    wait_for(lambda: names(index) == list(expected))
    return names(index)


def test_both_processes_see_what_happens_after_the_fork(store: KubernetesStore, empty: Cluster) -> None:
    index = Index(store, lambda: datetime.now(UTC))
    created = store.create(make("before"))
    assert names(index) == ["before"]

    def child() -> list[list[str]]:
        first = seen(index, "before")
        empty.apply("team-a", "applied", password=CANARY)
        second = seen(index, "applied", "before")
        store.delete(Key("team-a", "before"), uid=created.uid)
        return [first, second, names(index)]

    assert Child(child).result() == [["before"], ["applied", "before"], ["applied"]]
    assert seen(index, "applied") == ["applied"]


def test_what_somebody_writes_in_the_child_is_seen_there_at_once(
    store: KubernetesStore, empty: Cluster
) -> None:
    """Whether the store of somebody was taken before the fork or after it."""
    index = Index(store, lambda: datetime.now(UTC))
    person = Person(target_of(empty), 1, lambda: LoginCredential(token="admin-token"), lambda _: None)
    before = store.acting_as(person)
    assert names(index) == []

    def child() -> list[str]:
        before.create(make("one"))
        store.acting_as(person).create(make("two"))
        return names(index) + names(Index(before, lambda: datetime.now(UTC)))

    assert Child(child).result() == ["one", "two"] * 2


def test_a_lock_that_was_held_holds_nobody_up(store: KubernetesStore, empty: Cluster) -> None:
    people = target_of(empty)
    known = store.changes(None).version
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store._follower.here().cache._changed, people._lock.here():
            held.set()
            done.wait(60)

    threading.Thread(target=hold, daemon=True).start()
    assert held.wait(60)
    child = Child(lambda: [store.changes(known).complete, people.forget(LoginCredential(token="x"))])
    done.set()

    assert child.result()[0], "a version of the parent's means nothing to the child"


def target_of(cluster: Cluster) -> personal.ApiServer:
    found = configuration(cluster.server.kubeconfig("console"))
    return personal.ApiServer(found, Connection(found))


def test_an_open_connection_is_not_shared(empty: Cluster) -> None:
    connection = empty.connection()

    def ask() -> set[str]:
        answers = (connection.call("GET", paths.NAMESPACES, subject="x") for _ in range(CALLS))
        return {str(it["kind"]) for it in answers}

    assert ask() == {"NamespaceList"}
    children = [Child(lambda: list(ask())) for _ in range(2)]

    assert ask() == {"NamespaceList"}
    assert [child.result() for child in children] == [["NamespaceList"]] * 2


def test_peoples_connections_are_the_same_people_in_the_child(empty: Cluster) -> None:
    """Tokens go over the same sockets as in the parent; a certificate, which came in no file, is still shown."""
    if not isinstance(empty.server, ApiServer):
        pytest.skip("the given cluster knows one user only")
    cable = Cable(empty.server.port)
    found = configuration(empty.server.kubeconfig("console", port=cable.port))
    people = personal.ApiServer(found, Connection(found))
    pair = empty.server.client_authority.issue(common_name="vic")
    shown = LoginCredential(certificate=pair.certificate_file.read_text(), key=pair.key_file.read_text())
    tokens = [LoginCredential(token="admin-token") for _ in range(2)]
    connections = [people.connection(it) for it in (*tokens, shown)]

    def ask() -> int:
        for connection in connections:
            may(connection, "list", "")  # who is not known is not answered
        return cable.taken

    assert ask() == 2
    assert Child(lambda: ask() and "asked").result() == "asked"
    assert cable.taken == 4
    cable.close()


@pytest.fixture
def console(empty: Cluster, settings: Any) -> Iterator[Cluster]:
    """One that keeps pull secrets, with one thread for tests."""
    settings.PULL_SECRETS = True
    settings.TEST_THREADS = 1
    settings.KUBE_NAMESPACE = "registry-console"
    empty.server.create_namespace(settings.KUBE_NAMESPACE)
    yield from configured(empty, settings)


def test_everything_else_that_was_built_is_built_again_in_the_child(console: Cluster) -> None:
    assert names(services().index) == []
    done = threading.Event()
    services().test_threads.submit(done.set)
    assert done.wait(60)

    def child() -> list[Any]:
        over = threading.Event()
        services().test_threads.submit(over.set)
        console.apply("team-a", "applied", password=CANARY)
        return [over.wait(60), seen(services().index, "applied")]

    assert Child(child).result() == [True, ["applied"]]


def test_of_parent_and_child_one_keeps_the_pull_secrets(console: Cluster) -> None:
    store = services().store
    assert isinstance(store, KubernetesStore)

    def holds() -> bool:
        reconciler = store._follower.here()._reconciler
        assert reconciler is not None
        return reconciler._lease.hold()

    assert wait_for(holds)
    assert Child(holds).result() is False
