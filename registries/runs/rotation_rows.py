"""The sealed values of runs that change credentials. Owns Rotation and RotationTarget.

They are kept until the run has ended, and for a day at most.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from registries.domain.access import OWNER_MAX
from registries.domain.errors import NotFound, Problem, Unavailable
from registries.domain.registry import Draft, Key, Origin, Provider, RegistrySecret
from registries.models import Rotation, RotationTarget, Run, RunItem
from registries.runs.run import LOST_AFTER, ItemState, RunState
from registries.runs.threads import repeat
from registries.stores.sealing import Sealer, reseal_all

KEPT = timedelta(days=1)
"""How long the values of a run that nobody ends are kept."""
STOPPED = 5
"""Stopped runs of one person whose values are kept. Each may hold as much as a namespace."""

DOUBTFUL = "doubtful"
"""Sealed beside the new values, until the run has ended."""
SOONEST, LATEST = timedelta(minutes=1), timedelta(minutes=15)
"""The shortest and the longest pause of a run that tries again by itself."""
MOST_CLAIMS = 10
LOOK = 600.0
"""Seconds between two looks for old values."""


@dataclass(frozen=True, slots=True)
class Target:
    """One registry of a run: the values before and after, and how far the run is."""

    uid: str
    old: Draft
    new: Draft
    first: bool
    begun: bool
    replacing: bool
    anyway: bool
    undoing: bool
    doubtful: bool = False
    """It is not known whether the old values or the new ones are right at the registry: a test must say so."""
    known: RegistrySecret | None = None
    """The registry as the index had it when the item began; None if it has other values."""

    @property
    def ways(self) -> tuple[Draft, Draft]:
        """The values that are there, and those to write."""
        return (self.new, self.old) if self.undoing else (self.old, self.new)


class RotationRows:
    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def add(
        self,
        run_id: UUID,
        changes: Mapping[str, Any],
        old: Mapping[str, Draft],
        *,
        anyway: bool,
        by_token: bool = False,
        doubtful: bool = False,
        robots: Sequence[str] = (),
    ) -> None:
        """Seals the values that change, as fields of Draft, and the values before, by uid. `doubtful`: see Target."""
        with transaction.atomic():
            if robots:
                Run.objects.filter(pk=run_id).update(robots=list(robots))
            items = list(RunItem.objects.filter(run=run_id))
            values = {"new": {**changes, DOUBTFUL: True} if doubtful else changes}
            values |= {f"old {it.pk}": _to_json(old[it.uid]) for it in items}
            sealed, *seals = self._seal_all(run_id, values)
            Rotation.objects.create(run_id=run_id, sealed=sealed, anyway=anyway, by_token=by_token)
            rows = (RotationTarget(item=it, sealed=seal) for it, seal in zip(items, seals, strict=True))
            RotationTarget.objects.bulk_create(rows, batch_size=500)

    def target(self, item_id: int) -> Target:
        """Unavailable `password_forgotten` when the values are not kept any more."""
        found = self.targets([item_id]).get(item_id)
        if found is None:
            raise Unavailable("", Problem.PASSWORD_FORGOTTEN)
        return found

    def targets(self, items: Sequence[int]) -> dict[int, Target]:
        """Some items of one run, and the first item of it, by id; those whose values are kept."""
        rotation = Rotation.objects.filter(run__items=items[0]).first()
        if rotation is None:
            return {}
        run_id, changes = rotation.run_id, self._changes(rotation.run_id, rotation.sealed)
        doubtful = changes.pop(DOUBTFUL, False)
        first = RunItem.objects.filter(run=run_id).order_by("pk").values_list("pk", flat=True).first()
        rows = RotationTarget.objects.filter(item__in={first, *items})
        found: dict[int, Target] = {}
        for pk, uid, sealed, begun, replacing in rows.values_list(
            "item", "item__uid", "sealed", "begun", "replacing"
        ):
            old = _from_json(self._open(run_id, f"old {pk}", sealed))
            found[pk] = Target(
                uid=uid,
                old=old,
                new=replace(old, **changes),
                first=pk == first,
                begun=begun,
                replacing=replacing,
                anyway=rotation.anyway,
                undoing=rotation.undoing,
                doubtful=doubtful,
            )
        return found

    def _changes(self, run_id: UUID, sealed: str) -> dict[str, Any]:
        """The new values, as fields of Draft."""
        changes = self._open(run_id, "new", sealed)
        if "provider" in changes:
            changes["provider"] = Provider(changes["provider"])
        if "password" in changes:
            changes["password_set_at"] = None
        return changes

    def begun(self, items: Sequence[int], *, begun: bool = True) -> None:
        """Notes that registries may be written from now on; or that they were not written after all."""
        RotationTarget.objects.filter(item__in=items).update(begun=begun)

    def replacing(self, items: Sequence[int]) -> None:
        """Notes that registries may be absent from now on, because they are created again."""
        RotationTarget.objects.filter(item__in=items).update(replacing=True)

    def now(self, item_id: int, uid: str) -> None:
        """Notes the uid of the registry that took the place of an item's."""
        RunItem.objects.filter(pk=item_id).update(uid=uid)

    def continued(self, run_id: UUID, *, by_token: bool) -> None:
        """Notes whether the caller of now acts with a token."""
        Rotation.objects.filter(run=run_id).update(by_token=by_token)

    def keep_new(self, run_id: UUID) -> None:
        """A first registry that does not connect keeps its new values: the old ones are of no use any more."""
        Rotation.objects.filter(run=run_id).update(anyway=True)

    def undo(self, run_id: UUID) -> None:
        """From now on, the old values are written back to everything that was begun."""
        Rotation.objects.filter(run=run_id).update(undoing=True)
        items = RunItem.objects.filter(run=run_id)
        items.filter(rotation__begun=False).update(state=ItemState.LEFT_ALONE, problem=Problem.SKIPPED)
        items.filter(rotation__begun=True).update(state=ItemState.WAITING, problem="", reason="")

    def retry(self, run_id: UUID) -> None:
        """What failed waits again."""
        failed = RunItem.objects.filter(run=run_id, state=ItemState.FAILED)
        failed.update(state=ItemState.WAITING, problem="", reason="")

    def lost(self) -> list[tuple[UUID, str, str]]:
        """The runs whose process was lost: id, person and owner. One that was begun MOST_CLAIMS times waits for its
        person: it may be what ends the processes. So does one of a token: what the token allows now is not known."""
        running = Rotation.objects.filter(
            by_token=False, run__state=RunState.RUNNING, run__fence__lt=MOST_CLAIMS
        )
        lost = running.filter(run__beat_at__lte=timezone.now() - LOST_AFTER)
        return list(lost.values_list("run_id", "run__person", "run__owner"))

    def undecided(self) -> list[tuple[UUID, str, str]]:
        """The runs with a new secret of Harbor that stopped at their first registry, and are due for another attempt:
        id, person and owner. A test tells which secret is right: no person has to choose."""
        now, first = timezone.now(), RunItem.objects.filter(run=OuterRef("run")).order_by("pk")
        stopped = Rotation.objects.filter(
            by_token=False, undoing=False, run__state=RunState.CANCELLED, run__finished_at__lte=now - SOONEST
        )
        failed = stopped.annotate(first=Subquery(first.values("state")[:1])).filter(first=ItemState.FAILED)
        return [
            (it.run_id, it.run.person, it.run.owner)
            for it in failed.select_related("run")
            if _is_due(it, now) and self._is_of_harbor(it)
        ]

    def is_kept(self, run_id: UUID) -> bool:
        return Rotation.objects.filter(run=run_id).exists()

    def undoing(self, run_id: UUID) -> bool:
        """Whether the old values are written back. NotFound once the values are forgotten."""
        found = Rotation.objects.filter(run=run_id).values_list("undoing", flat=True).first()
        if found is None:
            raise NotFound(str(run_id))
        return found

    def doubtful(self, run_id: UUID) -> bool:
        """Whether it is not known which values are right. NotFound once they are forgotten; Unavailable."""
        found = Rotation.objects.filter(run=run_id).first()
        if found is None:
            raise NotFound(str(run_id))
        return not found.anyway and DOUBTFUL in self._open(run_id, "new", found.sealed)

    def _is_of_harbor(self, rotation: Rotation) -> bool:
        """Whether Harbor gets a new secret in this run. False if the values cannot be read."""
        with suppress(Unavailable):
            return DOUBTFUL in self._open(rotation.run_id, "new", rotation.sealed)
        return False

    def forget(self, run_id: UUID) -> None:
        RotationTarget.objects.filter(item__run=run_id).delete()
        Rotation.objects.filter(run=run_id).delete()

    def reseal(self) -> int:
        """Seals everything with the newest key. Returns the number of values."""
        rows = (Rotation.objects.all(), RotationTarget.objects.all())
        return sum(reseal_all(self._sealer, it, "sealed") for it in rows)

    def _seal_all(self, run_id: UUID, values: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Seals values by what they are bound to."""
        return self._sealer.seal_all(
            (json.dumps(it), str(run_id), f"rotation {binding}") for binding, it in values.items()
        )

    def _open(self, run_id: UUID, binding: str, sealed: str) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(
            self._sealer.open(sealed, uid=str(run_id), binding=f"rotation {binding}")
        )
        return values


def _is_due(rotation: Rotation, now: datetime) -> bool:
    """Whether a stopped run has rested for long enough: a quarter of its age, within limits."""
    stopped = rotation.run.finished_at or now
    return now - stopped >= min(LATEST, (stopped - rotation.created_at) / 4)


def is_undecided(uid: str) -> bool:
    """Whether a run may still take back the values of a registry: it has not tested them yet, or has stopped."""
    items = RunItem.objects.filter(uid=uid, state__in=(ItemState.WAITING, ItemState.FAILED))
    return items.filter(rotation__isnull=False).exists()


def forget_old(now: datetime | None = None) -> int:
    """Ends the runs whose values were kept for too long, and forgets the values. Returns the number of runs."""
    now = now or timezone.now()
    old = Rotation.objects.filter(created_at__lt=now - KEPT).exclude(
        run__state=RunState.RUNNING, run__beat_at__gt=now - LOST_AFTER
    )
    return _end(list(old.values_list("run_id", flat=True)), now)


def forget_stopped(owner: str) -> int:
    """The same for the stopped runs of a person, without the newest ones. Returns their number."""
    stopped = Rotation.objects.filter(run__owner=owner[:OWNER_MAX]).exclude(run__state=RunState.RUNNING)
    older = stopped.order_by("-created_at", "-pk").values_list("run_id", flat=True)[STOPPED:]
    return _end(list(older), timezone.now())


def _end(runs: Sequence[UUID], now: datetime) -> int:
    for run_id in runs:
        waiting = RunItem.objects.filter(run=run_id, state=ItemState.WAITING)
        waiting.update(state=ItemState.LEFT_ALONE, problem=Problem.PASSWORD_FORGOTTEN, ended_at=now)
        Run.objects.filter(pk=run_id).update(state=RunState.DONE, finished_at=now)
        RotationTarget.objects.filter(item__run=run_id).delete()
        Rotation.objects.filter(run=run_id).delete()
    return len(runs)


def keep_forgetting() -> None:
    """Forgets old values every few minutes for ever, in its own thread. Several processes may do so at once."""
    repeat(forget_old, LOOK, "forgetting the passwords of old runs failed")


def _to_json(draft: Draft) -> dict[str, Any]:
    """A Draft of resource.draft_of: it has no verdict."""
    values, at = asdict(draft), draft.password_set_at
    del values["verification"], values["certificate_ends"]
    return {**values, "password_set_at": at.isoformat() if at else None}


def _from_json(values: Mapping[str, Any]) -> Draft:
    at, origin = values["password_set_at"], values.get("origin")
    return Draft(
        **{
            **values,
            "key": Key(**values["key"]),
            "provider": Provider(values["provider"]),
            "password_set_at": datetime.fromisoformat(at) if at else None,
            "origin": Origin(Key(**origin["key"]), origin["uid"], origin.get("seal", "")) if origin else None,
        }
    )
