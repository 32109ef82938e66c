"""Many write at once: nothing is lost, nobody overwrites somebody else, and who follows misses nothing."""

import json
import threading
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connections

from registries.domain.errors import AlreadyExists, Conflict
from registries.domain.registry import Draft, Key, Provider
from registries.index.snapshot import Snapshot
from registries.stores import embedded_reads
from registries.stores.embedded import EmbeddedStore
from registries.stores.sealing import Sealer

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 6


@pytest.fixture
def store() -> EmbeddedStore:
    store = EmbeddedStore(Sealer(settings.PASSWORD_KEYS))
    store.create_namespace("team-a")
    return store


def make(name: str) -> Draft:
    return Draft(Key("team-a", name), "h.example.com", "u", Provider.OTHER, "p")


def together(*works: Callable[[], None]) -> None:
    """Run at the same time, each with a connection of its own; what fails is raised here."""
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001  raised by whoever waits
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    if failures:
        raise failures[0]


def test_of_many_who_take_a_name_one_gets_it(store: EmbeddedStore) -> None:
    outcomes: list[str] = []

    def take() -> None:
        try:
            store.create(make("wanted"))
            outcomes.append("created")
        except AlreadyExists:
            outcomes.append("taken")

    together(*[take] * THREADS)

    assert sorted(outcomes) == ["created", *["taken"] * (THREADS - 1)]


def test_of_many_who_edit_the_same_version_one_wins_and_the_others_are_told(store: EmbeddedStore) -> None:
    created = store.create(make("a"))
    outcomes: list[str] = []

    def edit() -> None:
        try:
            version = created.resource_version
            store.annotate(created.key, {"x": "y"}, uid=created.uid, resource_version=version)
            outcomes.append("saved")
        except Conflict:
            outcomes.append("told")

    together(*[edit] * THREADS)

    assert sorted(outcomes) == ["saved", *["told"] * (THREADS - 1)]


def test_annotations_of_many_are_all_there(store: EmbeddedStore) -> None:
    uid = store.create(make("a")).uid

    def note(number: int) -> Callable[[], None]:
        return lambda: (
            [store.annotate(Key("team-a", "a"), {f"n{number}": "1"}, uid=uid) for _ in range(5)] and None
        )

    together(*(note(number) for number in range(THREADS)))

    notes = json.loads(store.get(Key("team-a", "a")).document)["metadata"]["annotations"]
    assert {f"n{number}" for number in range(THREADS)} <= set(notes)


def test_who_follows_the_changes_ends_with_what_is_there(store: EmbeddedStore) -> None:
    stop = threading.Event()
    finished: list[str] = []
    followed = Snapshot(None, frozenset(), {})

    def follow() -> None:
        nonlocal followed
        last_round = False
        while not last_round:
            last_round = stop.is_set()
            changes = store.changes(followed.version)
            if changes.version != followed.version:
                followed = followed.after(changes)

    def write(number: int) -> Callable[[], None]:
        def work() -> None:
            try:
                for step in range(12):
                    created = store.create(make(f"r{number}-{step}"))
                    store.annotate(created.key, {"step": str(step)}, uid=created.uid)
                    if step % 3 == 0:
                        store.delete(created.key, uid=created.uid)
            finally:  # or who follows would do so for ever when one of them fails
                finished.append("done")
                if len(finished) == THREADS:
                    stop.set()

        return work

    together(follow, *(write(number) for number in range(THREADS)))

    everything = Snapshot(None, frozenset(), {}).after(store.changes(None))
    assert followed.keys_by_uid == everything.keys_by_uid
    assert [it for bucket in followed.buckets.values() for it in bucket.items] == [
        it for bucket in everything.buckets.values() for it in bucket.items
    ]
    assert len(followed.keys_by_uid) == THREADS * 8


WRITES: dict[str, Callable[[EmbeddedStore, Key, str], object]] = {
    "create": lambda store, key, uid: store.create(make("another")),
    "annotate": lambda store, key, uid: store.annotate(key, {"x": "1"}, uid=uid),
    "annotate many": lambda store, key, uid: store.annotate_all([(key, uid)], {"x": "1"}),
    "delete": lambda store, key, uid: store.delete(key, uid=uid),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_waits_hears_of_a_write_at_once(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, write: Callable[[EmbeddedStore, Key, str], object]
) -> None:
    """Not only at the next look for writes of other processes."""
    created = store.create(make("one"))
    before = store.changes(None).version
    monkeypatch.setattr(embedded_reads, "POLL", 30)
    asleep, took = threading.Event(), list[float]()

    def wait() -> None:
        store.wait(None, 0.01)  # the look of this moment
        begun = time.monotonic()
        asleep.set()
        store.wait(before, 60)
        took.append(time.monotonic() - begun)

    def work() -> None:
        assert asleep.wait(100)
        time.sleep(0.2)
        write(store, created.key, created.uid)

    together(wait, work)

    assert 0.1 < took[0] < 20


def test_one_of_many_who_wait_looks_for_writes_of_others(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest sleeps: each thread that wakes up takes the interpreter from a request."""
    before, sleeps, sleep = store.changes(None).version, list[float](), threading.Condition.wait

    def counted(condition: threading.Condition, timeout: float | None = None) -> bool:
        sleeps.append(timeout or 0)
        return sleep(condition, timeout)

    monkeypatch.setattr(threading.Condition, "wait", counted)
    together(*[lambda: store.wait(before, 20 * embedded_reads.POLL)] * THREADS)

    assert 2 < len(sleeps) < 20 + 4 * THREADS


def test_another_one_looks_when_the_first_one_leaves(store: EmbeddedStore) -> None:
    other = EmbeddedStore(Sealer(settings.PASSWORD_KEYS))  # as of another process
    before, first_left = store.changes(None).version, threading.Event()

    def first() -> None:
        store.wait(before, 0.1)
        first_left.set()

    def next_one() -> None:
        time.sleep(0.05)
        begun = time.monotonic()
        store.wait(before, 60)
        assert time.monotonic() - begun < 20

    def write() -> None:
        assert first_left.wait(100)
        other.create(make("one"))

    together(first, next_one, next_one, write)
