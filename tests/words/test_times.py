"""Lengths of time in words: two texts about one moment agree."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override

from registries.words import times

NOW = datetime(2026, 12, 1, 5, 47, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "span", "ago"),
    [
        (0, "1 min", "just now"),
        (59, "59 min", "59 minutes ago"),
        (94, "1 h", "1 hour ago"),
        (9 * 60 + 50, "9 h", "9 hours ago"),
        (23 * 60 + 59, "23 h", "23 hours ago"),
        (71 * 60, "2 d", "2 days ago"),
    ],
)
def test_a_span_and_its_begin_agree(minutes: int, span: str, ago: str) -> None:
    length = timedelta(minutes=minutes, seconds=40)

    with override("en"):
        assert times.span(length) == span
        assert times.ago(NOW - length, NOW) == ago
