"""Undo of deletions: what comes back, who may, for how long, and what of it lies in the database."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import DatabaseError

from registries import wiring
from registries.audit.action import Action
from registries.audit.log import events_of
from registries.domain.errors import AlreadyExists, ConsoleError, Forbidden, NotFound, Problem
from registries.domain.registry import Draft, Key, Provider, RegistrySecret, VerifyStatus
from registries.models import (
    AuditEntry,
    CheckInterval,
    DayRecord,
    DeletedRegistry,
    ExpiryNotice,
    Silence,
    StateChange,
    VerificationRecord,
)
from registries.probe import Reason, Result
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import EVERYBODY, Cast
from tests.stores.deletions import KEY, NOW, delete, password, restore


def shown(registry: RegistrySecret) -> dict[str, Any]:
    """What a registry is, without what a new object has anew."""
    document: dict[str, Any] = json.loads(registry.document)
    for name in ("uid", "resourceVersion", "creationTimestamp", "generation"):
        document["metadata"].pop(name, None)
    return document


DRAFTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "texts": {
        "display_name": "生产",
        "description": "a\nb",
        "owner": "ops",
        "support_contact": "o@example.com",
    },
    "labels": {
        "labels": {"app": "web", "tier": ""},
        "annotations": {"example.com/a": "b", "note": "x" * 999},
    },
    "plain http": {"plain_http": True},
    "not verified": {"skip_tls_verify": True, "expires_at": "2027-01-31"},
    "long password": {"password": f"{CANARY}{'x' * 3000}"},
    "base64-like password": {"password": "QUJD"},
    "other provider": {"provider": Provider.ALIYUN, "domain": "registry.cn-hangzhou.aliyuncs.com"},
}


@pytest.mark.parametrize("values", DRAFTS.values(), ids=DRAFTS)
def test_everything_comes_back_under_a_new_uid(cast: Cast, values: dict[str, Any]) -> None:
    given = {"domain": "harbor.example.com", "username": "admin", "provider": Provider.HARBOR, **values}
    draft = Draft(key=KEY, **{"password": CANARY, **given})
    before = services().registries.create(access=cast.access("nina"), draft=draft)

    assert delete(cast, before)
    with pytest.raises(NotFound):
        cast.find()
    after = restore(cast)

    assert shown(after) == shown(before)
    assert after.uid != before.uid
    assert password() == draft.password
    assert cast.find() == after
    assert not DeletedRegistry.objects.exists(), "the row goes with its use"


def test_the_verdict_and_the_whole_history_come_back(cast: Cast) -> None:
    registry = cast.add()
    check, _ = services().tests.begin_test(access=cast.access("nina"), key=KEY)
    services().tests.record_test(
        access=cast.access("nina"),
        check=check,
        result=Result(Reason.BAD_CREDENTIALS),
        again=lambda error: False,
    )
    own = {"uid": registry.uid, "namespace": "team-a"}
    StateChange.objects.create(**own, name="harbor-prod", host="h", at=NOW, before="ok", after="failing")
    CheckInterval.objects.create(**own, seconds=3600)
    Silence.objects.create(**own, starts_at=NOW, ends_at=NOW + timedelta(days=1), person="nina")
    DayRecord.objects.create(uid=registry.uid, day=date(2026, 11, 1), ok=3, failed=1, down=60)
    ExpiryNotice.objects.create(uid=registry.uid, what="password", ends=NOW, days=7, told_at=NOW)
    before = cast.find()

    delete(cast, registry)
    after = restore(cast)

    assert after.verification == before.verification
    assert after.verification.status is VerifyStatus.FAILED
    assert len(services().history.recent(after.uid)) == 1
    tables = (VerificationRecord, StateChange, CheckInterval, Silence, DayRecord, ExpiryNotice)
    for table in tables:
        assert set(table._default_manager.values_list("uid", flat=True)) == {after.uid}, table.__name__
    actions = [it.action for it in events_of(after)]
    assert actions == ["undo", "delete", "test", "create"]


def test_what_was_counted_before_the_undo_is_added(cast: Cast) -> None:
    registry, day = cast.add(), date(2026, 11, 1)
    delete(cast, registry)
    DayRecord.objects.create(uid=registry.uid, day=day, ok=3, failed=1, down=60)
    CheckInterval.objects.create(uid=registry.uid, namespace="team-a", seconds=3600)

    def race(before: str, after: str) -> None:
        DayRecord.objects.create(uid=after, day=day, ok=1, failed=2, down=0)
        CheckInterval.objects.create(uid=after, namespace="team-a", seconds=7200)
        move(before, after)

    move, services().trash._moved = services().trash._moved, race
    after = restore(cast)

    assert DayRecord.objects.values_list("uid", "ok", "failed", "down").get() == (after.uid, 4, 3, 60)
    assert CheckInterval.objects.values_list("uid", "seconds").get() == (after.uid, 7200)


@pytest.mark.parametrize("person", [it for it in EVERYBODY if it])
def test_only_who_may_create_there_may_undo(cast: Cast, person: str) -> None:
    expected = {"omar": Forbidden, "vic": Forbidden, "sam": NotFound}.get(person)
    registry = cast.add()
    delete(cast, registry)

    offered = services().undo.offered(access=cast.access(person), uids=[registry.uid])

    assert bool(offered) == (expected is None)
    if expected is None:
        restore(cast, person)
    else:
        with pytest.raises(expected):
            restore(cast, person)
        assert DeletedRegistry.objects.count() == 1
    entries = AuditEntry.objects.filter(action=Action.UNDO, person=person)
    assert [it.outcome for it in entries] == [expected.reason if expected else "ok"]


def test_of_another_namespace_nothing_can_be_restored(cast: Cast) -> None:
    delete(cast, cast.add(namespace="team-b"), "olive")

    with pytest.raises(NotFound):
        restore(cast, "nina", Key("team-b", "harbor-prod"))
    with pytest.raises(NotFound, match=Problem.NO_UNDO):
        restore(cast, "nina", KEY, uid=DeletedRegistry.objects.get().uid)


def test_a_second_undo_finds_nothing(cast: Cast) -> None:
    delete(cast, cast.add())
    first = restore(cast)

    with pytest.raises(NotFound, match=Problem.NO_UNDO):
        restore(cast)
    assert cast.find() == first


def test_a_taken_name_is_a_conflict_and_nothing_is_lost(cast: Cast) -> None:
    registry = cast.add(password="old-password")
    delete(cast, registry)
    other = cast.add(domain="other.example.com", password="another")

    with pytest.raises(AlreadyExists, match=Problem.UNDO_TAKEN):
        restore(cast)

    assert (cast.find(), password()) == (other, "another")
    delete(cast, other)
    assert restore(cast, uid=registry.uid).domain == "harbor.example.com"
    assert password() == "old-password"


def test_the_newest_of_several_is_restored_first(cast: Cast) -> None:
    for number in range(3):
        delete(cast, cast.add(password=f"password-{number}"))

    restore(cast)

    assert password() == "password-2"
    assert DeletedRegistry.objects.count() == 2


def test_a_registry_whose_password_cannot_be_read_is_deleted_without_an_undo(
    cast: Cast, settings: Any
) -> None:
    registry = cast.add()
    settings.PASSWORD_KEYS = lambda: [Fernet.generate_key().decode()]
    wiring.reset()

    assert not delete(cast, registry)

    with pytest.raises(NotFound):
        cast.find()
    assert not DeletedRegistry.objects.exists()


def test_a_failed_deletion_keeps_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = cast.add()

    def fail(*args: Any, **values: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as broken:
        broken.setattr(services().audit, "record", fail)
        with pytest.raises(DatabaseError):
            delete(cast, registry)

    assert cast.find() == registry
    assert not DeletedRegistry.objects.exists()


def test_a_failed_undo_loses_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = cast.add()
    delete(cast, registry)

    def fail(*args: Any, **values: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as broken:
        broken.setattr(services().trash, "_moved", fail)
        with pytest.raises(DatabaseError):
            restore(cast)

    with pytest.raises(NotFound):
        cast.find()
    assert restore(cast).domain == registry.domain


def test_tests_under_way_end_with_the_deletion(cast: Cast) -> None:
    registry = cast.add()
    check, _ = services().history.begin(registry, "nina")

    delete(cast, registry)

    assert not services().history.is_open(check)
    after = restore(cast)
    assert services().history.begin(after, "nina")[1], "a new test may begin"


def test_the_errors_are_said(cast: Cast) -> None:
    for problem in (Problem.NO_UNDO, Problem.UNDO_TAKEN):
        from registries.words.problems import error_text

        assert error_text(ConsoleError("", problem)) != error_text(ConsoleError())
