"""The contract of every store about changes: what it tells of them, in which order, and when."""

import time

from registries.domain.registry import Key
from registries.domain.resource import encode_password
from registries.stores.base import Store
from tests.canary import CANARY
from tests.peers.scripted import wait_for
from tests.stores.test_store import KEY, make, same, shown


def test_changes_begin_with_everything(store: Store) -> None:
    created = store.create(make())

    changes = store.changes(None)

    assert changes.complete
    [found] = changes.upserted
    assert same(found, created)
    assert changes.namespaces is not None
    assert changes.namespaces >= {"team-a", "team-b"}


def test_a_deletion_has_a_version_too(store: Store) -> None:
    """On a cluster it comes with the event of the watch."""
    kept, gone = store.create(make()), store.create(make(Key("team-a", "gone")))
    before = store.changes(None)
    assert before.mark >= int(gone.resource_version) > int(kept.resource_version)

    store.delete(Key("team-a", "gone"), uid=gone.uid)

    assert wait_for(lambda: store.changes(before.version).mark > before.mark)
    assert store.changes(store.changes(None).version).mark > before.mark


def test_changes_are_what_happened_since(store: Store) -> None:
    kept, gone = store.create(make()), store.create(make(Key("team-a", "gone")))
    before = store.changes(None).version
    changed = store.annotate(KEY, {"x": "1"}, uid=kept.uid)
    store.delete(Key("team-a", "gone"), uid=gone.uid)

    changes = store.changes(before)

    assert not changes.complete
    [found] = changes.upserted
    assert same(found, changed)
    assert [(it.key, it.uid) for it in changes.removed] == [(Key("team-a", "gone"), gone.uid)]
    assert changes.namespaces is None
    assert store.changes(changes.version).upserted == ()


def test_every_single_change_is_in_order(store: Store) -> None:
    before = store.changes(None).version
    written = [store.create(make())]
    for number in range(5):
        written.append(store.annotate(KEY, {"x": str(number)}, uid=written[0].uid))
    store.delete(KEY, uid=written[0].uid)
    written.append(store.create(make()))
    assert wait_for(lambda: len(store.changes(before).events) == 8)

    events = store.changes(before).events

    assert [it.type.value for it in events] == ["ADDED", *["MODIFIED"] * 5, "DELETED", "ADDED"]
    gone = events.index(next(it for it in events if it.type == "DELETED"))
    states = [it.registry for it in (*events[:gone], *events[gone + 1 :])]
    assert all(same(*pair) for pair in zip(states, written, strict=True))
    versions = [int(it.registry.resource_version) for it in events]
    assert versions == sorted(set(versions))
    last = shown(events[gone].registry)
    assert last["metadata"]["annotations"]["x"] == "4"
    assert last["metadata"]["resourceVersion"] == events[gone].registry.resource_version


def test_a_wait_ends_with_the_next_change(store: Store) -> None:
    before = store.changes(None).version
    begun = time.monotonic()
    store.wait(before, 0.05)
    assert time.monotonic() - begun >= 0.05

    store.create(make())

    store.wait(before, 600)
    assert store.changes(before).upserted


def test_changes_hold_no_password(store: Store) -> None:
    store.create(make())

    told = str(store.changes(None))

    assert CANARY not in told
    assert encode_password(CANARY) not in told


def test_a_name_that_was_deleted_and_taken_again_shows_the_new_one(store: Store) -> None:
    old = store.create(make())
    before = store.changes(None).version
    store.delete(KEY, uid=old.uid)
    new = store.create(make(display_name="new"))

    [found] = store.changes(before).upserted
    assert same(found, new)


def test_a_store_that_answers_is_fresh(store: Store) -> None:
    store.changes(None)

    assert not store.freshness().problem
