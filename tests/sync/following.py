"""Registries that are kept in sync, for tests: one look of the loop, and what came of it."""

from dataclasses import replace
from typing import Any

from django.utils import timezone

from registries.domain.registry import Key, RegistrySecret
from registries.models import SyncCopy, SyncRule
from registries.sync.rows import Selection
from registries.wiring import services
from tests.cast import Cast

ALL = Selection()


def turn() -> dict[str, str]:
    """One look at every rule, however lately it was looked at. Returns the states by namespace."""
    SyncRule.objects.update(due_at=timezone.now())
    services().follower.turn()
    return states()


def states() -> dict[str, str]:
    return dict(SyncCopy.objects.order_by("namespace").values_list("namespace", "state"))


def password(key: Key) -> str:
    found = services().store.get(key)
    return services().store.credential(key, uid=found.uid).password


def keep(cast: Cast, source: RegistrySecret, selection: Selection = ALL) -> None:
    services().sync_rules.set_up(access=cast.access("olive"), source=source, selection=selection)


def create_namespace(cast: Cast, name: str) -> None:
    services().registries.create_namespace(access=cast.access("olive"), name=name)


def change(cast: Cast, registry: RegistrySecret, new: str) -> RegistrySecret:
    change = services().passwords.change_password
    return change(access=cast.access("olive"), key=registry.key, uid=registry.uid, password=new)


def delete(cast: Cast, registry: RegistrySecret, *, forget: bool = False) -> None:
    remove = services().registries.delete
    remove(access=cast.access("olive"), key=registry.key, uid=registry.uid, forget=forget)


def followed(cast: Cast, **values: Any) -> RegistrySecret:
    """A registry with a rule that has made its copies."""
    source = cast.add(**values)
    keep(cast, source)
    turn()
    return source


def in_b(cast: Cast) -> RegistrySecret:
    return cast.find(namespace="team-b")


def correct(cast: Cast, source: RegistrySecret, **changes: Any) -> RegistrySecret:
    """The source with other values, as 修正并重建 does it: it is deleted and created again."""
    access, replacement = cast.access("olive"), services().replacement
    old = replacement.before(access=access, key=source.key, uid=source.uid)
    new = replace(old, **changes)
    return replacement.put(access=access, uid=source.uid, old=old, new=new, replacing=True)
