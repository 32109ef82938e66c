"""A namespace with room for two registries, for tests."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from registries.domain.registry import Key, RegistrySecret
from registries.stores.cluster.cache import Cache
from registries.stores.room import Room
from tests.cluster.test_cache import registry

OTHER, THIRD = Key("team-a", "other"), Key("team-a", "third")
ELSEWHERE = Key("team-b", "harbor-prod")


@pytest.fixture
def cache() -> Cache:
    cache = Cache(["registries"], patience=0.1, room=Room(registries=2, mib=1))
    cache.replace([], "10", another_history=False)
    cache.answered("registries")
    return cache


def names(cache: Cache) -> set[str]:
    return {it.name for it in cache.changes(None).upserted}


def aged(name: str, day: int, version: int, size: int = 0) -> RegistrySecret:
    document = json.dumps({"metadata": {"resourceVersion": str(version)}, "text": "x" * size}).encode()
    created = datetime(2026, 1, day, tzinfo=UTC)
    return replace(
        registry(str(version), uid=name, key=Key("team-a", name)), created_at=created, document=document
    )
