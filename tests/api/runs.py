"""Runs of the API, for tests: three registries, and a run that begins with some."""

from typing import Any

import pytest
from django.test import Client

from registries.domain.query import Criteria
from registries.wiring import services
from tests.api.test_api import BASE
from tests.cast import Cast

RUNS = f"{BASE}/runs"


def begin(client: Client, kind: str, *names: str, **more: Any) -> Any:
    items = [dict(zip(("namespace", "name"), name.split("/"), strict=True)) | more for name in names]
    return client.post(RUNS, {"type": kind, "items": items}, content_type="application/json")


def left(cast: Cast) -> list[str]:
    found = services().index.matching(access=cast.access("olive"), criteria=Criteria())
    return [str(it.key) for it in found]


@pytest.fixture
def stage(cast: Cast) -> Cast:
    for name, namespace in (("a", "team-a"), ("b", "team-a"), ("c", "team-b")):
        cast.add(name, namespace, domain="127.0.0.1:9")
    return cast
