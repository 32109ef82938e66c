"""A sample of the gallery in the gate: every state once, each in another language, theme and width.

`make gallery` looks at all variants.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.gallery.furnishing import furnish
from tests.gallery.looking import ALL, Variant, look_at
from tests.gallery.scene import Scene, State
from tests.gallery.states import STATES
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole, copied_console
from tests.peers.visitors import People

ROWS = 60
"""More than a page has."""


@pytest.fixture(scope="module")
def waiting() -> Iterator[HeldRegistry]:
    registry = HeldRegistry()
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def console(
    chromium: Browser,
    seeded: tuple[Path, int],
    waiting: HeldRegistry,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningConsole]:
    """The demo and what the gallery shows beside it."""
    folder = tmp_path_factory.mktemp("gallery") / "data"
    running = copied_console(
        seeded[0], folder, seeded[1], prepare=lambda: furnish(folder, waiting, rows=ROWS)
    )
    yield running
    running.stop()
    assert running.leaks() == []


def sample() -> list[tuple[State, Variant]]:
    return [(state, ALL[(7 * number) % len(ALL)]) for number, state in enumerate(STATES)]


@pytest.mark.parametrize(("state", "variant"), sample(), ids=lambda it: it.name)
def test_layout(
    people: People, console: RunningConsole, waiting: HeldRegistry, state: State, variant: Variant
) -> None:
    looks = look_at(state, people, Scene(console, waiting), [variant], None, axe=False)

    assert [fault for look in looks for fault in look.faults] == []
