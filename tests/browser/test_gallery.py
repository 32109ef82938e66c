"""A sample of the gallery in the gate: each state in another language, theme and width.

`make test-long` looks at every state once, and `make gallery` at all variants.
"""

from collections import Counter
from collections.abc import Hashable, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from playwright.sync_api import Browser

from tests import examples
from tests.gallery.furnishing import furnish
from tests.gallery.looking import ALL, Variant, look_at
from tests.gallery.scene import Scene, State
from tests.gallery.states import STATES
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole, copied_console
from tests.peers.visitors import People

ROWS = 60
"""More than a page has."""
EVERY = 3
"""Of so many states of one kind one is looked at."""
SHARE = 2
"""And of these one of so many, as with the examples of hypothesis: always the same ones, however many are added."""


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


def kind(state: State) -> Hashable:
    """States of one kind are of one page or dialog, get there in the same way, and have usual or the longest values."""
    return state.name.partition("-")[0], state.act.__code__, "longest" in state.name


def sample() -> Iterator[tuple[State, Variant]]:
    """The first, the fourth and so on of each kind, and a fixed share of them."""
    seen: Counter[Hashable] = Counter()
    for number, state in enumerate(STATES):
        if examples.LONG or (seen[kind(state)] % EVERY == 0 and crc32(state.name.encode()) % SHARE == 0):
            yield state, ALL[(7 * number) % len(ALL)]
        seen[kind(state)] += 1


@pytest.mark.parametrize(("state", "variant"), list(sample()), ids=lambda it: it.name)
def test_layout(
    people: People, console: RunningConsole, waiting: HeldRegistry, state: State, variant: Variant
) -> None:
    looks = look_at(state, people, Scene(console, waiting), [variant], None, axe=True)

    assert [fault for look in looks for fault in look.faults] == []
