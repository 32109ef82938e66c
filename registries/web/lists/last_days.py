"""The last 30 days of registries: drawn in the list, and in numbers."""

import re
from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import gettext as _

from registries.domain.registry import RegistrySecret
from registries.probe.reason import Reason
from registries.schedule import days

DAYS = 30
"""Days of a registry that are drawn."""
MONTHS_KEPT, MONTHS_KEPT_FOR = 10_000, timedelta(minutes=1)
"""Registries whose days are kept in memory, and for how long."""
_months_kept: dict[Hashable, tuple[datetime, str]] = {}


def until_now(month: str, since: datetime | None, now: datetime) -> str:
    """The marks of the last days with a failure that is confirmed and lasts: no day record has its last part yet."""
    if since is None:
        return month
    days_ago = (timezone.localdate(now) - timezone.localdate(since)).days
    before = max(0, len(month) - 1 - days_ago)
    return month[:before] + month[before:].replace("w", "x")


def months_of(registries: Iterable[RegistrySecret], now: datetime) -> dict[str, str]:
    """The marks of the last days by uid, read again after a minute, and after each change of a registry."""
    first = timezone.localdate(now) - timedelta(days=DAYS - 1)
    found: dict[str, str] = {}
    missing: dict[str, Hashable] = {}
    for it in registries:
        key: Hashable = (it.uid, it.resource_version, first)
        at, month = _months_kept.get(key, (None, ""))
        if at and abs(now - at) < MONTHS_KEPT_FOR:
            found[it.uid] = month
        else:
            missing[it.uid] = key
    if len(_months_kept) + len(missing) > MONTHS_KEPT:
        _months_kept.clear()
    read = days.marks(list(missing), first, DAYS) if missing else {}
    for uid, key in missing.items():
        found[uid] = read.get(uid, "")
        _months_kept[key] = now, found[uid]
    return {uid: month for uid, month in found.items() if month}


@lru_cache(maxsize=MONTHS_KEPT)
def paths(month: str) -> tuple[str, str, str]:
    """Low lines along the good days and the unproven ones, and a line upwards for each day with failures, the higher
    one if confirmed."""
    good, unproven = (
        "".join(f"M{3 * it.start()} 9h{3 * len(it[0])}" for it in re.finditer(mark, month))
        for mark in ("o+", "u+")
    )
    failed = (it.start() for it in re.finditer("[wx]", month))
    return good, unproven, "".join(f"M{3 * day + 1} {5 if month[day] == 'w' else 0}V10" for day in failed)


def not_counted(registry: RegistrySecret) -> str:
    """Why the last test of a registry is in none of the days: it says nothing about the credential. "" if it is."""
    if registry.verification.reason != Reason.RATE_LIMITED:
        return ""
    return _("the last test was rate limited: not counted")


def in_numbers(month: str) -> str:
    """The marks of the last days as a sentence; "" without a test."""
    if not month:
        return ""
    unproven, untested = month.count("u"), month.count("-")
    good = month.count("o") + unproven
    well = _("%(good)d good (%(n)d with an unverified password)") if unproven else _("%(good)d good")
    numbers = {
        "days": len(month),
        "failed": len(month) - good - untested,
        "good": well % {"good": good, "n": unproven},
        "untested": untested,
    }
    text = _("%(days)d days: %(failed)d failed, %(good)s")
    if untested:
        text = _("%(days)d days: %(failed)d failed, %(good)s, %(untested)d not tested")
    return text % numbers
