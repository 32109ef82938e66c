"""The clock by which the steps of a connection test are timed, moved by hand: no stall of the machine is in it.
A test module names this in `pytest_plugins`."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`now` is in seconds, as time.monotonic() has them."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("registries.probe.trace.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock
