"""The contract of every store (stores/base.py)."""

from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from registries.domain import Draft, Key, Provider
from registries.errors import AlreadyExists, Conflict, NotFound, Unavailable
from registries.models import StoredResource, Tombstone
from registries.resource import encode_password, new_resource
from registries.sealing import Sealer
from registries.stores import embedded
from registries.stores.base import Store
from registries.stores.embedded import EmbeddedStore
from tests.canary import CANARY

KEY = Key("team-a", "harbor-prod")


@pytest.fixture
def store(db: None) -> Store:
    store = EmbeddedStore(Sealer(settings.PASSWORD_KEYS))
    store.create_namespace("team-a")
    return store


def make(key: Key = KEY, **values: Any) -> dict[str, Any]:
    draft = Draft(
        key, "harbor.example.com", "admin", Provider.HARBOR, values.pop("password", CANARY), **values
    )
    return new_resource(draft)


def uid(resource: dict[str, Any]) -> str:
    return str(resource["metadata"]["uid"])


def version(resource: dict[str, Any]) -> str:
    return str(resource["metadata"]["resourceVersion"])


def test_create_gives_an_identity_and_keeps_what_was_given(store: Store) -> None:
    created = store.create(make(display_name="生产"))

    read = store.get(KEY)

    assert read == created
    assert len(uid(read)) == 36
    assert read["metadata"]["creationTimestamp"].endswith("Z")
    assert read["metadata"]["annotations"]["theriseunion.io/display-name"] == "生产"
    assert read["spec"] == {"domain": "harbor.example.com", "username": "admin", "provider": "harbor"}


def test_a_name_is_taken_once_per_namespace(store: Store) -> None:
    store.create(make())
    store.create_namespace("team-b")

    store.create(make(Key("team-b", "harbor-prod")))
    with pytest.raises(AlreadyExists):
        store.create(make())


def test_a_namespace_must_exist(store: Store) -> None:
    with pytest.raises(NotFound):
        store.create(make(Key("nowhere", "x")))


def test_the_password_comes_out_for_a_test_only(store: Store) -> None:
    created = store.create(make())

    credential = store.credential(KEY, uid=uid(created))

    assert (credential.address, credential.username, credential.password) == (
        "harbor.example.com",
        "admin",
        CANARY,
    )


def test_a_password_is_given_to_nobody_who_means_another_incarnation(store: Store) -> None:
    old = store.create(make())
    store.delete(KEY, uid=uid(old))
    store.create(make())

    with pytest.raises(Conflict, match="recreated"):
        store.credential(KEY, uid=uid(old))


def test_annotations_are_merged_and_none_removes(store: Store) -> None:
    created = store.create(make(display_name="old", description="stays"))

    store.annotate(KEY, {"theriseunion.io/display-name": None, "x": "y"}, uid=uid(created))

    notes = store.get(KEY)["metadata"]["annotations"]
    assert "theriseunion.io/display-name" not in notes
    assert (notes["x"], notes["theriseunion.io/description"]) == ("y", "stays")


def test_every_write_changes_the_version(store: Store) -> None:
    created = store.create(make())

    changed = store.annotate(KEY, {"x": "1"}, uid=uid(created))

    assert version(changed) != version(created)
    assert uid(changed) == uid(created)


def test_a_patch_of_an_older_version_is_refused_and_changes_nothing(store: Store) -> None:
    created = store.create(make())
    newer = store.annotate(KEY, {"x": "first"}, uid=uid(created), resource_version=version(created))

    with pytest.raises(Conflict, match="changed"):
        store.annotate(KEY, {"x": "second"}, uid=uid(created), resource_version=version(created))

    assert store.get(KEY) == newer


@pytest.mark.parametrize("write", ["annotate", "delete"])
def test_a_namesake_is_never_touched(store: Store, write: str) -> None:
    old = store.create(make())
    store.delete(KEY, uid=uid(old))
    new = store.create(make())

    with pytest.raises(Conflict, match="recreated"):
        store.delete(KEY, uid=uid(old)) if write == "delete" else store.annotate(
            KEY, {"x": "1"}, uid=uid(old)
        )

    assert store.get(KEY) == new


@pytest.mark.parametrize("call", ["get", "annotate", "delete", "credential"])
def test_what_is_not_there_is_not_found(store: Store, call: str) -> None:
    calls = {
        "get": lambda: store.get(KEY),
        "annotate": lambda: store.annotate(KEY, {}, uid="u"),
        "delete": lambda: store.delete(KEY, uid="u"),
        "credential": lambda: store.credential(KEY, uid="u"),
    }
    with pytest.raises(NotFound):
        calls[call]()


def test_changes_begin_with_everything(store: Store) -> None:
    created = store.create(make())

    changes = store.changes(None)

    assert changes.complete
    assert changes.upserted == (created,)
    assert changes.namespaces == {"team-a"}


def test_changes_are_what_happened_since(store: Store) -> None:
    kept, gone = store.create(make()), store.create(make(Key("team-a", "gone")))
    before = store.changes(None).version
    changed = store.annotate(KEY, {"x": "1"}, uid=uid(kept))
    store.delete(Key("team-a", "gone"), uid=uid(gone))

    changes = store.changes(before)

    assert not changes.complete
    assert changes.upserted == (changed,)
    assert changes.removed == ((Key("team-a", "gone"), uid(gone)),)
    assert changes.namespaces is None
    assert store.changes(changes.version).upserted == ()


def test_changes_hold_no_password(store: Store) -> None:
    store.create(make())

    shown = str(store.changes(None))

    assert CANARY not in shown
    assert encode_password(CANARY) not in shown


def test_a_namespace_with_registries_in_it_stays(store: Store) -> None:
    created = store.create(make())

    with pytest.raises(Conflict, match="not_empty"):
        store.delete_namespace("team-a")
    store.delete(KEY, uid=uid(created))
    store.delete_namespace("team-a")

    assert store.changes(None).namespaces == frozenset()


def test_namespaces_are_told_when_they_change(store: Store) -> None:
    before = store.changes(None).version
    store.create_namespace("team-b")
    middle = store.changes(before)
    store.delete_namespace("team-b")

    assert middle.namespaces == {"team-a", "team-b"}
    assert store.changes(middle.version).namespaces == {"team-a"}


def test_a_namespace_is_created_once_and_deleted_once(store: Store) -> None:
    with pytest.raises(AlreadyExists):
        store.create_namespace("team-a")
    with pytest.raises(NotFound):
        store.delete_namespace("nowhere")


# The embedded store alone


@pytest.mark.django_db
def test_who_comes_after_the_tombstones_are_gone_starts_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.create(make())
    before = store.changes(None).version
    store.delete(KEY, uid=uid(first))
    Tombstone.objects.update(deleted_at=timezone.now() - 2 * embedded.TOMBSTONES_KEPT)
    second = store.create(make(Key("team-a", "second")))
    store.delete(Key("team-a", "second"), uid=uid(second))

    changes = store.changes(before)

    assert changes.complete
    assert changes.upserted == ()


@pytest.mark.django_db
def test_who_knows_more_than_a_restored_backup_starts_over(store: Store) -> None:
    created = store.create(make())

    changes = store.changes("999999")

    assert changes.complete
    assert changes.upserted == (created,)


@pytest.mark.django_db
def test_the_database_holds_no_password_in_any_form(store: Store) -> None:
    store.create(make())

    row = StoredResource.objects.get(kind="RegistrySecret")

    for text in (CANARY, encode_password(CANARY)):
        assert text not in row.body
        assert text not in row.sealed_password


@pytest.mark.django_db
@pytest.mark.parametrize("moved", ["to another address", "to another resource"])
def test_a_password_that_somebody_moved_in_the_database_is_not_used(store: Store, moved: str) -> None:
    created = store.create(make())
    row = StoredResource.objects.get(kind="RegistrySecret")
    if moved == "to another address":
        row.body = row.body.replace("harbor.example.com", "evil.example.com")
        row.save()
        key, owner = KEY, uid(created)
    else:
        key = Key("team-a", "other")
        owner = uid(store.create(make(key)))
        StoredResource.objects.filter(name="other").update(sealed_password=row.sealed_password)

    with pytest.raises(Unavailable, match="seal_broken"):
        store.credential(key, uid=owner)


@pytest.mark.django_db
def test_without_its_key_a_password_is_unavailable_and_says_so(store: Store) -> None:
    created = store.create(make())
    other = EmbeddedStore(Sealer(lambda: ["0" * 43 + "="]))

    with pytest.raises(Unavailable, match="key_missing"):
        other.credential(KEY, uid=uid(created))
