"""Keeps the rows of the schedule in sync with the registries: new ones, changed ones, deleted ones.

Each process does this for itself; doing it twice does no harm. The password of a registry is read once, and again
only after its specification has changed.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from registries.domain.errors import ConsoleError
from registries.domain.registry import RegistrySecret
from registries.index.search import Index
from registries.index.snapshot import Snapshot
from registries.models import (
    CheckInterval,
    ScheduledCredential,
    ScheduledRegistry,
)
from registries.probe.schedule import registry_of
from registries.schedule import days, telling
from registries.schedule.digest import CredentialDigest, fingerprint, own_digest, shared_digest
from registries.schedule.due import at_one_time, by_user, first_due, next_due
from registries.schedule.intervals import Intervals
from registries.schedule.moving import restorable
from registries.schedule.recent import failing_from
from registries.schedule.resource_verdicts import is_bare, judged, with_newer
from registries.schedule.rows import drop_empty, end_down, repair_times
from registries.schedule.state import State, Status, seeded
from registries.stores.base import Store

WHOLE = timedelta(minutes=10)
"""Between two comparisons of everything with the database, for what other processes did."""
BATCH = 500

Placed = tuple[RegistrySecret, str]
"""A registry and the digest of its row."""

log = logging.getLogger(__name__)


class Placing:
    def __init__(self, index: Index, store: Store, digest: CredentialDigest, intervals: Intervals) -> None:
        self._index = index
        self._store = store
        self._digest = digest
        self._intervals = intervals
        self._version: str | None = None
        self._whole_at: datetime | None = None
        self._seen: dict[str, str] = {}
        """The resource version that was looked at, by uid."""
        self._placed: dict[str, str] = {}
        """The fingerprint in the database, by uid."""
        self._again: set[str] = set()

    def update(self, now: datetime) -> None:
        """Places what is new or changed since the last call, and removes what is gone. Unavailable."""
        if self._index.freshness().problem:
            return
        snapshot = self._index.fresh()
        whole = self._whole_at is None or not timedelta() <= now - self._whole_at < WHOLE
        if snapshot.version == self._version and not whole and not self._again:
            return
        if whole:
            self._whole_at, self._seen, self._placed = now, {}, self._stored()
        again, self._again = self._again, set()
        present: set[str] = set()
        changed: list[RegistrySecret] = []
        for bucket in snapshot.buckets.values():
            for it in bucket.items:
                present.add(it.uid)
                if self._seen.get(it.uid) != it.resource_version or it.uid in again:
                    self._seen[it.uid] = it.resource_version
                    if self._placed.get(it.uid) != fingerprint(it) or it.uid in again:
                        changed.append(it)
        self._place(changed, now, everything=whole and not ScheduledCredential.objects.exists())
        self._remove(self._gone(self._placed.keys() - present, snapshot), now)
        if whole:
            repair_times(now)
            self._intervals.apply_to_all(now)
        self._version = snapshot.version

    def again(self, uid: str) -> None:
        """Reads a registry's credential again at the next `update`: it was not the one that was known."""
        self._again.add(uid)

    def _stored(self) -> dict[str, str]:
        """The fingerprints in the database. Digests of an earlier key are left out, and so made again."""
        rows = ScheduledRegistry.objects.filter(credential__digest__startswith=f"{self._digest.key_id}:")
        return dict(rows.values_list("uid", "fingerprint"))

    def _place(self, registries: Sequence[RegistrySecret], now: datetime, *, everything: bool) -> None:
        found = [(it, digest) for it in registries if (digest := self._read(it))]
        self._take_over_keys(found)
        read = _with_rows(found, everything=everything)
        known = _rows_of(digest for _, digest in read)
        new = {digest: newest for digest, newest in _newest(read).items() if digest not in known}
        for first in range(0, len(read), BATCH):
            self._place_some(read[first : first + BATCH], new, now, everything=everything)
        for it, _ in read:
            self._placed[it.uid] = fingerprint(it)

    def _place_some(
        self, read: Sequence[Placed], new: Mapping[str, RegistrySecret], now: datetime, *, everything: bool
    ) -> None:
        with transaction.atomic():
            wanted, number = {digest for _, digest in read}, len({shared_digest(it) for it in new})
            known = ScheduledRegistry.objects.filter(uid__in=[it.uid for it, _ in read])
            known = known.select_for_update().order_by("pk")
            before = {it.uid: it for it in known}
            ScheduledCredential.objects.bulk_create(
                (
                    self._new_row(digest, judged(new[digest], before), now, number, everything=everything)
                    for digest in sorted(wanted & new.keys())
                ),
                ignore_conflicts=True,
            )
            rows = _rows_of(wanted)
            moved = {
                it.uid: rows[digest]
                for it, digest in read
                if it.uid in before and before[it.uid].credential_id != rows[digest]
            }
            end_down(list(moved), now)
            ScheduledRegistry.objects.filter(uid__in=moved).update(joined_at=now)
            ScheduledRegistry.objects.bulk_create(
                (_member(it, rows[digest], it.created_at) for it, digest in read),
                update_conflicts=True,
                unique_fields=["uid"],
                update_fields=["namespace", "name", "fingerprint", "credential"],
            )
            fresh = ScheduledCredential.objects.filter(pk__in=set(moved.values()), tested_at=None)
            fresh.filter(interval__isnull=False).update(due_at=now)
            # The verdict on these resources is that of the credential before, or gone.
            bare = {it.uid for it, _ in read if it.uid in before and is_bare(it, before[it.uid])}
            newer = with_newer([it for it, _ in read if it.uid in moved], before)
            ScheduledRegistry.objects.filter(uid__in=(bare | moved.keys()) - newer).update(
                written_at=None, written_reason=""
            )
            stayed = [rows[digest] for it, digest in read if it.uid in before.keys() - moved.keys()]
            ScheduledCredential.objects.filter(pk__in=stayed, outcome_at__isnull=False).update(behind=True)
            drop_empty({it.credential_id for it in before.values()})
            self._intervals.apply(set(rows.values()), now)
            telling.catch_up([it.uid for it, _ in read], now)

    def _gone(self, absent: Collection[str], snapshot: Snapshot) -> Iterable[str]:
        """Those of these registries that do not exist. The others are left out of the index, and are looked at again
        with the next comparison of everything."""
        if not snapshot.left_out:
            return absent
        places = dict[str, str]()
        uids = sorted(absent)
        for first in range(0, len(uids), BATCH):
            rows = ScheduledRegistry.objects.filter(uid__in=uids[first : first + BATCH])
            places |= dict(rows.values_list("uid", "namespace"))
        gone = {uid for uid in absent if snapshot.is_gone(uid, places.get(uid, ""))}
        for uid in set(absent) - gone:
            self._placed.pop(uid, None)
            self._seen.pop(uid, None)
        return gone

    def _remove(self, uids: Iterable[str], now: datetime) -> None:
        gone = sorted(uids)
        for first in range(0, len(gone), BATCH):
            some = gone[first : first + BATCH]
            with transaction.atomic():
                end_down(some, now)  # for those that are restored
                rows = ScheduledRegistry.objects.filter(uid__in=some)
                credentials = set(rows.values_list("credential", flat=True))
                rows.delete()
                forgotten = sorted(set(some) - restorable(some))
                CheckInterval.objects.filter(uid__in=forgotten).delete()
                days.forget(forgotten)
                drop_empty(credentials)
        for uid in gone:
            self._placed.pop(uid, None)
            self._seen.pop(uid, None)

    def _read(self, registry: RegistrySecret) -> str | None:
        """The digest of a credential, or None when it cannot be read now. The next comparison of everything tries
        again. One of a later generation is read again as soon as the index knows it."""
        try:
            credential = self._store.credential(registry.key, uid=registry.uid)
        except ConsoleError:
            return None
        return self._digest(credential) if credential.generation == registry.generation else None

    def _take_over_keys(self, read: Sequence[Placed]) -> None:
        """Gives rows with a digest of an earlier key the digest of the present one, so that their state stays."""
        mine = f"{self._digest.key_id}:"
        if not ScheduledCredential.objects.exclude(digest__startswith=mine).exists():
            return
        known = set(ScheduledCredential.objects.values_list("digest", flat=True))
        for it, digest in read:
            old = ScheduledRegistry.objects.filter(uid=it.uid, fingerprint=fingerprint(it))
            places = old.exclude(credential__digest__startswith=mine)
            for pk, before in places.values_list("credential", "credential__digest"):
                after = digest + before.removeprefix(shared_digest(before))
                if after not in known:
                    ScheduledCredential.objects.filter(pk=pk).update(digest=after)
                    known.add(after)

    def _new_row(
        self, digest: str, registry: RegistrySecret, now: datetime, new: int, *, everything: bool
    ) -> ScheduledCredential:
        """A row with the state that the verdict on the resource tells. It is no change: nobody is told. One of its own
        is tested soon, also with a good verdict, such as that of the source of a copy: it joins the others then."""
        verdict = registry.verification
        status = seeded(verdict)
        row = ScheduledCredential(
            digest=digest,
            host=registry_of(registry.address)[:300],
            username=registry.username[:256],
            state=status.state,
            settled=status.settled,
            since=_since(registry.uid, status),
            failures=status.failures,
            recent=status.recent,
            tested_at=verdict.at,
            tested_reason=status.reason,
            reason=status.reason,
        )
        interval = self._intervals.default.interval
        if interval is not None:
            row.interval = round(interval.total_seconds())
            spread = by_user(row.host, row.username)
            due_at = first_due(now, interval, new, everything=everything, spread=spread)
            alone = not everything and digest != shared_digest(digest) and status.state is State.OK
            if verdict.at is not None and status.state is not State.NEW and not alone:
                regular = next_due(status, interval, verdict.at, spread=spread)
                due_at = regular if regular > now else due_at
            row.due_at = at_one_time(due_at, now, row.host, row.username)
        return row


def _since(uid: str, status: Status) -> datetime | None:
    """A registry that was restored has failed since before its deletion."""
    earlier = failing_from(uid) if status.settled is State.FAILING else None
    return min(filter(None, (status.since, earlier)), default=None)


def _with_rows(found: Sequence[Placed], *, everything: bool) -> list[Placed]:
    """The digests of the rows: of the present one with this credential, or of one of its own (see joining.py). The
    first time the console runs, that has the registries of a namespace."""
    present = dict[str, str]()
    for first in range(0, len(found), BATCH):
        some = ScheduledRegistry.objects.filter(uid__in=[it.uid for it, _ in found[first : first + BATCH]])
        present |= dict(some.values_list("uid", "credential__digest"))
    return [
        (it, mine)
        if shared_digest(mine := present.get(it.uid, "")) == digest
        else (it, own_digest(digest, it.namespace if everything else it.uid))
        for it, digest in found
    ]


def _newest(read: Iterable[Placed]) -> dict[str, RegistrySecret]:
    """Of the registries with one credential, the one that was tested last."""
    newest: dict[str, RegistrySecret] = {}
    for it, digest in read:
        at = it.verification.at
        other = newest.get(digest)
        if other is None or (at and (other.verification.at is None or at > other.verification.at)):
            newest[digest] = it
    return newest


def _member(registry: RegistrySecret, credential: int, joined_at: datetime) -> ScheduledRegistry:
    return ScheduledRegistry(
        uid=registry.uid,
        namespace=registry.namespace,
        name=registry.name,
        fingerprint=fingerprint(registry),
        credential_id=credential,
        joined_at=joined_at,
        written_at=registry.verification.at,
        written_reason=registry.verification.reason[:64],
    )


def _rows_of(digests: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    wanted = sorted(set(digests))
    for first in range(0, len(wanted), BATCH):
        rows = ScheduledCredential.objects.filter(digest__in=wanted[first : first + BATCH])
        found |= dict(rows.values_list("digest", "pk"))
    return found
