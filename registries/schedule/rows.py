"""The rows of the schedule: results, and which registries lack a verdict.

Owns ScheduledCredential and ScheduledRegistry.
"""

import random
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from registries.domain.registry import RegistrySecret
from registries.models import ScheduledCredential, ScheduledRegistry, StateChange
from registries.probe.result import Reason, Result
from registries.probe.schedule import REFUSED
from registries.schedule import days, joining, network, recent, telling
from registries.schedule.claims import Claim, mine
from registries.schedule.digest import fingerprint
from registries.schedule.due import next_due
from registries.schedule.state import FINAL, NETWORK, REFUSED_LAST, State, Status, step, was_refused
from registries.verification.history import to_json, without_pem

WRITTEN_AGAIN = timedelta(hours=1)
"""An unchanged verdict is not written to a resource more often."""
SAME_RESULT = timedelta(minutes=1)
"""Another test of a copy with the same result within this time is counted for the copy only."""
APART = timedelta(seconds=10)
"""After a refusal, the other passwords of the user name wait so long: a registry may refuse all for a moment."""
SECOND = timedelta(seconds=1)
AHEAD = timedelta(hours=1)
"""A time that is later than now by more than this was written with a wrong clock. No claim lasts longer."""


def record(claim: Claim, result: Result, at: datetime, changed: Collection[str] = ()) -> bool:
    """Records the result of a scheduled test for all registries with this credential, but for those `changed` (uids)
    since: they have another one. False if the claim was lost."""
    with transaction.atomic():
        row = mine(claim).select_for_update().first()
        if row is None:
            return False
        _set_aside(row, changed, at)
        _apply_to_all(row, result, at, by_schedule=True)
        drop_empty([row.pk])
    return True


def _apply_to_all(row: ScheduledCredential, result: Result, at: datetime, *, by_schedule: bool) -> None:
    """Applies a result to a row, and to the others with its credential that are due. Those become one row, if the
    result says whether the password is right. A pause is that of the namespace."""
    paused = result.reason is Reason.RATE_LIMITED
    group = [row, *(() if paused else joining.due_as_well(row, at))]
    place = random.random()  # rows that were tested together stay together
    if joining.says_whether_right(result.reason):
        _join(joining.shared_row(row), group, result, at, place, by_schedule=by_schedule)
        return
    if by_schedule and not paused:
        days.count([uid for it in group for uid in _uids(it)], at, result)
    for it in group:
        if by_schedule or not _lately(it, result, at):
            _apply(it, _uids(it), result, at, place)


def _join(
    shared: ScheduledCredential,
    group: Sequence[ScheduledCredential],
    result: Result,
    at: datetime,
    place: float,
    *,
    by_schedule: bool,
) -> None:
    """Applies a result to the row that registries share, and moves those of the group into it."""
    own = [it for it in group if it.pk != shared.pk]
    pks, joined = [it.pk for it in own], [uid for it in own for uid in _uids(it)]
    end_down(joined, at)
    if by_schedule:
        days.count([*_uids(shared), *joined], at, result)
    intervals = [it.interval for it in own if it.interval]
    if intervals and (shared.interval is None or min(intervals) < shared.interval):
        shared.interval = min(intervals)
        ScheduledCredential.objects.filter(pk=shared.pk).update(interval=shared.interval)
    if by_schedule or not _lately(shared, result, at):
        _apply(shared, _uids(shared), result, at, place)
    elif joined and shared.outcome_at:
        ScheduledCredential.objects.filter(pk=shared.pk).update(behind=True)
    ScheduledRegistry.objects.filter(credential__in=pks).update(credential=shared, joined_at=at)
    drop_empty(pks)
    if joined and State(shared.state).confirmed:
        telling.catch_up(joined, at, first=True)


def _lately(row: ScheduledCredential, result: Result, at: datetime) -> bool:
    """Whether a moment ago another test had the same result."""
    return bool(row.tested_at and row.tested_reason == result.reason and at - row.tested_at < SAME_RESULT)


def _set_aside(row: ScheduledCredential, changed: Collection[str], at: datetime) -> None:
    """Gives changed registries a row of their own without a state, until `Placing` has read their credentials."""
    rows = [row, *joining.alike(row)] if changed else []
    for it in ScheduledRegistry.objects.filter(uid__in=changed, credential__in=rows):
        end_down([it.uid], at)
        key_id = row.digest.partition(":")[0]
        it.credential, _ = ScheduledCredential.objects.get_or_create(
            digest=f"{key_id}:changed:{it.uid}", defaults={"host": row.host, "username": row.username}
        )
        it.joined_at = at
        it.save(update_fields=["credential", "joined_at"])


def observe(registry: RegistrySecret, result: Result, at: datetime) -> None:
    """Takes note of another test of a registry, whose verdict is on its resource already. It moves the schedule on.

    For a registry that is new, or was changed and is not placed anew yet, only its day is noted: its row is missing, or
    that of the credential before. The new row begins with the verdict on the resource.
    """
    uid = registry.uid
    member = ScheduledRegistry.objects.filter(uid=uid, fingerprint=fingerprint(registry))
    with transaction.atomic():
        rows = ScheduledCredential.objects.select_for_update(of=("self",))
        row = rows.filter(registries__in=member).first()
        if result.reason is not Reason.RATE_LIMITED:
            days.count([uid], at, result)
        if row is None or not member.update(written_at=at, written_reason=result.reason.value):
            return
        _apply_to_all(row, result, at, by_schedule=False)


def end_down(uids: Sequence[str], at: datetime) -> None:
    """The time since the last test of those registries that are failing was a failure: they are tested again, get
    another credential, or are created again."""
    begun: dict[datetime, list[str]] = {}
    for uid, begin in recent.down_since(uids).items():
        begun.setdefault(begin, []).append(uid)
    for begin, some in begun.items():
        days.add_down(some, begin, at)


def repair_times(now: datetime) -> None:
    """Replaces times in the future by now: a clock was ahead for a while. Without this, results and verdicts would not
    count as newer, and a claim would hold up its host, until that time comes."""
    soon, rows = now + AHEAD, ScheduledCredential.objects
    for name in ("tested_at", "since", "outcome_at", "reminded_at", "claimed_until"):
        rows.filter(**{f"{name}__gt": soon}).update(**{name: now})
    for name in ("written_at", "joined_at"):
        ScheduledRegistry.objects.filter(**{f"{name}__gt": soon}).update(**{name: now})


def unwritten(claim: Claim) -> list[ScheduledRegistry]:
    """The registries that lack the confirmed outcome: those with an earlier one of another reason, and those whose time
    is an hour old. A newer test, which is not confirmed yet, stays on its resource."""
    row = mine(claim).first()
    if row is None or row.outcome_at is None:
        return []
    old = Q(written_at=None) | Q(written_at__lte=row.outcome_at - WRITTEN_AGAIN)
    other = Q(written_at__lt=row.outcome_at) & ~Q(written_reason=row.reason)
    return list(row.registries.filter(old | other).order_by("namespace", "name"))


def confirmed(claim: Claim) -> tuple[str, datetime | None]:
    """The JSON of the last confirmed outcome, and its time."""
    found = mine(claim).values_list("outcome", "outcome_at").first()
    return found or ("", None)


def written(registries: Sequence[ScheduledRegistry], reason: str, at: datetime) -> None:
    found = ScheduledRegistry.objects.filter(pk__in=[it.pk for it in registries])
    found.update(written_at=at, written_reason=reason)


def all_written(claim: Claim, outcome_at: datetime | None) -> None:
    """Every registry has the outcome of this time. A newer one stays to be written."""
    mine(claim).filter(outcome_at=outcome_at).update(behind=False)


def members(claim: Claim) -> list[ScheduledRegistry]:
    """The registries with this credential, those first whose resource was written first: all get their turn."""
    found = ScheduledRegistry.objects.filter(credential=claim.id)
    return list(found.order_by(F("written_at").asc(nulls_first=True), "pk"))


def status_of(row: ScheduledCredential) -> Status:
    return Status(
        State(row.state), State(row.settled), row.since, row.failures, row.recent, row.tested_reason
    )


def _uids(row: ScheduledCredential) -> Sequence[str]:
    return list(row.registries.values_list("uid", flat=True))


def _apply(row: ScheduledCredential, uids: Sequence[str], result: Result, at: datetime, place: float) -> None:
    """The state after a result, its history, and the next test, at this place (0 to 1) of what is open."""
    before, reason = status_of(row), result.reason
    failing, again = before.settled is State.FAILING, before.state is State.SUSPECT
    own = network.own_network(row.host, reason, at, failing=failing, again=again)
    after = step(before, reason, at, own_network=own)
    if failing:
        end_down(uids, at)
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
        due_at = next_due(
            after,
            interval,
            at,
            retry_after=result.retry_after,
            paused=paused,
            own_network=own,
            spread=lambda low, high: low + (high - low) * place,
        )
        # A failure that says nothing of a refused password does not bring its next test forward.
        keeps = not reason.ok and reason not in REFUSED and was_refused(before.recent, before.reason)
        row.due_at = max(due_at, row.due_at or due_at) if keeps else due_at
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
    refused = Q(tested_reason__in=REFUSED) | Q(recent__regex=REFUSED_LAST)
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


def leave(before: Sequence[RegistrySecret]) -> None:
    """Takes registries whose passwords were changed out of the rows of the old ones: the verdicts of those rows are not
    their own any more. `Placing.update` places them anew. `before` has the registries with the old passwords."""
    prints = {it.uid: fingerprint(it) for it in before}
    with transaction.atomic():
        rows = ScheduledRegistry.objects.filter(uid__in=prints)
        left = [row for row in rows if row.fingerprint == prints[row.uid]]
        if left:
            end_down([row.uid for row in left], timezone.now())
            ScheduledRegistry.objects.filter(pk__in=[row.pk for row in left]).delete()
            drop_empty({row.credential_id for row in left})


def drop_empty(credentials: Iterable[int]) -> None:
    """Deletes rows without registries."""
    ScheduledCredential.objects.filter(pk__in=list(credentials), registries=None).delete()
