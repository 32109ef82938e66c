"""The embedded store alone: namespaces, tombstones, seals, and documents that are read once."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from registries.domain.errors import AlreadyExists, Conflict, NotFound, Refused, Unavailable
from registries.domain.registry import Key, RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import encode_password, verification_annotations
from registries.models import StoreChange, StoredResource
from registries.stores import embedded
from registries.stores.embedded import EmbeddedStore
from registries.stores.room import Room
from registries.stores.sealing import Sealer
from tests.canary import CANARY
from tests.stores.test_store import KEY, make, same


def test_a_namespace_with_registries_in_it_stays(embedded_store: EmbeddedStore) -> None:
    created = embedded_store.create(make())

    with pytest.raises(Conflict, match="not_empty"):
        embedded_store.delete_namespace("team-a")
    embedded_store.delete(KEY, uid=created.uid)
    embedded_store.delete_namespace("team-a")

    assert embedded_store.changes(None).namespaces == {"team-b"}


def test_namespaces_are_told_when_they_change(embedded_store: EmbeddedStore) -> None:
    before = embedded_store.changes(None).version
    embedded_store.create_namespace("team-c")
    middle = embedded_store.changes(before)
    embedded_store.delete_namespace("team-c")

    assert middle.namespaces == {"team-a", "team-b", "team-c"}
    assert embedded_store.changes(middle.version).namespaces == {"team-a", "team-b"}


def test_a_namespace_is_created_once_and_deleted_once(embedded_store: EmbeddedStore) -> None:
    with pytest.raises(AlreadyExists):
        embedded_store.create_namespace("team-a")
    with pytest.raises(NotFound):
        embedded_store.delete_namespace("nowhere")


@pytest.mark.parametrize("too", ["old", "large"])
def test_an_index_that_is_behind_the_kept_changes_starts_over(
    embedded_store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, too: str
) -> None:
    monkeypatch.setattr(embedded, "PRUNED_EVERY", 1)
    first = embedded_store.create(make())
    before = embedded_store.changes(None).version
    embedded_store.delete(KEY, uid=first.uid)
    assert not embedded_store.changes(before).complete
    if too == "old":
        StoreChange.objects.update(at=timezone.now() - 2 * embedded.CHANGES_KEPT)
    else:
        monkeypatch.setattr(embedded, "CHANGES_BYTES", 1)
    middle = embedded_store.changes(before).version
    second = embedded_store.create(make(Key("team-a", "second")))

    changes = embedded_store.changes(before)

    assert changes.complete
    assert [it.uid for it in changes.upserted] == [second.uid]
    assert not embedded_store.changes(middle).complete
    assert StoreChange.objects.count() == 1


def test_the_log_of_changes_keeps_so_many_bytes(
    embedded_store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "CHANGES_BYTES", 400_000)
    created = embedded_store.create(make())
    for size in (100, 100_000, 3_000, 50_000) * 12:
        embedded_store.annotate(KEY, {"x": "y" * size}, uid=created.uid)

    kept = sum(len(body.encode()) for body in StoreChange.objects.values_list("body", flat=True))
    assert kept < 400_000 + embedded.PRUNED_EVERY * 100_000


@pytest.mark.django_db
def test_who_knows_more_than_a_restored_backup_starts_over(embedded_store: EmbeddedStore) -> None:
    created = embedded_store.create(make())

    changes = embedded_store.changes("999999")

    assert changes.complete
    [found] = changes.upserted
    assert same(found, created)


@pytest.mark.django_db
def test_the_database_holds_no_password_in_any_form(embedded_store: EmbeddedStore) -> None:
    embedded_store.create(make())

    row = StoredResource.objects.get(kind="RegistrySecret")

    for text in (CANARY, encode_password(CANARY)):
        assert text not in row.body
        assert text not in row.sealed_password


@pytest.mark.django_db
@pytest.mark.parametrize("moved", ["to another address", "to another resource"])
def test_a_password_that_somebody_moved_in_the_database_is_not_used(
    embedded_store: EmbeddedStore, moved: str
) -> None:
    created = embedded_store.create(make())
    row = StoredResource.objects.get(kind="RegistrySecret")
    if moved == "to another address":
        row.body = row.body.replace("harbor.example.com", "evil.example.com")
        row.save()
        key, owner = KEY, created.uid
    else:
        key = Key("team-a", "other")
        owner = embedded_store.create(make(key)).uid
        StoredResource.objects.filter(name="other").update(sealed_password=row.sealed_password)

    with pytest.raises(Unavailable, match="seal_broken"):
        embedded_store.credential(key, uid=owner)


@pytest.mark.django_db
def test_without_its_key_a_password_is_unavailable_and_says_so(embedded_store: EmbeddedStore) -> None:
    created = embedded_store.create(make())
    other = EmbeddedStore(Sealer(lambda: ["0" * 43 + "="]))

    with pytest.raises(Unavailable, match="key_missing"):
        other.credential(KEY, uid=created.uid)


def _edited(store: EmbeddedStore) -> RegistrySecret:
    return store.annotate(KEY, {"theriseunion.io/description": "new"}, uid=store.get(KEY).uid)


@pytest.mark.parametrize("write", [lambda store: store.create(make()), _edited])
def test_a_document_is_read_once_whoever_wants_it(
    embedded_store: EmbeddedStore, write: Callable[[EmbeddedStore], RegistrySecret]
) -> None:
    if write is _edited:
        embedded_store.create(make())
    before = embedded_store.changes(None).version

    written = write(embedded_store)

    assert embedded_store.get(KEY) is written
    assert embedded_store.get(KEY) is written
    [changed] = embedded_store.changes(before).upserted
    assert changed is written


@pytest.mark.django_db
def test_a_document_that_another_process_wrote_is_read_again(embedded_store: EmbeddedStore) -> None:
    embedded_store.create(make(description="old"))
    row = StoredResource.objects.get(kind="RegistrySecret")
    StoredResource.objects.update(body=row.body.replace('"old"', '"new"'))

    assert embedded_store.get(KEY).description == "new"


def test_a_dry_run_leaves_the_document_that_was_read_as_it_is(embedded_store: EmbeddedStore) -> None:
    created = embedded_store.create(make(description="old"))
    edit = {"theriseunion.io/description": "new"}

    rehearsed = embedded_store.annotate(KEY, edit, uid=created.uid, dry_run=True)

    assert (rehearsed.description, embedded_store.get(KEY).description) == ("new", "old")
    assert embedded_store.annotate(KEY, {}, uid=created.uid).description == "old"


def test_many_are_annotated_as_one_after_the_other(embedded_store: EmbeddedStore) -> None:
    given = {"theriseunion.io/display-name": "new", "x": "1", "theriseunion.io/description": None}
    places = [Key("team-b" if number % 3 else "team-a", f"n-{number}") for number in range(40)]
    created = {key: embedded_store.create(make(key)) for key in places}
    other = embedded_store.create(make(Key("team-a", "other")))
    gone = embedded_store.create(make(Key("team-a", "gone")))
    embedded_store.delete(gone.key, uid=gone.uid)
    before = str(embedded_store.changes(None).version)

    asked = [*((it.key, it.uid) for it in created.values()), (gone.key, gone.uid), (other.key, "another")]
    assert embedded_store.annotate_all(asked, given)

    changes = embedded_store.changes(before)
    versions = [int(it.registry.resource_version) for it in changes.events]
    assert versions == list(range(int(before) + 1, int(before) + 41)), "each has a version of its own"
    for now in changes.upserted:
        assert embedded_store.get(now.key) == now
        first = embedded_store.create(make(Key("team-a", f"one-{now.name}")))
        alone = embedded_store.annotate(first.key, given, uid=first.uid)
        assert (alone.display_name, alone.description, alone.generation) == (
            now.display_name,
            now.description,
            now.generation,
        )
        assert now.uid == created[now.key].uid
        assert embedded_store.credential(now.key, uid=now.uid).password == CANARY
    assert {it.key for it in changes.upserted} == set(places)
    assert embedded_store.get(other.key) == other


def test_a_verdict_on_many_is_none_on_another_password(embedded_store: EmbeddedStore) -> None:
    """It does not take the place of the verdict on that one."""
    first, changed = (embedded_store.create(make(Key("team-a", it))) for it in ("first", "changed"))
    changed = embedded_store.set_password(changed.key, "another-1", uid=changed.uid)
    verdict = Verification(VerifyStatus.SUCCESS, "ok", "", datetime(2026, 1, 1, tzinfo=UTC))
    places = [(it.key, it.uid) for it in (first, changed)]

    for generation, tested in ((changed.generation, [False, True]), ("1", [True, True])):
        assert embedded_store.annotate_all(places, verification_annotations(verdict, generation))
        found = [embedded_store.get(key).verification for key, _ in places]
        assert [it == verdict for it in found] == tested


def test_none_is_annotated_and_no_version_taken(embedded_store: EmbeddedStore) -> None:
    before = embedded_store.changes(None).version

    assert embedded_store.annotate_all([(KEY, "another")], {"x": "1"})
    assert embedded_store.changes(None).version == before


def test_chinese_text_counts_with_all_its_bytes(embedded_store: EmbeddedStore) -> None:
    embedded_store._room = Room(mib=1)
    much = {"example.com/x": "字" * 80_000}
    for number in range(4):
        embedded_store.create(make(Key("team-a", f"fat-{number}"), annotations=much))

    for dry_run in (True, False):
        with pytest.raises(Refused, match="namespace_full"):
            embedded_store.create(make(Key("team-a", "third"), annotations=much), dry_run=dry_run)
    little = {"example.com/x": "字" * 20_000}
    embedded_store.create(make(annotations=little), dry_run=True)
    embedded_store.create(make(annotations=little))
