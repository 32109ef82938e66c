"""Work on an explicit list of registries that outlives its request: what all kinds of runs share. Owns Run.

What will be done is fixed when a run is made; no filter is ever run again. A run belongs to its person, goes on
when the page is left, and says what failed and why. One that lost its process is found by its heartbeat and
can be taken up again.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from django.db.models import Count, QuerySet
from django.utils import timezone

from registries.domain.access import Access
from registries.domain.errors import (
    SESSION_ENDED,
    Conflict,
    ConsoleError,
    Forbidden,
    NotFound,
    TooManyRequests,
    Unavailable,
)
from registries.domain.registry import Key, RegistrySecret
from registries.models import Run, RunItem
from registries.runs.threads import Background
from registries.stores.base import Freshness

PROPOSAL_KEPT = timedelta(hours=1)
BEAT = 2.0
"""Seconds between signs of life, at which the person's access is looked up again as well."""
LOST_AFTER = timedelta(seconds=15)
PATIENCE = 300.0
"""Seconds that a run waits for a cluster that is away; after that its items fail."""
SETTLING = 15.0
"""Seconds after it was away in which a refusal is not believed: an API server that has just started knows no roles."""
PAUSE = 1.0
"""Seconds until a cluster that is away is asked again."""


class RunState(StrEnum):
    PROPOSED = "proposed"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class ItemState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    LEFT_ALONE = "left_alone"
    """Not tested, since its registry refused the same user name before, or since it is being tested already."""


RESUMABLE = (RunState.PROPOSED, RunState.CANCELLED, RunState.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Item:
    key: Key
    uid: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands. `namespaces` counts its items per namespace, by name."""

    id: UUID
    state: RunState
    total: int
    done: int
    failed: tuple[Item, ...]
    namespaces: dict[str, int] = field(default_factory=dict)
    created_at: datetime | None = None

    @property
    def ended(self) -> int:
        return self.done + len(self.failed)


class Heart:
    """The signs of life of one run, and what its person may do at the moment."""

    def __init__(self, run_id: UUID, access: Access, access_now: Callable[[Access], Access]) -> None:
        self._run = Run.objects.filter(pk=run_id, state=RunState.RUNNING)
        self._access_now = access_now
        self._beaten = time.monotonic()
        self.access = access
        self.over = False
        """Nobody can act for the person any more."""
        self._stopped = False

    def beat(self) -> bool:
        """To be called often; False when the run was cancelled, or taken over after it had seemed lost.

        When nobody can act for the person any more, the run is cancelled, and waits for them to take it up.
        """
        if self.over or self._stopped:
            return False
        if time.monotonic() - self._beaten < BEAT:
            return True
        self._beaten = time.monotonic()
        try:
            self.access = self._access_now(self.access)
        except Unavailable as error:
            self.is_over(error)
            return False
        self._stopped = not self._run.update(beat_at=timezone.now())
        return not self._stopped

    def is_over(self, error: ConsoleError) -> bool:
        """Whether this error, of what was tried for the person, means that their session is over. What it was
        tried on is then still to be done, when they have logged in again."""
        if error.problem == SESSION_ENDED and not self.over:
            self.over = True
            self._run.update(state=RunState.CANCELLED, finished_at=timezone.now())
        return error.problem == SESSION_ENDED


class Patience:
    """Which errors of a cluster a run waits for. Told of every outcome, in its order. `freshness` tells what others
    have seen of the cluster: the first thing that a run hears after a restart may be a refusal."""

    def __init__(self, freshness: Callable[[], Freshness]) -> None:
        self._freshness = freshness
        self._well = time.monotonic()
        self._away = -SETTLING

    def has_it(self, error: ConsoleError | None) -> bool:
        now = time.monotonic()
        if error is None:
            self._well = now
            return False
        if is_away(error):
            self._away = now
            return now - self._well < PATIENCE
        if not isinstance(error, Unavailable | Forbidden):
            return False
        return min(now - self._away, self._freshness().steady) < SETTLING


def is_away(error: ConsoleError | None) -> bool:
    """Whether it tells of a cluster that does not answer, or not now."""
    return isinstance(error, TooManyRequests) or (isinstance(error, Unavailable) and error.passing)


class Runs:
    """Runs of one kind. `access_now` looks up what a person may do at the moment, from what they could do before;
    Unavailable when their session is over."""

    kind: ClassVar[str]

    def __init__(
        self,
        background: Background,
        access_now: Callable[[Access], Access],
        atomic: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._background = background
        self._access_now = access_now
        self._atomic = atomic

    def propose(self, *, access: Access, registries: Sequence[RegistrySecret]) -> UUID:
        """Write down exactly what would be done; each one's permission is checked when it is done."""
        Run.objects.filter(state=RunState.PROPOSED, created_at__lt=timezone.now() - PROPOSAL_KEPT).delete()
        with self._atomic():
            run = Run.objects.create(
                id=uuid4(), kind=self.kind, person=access.person[:150], state=RunState.PROPOSED
            )
            items = (
                RunItem(run=run, namespace=it.namespace, name=it.name, uid=it.uid, state=ItemState.WAITING)
                for it in registries
            )
            RunItem.objects.bulk_create(items, batch_size=500)
        return run.id

    def view(self, *, access: Access, run_id: UUID) -> RunView:
        """How far it is. NotFound, also for somebody else's."""
        run = self._own(access, run_id)
        counts = dict(run.items.values_list("state").annotate(Count("pk")))
        failed = run.items.filter(state=ItemState.FAILED).order_by("namespace", "name")
        spread = run.items.values_list("namespace").annotate(Count("pk")).order_by("namespace")
        return RunView(
            id=run.id,
            state=state_of(run),
            total=sum(counts.values()),
            done=counts.get(ItemState.DONE, 0),
            failed=tuple(Item(Key(it.namespace, it.name), it.uid, it.problem) for it in failed),
            namespaces=dict(spread),
            created_at=run.created_at,
        )

    def newest(self, *, access: Access, most: int) -> list[tuple[datetime, UUID]]:
        """When this person's runs of this kind were made, and which they are; not those that were only proposed."""
        own = Run.objects.filter(kind=self.kind, person=access.person[:150]).exclude(state=RunState.PROPOSED)
        return list(own.order_by("-created_at").values_list("created_at", "pk")[:most])

    def items(self, *, access: Access, run_id: UUID, namespace: str = "") -> list[Item]:
        """What a run holds of one namespace, or of all, by name."""
        within = {"namespace": namespace} if namespace else {}
        items = self._own(access, run_id).items.filter(**within).order_by("namespace", "name")
        return [Item(Key(it.namespace, it.name), it.uid, it.problem) for it in items]

    def start(self, *, access: Access, run_id: UUID) -> None:
        """Begin a proposed run, or take up one that was cancelled or interrupted. Conflict `already_running`
        for any other."""
        self._claim(access, run_id)
        self._background.submit(lambda: self._work(run_id, access))

    def _claim(self, access: Access, run_id: UUID) -> None:
        run = self._own(access, run_id)
        state, now = state_of(run), timezone.now()
        claimed = state in RESUMABLE and Run.objects.filter(
            pk=run.pk, state=run.state, beat_at=run.beat_at
        ).update(state=RunState.RUNNING, started_at=run.started_at or now, beat_at=now, finished_at=None)
        if not claimed:
            raise Conflict(str(run.pk), "already_running")
        if state is RunState.INTERRUPTED:
            self._lost(access, RunItem.objects.filter(run=run, state=ItemState.WAITING))

    def _lost(self, access: Access, items: QuerySet[RunItem]) -> None:
        """The process that had this run is gone; `items` are what it had not done, or not written down."""

    def _work(self, run_id: UUID, access: Access) -> None:
        raise NotImplementedError

    @staticmethod
    def _end(run_id: UUID) -> None:
        """Everything is done; a run that was cancelled meanwhile stays so."""
        running = Run.objects.filter(pk=run_id, state=RunState.RUNNING)
        running.update(state=RunState.DONE, finished_at=timezone.now())

    def _own(self, access: Access, run_id: UUID) -> Run:
        run = Run.objects.filter(pk=run_id, kind=self.kind, person=access.person[:150]).first()
        if run is None:
            raise NotFound(str(run_id))
        return run


def state_of(run: Run) -> RunState:
    """A run whose process gave no sign of life for a while is interrupted, whatever was written last."""
    if run.state == RunState.RUNNING and (run.beat_at is None or timezone.now() - run.beat_at > LOST_AFTER):
        return RunState.INTERRUPTED
    return RunState(run.state)
