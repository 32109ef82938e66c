"""Claims of credentials, so that one process tests each: a conditional UPDATE of ScheduledCredential.

A claim has an end: what a dead process had claimed is due again. A process that slept past the end of its claim records
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from registries.limits import exclusive
from registries.models import ScheduledCredential, ScheduledRegistry

LOOKED_AT = 32
"""Due rows that are read at a time. The hosts of some may be taken by another process meanwhile."""
_LONGEST_AGO = F("tested_at").asc(nulls_first=True)
"""Of the credentials that are due at one moment, those of one user name among them, each gets its turn."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A credential that this process works on until the claim ends. `due`: a test is due, not only a write."""

    id: int
    fence: int
    host: str
    username: str
    digest: str
    due: bool


def claim_next(now: datetime, by: str, lasts: timedelta) -> Claim | None:
    """Claims the credential that is due for longest on a host where no claim is held, in any process.

    Namespaces with fewer claims come first: one with thousands of slow registries keeps no other waiting for long.
    """
    held = ScheduledCredential.objects.filter(claimed_until__gt=now)
    waiting = _open(now).exclude(host__in=held.values("host"))
    waiting = waiting.order_by(F("due_at").asc(nulls_last=True), _LONGEST_AGO, "pk")
    head = list(waiting[:LOOKED_AT])
    for row in _fairly(waiting, head, held.filter(due_at__lte=now)):
        with exclusive(f"schedule {row.host}"):
            if held.filter(host=row.host).exists():
                continue
            taken = (
                _open(now)
                .filter(pk=row.pk, fence=row.fence)
                .update(claimed_until=now + lasts, claimed_by=by[:64], fence=row.fence + 1)
            )
        if taken:
            due = row.due_at is not None and row.due_at <= now
            return Claim(row.pk, row.fence + 1, row.host, row.username, row.digest, due)
    return None


def _fairly(
    waiting: QuerySet[ScheduledCredential],
    head: Sequence[ScheduledCredential],
    tested: QuerySet[ScheduledCredential],
) -> list[ScheduledCredential]:
    """The head, by the claims that the namespaces of its rows hold; of the namespaces of a row, the one with the fewest
    counts. Before the head come rows of namespaces with fewer claims than all in it, first those without any.

    A credential of all namespaces takes nothing from the differences between them. Its verdict is written for minutes,
    so only the claims under test count, and the database compares.
    """
    members = ScheduledRegistry.objects.filter(credential__in=head)
    holding = ScheduledRegistry.objects.filter(credential__in=tested).values("namespace")
    holding = holding.annotate(claims=Count("credential", distinct=True))
    claims = dict(
        holding.filter(namespace__in=members.values("namespace")).values_list("namespace", "claims")
    )
    ranks: dict[int, int] = {}
    if claims:
        for pk, namespace in members.values_list("credential", "namespace"):
            rank = claims.get(namespace, 0)
            ranks[pk] = min(rank, ranks.get(pk, rank))
    fewest = min(ranks.values(), default=0)
    found = list[ScheduledCredential]()
    for most in sorted({1, fewest}) if fewest and len(head) == LOOKED_AT else ():
        crowded = holding.filter(claims__gte=most).values("namespace")
        others = ScheduledRegistry.objects.exclude(namespace__in=crowded).filter(credential=OuterRef("pk"))
        found = found or list(waiting.filter(Exists(others))[:LOOKED_AT])
    return [*found, *sorted(head, key=lambda row: ranks.get(row.pk, 0))]


def extend(claim: Claim, until: datetime) -> bool:
    """Holds a claim for longer. False if it was lost."""
    return bool(mine(claim).update(claimed_until=until))


def release(claim: Claim, *, due_at: datetime | None = None) -> None:
    """Ends a claim. `due_at` postpones the test, unless the checks of the credential were turned off meanwhile."""
    if due_at is not None:
        mine(claim).filter(interval__isnull=False).update(due_at=due_at)
    mine(claim).update(claimed_until=None, claimed_by="")


def hold_back(claim: Claim, until: datetime) -> None:
    """Keeps the claim until a moment, without doing anything: the store does not answer."""
    mine(claim).update(claimed_until=until, claimed_by="")


def mine(claim: Claim) -> QuerySet[ScheduledCredential]:
    """The row of a claim; none if the claim was lost."""
    return ScheduledCredential.objects.filter(pk=claim.id, fence=claim.fence)


def _open(now: datetime) -> QuerySet[ScheduledCredential]:
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    return ScheduledCredential.objects.filter(Q(due_at__lte=now) | Q(behind=True), free)


def lag(now: datetime | None = None) -> tuple[int, float]:
    """How many credentials are due, and the seconds for which the first of them has been due."""
    now = now or timezone.now()
    due = ScheduledCredential.objects.filter(due_at__lte=now).order_by("due_at")
    first = due.values_list("due_at", flat=True).first()
    return due.count(), (now - first).total_seconds() if first else 0.0


def open_claims() -> int:
    """How many credentials processes work on now. What a dead process had claimed counts until its claim ends."""
    return ScheduledCredential.objects.filter(claimed_until__gt=timezone.now()).count()
