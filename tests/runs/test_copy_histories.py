"""Random histories of copies, rules, changes of passwords and undos: nothing outside a preview ever changes, and after
对齐 all digests are equal.

The canary is a part of every password here, so the whole suite's search finds any that gets out.
"""

import pytest

from registries.wiring import services
from tests.cast import Cast
from tests.runs.histories import History


@pytest.mark.parametrize("seed", range(4))
def test_nothing_outside_a_preview_changes_and_aligned_copies_are_equal(cast: Cast, seed: int) -> None:
    access = cast.access("olive")
    for name in ("team-c", "team-d"):
        services().registries.create_namespace(access=access, name=name)
    history = History(seed, access, ("team-a", "team-b", "team-c", "team-d"))

    history.live(40)
    history.align_everything()

    assert history.made
    assert history.rotated
    assert history.followed
    assert not history.drifted()
