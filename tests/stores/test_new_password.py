"""A new password for a stored registry: who may, what stays, what is refused, and whose verdict it has."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.errors import ConsoleError, Forbidden, Invalid, NotFound
from registries.domain.registry import Key, RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import verification_annotations
from registries.models import AuditEntry, ScheduledCredential, ScheduledRegistry, VerificationRecord
from registries.probe import Reason, Result
from registries.schedule.digest import shared_digest
from registries.service.copying import Copying
from registries.sync.rows import Selection
from registries.verification.history import NotTested
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import EVERYBODY, Cast

KEY = Key("team-a", "harbor-prod")


def change(
    cast: Cast, person: str, registry: RegistrySecret, password: str = CANARY, **values: Any
) -> RegistrySecret:
    return services().passwords.change_password(
        access=cast.access(person), key=registry.key, uid=registry.uid, password=password, **values
    )


@pytest.mark.parametrize("person", [it for it in EVERYBODY if it])
def test_it_takes_the_role_that_may_add_and_delete(cast: Cast, person: str) -> None:
    registry = cast.add(password="old-password")
    expected = {"omar": Forbidden, "vic": Forbidden, "sam": NotFound}.get(person)

    for work in (
        lambda: services().passwords.with_password(
            access=cast.access(person), key=KEY, uid=registry.uid, password=CANARY
        ),
        lambda: change(cast, person, registry),
    ):
        if expected is None:
            work()
        else:
            with pytest.raises(expected):
                work()
    stored = services().store.credential(KEY, uid=registry.uid).password
    assert stored == ("old-password" if expected else CANARY)
    entries = AuditEntry.objects.filter(action=Action.PASSWORD, person=person)
    assert {it.outcome for it in entries} == {expected.reason if expected else "ok"}


def test_uid_history_and_information_stay(cast: Cast) -> None:
    registry = cast.add(password="old-password", display_name="Production")
    check, _ = services().history.begin(registry, "nina")
    services().history.finish(check, Result(Reason.BAD_CREDENTIALS))

    changed = change(cast, "nina", registry)

    assert (changed.uid, changed.display_name) == (registry.uid, "Production")
    assert changed.verification.status is VerifyStatus.UNTESTED
    assert len(services().history.recent(registry.uid)) == 1


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("", "required"),
        ("x" * (16 * 1024 + 1), "too_long"),
        ("bad\x00zero", "password_control_character"),
        ("bad\x1bescape", "password_control_character"),
        ("\ud800", "password_not_text"),
        ("in-the-description", "holds_password"),
    ],
)
def test_a_password_that_cannot_be_is_a_cause(cast: Cast, password: str, problem: str) -> None:
    registry = cast.add(password="old-password", description="it is in-the-description")

    with pytest.raises(Invalid) as refused:
        change(cast, "nina", registry, password)

    assert [(it.field, it.problem) for it in refused.value.causes] == [("password", problem)]
    assert services().store.credential(KEY, uid=registry.uid).password == "old-password"


@pytest.mark.parametrize(("values", "problem"), [({"uid": "x"}, "recreated"), ({"version": "0"}, "changed")])
def test_what_changed_meanwhile_is_left_alone(cast: Cast, values: dict[str, str], problem: str) -> None:
    registry = cast.add(password="old-password")

    with pytest.raises(ConsoleError, match=problem):
        services().passwords.change_password(
            access=cast.access("nina"),
            key=KEY,
            uid=values.get("uid", registry.uid),
            resource_version=values.get("version"),
            password=CANARY,
        )
    assert services().store.credential(KEY, uid=registry.uid).password == "old-password"


def test_a_rehearsal_changes_nothing(cast: Cast) -> None:
    registry = cast.add(password="old-password")

    change(cast, "nina", registry, rehearse=True)

    assert services().store.credential(KEY, uid=registry.uid).password == "old-password"
    assert not AuditEntry.objects.filter(action=Action.PASSWORD).exists()


def test_the_verdict_of_the_old_password_is_not_written_any_more(cast: Cast) -> None:
    """A test of the old password that ends after the change says nothing of the new one."""
    registry, tests, nina = cast.add(password="old-password"), services().tests, cast.access("nina")
    check, _ = tests.begin_test(access=nina, key=KEY)

    change(cast, "nina", registry)
    tested = tests.record_test(access=nina, check=check, result=Result(Reason.BAD_CREDENTIALS))

    assert isinstance(tested, NotTested)
    assert cast.find().verification.status is VerifyStatus.UNTESTED
    assert not VerificationRecord.objects.filter(finished_at=None).exists()


def test_the_schedule_knows_the_new_credential_at_once(cast: Cast) -> None:
    """A result with the new password must not count for the others that still have the old one."""
    registry, other = cast.add(password="old-password"), cast.add("twin", password="old-password")
    placing = services().schedule.placing
    placing.update(registry.created_at)
    assert ScheduledCredential.objects.count() == 1

    change(cast, "nina", registry)
    services().tests  # noqa: B018
    check, _ = services().tests.begin_test(access=cast.access("nina"), key=KEY)
    services().tests.record_test(access=cast.access("nina"), check=check, result=Result(Reason.OK))
    old = ScheduledRegistry.objects.get(uid=other.uid).credential

    assert (old.tested_at, old.state) == (None, "new")
    placing.update(registry.created_at)
    assert ScheduledRegistry.objects.get(uid=registry.uid).credential_id != old.pk
    change(cast, "nina", other)
    placing.update(registry.created_at)
    digests = ScheduledCredential.objects.values_list("digest", flat=True)
    assert len(digests) == 2, "the second one was not tested with it yet"
    assert len({shared_digest(it) for it in digests}) == 1, "both have the new one"


@pytest.mark.parametrize(("typed", "verdict"), [(None, VerifyStatus.SUCCESS), ("wrong", VerifyStatus.FAILED)])
def test_the_next_verdict_is_that_of_the_new_password(
    cast: Cast, probing: Callable[[str], dict[str, str]], typed: str | None, verdict: VerifyStatus
) -> None:
    values = probing("harbor")
    registry = cast.add(**{**values, "password": "old-and-wrong"})

    change(cast, "nina", registry, typed or values["password"])
    services().single_tests.wait_for(access=cast.access("nina"), key=KEY)

    assert cast.find().verification.status is verdict


@pytest.fixture
def copied(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> tuple[RegistrySecret, RegistrySecret]:
    """A tested registry, and its copy, which has the password before. When its values are read for the copy, another
    program changes its password."""
    store, olive = services().store, cast.access("olive")
    source = cast.add(password="old-password")
    services().sync_rules.set_up(access=olive, source=source, selection=Selection())
    services().follower.turn()
    source = store.set_password(KEY, "second-2", uid=source.uid)
    verdict = Verification(VerifyStatus.SUCCESS, "ok", "", datetime(2026, 1, 1, tzinfo=UTC))
    source = store.annotate(KEY, verification_annotations(verdict, source.generation), uid=source.uid)
    assert cast.find().verification == verdict
    find = Copying._source

    def found(copying: Copying, access: Access, uid: str) -> RegistrySecret:
        known = find(copying, access, uid)
        if store.get(KEY).generation == source.generation:
            store.set_password(KEY, "third-3", uid=source.uid)
        return known

    monkeypatch.setattr(Copying, "_source", found)
    return source, cast.find(namespace="team-b")


def aligned(access: Access, source: RegistrySecret, copy: RegistrySecret) -> None:
    services().relatives.align(access=access, key=copy.key, uid=copy.uid, source_uid=source.uid)


def kept_in_sync(access: Access, source: RegistrySecret, copy: RegistrySecret) -> None:
    services().follower.turn()


def created(access: Access, source: RegistrySecret, copy: RegistrySecret) -> None:
    services().registries.delete(access=access, key=copy.key, uid=copy.uid)
    services().copying.copy(access=access, key=copy.key, uid=source.uid)


@pytest.mark.parametrize("written", [aligned, kept_in_sync, created])
def test_a_copy_gets_no_verdict_of_another_password(
    cast: Cast,
    copied: tuple[RegistrySecret, RegistrySecret],
    written: Callable[[Access, RegistrySecret, RegistrySecret], None],
) -> None:
    written(cast.access("olive"), *copied)

    copy = cast.find(namespace="team-b")
    assert services().store.credential(copy.key, uid=copy.uid).password == "third-3"
    assert copy.verification == Verification()
