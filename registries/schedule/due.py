"""When a credential is tested next. Pure: no clock, no storage."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from registries.probe.reason import Reason
from registries.probe.schedule import REFUSED
from registries.schedule.state import FINAL, NETWORK, State, Status

SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=7)
"""The limits of an interval that somebody chooses."""
RETRIES = (timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))
"""The waits after a failure that may pass. After the last one, the interval counts again."""
CONFIRMATION = (5.0, 30.0)
"""Seconds until the second test of a credential that was good and is refused now. Harbor refuses every password for
1.5 seconds after a wrong one."""
LONGEST_BACK_OFF = timedelta(hours=24)
SHORTEST_PAUSE = timedelta(minutes=1)
"""A registry that asks for a pause is left alone for so long at least."""
JITTER = (0.9, 1.1)
AT_ONCE = timedelta(minutes=1)
"""A credential that is new gets its first test within this time, unless many are new."""
_UNITS = {"m": 60, "h": 3600, "d": 86_400}

Spread = Callable[[float, float], float]


def read_interval(text: str) -> timedelta | None:
    """Reads `off` (None), or a number with the unit m, h or d: 90m, 6h or 7d. ValueError outside of 1h to 7d."""
    if text == "off":
        return None
    match = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    interval = timedelta(seconds=int(match[1]) * _UNITS[match[2]]) if match else timedelta()
    if not SHORTEST <= interval <= LONGEST:
        raise ValueError(f"{text} is no interval: write off, or 1h to 7d")
    return interval


def write_interval(interval: timedelta | None) -> str:
    """The text that `read_interval` reads, in the largest whole unit."""
    if interval is None:
        return "off"
    seconds = round(interval.total_seconds())
    unit = next(it for it in "dhm" if seconds % _UNITS[it] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def first_due(
    now: datetime, interval: timedelta, new: int, *, everything: bool, spread: Spread = random.uniform
) -> datetime:
    """The first test of a credential. The first time the console runs, all are spread over the interval; later, `new`
    credentials that come together are spread over one minute for each."""
    window = interval if everything else min(interval, new * AT_ONCE)
    return now + window * spread(0.0, 1.0)


def by_user(host: str, username: str) -> Spread:
    """The same place for all passwords of a user name: copies are tested at one time, which tells nothing of them."""
    part = _part(host, username)
    return lambda low, high: low + (high - low) * part


def _part(host: str, username: str) -> float:
    return int.from_bytes(sha256(f"{host}\0{username}".encode()).digest()[:6]) / (1 << 48)


def at_one_time(latest: datetime, now: datetime, host: str, username: str) -> datetime:
    """The last moment until then, or the next one from now, at which new passwords of a user name are tested, whatever
    they are. There is one each minute."""
    place = AT_ONCE * by_user(host, username)(0.0, 1.0)
    due_at = latest - (latest - datetime.min.replace(tzinfo=UTC) - place) % AT_ONCE
    return due_at if due_at > now else due_at - (due_at - now) // AT_ONCE * AT_ONCE


def next_due(
    status: Status,
    interval: timedelta,
    at: datetime,
    *,
    retry_after: int | None = None,
    paused: timedelta = timedelta(),
    own_network: bool = False,
    spread: Spread = random.uniform,
) -> datetime:
    """The test after one that ended at `at` with `status`. `retry_after`: what the registry asked for, in seconds.
    `paused`: the wait before this test, if it followed another such request."""
    regular = at + interval * spread(*JITTER)
    reason = Reason(status.reason)
    if reason is Reason.RATE_LIMITED:
        asked = at + min(timedelta(seconds=retry_after or 0), LONGEST_BACK_OFF)
        if status.state is State.SUSPECT:  # another test confirms it; each further pause is twice as long
            return max(asked, min(at + max(SHORTEST_PAUSE, 2 * paused), regular))
        return max(regular, asked)
    if reason.ok:
        return at + RETRIES[0] if status.state is State.RECOVERING else regular
    if own_network and reason in NETWORK:
        return at + RETRIES[-1]
    if reason in REFUSED:
        if status.state is State.SUSPECT:
            return at + timedelta(seconds=spread(*CONFIRMATION))
        return at + back_off(interval, status.failures) * spread(*JITTER)
    if reason in FINAL or status.failures > len(RETRIES):
        return regular
    return at + min(RETRIES[status.failures - 1], interval)


def back_off(interval: timedelta, failures: int) -> timedelta:
    """The wait after so many refusals in a row: twice the interval, then twice as long each time, up to a day."""
    longest = max(interval, LONGEST_BACK_OFF)
    return min(interval * (1 << min(max(failures, 1), 10)), longest)
