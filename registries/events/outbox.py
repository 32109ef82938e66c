"""The outbox: changes wait here for their channels. Owns Delivery and DeliveryItem.

`tell` writes in the transaction of the change, so a change that is committed is sent at least once. Changes of one
group (kind, host, reason) are collected for a while and sent as one message. A process claims a message by a
conditional update. A claim expires, so the message of a process that died is sent by another one, with the same id.
"""

import itertools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from registries.events.change import Change
from registries.events.services import SERVICES
from registries.events.services.base import Outcome, Trouble, rest_of
from registries.limits import exclusive
from registries.models import Channel, Delivery, DeliveryItem

COLLECT = timedelta(seconds=30)
CLAIM = timedelta(minutes=2)
"""Longer than any attempt takes."""
RETRIES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""The waits after failed attempts (Standard Webhooks). After the last one the message is given up."""
COLLECTING, DUE, SENT, GIVEN_UP = "collecting", "due", "sent", "given_up"
KEPT = timedelta(days=30)
BATCH = 500
ITEMS_MAX = 2_000
"""Changes that one message is made of. More of the same group become a second message."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process may send now. `fence` is its number among the claims."""

    id: UUID
    channel: Channel
    changes: tuple[Change, ...]
    fence: int


class Turns:
    """Whose turn it is among namespaces, of which each may have many channels that answer slowly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counter = itertools.count(1)
        self._last: dict[str, int] = {}

    def next(self, namespaces: Iterable[str]) -> str:
        """Of these, the one whose last turn was longest ago; the first of several that had none."""
        with self._lock:
            chosen = min(namespaces, key=lambda it: self._last.get(it, 0))
            self._last[chosen] = next(self._counter)
            return chosen


def tell(changes: Sequence[Change]) -> int:
    """Puts changes into the outbox of every channel that may hear of them. Call it in the transaction of the change.

    A channel of a namespace hears of that namespace only. Returns the number of entries.
    """
    if not changes:
        return 0
    namespaces = {change.namespace for change in changes}
    told = 0
    with exclusive("outbox"):
        channels = Channel.objects.filter(Q(namespace__in=namespaces) | Q(namespace=""), enabled=True)
        for channel in channels.order_by("pk"):
            meant = [it for it in changes if channel.namespace in ("", it.namespace)]
            for group in dict.fromkeys(it.group for it in meant):
                told += _collect(channel, group, [it for it in meant if it.group == group])
    return told


def was_told(group: str, since: datetime) -> bool:
    """Whether a message of this group was put into the outbox since then."""
    return Delivery.objects.filter(group=group, created_at__gte=since).exists()


def _collect(channel: Channel, group: str, changes: Sequence[Change]) -> int:
    now = timezone.now()
    times = {"created_at": now, "due_at": now + COLLECT}
    delivery, _created = Delivery.objects.get_or_create(
        channel=channel, group=group[:400], state=COLLECTING, defaults=times
    )
    DeliveryItem.objects.bulk_create(DeliveryItem(delivery=delivery, change=it.to_json()) for it in changes)
    return len(changes)


def claim(turns: Turns) -> Claimed | None:
    """The message that has been due longest in the namespace whose turn it is, claimed for this process; None if none
    can be sent now.

    A channel gets one message at a time, and rests in between as its service asks. Messages about one host keep their
    order: a newer one waits while an earlier one was not taken, which is tried again in its place.
    """
    now = timezone.now()
    if not _due(now).exists():
        return None
    with exclusive("outbox"):  # nothing is added to the message any more
        busy = Delivery.objects.filter(_claimed(now), state=DUE).values("channel")
        due = _due(now).exclude(channel__in=busy)
        rows = due.exclude(channel__in=_resting(due, now)).select_related("channel")
        first = rows.order_by().values_list("channel__namespace").annotate(first=Min("due_at"))
        namespaces = [namespace for namespace, _ in first.order_by("first")]
        mine = rows.filter(channel__namespace=turns.next(namespaces)) if namespaces else rows
        row = mine.order_by("due_at", "created_at").first()
        if row is None:
            return None
        if earlier := _of_the_host(row).filter(created_at__lt=row.created_at).order_by("created_at").first():
            later = now + RETRIES[min(earlier.attempts, len(RETRIES) - 1)]
            Delivery.objects.filter(pk=row.pk).update(state=DUE, due_at=later)
            row = earlier
        fence = row.fence + 1
        claimed = {"state": DUE, "fence": fence, "due_at": min(row.due_at, now), "claimed_until": now + CLAIM}
        Delivery.objects.filter(pk=row.pk).update(**claimed)
    _split(row, now)
    changes = row.items.order_by("pk").values_list("change", flat=True)
    return Claimed(row.pk, row.channel, tuple(map(Change.from_json, changes)), fence)


def _split(delivery: Delivery, now: datetime) -> None:
    """Gives what is too much for one message to a second one, which comes right after it."""
    items = delivery.items.order_by("pk")
    beyond = items.values_list("pk", flat=True)[ITEMS_MAX : ITEMS_MAX + 1].first()
    if beyond is not None:
        after = delivery.created_at + timedelta(microseconds=1)
        with transaction.atomic():
            rest = Delivery.objects.create(
                channel=delivery.channel, group=delivery.group, state=DUE, created_at=after, due_at=now
            )
            items.filter(pk__gte=beyond).update(delivery=rest)


def _due(now: datetime) -> QuerySet[Delivery]:
    """The messages that may be sent now. A time that is too far ahead was written with a wrong clock."""
    free = Q(claimed_until__isnull=True) | ~_claimed(now)
    due = Q(due_at__lte=now) | Q(due_at__gt=now + 2 * RETRIES[-1])
    due |= Q(state=COLLECTING, due_at__gt=now + 2 * COLLECT)
    return Delivery.objects.filter(free, due, state__in=(COLLECTING, DUE), channel__enabled=True)


def _claimed(now: datetime) -> Q:
    return Q(claimed_until__gte=now, claimed_until__lte=now + 2 * CLAIM)


def _resting(due: QuerySet[Delivery], now: datetime) -> list[UUID]:
    """The channels of these messages that got one too short a while ago for the limit of their service, and those whose
    service was asked too often a short while ago."""
    columns = ("channel", "channel__service", "channel__trouble", "channel__sent_at", "channel__failed_at")
    channels = due.order_by().values_list(*columns).distinct()
    return [
        channel
        for channel, name, trouble, *attempts in channels
        if any(
            at and now - rest_of(SERVICES[name], too_often=trouble == Trouble.TOO_OFTEN) < at <= now + COLLECT
            for at in attempts
        )
    ]


def _of_the_host(delivery: Delivery) -> QuerySet[Delivery]:
    """The other messages about this host that the channel did not take yet and that nobody sends now."""
    host = delivery.group.split("|")[1]
    refused = Delivery.objects.filter(channel=delivery.channel_id, state=DUE, claimed_until=None)
    return refused.filter(group__contains=f"|{host}|").exclude(pk=delivery.pk).select_related("channel")


def settle(claimed: Claimed, outcome: Outcome) -> None:
    """Records an attempt: sent, or when to try again. Without effect if another process has claimed it meanwhile."""
    now = timezone.now()
    mine = Delivery.objects.filter(pk=claimed.id, fence=claimed.fence, state=DUE)
    with transaction.atomic():
        if row := mine.first():
            ended = {"state": SENT, "ended_at": now, "claimed_until": None, "attempts": row.attempts + 1}
            fields = ended if outcome.delivered else _after_failure(row.attempts, outcome, now)
            if mine.update(**fields) and "ended_at" in fields:
                _of_the_host(row).update(due_at=now)  # they waited for this one
        note(claimed.channel, outcome)


def _after_failure(attempts: int, outcome: Outcome, now: datetime) -> dict[str, object]:
    if attempts >= len(RETRIES) or outcome.trouble is Trouble.GONE:
        return {"state": GIVEN_UP, "ended_at": now, "claimed_until": None, "attempts": attempts + 1}
    wait = max(RETRIES[attempts], timedelta(seconds=outcome.retry_after))
    return {"due_at": now + wait, "claimed_until": None, "attempts": attempts + 1}


def claim_repeat(service: str, every: timedelta, turns: Turns) -> Channel | None:
    """A channel of a service whose alerts have to be sent again, claimed by one process only; of the namespace whose
    turn it is."""
    now = timezone.now()
    free = Channel.objects.filter(
        Q(repeat_at__isnull=True) | Q(repeat_at__lte=now) | Q(repeat_at__gt=now + 2 * every),
        service=service,
        enabled=True,
    ).order_by("repeat_at", "pk")
    while waiting := list(free.all()):  # asked anew: another process may have been faster
        namespace = turns.next(it.namespace for it in waiting)
        channel = next(it for it in waiting if it.namespace == namespace)
        if free.filter(pk=channel.pk).update(repeat_at=now + every):
            return channel
    return None


def drop(channel: Channel) -> None:
    """Gives up what waits for a channel that is turned off: it would be old news when somebody turns it on again."""
    waiting = Delivery.objects.filter(channel=channel, state__in=(COLLECTING, DUE))
    waiting.update(state=GIVEN_UP, ended_at=timezone.now(), claimed_until=None)


def note(channel: Channel, outcome: Outcome) -> None:
    """What the page of channels shows of the last attempt. 410 turns the channel off."""
    now = timezone.now()
    if outcome.trouble is None:
        Channel.objects.filter(pk=channel.pk).update(sent_at=now, failed_at=None, trouble="", code="")
        return
    fields: dict[str, object] = {
        "failed_at": now,
        "trouble": outcome.trouble.value,
        "code": outcome.code[:32],
    }
    if outcome.delivered:
        fields["sent_at"] = now
    if outcome.trouble is Trouble.GONE:
        fields["enabled"] = False
        drop(channel)
    Channel.objects.filter(pk=channel.pk).update(**fields)


def waiting() -> int:
    """Messages that wait to be sent."""
    return Delivery.objects.filter(state__in=(COLLECTING, DUE)).count()


def prune() -> None:
    """Deletes ended messages after 30 days, in batches."""
    old = Delivery.objects.filter(state__in=(SENT, GIVEN_UP), ended_at__lt=timezone.now() - KEPT)
    while pks := list(old.values_list("pk", flat=True)[:BATCH]):
        Delivery.objects.filter(pk__in=pks).delete()
