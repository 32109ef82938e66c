"""From confirmed changes of state to the outbox. A change during a silence waits for its end.

The outbox is written in the transaction of the change. A first success is not told, and neither is a change that was
taken back before the end of a silence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Max, Q
from django.utils import timezone

from registries.events.change import Change, ChangeKind
from registries.events.outbox import tell, was_told
from registries.limits import exclusive
from registries.models import NetworkIncident, ScheduledCredential, ScheduledRegistry, StateChange
from registries.probe.reason import Reason
from registries.runs.threads import repeat
from registries.schedule.silences import is_silent, scopes_at, to_tell
from registries.schedule.state import State

PAUSE = 2.0
"""Seconds between two looks for what may be told now."""
BATCH = 500
DAILY = timedelta(days=1)
"""Between two messages that a registry still fails."""
KINDS = {
    State.FAILING: ChangeKind.FAILING,
    State.FLAPPING: ChangeKind.FLAPPING,
    State.OK: ChangeKind.RECOVERED,
}


def run() -> None:
    """Tells what is due, for ever, in a thread of its own. It needs no scheduled check: people test as well."""
    repeat(lambda: tell_due(timezone.now()), PAUSE, "messages about checks are interrupted")


def tell_due(now: datetime) -> None:
    """Tells what waited for the end of a silence, and reminds of what still fails."""
    tell_waiting(now)
    tell_late_network(now)
    remind(now)


def record(changes: Iterable[StateChange], at: datetime) -> None:
    """Stores changes, and puts those into the outbox that may be told now. Call it in their transaction."""
    silent, found = scopes_at(at), _continued(list(changes))
    held = _waiting(it.uid for it in found)
    for it in found:
        it.waits = it.uid in held or is_silent(silent, namespace=it.namespace, host=it.host, uid=it.uid)
    StateChange.objects.bulk_create(found, batch_size=BATCH)
    tell([_change(it) for it in found if not it.waits and _is_told(it.before, it.after)])


def catch_up(uids: Sequence[str], at: datetime, *, first: bool = False) -> None:
    """Records what changed for registries that have another credential now, with a state of its own. `first`: also for
    those without a change before."""
    with exclusive("schedule changes"):
        last = _recorded(uids)
        which = list(uids) if first else list(last)
        members = ScheduledRegistry.objects.filter(uid__in=which).select_related("credential")
        before = {uid: it.after for uid, it in last.items()}
        moved = [it for it in members if it.credential.settled not in (State.NEW, before.get(it.uid))]
        if moved:
            record([_new_change(it, at) for it in moved], at)


def _new_change(it: ScheduledRegistry, at: datetime) -> StateChange:
    row = it.credential
    return StateChange(
        uid=it.uid,
        namespace=it.namespace,
        name=it.name,
        host=row.host,
        at=at,
        before=State.NEW,
        after=row.settled,
        reason=row.reason,
    )


def _continued(changes: list[StateChange]) -> list[StateChange]:
    """The changes of new credentials, from the last state of the registry: its password was changed. Those to the same
    state are left out."""
    last = _recorded([it.uid for it in changes if it.before == State.NEW])
    for it in changes:
        if (earlier := last.get(it.uid)) and it.before == State.NEW:
            it.before, it.since = earlier.after, earlier.at
    same = {(uid, it.after, it.reason) for uid, it in last.items()}
    return [it for it in changes if (it.uid, it.after, it.reason) not in same]


def _recorded(uids: Sequence[str]) -> dict[str, StateChange]:
    """The last change of each registry, by uid."""
    found: dict[str, StateChange] = {}
    for first in range(0, len(uids), BATCH):
        some = StateChange.objects.filter(uid__in=uids[first : first + BATCH])
        last = some.order_by().values("uid").annotate(last=Max("pk")).values("last")
        found |= {it.uid: it for it in StateChange.objects.filter(pk__in=last)}
    return found


def _waiting(uids: Iterable[str]) -> set[str]:
    """The registries with an earlier change that waits: `tell_waiting` tells one message for all of their changes."""
    waiting, found = StateChange.objects.filter(waits=True), set(uids)
    return set(waiting.filter(uid__in=found).values_list("uid", flat=True)) if waiting.exists() else set()


def tell_waiting(now: datetime) -> None:
    """Tells what differs after the silences that have ended. A registry that was deleted meanwhile is left out."""
    waiting = StateChange.objects.filter(waits=True)
    if not waiting.exists():
        return
    silent = scopes_at(now)
    with exclusive("schedule silences"):
        over = [
            it
            for it in waiting.order_by("pk")
            if not is_silent(silent, namespace=it.namespace, host=it.host, uid=it.uid)
        ]
        here = _present({it.uid for it in over})
        pairs = to_tell((it for it in over if it.uid in here), _reason_before)
        tell([_change(last) for first, last in pairs if _is_told(first.before, last.after)])
        _remind_later([last.uid for _, last in pairs if last.after == State.FAILING], now)
        for first in range(0, len(over), BATCH):
            StateChange.objects.filter(pk__in=[it.pk for it in over[first : first + BATCH]]).update(
                waits=False
            )


def _remind_later(uids: Sequence[str], now: datetime) -> None:
    """What was told of these registries a moment ago is repeated in a day, however long they have failed."""
    for first in range(0, len(uids), BATCH):
        told = ScheduledRegistry.objects.filter(uid__in=uids[first : first + BATCH])
        ScheduledCredential.objects.filter(pk__in=told.values("credential")).update(reminded_at=now)


def _present(uids: set[str]) -> set[str]:
    ordered, found = sorted(uids), set[str]()
    for first in range(0, len(ordered), BATCH):
        rows = ScheduledRegistry.objects.filter(uid__in=ordered[first : first + BATCH])
        found |= set(rows.values_list("uid", flat=True))
    return found


def _reason_before(change: StateChange) -> str | None:
    """Why a registry failed before a change; None if that is not recorded."""
    earlier = StateChange.objects.filter(uid=change.uid, pk__lt=change.pk).order_by("-pk")
    return earlier.values_list("reason", flat=True).first()


def remind(now: datetime) -> None:
    """Tells once a day what still fails, if it has failed for a day. One process does it."""
    due = ScheduledCredential.objects.filter(
        Q(reminded_at=None) | Q(reminded_at__lte=now - DAILY), settled=State.FAILING, since__lte=now - DAILY
    )
    pks = list(due.values_list("pk", flat=True)[:BATCH])
    if not pks:
        return
    with exclusive("schedule reminders"):
        mine = list(due.filter(pk__in=pks).values_list("pk", flat=True))
        ScheduledCredential.objects.filter(pk__in=mine).update(reminded_at=now)
        tell([replace(it, kind=ChangeKind.REMINDER) for it in _failing(now, Q(credential__in=mine))])


def tell_network(incident: NetworkIncident, now: datetime) -> None:
    """Tells that the console's own network fails, or, if that was told, that it works again. It waits while everything
    is silenced."""
    if _may_tell(incident, now):
        tell([_of_network(incident)])


def tell_late_network(now: datetime) -> None:
    """Tells after a silence of everything what differs from its beginning: the network fails, or works again."""
    incident = NetworkIncident.objects.order_by("-began_at").first()
    if incident and _may_tell(incident, now):
        with exclusive("schedule silences"):
            tell_network(incident, now)


def _may_tell(incident: NetworkIncident, now: datetime) -> bool:
    change, failed = _of_network(incident), _failed(incident)
    if was_told(change.group, change.at) or _all_silent(now):
        return False
    return incident.ended_at is None or was_told(failed.group, failed.at)


def _failed(incident: NetworkIncident) -> Change:
    return Change(ChangeKind.NETWORK, incident.began_at, incident.began_at)


def _of_network(incident: NetworkIncident) -> Change:
    if incident.ended_at is None:
        return _failed(incident)
    return Change(ChangeKind.NETWORK_OVER, incident.ended_at, incident.began_at)


def _all_silent(at: datetime) -> bool:
    """Whether a silence is for everything: the console's own network has no namespace, host or registry."""
    return is_silent(scopes_at(at), namespace="", host="", uid="")


def failing() -> Sequence[Change]:
    """Every registry that fails or flaps now, and the trouble of the console's own network, for services that forget.
    Silenced registries are left out."""
    now = timezone.now()
    incident = NetworkIncident.objects.filter(open=True).first()
    own = [Change(ChangeKind.NETWORK, now, incident.began_at)] if incident and not _all_silent(now) else []
    return [*own, *_failing(now, Q(), (State.FAILING, State.FLAPPING))]


def _failing(now: datetime, which: Q, states: Sequence[State] = (State.FAILING,)) -> list[Change]:
    silent = scopes_at(now)
    rows = ScheduledRegistry.objects.filter(which, credential__settled__in=states)
    rows = rows.select_related("credential")
    return [
        Change(
            kind=KINDS[State(it.credential.settled)],
            at=now,
            since=it.credential.since or now,
            uid=it.uid,
            namespace=it.namespace,
            name=it.name,
            host=it.credential.host,
            reason=_reason(KINDS[State(it.credential.settled)], it.credential.reason),
        )
        for it in rows.order_by("namespace", "name")
        if not is_silent(silent, namespace=it.namespace, host=it.credential.host, uid=it.uid)
    ]


def _is_told(before: str, after: str) -> bool:
    return not (before == State.NEW and after == State.OK)


def _change(it: StateChange) -> Change:
    kind = KINDS[State(it.after)]
    return Change(
        kind=kind,
        at=it.at,
        since=it.at,
        uid=it.uid,
        namespace=it.namespace,
        name=it.name,
        host=it.host,
        reason=_reason(kind, it.reason),
    )


def _reason(kind: ChangeKind, reason: str) -> str:
    """What a message gives as the reason. Flapping can be found at a success, which is no reason for it."""
    return "" if kind is ChangeKind.FLAPPING and reason == Reason.OK else reason
