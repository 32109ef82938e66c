"""The audit log: person, action, time, source and outcome. Owns AuditEntry.

Repeated refusals are counted in one row, and their number is bounded: anybody can cause them. So are log-ins,
log-outs, and comparisons of texts with a password.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.db.models import F, Q

from registries.audit.action import IN_DOUBT, LINKED, OK, REPLACED, Action
from registries.domain.access import OWNER_MAX, Access, Permission
from registries.domain.registry import Key, RegistrySecret
from registries.models import AuditEntry
from registries.probe import Reason

WINDOW = timedelta(hours=1)
"""Equal entries that are counted, within one clock hour, are one row."""
DISTINCT = 50
"""Rows an hour for one person, action and outcome. Further entries share one row without object and source."""
EARLIER = 10
"""Earlier uids of a registry that are followed."""
NOT_REFUSED = (OK, IN_DOUBT, "revoked")
COUNTED = (Action.LOGIN, Action.LOGOUT, Action.COMPARE)
"""Actions that are counted when they succeed too: they are not worth a row each time."""
TESTS = (Action.TEST, Action.TRY)
PASSED = ("", Reason.OK.value, Reason.OK_UNVERIFIED.value)
"""Notes of tests that did not fail."""


class AuditLog:
    """Records actions. `counted` is told action, outcome and number of every record."""

    def __init__(
        self, counted: Callable[[str, str, int], None] = lambda action, outcome, number: None
    ) -> None:
        self._counted = counted

    def record(
        self,
        access: Access,
        action: Action,
        *,
        outcome: str = OK,
        key: Key | None = None,
        namespace: str = "",
        uid: str = "",
        note: str = "",
    ) -> None:
        """Records one action. `note` is a code or a name, never input of a secret field."""
        entry = _entry(access, action, outcome, key or Key(namespace, ""), uid, note)
        self._counted(entry.action, "failed" if entry.failed and outcome == OK else outcome, 1)
        if outcome in NOT_REFUSED and action not in COUNTED:
            entry.save(force_insert=True)
        else:
            _count(entry)

    def record_all(
        self,
        access: Access,
        action: Action,
        items: Sequence[tuple[Key, str]],
        *,
        outcome: str = OK,
        note: str = "",
    ) -> None:
        """Records one action on many registries, (key, uid) each, with the same outcome and note."""
        entries = [_entry(access, action, outcome, key, uid, note) for key, uid in items]
        self._counted(action.value, outcome, len(entries))
        if outcome in NOT_REFUSED:
            AuditEntry.objects.bulk_create(entries, batch_size=500)
            return
        for entry in entries[:DISTINCT]:
            _count(entry)
        if rest := entries[DISTINCT:]:
            _count_rest(rest[0], len(rest))

    def close_namespace(self, namespace: str, before: datetime | None = None) -> None:
        """Keeps the entries of a deleted namespace from the people of a later one with its name. `before` is the
        creation of the later one, where the deletion was not seen."""
        entries = AuditEntry.objects.filter(namespace=namespace, administrators_only=False)
        if before is not None:
            entries = entries.filter(at__lt=before)
        if entries.exists():  # a look is enough almost always, and keeps no writer waiting
            entries.update(administrators_only=True, repeat=None)


def _entry(
    access: Access, action: Action, outcome: str, key: Key, uid: str = "", note: str = ""
) -> AuditEntry:
    stranger = bool(key.namespace) and not access.may(Permission.SEE, key.namespace)
    return AuditEntry(
        person=access.person[:150],
        owner=access.owner[:OWNER_MAX],
        source=access.source[:45],
        action=action.value,
        namespace=key.namespace[:63],
        name=key.name[:253],
        uid=uid,
        outcome=outcome[:32],
        failed=outcome != OK or (action in TESTS and note not in PASSED),
        run=access.run,
        note=note[:255],
        administrators_only=stranger and outcome not in NOT_REFUSED,
    )


def _count(entry: AuditEntry) -> None:
    """Adds an entry to the row of its equals in this hour, or stores a new row."""
    group, entry.repeat = _group(entry), _repeat(entry)
    if _add(entry, 1):
        return
    # All have the same length and are lower-case hexadecimal, so that every collation orders them alike.
    equals = AuditEntry.objects.filter(repeat__gte=group + "0" * 32, repeat__lte=group + "f" * 32)
    if equals.count() >= DISTINCT:
        _count_rest(entry, 1)
    else:
        _add_or_store(entry, 1)


def _count_rest(entry: AuditEntry, number: int) -> None:
    """Counts entries beyond DISTINCT. A flood of invented names or addresses is one row."""
    entry.source = entry.namespace = entry.name = entry.uid = entry.note = ""
    entry.run, entry.administrators_only = None, True
    entry.repeat = _repeat(entry)
    _add_or_store(entry, number)


def _add_or_store(entry: AuditEntry, number: int) -> None:
    """Safe over replicas: `repeat` is unique, and the loser of a race adds to the winner's row."""
    if _add(entry, number):
        return
    entry.count = 0
    AuditEntry.objects.bulk_create([entry], ignore_conflicts=True)
    _add(entry, number)


def _add(entry: AuditEntry, number: int) -> bool:
    """Adds to the stored row in one statement. Returns whether there is one."""
    equals = AuditEntry.objects.filter(repeat=entry.repeat)
    return equals.update(count=F("count") + number, last_at=entry.at) == 1


def _group(entry: AuditEntry) -> str:
    hour = str(int(entry.at.timestamp() // WINDOW.total_seconds()))
    return _digest(entry.owner, entry.action, entry.outcome, hour)


def _repeat(entry: AuditEntry) -> str:
    what = (entry.source, entry.namespace, entry.name, entry.uid, entry.note)
    return _group(entry) + _digest(*what, *([str(entry.run)] if entry.run else []))


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def events_of(registry: RegistrySecret, limit: int = 50) -> Sequence[AuditEntry]:
    """The newest entries of one registry with refused attempts, without entries of an earlier registry of this name.

    A registry that was restored after a deletion has its entries from before.
    """
    refused = Q(uid="", namespace=registry.namespace, name=registry.name, at__gte=registry.created_at)
    entries = AuditEntry.objects.filter(Q(uid__in=_uids(registry.uid)) | refused, administrators_only=False)
    return list(entries.order_by("-at", "-pk")[:limit])


def _uids(uid: str) -> list[str]:
    """The uid of a registry, and those that it had before it was restored or replaced, newest first."""
    uids = [uid]
    replaced = Q(action=Action.PASSWORD.value, note__startswith=REPLACED)
    undone = AuditEntry.objects.filter(Q(action=Action.UNDO.value) | replaced, outcome=OK)
    while len(uids) <= EARLIER and (
        before := undone.filter(uid=uids[-1]).values_list("note", flat=True).first()
    ):
        uids.append(before.removeprefix(REPLACED))
    return uids


def copied_from(uid: str, source: Key, since: datetime | None = None) -> bool:
    """Whether the console copied the registry with this uid from one with this key, and did so, or linked the two
    again, since a moment."""
    entries = AuditEntry.objects.filter(uid__in=_uids(uid), outcome=OK)
    copied = Q(action=Action.COPY.value, note=str(source))
    if not entries.filter(copied).exists():
        return False
    linked = Q(action=Action.SYNC.value, note=LINKED)
    return since is None or entries.filter(copied | linked, at__gte=since).exists()


def logged_in_from(access: Access) -> bool:
    """Whether the person has logged in from the address in `access` before."""
    entries = AuditEntry.objects.filter(owner=access.owner, action=Action.LOGIN.value, outcome=OK)
    return entries.filter(source=access.source[:45]).exists()
