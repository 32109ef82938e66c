"""The rows of the schedule: claims, results, and which registries lack a verdict.

Owns ScheduledCredential and ScheduledRegistry. A claim is a conditional UPDATE with an end: what a dead
process had claimed is due again. A process that slept past the end of its claim records nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from registries.limits import exclusive
from registries.models import ScheduledCredential, ScheduledRegistry, StateChange
from registries.probe.result import Reason, Result
from registries.schedule import days, network, telling
from registries.schedule.due import next_due
from registries.schedule.state import FINAL, NETWORK, REFUSED, State, Status, step
from registries.verification.history import to_json, without_pem

LOOKED_AT = 32
"""Due rows that are read at a time. The hosts of some may be taken by another process meanwhile."""
WRITTEN_AGAIN = timedelta(hours=1)
"""An unchanged verdict is not written to a resource more often."""
SAME_RESULT = timedelta(minutes=1)
"""Another test of a copy with the same result within this time is counted for the copy only."""
APART = timedelta(seconds=10)
"""After a refusal, the other passwords of the user name wait so long: a registry may refuse all for a moment."""
SECOND = timedelta(seconds=1)
BATCH = 500
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
    return bool(_mine(claim).update(claimed_until=until))


def release(claim: Claim, *, due_at: datetime | None = None) -> None:
    """Ends a claim. `due_at` postpones the test, unless the checks of the credential were turned off meanwhile."""
    if due_at is not None:
        _mine(claim).filter(interval__isnull=False).update(due_at=due_at)
    _mine(claim).update(claimed_until=None, claimed_by="")


def hold_back(claim: Claim, until: datetime) -> None:
    """Keeps the claim until a moment, without doing anything: the store does not answer."""
    _mine(claim).update(claimed_until=until, claimed_by="")


def record(claim: Claim, result: Result, at: datetime) -> bool:
    """Records the result of a scheduled test for all registries with this credential. False if the claim was lost."""
    with transaction.atomic():
        row = _mine(claim).select_for_update().first()
        if row is None:
            return False
        uids = _uids(row)
        if result.reason is not Reason.RATE_LIMITED:
            days.count(uids, at, ok=result.ok)
        _apply(row, uids, result, at)
    return True


def observe(uid: str, result: Result, at: datetime) -> None:
    """Takes note of another test of a registry, whose verdict is on its resource already. It moves the schedule on."""
    with transaction.atomic():
        row = ScheduledCredential.objects.select_for_update(of=("self",)).filter(registries__uid=uid).first()
        if row is None:
            return
        written = ScheduledRegistry.objects.filter(uid=uid)
        written.update(written_at=at, written_reason=result.reason.value)
        if result.reason is not Reason.RATE_LIMITED:
            days.count([uid], at, ok=result.ok)
        if row.tested_at and row.tested_reason == result.reason and at - row.tested_at < SAME_RESULT:
            return
        _apply(row, _uids(row), result, at)


def note_written(uids: Sequence[str], result: Result, at: datetime) -> None:
    """Takes note that the verdict of another registry's test, which `observe` has seen, is on these resources too."""
    with transaction.atomic():
        for first in range(0, len(uids), BATCH):
            rows = ScheduledRegistry.objects.filter(uid__in=uids[first : first + BATCH])
            rows.update(written_at=at, written_reason=result.reason.value)
        if result.reason is not Reason.RATE_LIMITED:
            days.count(uids, at, ok=result.ok)


def unwritten(claim: Claim) -> list[ScheduledRegistry]:
    """The registries that lack the confirmed outcome: those with an earlier one of another reason, and those whose time
    is an hour old. A newer test, which is not confirmed yet, stays on its resource."""
    row = _mine(claim).first()
    if row is None or row.outcome_at is None:
        return []
    old = Q(written_at=None) | Q(written_at__lte=row.outcome_at - WRITTEN_AGAIN)
    other = Q(written_at__lt=row.outcome_at) & ~Q(written_reason=row.reason)
    return list(row.registries.filter(old | other).order_by("namespace", "name"))


def confirmed(claim: Claim) -> tuple[str, datetime | None]:
    """The JSON of the last confirmed outcome, and its time."""
    found = _mine(claim).values_list("outcome", "outcome_at").first()
    return found or ("", None)


def written(registries: Sequence[ScheduledRegistry], reason: str, at: datetime) -> None:
    found = ScheduledRegistry.objects.filter(pk__in=[it.pk for it in registries])
    found.update(written_at=at, written_reason=reason)


def all_written(claim: Claim, outcome_at: datetime | None) -> None:
    """Every registry has the outcome of this time. A newer one stays to be written."""
    _mine(claim).filter(outcome_at=outcome_at).update(behind=False)


def members(claim: Claim) -> list[ScheduledRegistry]:
    """The registries with this credential, those first whose resource was written first: all get their turn."""
    found = ScheduledRegistry.objects.filter(credential=claim.id)
    return list(found.order_by(F("written_at").asc(nulls_first=True), "pk"))


def status_of(row: ScheduledCredential) -> Status:
    return Status(
        State(row.state), State(row.settled), row.since, row.failures, row.recent, row.tested_reason
    )


def _open(now: datetime) -> QuerySet[ScheduledCredential]:
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    return ScheduledCredential.objects.filter(Q(due_at__lte=now) | Q(behind=True), free)


def _mine(claim: Claim) -> QuerySet[ScheduledCredential]:
    return ScheduledCredential.objects.filter(pk=claim.id, fence=claim.fence)


def _uids(row: ScheduledCredential) -> Sequence[str]:
    return list(row.registries.values_list("uid", flat=True))


def _apply(row: ScheduledCredential, uids: Sequence[str], result: Result, at: datetime) -> None:
    """The state after a result, its history, and the next test."""
    before, reason = status_of(row), result.reason
    failing, again = before.settled is State.FAILING, before.state is State.SUSPECT
    own = network.own_network(row.host, reason, at, failing=failing, again=again)
    after = step(before, reason, at, own_network=own)
    if failing and row.tested_at and row.tested_at < at:
        days.add_down(uids, row.tested_at, at)
    says_something = reason is not Reason.RATE_LIMITED and not (own and reason in NETWORK)
    if says_something and after.state.confirmed and _reason_is_confirmed(row, before, reason):
        if after.settled is not before.settled or (failing and row.reason != reason):
            _note_change(row, before, after, at)
        row.outcome, row.reason, row.outcome_at = to_json(without_pem(result)), reason.value, at
        row.behind = True
    row.state, row.settled, row.since = after.state, after.settled, after.since
    row.failures, row.recent = after.failures, after.recent
    tested_at, row.tested_at, row.tested_reason = row.tested_at, at, reason.value
    if row.interval is not None:
        interval = timedelta(seconds=row.interval)
        paused = at - tested_at if tested_at and before.reason == Reason.RATE_LIMITED else timedelta()
        row.due_at = next_due(
            after, interval, at, retry_after=result.retry_after, paused=paused, own_network=own
        )
    row.save(
        update_fields=[
            *("state", "settled", "since", "failures", "recent", "tested_at", "tested_reason"),
            *("outcome", "reason", "outcome_at", "behind", "due_at"),
        ]
    )
    if reason in REFUSED:
        _spare_the_user(row, at)
    if reason in NETWORK and before.state is State.OK and not own:
        network.call_witnesses(row.host, at)


def _reason_is_confirmed(row: ScheduledCredential, before: Status, reason: Reason) -> bool:
    """Whether a credential that goes on failing fails for another reason now, and not for one test only."""
    if before.state is not State.FAILING or reason == row.reason or reason in REFUSED | FINAL:
        return True
    return before.reason == reason


def _note_change(row: ScheduledCredential, before: Status, after: Status, at: datetime) -> None:
    changes = (
        StateChange(
            uid=it.uid,
            namespace=it.namespace,
            name=it.name,
            host=row.host,
            at=at,
            before=before.settled,
            after=after.settled,
            reason=after.reason,
            since=before.since,
        )
        for it in row.registries.all()
    )
    telling.record(changes, at)


def _spare_the_user(row: ScheduledCredential, at: datetime) -> None:
    """Postpones the tests of other passwords of this user name on this host, which would be refused, or lock it.

    Passwords that were right wait for a moment. Others wait until this one is due: those first that were never refused,
    one of which may be right, then those that were refused as well, then this one. A test that confirms the refusal
    of this one comes before the others that were refused.
    """
    others = ScheduledCredential.objects.filter(host=row.host, username=row.username).exclude(pk=row.pk)
    refused = Q(tested_reason__in=REFUSED)
    right = Q(settled=State.OK) | Q(recent__contains="+") & ~refused
    others.filter(right, due_at__lt=at + APART).update(due_at=at + APART)
    if row.due_at is not None:
        mine, theirs = (SECOND, 2 * SECOND) if row.state == State.SUSPECT else (2 * SECOND, SECOND)
        for which, due_at in (
            (others.filter(~right, ~refused), row.due_at),
            (others.filter(~right, refused), row.due_at + theirs),
        ):
            which.filter(due_at__lt=due_at).update(due_at=due_at)
        ScheduledCredential.objects.filter(pk=row.pk).update(due_at=row.due_at + mine)


def statuses(uids: Sequence[str]) -> dict[str, ScheduledCredential]:
    """The row of the credential of each registry, by uid, in one query for 500. Never show its digest."""
    found: dict[str, ScheduledCredential] = {}
    for first in range(0, len(uids), BATCH):
        rows = ScheduledRegistry.objects.filter(uid__in=uids[first : first + BATCH])
        found |= {it.uid: it.credential for it in rows.select_related("credential")}
    return found


def known_digests(uids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The fingerprint and the digest of each registry, by uid. One query for 500. Never show a digest."""
    found: dict[str, tuple[str, str]] = {}
    for first in range(0, len(uids), BATCH):
        some = ScheduledRegistry.objects.filter(uid__in=uids[first : first + BATCH])
        places = some.values_list("uid", "fingerprint", "credential__digest")
        found |= {uid: (known_as, digest) for uid, known_as, digest in places}
    return found


def failing_since(uids: Sequence[str]) -> dict[str, datetime]:
    """When the registries that fail began to, by uid. One query for 500."""
    found: dict[str, datetime] = {}
    for first in range(0, len(uids), BATCH):
        failing = ScheduledRegistry.objects.filter(
            uid__in=uids[first : first + BATCH], credential__settled=State.FAILING
        )
        found |= {uid: since for uid, since in failing.values_list("uid", "credential__since") if since}
    return found


def changes_of(uid: str, most: int) -> list[StateChange]:
    """The confirmed changes of one registry, newest first."""
    return list(StateChange.objects.filter(uid=uid).order_by("-at", "-pk")[:most])


def lag(now: datetime | None = None) -> tuple[int, float]:
    """How many credentials are due, and the seconds for which the first of them has been due."""
    now = now or timezone.now()
    due = ScheduledCredential.objects.filter(due_at__lte=now).order_by("due_at")
    first = due.values_list("due_at", flat=True).first()
    return due.count(), (now - first).total_seconds() if first else 0.0


def open_claims() -> int:
    """How many credentials processes work on now. What a dead process had claimed counts until its claim ends."""
    return ScheduledCredential.objects.filter(claimed_until__gt=timezone.now()).count()
