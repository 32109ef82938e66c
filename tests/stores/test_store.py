"""The contract of every store (stores/base.py): the same tests against the embedded one and a real API server."""

import ast
import inspect
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registries.domain.errors import AlreadyExists, Conflict, NotFound
from registries.domain.registry import (
    Credential,
    Draft,
    Key,
    Provider,
    RegistrySecret,
    Verification,
    VerifyStatus,
)
from registries.domain.resource import PREFIX, encode_password
from registries.schedule.digest import fingerprint
from registries.stores.base import Store
from registries.stores.embedded import EmbeddedStore
from registries.stores.sealing import Sealer
from registries.web.registry.rotation import version_of
from tests.canary import CANARY

KEY = Key("team-a", "harbor-prod")


def make(key: Key = KEY, **values: Any) -> Draft:
    return Draft(
        key, "harbor.example.com", "admin", Provider.HARBOR, values.pop("password", CANARY), **values
    )


def shown(registry: RegistrySecret) -> dict[str, Any]:
    return dict(json.loads(registry.document))


def same(one: RegistrySecret, other: RegistrySecret) -> bool:
    """Values and documents; `==` alone does not compare documents."""
    return one == other and shown(one) == shown(other)


def test_a_store_that_lacks_a_method_cannot_be_made() -> None:
    assert len(Store.__abstractmethods__) > 10
    for name in Store.__abstractmethods__:
        lacking = type("Lacking", (EmbeddedStore,), {name: getattr(Store, name)})
        with pytest.raises(TypeError, match=name):
            lacking(Sealer(()))


def test_every_other_method_of_a_store_has_a_body() -> None:
    [store] = ast.parse(inspect.getsource(Store)).body
    methods = [it for it in ast.walk(store) if isinstance(it, ast.FunctionDef)]
    assert {it.name for it in methods if len(it.body) < 2} == Store.__abstractmethods__


def test_create_gives_an_identity_and_keeps_what_was_given(store: Store) -> None:
    created = store.create(make(display_name="生产"))

    read = store.get(KEY)

    assert same(read, created)
    assert len(read.uid) == 36
    document = shown(read)
    assert document["metadata"]["uid"] == read.uid
    assert document["metadata"]["resourceVersion"] == read.resource_version
    assert document["metadata"]["creationTimestamp"].endswith("Z")
    assert document["metadata"]["annotations"]["theriseunion.io/display-name"] == read.display_name == "生产"
    assert document["spec"] == {"domain": "harbor.example.com", "username": "admin", "provider": "harbor"}


def test_a_document_says_what_the_value_says_and_never_the_password(store: Store) -> None:
    created = store.create(make(display_name="old"))
    changed = store.annotate(KEY, {"theriseunion.io/display-name": "new"}, uid=created.uid)

    for registry in (created, changed, store.get(KEY), *store.changes(None).upserted):
        assert shown(registry)["metadata"]["resourceVersion"] == registry.resource_version
        assert shown(registry)["metadata"]["annotations"]["theriseunion.io/display-name"] == registry.title
        for form in (CANARY, encode_password(CANARY)):
            assert form not in registry.document.decode()


def test_a_name_is_taken_once_per_namespace(store: Store) -> None:
    store.create(make())

    store.create(make(Key("team-b", "harbor-prod")))
    with pytest.raises(AlreadyExists):
        store.create(make())


def test_a_dry_run_has_the_errors_and_leaves_everything_as_it_is(store: Store) -> None:
    created = store.create(make(display_name="old"))
    before = store.changes(None)
    other, change = Key("team-a", "other"), {"theriseunion.io/display-name": "new"}

    rehearsed = store.create(make(other), dry_run=True)
    edited = store.annotate(KEY, change, uid=created.uid, dry_run=True)
    store.delete(KEY, uid=created.uid, dry_run=True)

    assert "password" not in shown(rehearsed)["spec"]
    assert shown(rehearsed)["metadata"]["name"] == rehearsed.name == "other"
    assert shown(edited)["metadata"]["annotations"]["theriseunion.io/display-name"] == "new"
    assert edited.display_name == "new"
    with pytest.raises(NotFound):
        store.get(other)
    assert same(store.get(KEY), created)
    after = store.changes(before.version)
    assert (after.upserted, after.removed) == ((), ())
    for refused, error in (
        (lambda: store.create(make(), dry_run=True), AlreadyExists),
        (lambda: store.create(make(Key("nowhere", "x")), dry_run=True), NotFound),
        (lambda: store.annotate(KEY, change, uid="another", dry_run=True), Conflict),
        (lambda: store.annotate(other, change, uid="x", dry_run=True), NotFound),
        (lambda: store.delete(KEY, uid="another", dry_run=True), Conflict),
        (lambda: store.delete(other, uid="x", dry_run=True), NotFound),
    ):
        with pytest.raises(error):
            refused()


def test_a_namespace_must_exist(store: Store) -> None:
    with pytest.raises(NotFound):
        store.create(make(Key("nowhere", "x")))


def test_the_password_comes_out_for_a_test_only(store: Store) -> None:
    created = store.create(make())

    credential = store.credential(KEY, uid=created.uid)

    assert credential == Credential("harbor.example.com", "admin", CANARY)


def test_a_password_is_given_to_nobody_who_means_another_incarnation(store: Store) -> None:
    old = store.create(make())
    store.delete(KEY, uid=old.uid)
    store.create(make())

    with pytest.raises(Conflict, match="recreated"):
        store.credential(KEY, uid=old.uid)


def test_annotations_are_merged_and_none_removes(store: Store) -> None:
    created = store.create(make(display_name="old", description="stays"))

    store.annotate(KEY, {"theriseunion.io/display-name": None, "x": "y"}, uid=created.uid)

    notes = shown(store.get(KEY))["metadata"]["annotations"]
    assert "theriseunion.io/display-name" not in notes
    assert (notes["x"], notes["theriseunion.io/description"]) == ("y", "stays")


def test_every_write_changes_the_version(store: Store) -> None:
    created = store.create(make())

    changed = store.annotate(KEY, {"x": "1"}, uid=created.uid)

    assert changed.resource_version != created.resource_version
    assert changed.uid == created.uid


def test_a_patch_of_an_older_version_is_refused_and_changes_nothing(store: Store) -> None:
    created = store.create(make())
    newer = store.annotate(KEY, {"x": "first"}, uid=created.uid, resource_version=created.resource_version)

    with pytest.raises(Conflict, match="changed"):
        store.annotate(KEY, {"x": "second"}, uid=created.uid, resource_version=created.resource_version)

    assert same(store.get(KEY), newer)


@pytest.mark.parametrize("write", ["annotate", "delete"])
def test_a_namesake_is_never_touched(store: Store, write: str) -> None:
    old = store.create(make())
    store.delete(KEY, uid=old.uid)
    new = store.create(make())

    with pytest.raises(Conflict, match="recreated"):
        store.delete(KEY, uid=old.uid) if write == "delete" else store.annotate(KEY, {"x": "1"}, uid=old.uid)

    assert same(store.get(KEY), new)


def test_a_new_password_is_stored_in_place(store: Store) -> None:
    created = store.create(make(password="old-password", display_name="kept"))
    tested = {"theriseunion.io/verify-status": "failed", "theriseunion.io/verify-reason": "bad_credentials"}
    before = store.annotate(KEY, {**tested, "x": "y"}, uid=created.uid)

    changed = store.set_password(KEY, CANARY, uid=created.uid, resource_version=before.resource_version)

    assert same(changed, store.get(KEY))
    assert (changed.uid, changed.created_at) == (created.uid, created.created_at)
    assert changed.display_name == "kept"
    assert changed.resource_version != before.resource_version
    assert changed.verification == Verification()
    assert shown(changed)["metadata"]["annotations"]["x"] == "y"
    assert store.credential(KEY, uid=created.uid) == Credential("harbor.example.com", "admin", CANARY)
    assert fingerprint(changed) != fingerprint(before)
    assert store.credential(KEY, uid=created.uid).generation == changed.generation != before.generation
    again = store.set_password(KEY, "third", uid=created.uid)
    assert fingerprint(again) not in (fingerprint(changed), fingerprint(before))


def test_a_new_password_may_come_with_its_verdict(store: Store) -> None:
    """It was tested in another registry."""
    created = store.create(make(password="old-password"))
    verdict = Verification(VerifyStatus.SUCCESS, "ok", "", datetime(2026, 1, 1, tzinfo=UTC))

    tried = store.set_password(KEY, CANARY, uid=created.uid, verdict=verdict, dry_run=True)
    untouched = store.get(KEY)
    changed = store.set_password(KEY, CANARY, uid=created.uid, verdict=verdict)
    put_back = store.set_password(KEY, "old-password", uid=created.uid)

    assert (tried.verification, untouched.verification) == (verdict, Verification())
    assert changed.verification == verdict
    assert same(put_back, store.get(KEY))
    assert put_back.verification == Verification()


@pytest.mark.parametrize("password", [CANARY, "2026-01-01"])
def test_the_age_of_a_password_begins_with_its_last_change(store: Store, password: str) -> None:
    created = store.create(make(password="old-password"))
    name, earlier = f"{PREFIX}password-set-at", datetime(2020, 1, 1, tzinfo=UTC)
    aged = store.annotate(KEY, {name: "2020-01-01T00:00:00Z"}, uid=created.uid)

    store.set_password(KEY, password, uid=created.uid, dry_run=True)
    untouched = store.get(KEY)
    changed = store.set_password(KEY, password, uid=created.uid)

    assert created.password_set_at == created.created_at
    assert (aged.password_set_at, untouched.password_set_at) == (earlier, earlier)
    assert abs(datetime.now(UTC) - changed.password_set_at) < timedelta(minutes=1)
    assert store.get(KEY).password_set_at == changed.password_set_at
    broken = store.annotate(KEY, {name: "yesterday"}, uid=created.uid)
    assert broken.password_set_at == created.created_at
    assert name not in shown(broken)["metadata"]["annotations"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_new_password_that_is_the_old_one_looks_like_another(store: Store, *, dry_run: bool) -> None:
    """Else who may change a password could guess, in a dry run or with copies."""
    told = []
    for name, password in (("right", CANARY), ("wrong", "another-password")):
        before = store.create(make(Key("team-a", name)))
        changed = store.set_password(before.key, password, uid=before.uid, dry_run=dry_run)
        document = shown(changed)
        for own in ("name", "uid", "resourceVersion", "creationTimestamp"):
            document["metadata"].pop(own)
        document["metadata"]["annotations"].pop(f"{PREFIX}password-set-at")
        told.append(document)
        assert fingerprint(changed) != fingerprint(before), "it gets a first test"
        assert version_of(changed) != version_of(before)

    assert told[0] == told[1]


def test_a_new_password_is_one_change_that_does_not_show_it(store: Store) -> None:
    created = store.create(make(password="old-password"))
    before = store.changes(None)

    changed = store.set_password(KEY, CANARY, uid=created.uid)

    after = store.changes(before.version)
    assert after.upserted == (changed,)
    assert [it.type for it in after.events if it.registry.key == KEY] in ([], ["MODIFIED"])
    for form in (CANARY, encode_password(CANARY), "old-password"):
        assert form not in changed.document.decode()


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_new_password_is_refused_for_another_version_or_a_namesake(store: Store, *, dry_run: bool) -> None:
    created = store.create(make())
    newer = store.annotate(KEY, {"x": "y"}, uid=created.uid)

    for values, problem in (
        ({"uid": "another"}, "recreated"),
        ({"uid": created.uid, "resource_version": created.resource_version}, "changed"),
    ):
        with pytest.raises(Conflict, match=problem):
            store.set_password(KEY, "new-password", dry_run=dry_run, **values)
    with pytest.raises(NotFound):
        store.set_password(Key("team-a", "nowhere"), "new-password", uid="x", dry_run=dry_run)
    store.set_password(KEY, "new-password", uid=created.uid, dry_run=True)
    assert same(store.get(KEY), newer)
    assert store.credential(KEY, uid=created.uid).password == CANARY


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
