"""A watch of the API, for tests: its events, and a clock that passes where it rests."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from registries.api import watch
from registries.index.search import Index
from tests.clock import Clock


def events(response: Any) -> Iterator[dict[str, Any]]:
    """What a watch tells, as it comes; None stands for the bare passing of time in none of them."""
    for piece in response.streaming_content:
        yield from (json.loads(line) for line in piece.decode().splitlines())


def told(event: dict[str, Any]) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"].get("name", "")


class Resting(Clock):
    """The time of a watch: it passes where a watch rests, and nowhere else."""

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Resting(monkeypatch, watch)
    monkeypatch.setattr(Index, "wait", lambda _index, _place, seconds: clock.sleep(seconds))
    return clock


def spec() -> dict[str, str]:
    return {"domain": "h.example.com", "username": "u", "password": "p", "provider": "other"}
