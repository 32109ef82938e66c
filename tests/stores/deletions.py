"""Deletions and their undo, for tests."""

from typing import Any

from django.utils import timezone

from registries.domain.registry import Key, RegistrySecret
from registries.wiring import services
from tests.cast import Cast

KEY = Key("team-a", "harbor-prod")
NOW = timezone.now()


def delete(cast: Cast, registry: RegistrySecret, person: str = "nina", **values: Any) -> bool:
    return services().registries.delete(
        access=cast.access(person), key=registry.key, uid=registry.uid, **values
    )


def restore(cast: Cast, person: str = "nina", key: Key = KEY, **values: Any) -> RegistrySecret:
    return services().undo.restore(access=cast.access(person), key=key, **values)


def password(key: Key = KEY) -> str:
    return services().store.credential(key, uid=services().store.get(key).uid).password
