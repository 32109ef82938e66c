"""How long a deleted registry can be restored, and what lies in the database until then."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries import wiring
from registries.domain.errors import NotFound, Problem, Unavailable
from registries.domain.registry import Key
from registries.models import DayRecord, DeletedRegistry, StoredResource, VerificationRecord
from registries.probe import Reason, Result
from registries.runs.clean_up import forget_deleted
from registries.wiring import services
from tests.cast import Cast
from tests.stores.deletions import NOW, delete, restore


@pytest.mark.parametrize("hours", [0, 1, 24])
def test_the_time_is_a_setting(cast: Cast, settings: Any, hours: float) -> None:
    settings.UNDO_HOURS = hours
    wiring.reset()
    registry = cast.add()

    assert delete(cast, registry) == bool(hours)
    assert DeletedRegistry.objects.count() == bool(hours)
    if hours:
        DeletedRegistry.objects.update(at=timezone.now() - timedelta(hours=hours) + timedelta(minutes=1))
        assert services().undo.offered(access=cast.access("nina"), uids=[registry.uid])
        DeletedRegistry.objects.update(at=timezone.now() - timedelta(hours=hours))
    assert not services().undo.offered(access=cast.access("nina"), uids=[registry.uid])
    with pytest.raises(NotFound, match=Problem.NO_UNDO):
        restore(cast)


def test_after_the_time_the_password_and_the_history_are_deleted(cast: Cast) -> None:
    for name in ("old", "young", "present"):
        registry = cast.add(name)
        check, _ = services().history.begin(registry, "nina")
        services().history.finish(check, Result(Reason.OK))
        DayRecord.objects.create(uid=registry.uid, day=NOW)
        if name != "present":
            delete(cast, registry)
    # A process died between the two steps, or the deletion was cancelled: the registry exists.
    services().trash.keep(
        [services().trash.leaving(registry.uid, services().store.whole(registry.key, uid=registry.uid))]
    )
    DeletedRegistry.objects.exclude(name="young").update(at=NOW - timedelta(hours=25))

    forget_deleted(timedelta(hours=24))

    assert [it.name for it in DeletedRegistry.objects.all()] == ["young"]
    assert set(VerificationRecord.objects.values_list("name", flat=True)) == {"young", "present"}
    assert DayRecord.objects.count() == 2
    forget_deleted(timedelta())
    assert not DeletedRegistry.objects.exists(), "without undo nothing is left of before"


def test_a_forgotten_password_cannot_come_back(cast: Cast) -> None:
    delete(cast, cast.add())  # it leaked, and was deleted once before that was known
    registry = cast.add()

    assert not delete(cast, registry, forget=True)

    assert not DeletedRegistry.objects.exists()
    assert not VerificationRecord.objects.exists()
    with pytest.raises(NotFound, match=Problem.NO_UNDO):
        restore(cast)


def test_a_later_namespace_of_the_name_gets_nothing(cast: Cast) -> None:
    delete(cast, cast.add())
    access = cast.access("olive")
    services().registries.delete_namespace(access=access, name="team-a")
    services().registries.create_namespace(access=access, name="team-a")

    with pytest.raises(NotFound, match=Problem.NO_UNDO):
        restore(cast)


def test_a_sealed_row_cannot_be_moved(cast: Cast) -> None:
    delete(cast, cast.add())
    cast.add("other")
    row = DeletedRegistry.objects.get()
    changes: tuple[Callable[[], object], ...] = (
        lambda: DeletedRegistry.objects.update(namespace="team-b"),
        lambda: DeletedRegistry.objects.update(name="x"),
        lambda: DeletedRegistry.objects.update(uid="x"),
        lambda: DeletedRegistry.objects.update(
            sealed=StoredResource.objects.get(name="other").sealed_password
        ),
    )
    for change in changes:
        change()
        moved = DeletedRegistry.objects.get()
        with pytest.raises(Unavailable, match=Problem.SEAL_BROKEN):
            restore(cast, "olive", Key(moved.namespace, moved.name))
        row.save()
    assert restore(cast).domain == "harbor.example.com"


def test_a_password_of_the_trash_opens_no_stored_registry(cast: Cast) -> None:
    delete(cast, cast.add())
    other = cast.add("other")
    StoredResource.objects.filter(name="other").update(sealed_password=DeletedRegistry.objects.get().sealed)

    with pytest.raises(Unavailable, match=Problem.SEAL_BROKEN):
        services().store.credential(other.key, uid=other.uid)
