"""The fixture of a world with registries and a moved clock."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.cast import Cast
from tests.schedule.registries import World, moved_clock


@pytest.fixture
def world(cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings.PROBE_ALLOW_LOOPBACK = True
    with moved_clock(monkeypatch) as clock, ExitStack() as stack:
        yield World(cast, clock, stack)
