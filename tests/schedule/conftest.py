"""The fixture of a world with registries and a moved clock."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.cast import Cast
from tests.schedule.registries import World, moved_clock


@pytest.fixture
def world(
    request: pytest.FixtureRequest, cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    random.seed(request.node.name)
    settings.PROBE_ALLOW_LOOPBACK = True
    with moved_clock(monkeypatch) as clock, ExitStack() as stack:
        yield World(cast, clock, stack)
