"""A short soak: see `make soak` for the long one and for the bounds of time and memory."""

from pathlib import Path

from tests.soak.load import TESTS
from tests.soak.soak import soak


def test_under_load_the_console_answers_and_a_kill_loses_nothing(tmp_path: Path) -> None:
    figures = soak(tmp_path, 1.5, idle=0.1, whole=False)

    assert figures.health < 4, figures.text()
    assert not figures.unhealthy, figures.text()
    assert figures.works > 0
    assert figures.refused == {}
    assert (figures.lost, figures.intact) == (0, True)
    # The load is real. A test waits for its turn for longer than this soak lasts.
    assert figures.load["test asked"] >= TESTS
    assert figures.load["watches held"] > 0
    assert figures.load["log-in 429"] > 0
