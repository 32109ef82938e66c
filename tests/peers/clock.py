"""The clock of the steps of a probe, moved by hand, so a slow machine does not matter. A test module names this
file in `pytest_plugins`."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`now` is in seconds, like time.monotonic()."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("registries.probe.trace.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock
