"""A short soak: see `make soak` for the long one and for the bounds of time and memory."""

from pathlib import Path

from tests.soak.soak import soak


def test_under_load_the_console_answers_and_a_kill_loses_nothing(tmp_path: Path) -> None:
    figures = soak(tmp_path, 1.5, idle=0.1, whole=False)

    assert figures.health < 4, figures.text()
    assert not figures.unhealthy, figures.text()
    assert figures.works > 0
    assert figures.refused == {}
    assert (figures.lost, figures.intact) == (0, True)
    assert figures.load["test 429 TooManyRequests"] > 0, "the load is real"
