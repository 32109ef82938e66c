"""The fixture of a world with registries and a moved clock."""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from registries.schedule import due
from tests.cast import Cast
from tests.schedule.registries import World, moved_clock


@pytest.fixture
def world(
    request: pytest.FixtureRequest, cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    random.seed(request.node.name)
    settings.PROBE_ALLOW_LOOPBACK = True
    parts = defaultdict[tuple[str, str], float](random.random)  # not by the port of a server
    monkeypatch.setattr(due, "_part", lambda *user: parts[user])
    with moved_clock(monkeypatch) as clock, ExitStack() as stack:
        yield World(cast, clock, stack)
