"""How many examples hypothesis and schemathesis draw: an eighth, the same ones each time, or all of them anew.

`make test-long` sets CONSOLE_TEST_LONG=1.
"""

import os

import hypothesis

LONG = os.environ.get("CONSOLE_TEST_LONG") == "1"
USUAL = 100


def of(count: int) -> int:
    """How many of so many examples this run draws."""
    return count if LONG else max(1, count // 8)


def load() -> None:
    """Settings for every property that has none of its own. A machine that stalls for a fifth of a second is no
    defect; nor is one that is slow to make examples."""
    hypothesis.settings.register_profile(
        "console",
        max_examples=of(USUAL),
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        derandomize=not LONG,
    )
    hypothesis.settings.load_profile("console")
