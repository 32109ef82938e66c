"""A clock that a test sets forward, in place of the module `time`."""

import time
from types import ModuleType

import pytest


class Clock:
    """What modules take for the time: it passes when a test says so, and not while a machine stands still."""

    sleep = staticmethod(time.sleep)

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        self.now = time.monotonic()
        for module in modules:
            monkeypatch.setattr(module, "time", self)

    def monotonic(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
