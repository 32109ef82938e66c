"""Days and moments as text, and back."""

import re
from datetime import UTC, date, datetime

_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")
_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


def read_date(text: str) -> date | None:
    """A day as YYYY-MM-DD, from 2000 on; None for any other text."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_moment(text: str) -> datetime | None:
    """A moment as 2027-01-31T12:00:00Z; None for any other text."""
    if not _SECOND.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def in_any_zone(at: datetime) -> datetime:
    """The moment, or the nearest one that every time zone has: 9999-12-31T23:59:59Z has none in Shanghai."""
    return min(max(at, _FIRST), _LAST)


def moment_text(at: datetime) -> str:
    """A moment as 2027-01-31T12:00:00Z."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read_milliseconds(stamp: str) -> datetime | None:
    """A moment as milliseconds since 1970, in ASCII digits; None for any other text."""
    if not (stamp.isascii() and stamp.isdigit()):
        return None
    try:
        return in_any_zone(datetime.fromtimestamp(int(stamp) / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        return None
