"""Tells of dates that run out: 30, 7 and 1 days before, each once. Owns ExpiryNotice.

Every process looks at all registries once a minute. A message belongs to the process whose conditional UPDATE changed
the row. During a silence nothing is claimed, so the message follows at its end.
"""

from datetime import UTC, date, datetime, timedelta
from datetime import time as clock

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from registries.domain.registry import EXPIRES_SOON, Ending, RegistrySecret
from registries.events.change import Change, ChangeKind
from registries.events.outbox import tell
from registries.index.search import Index
from registries.models import ExpiryNotice
from registries.probe.schedule import registry_of
from registries.runs.threads import repeat
from registries.schedule.silences import is_silent, scopes_at

BEFORE = (1, 7, 30)
"""Days before the end, at which people are told."""
PAUSE = 60.0
RENEWED = {Ending.CREDENTIAL: timedelta(days=1), Ending.CERTIFICATE: timedelta(days=20)}
RENEWED_TOKEN = timedelta(days=BEFORE[-1])
"""An end that is later by so much is told anew. The servers behind one name may have several certificates, and a
program may replace a token each day."""
FORGOTTEN = timedelta(days=1)
"""After this time, the notices of a registry that is gone are deleted."""
BATCH = 500

Told = dict[tuple[str, str], tuple[date, int, str]]
"""By uid and Ending: the end, the last threshold that was told, and the namespace."""


class Expiries:
    def __init__(self, index: Index) -> None:
        self._index = index

    def run(self) -> None:
        """Works for ever, in its own thread."""
        repeat(lambda: self.tell(timezone.now()), PAUSE, "the search for dates that run out failed")

    def tell(self, now: datetime) -> int:
        """Tells what no process has told. Returns the number of messages, one for each registry and date."""
        if self._index.freshness().problem:
            return 0
        snapshot, today = self._index.fresh(), timezone.localdate(now)
        soon = today + EXPIRES_SOON
        ending = [
            it
            for bucket in snapshot.buckets.values()
            if bucket.expires_on and bucket.expires_on[0] <= soon
            for it in bucket.items
            if it.expires_soon(today)
        ]
        told = _told()
        due = [
            (it, day, what)
            for it in ending
            for day, what in it.endings
            if day <= soon and _is_due(told.get((it.uid, what)), it, day, what, _threshold(day, today))
        ]
        _forget({uid for (uid, _), (*_, its) in told.items() if snapshot.is_gone(uid, its)}, now)
        return sum(_tell_some(due[first : first + BATCH], today, now) for first in range(0, len(due), BATCH))


def _tell_some(due: list[tuple[RegistrySecret, date, Ending]], today: date, now: datetime) -> int:
    silent, changes = scopes_at(now), []
    with transaction.atomic():
        for it, day, what in due:
            host = registry_of(it.address)[:300]
            if is_silent(silent, namespace=it.namespace, host=host, uid=it.uid):
                continue
            if _claim(it, day, what, _threshold(day, today), now):
                changes.append(_change(it, day, what, host, now))
        tell(changes)
    return len(changes)


def _threshold(day: date, today: date) -> int:
    """The next of BEFORE that the days until then reach."""
    return next((days for days in BEFORE if (day - today).days <= days), BEFORE[-1])


def _is_due(
    told: tuple[date, int, str] | None, it: RegistrySecret, day: date, what: Ending, days: int
) -> bool:
    return told is None or days < told[1] or told[0] <= day - _renewed(it, day, what)


def _renewed(it: RegistrySecret, day: date, what: Ending) -> timedelta:
    of_token = what is Ending.CREDENTIAL and it.expires_at != day
    return RENEWED_TOKEN if of_token else RENEWED[what]


def _claim(it: RegistrySecret, day: date, what: Ending, days: int, now: datetime) -> bool:
    """Whether this process tells it. The same condition as `_is_due`, in the database."""
    place = {"uid": it.uid, "namespace": it.namespace}
    new = ExpiryNotice(**place, what=what, ends=day, days=BEFORE[-1] + 1, told_at=now)
    ExpiryNotice.objects.bulk_create([new], ignore_conflicts=True)
    due = Q(days__gt=days) | Q(ends__lte=day - _renewed(it, day, what))
    mine = ExpiryNotice.objects.filter(due, uid=it.uid, what=what)
    return bool(mine.update(ends=day, days=days, told_at=now, namespace=it.namespace))


def _change(it: RegistrySecret, day: date, what: Ending, host: str, now: datetime) -> Change:
    at = it.certificate_ends if what is Ending.CERTIFICATE else None
    return Change(
        kind=ChangeKind.EXPIRING,
        at=now,
        since=at or datetime.combine(day, clock(), UTC),
        uid=it.uid,
        namespace=it.namespace,
        name=it.name,
        host=host,
        reason=what.value,
    )


def _told() -> Told:
    rows = ExpiryNotice.objects.values_list("uid", "what", "ends", "days", "namespace")
    return {(uid, what): (ends, days, namespace) for uid, what, ends, days, namespace in rows}


def _forget(uids: set[str], now: datetime) -> None:
    gone = sorted(uids)
    for first in range(0, len(gone), BATCH):
        some = ExpiryNotice.objects.filter(uid__in=gone[first : first + BATCH])
        some.filter(told_at__lt=now - FORGOTTEN).delete()
