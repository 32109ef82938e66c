"""Work on an explicit list of registries: proposed, confirmed with its count, done one by one. Owns Run.

What will be done is fixed when it is proposed; no filter is ever run again. A run belongs to its person, goes
on when the page is left, and says what failed and why. One that lost its process is found by its heartbeat
and can be taken up again; nothing is done twice, since an item's state changes together with its registry.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from django.db.models import Count
from django.utils import timezone

from registries.access import Access, Permission
from registries.background import Background
from registries.domain import Key, RegistrySecret
from registries.errors import Conflict, ConsoleError, Forbidden, NotFound
from registries.models import Run, RunItem
from registries.service import RegistryService

PROPOSAL_KEPT = timedelta(hours=1)
BEAT = 2.0
"""Seconds between signs of life, at which the person's access is looked up again as well."""
LOST_AFTER = timedelta(seconds=15)


class RunState(StrEnum):
    PROPOSED = "proposed"
    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"


class ItemState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


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


class DeleteRuns:
    """Batch deletion. `access_now` looks up what a person may do at the moment, by name and address."""

    def __init__(
        self,
        service: RegistryService,
        background: Background,
        access_now: Callable[[str, str], Access],
        atomic: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._service = service
        self._background = background
        self._access_now = access_now
        self._atomic = atomic

    def propose(self, *, access: Access, registries: Sequence[RegistrySecret]) -> RunView:
        """Write down exactly what would be deleted; each one's permission is checked when it is deleted."""
        Run.objects.filter(state=RunState.PROPOSED, created_at__lt=timezone.now() - PROPOSAL_KEPT).delete()
        with self._atomic():
            run = Run.objects.create(
                id=uuid4(), kind="delete", person=access.person[:150], state=RunState.PROPOSED
            )
            RunItem.objects.bulk_create(
                (
                    RunItem(
                        run=run, namespace=it.namespace, name=it.name, uid=it.uid, state=ItemState.WAITING
                    )
                    for it in registries
                ),
                batch_size=500,
            )
        return self.view(access=access, run_id=run.id)

    def view(self, *, access: Access, run_id: UUID) -> RunView:
        """How far it is. NotFound, also for somebody else's."""
        run = self._own(access, run_id)
        counts = dict(run.items.values_list("state").annotate(Count("pk")))
        failed = run.items.filter(state=ItemState.FAILED).order_by("namespace", "name")
        spread = run.items.values_list("namespace").annotate(Count("pk")).order_by("namespace")
        return RunView(
            id=run.id,
            state=_state(run),
            total=sum(counts.values()),
            done=counts.get(ItemState.DONE, 0),
            failed=tuple(Item(Key(it.namespace, it.name), it.uid, it.problem) for it in failed),
            namespaces=dict(spread),
            created_at=run.created_at,
        )

    def items(self, *, access: Access, run_id: UUID, namespace: str) -> list[Item]:
        """What a run holds of one namespace, by name."""
        items = self._own(access, run_id).items.filter(namespace=namespace).order_by("name")
        return [Item(Key(it.namespace, it.name), it.uid, it.problem) for it in items]

    def start(self, *, access: Access, run_id: UUID) -> None:
        """Begin a proposed run or take up an interrupted one. Conflict `already_running` for any other."""
        run = self._own(access, run_id)
        state, now = _state(run), timezone.now()
        claimed = state in (RunState.PROPOSED, RunState.INTERRUPTED) and Run.objects.filter(
            pk=run_id, state=run.state, beat_at=run.beat_at
        ).update(state=RunState.RUNNING, started_at=run.started_at or now, beat_at=now)
        if not claimed:
            raise Conflict(str(run_id), "already_running")
        self._background.submit(lambda: self._work(run_id, access))

    def _work(self, run_id: UUID, access: Access) -> None:
        beaten = time.monotonic()
        for pk in RunItem.objects.filter(run=run_id, state=ItemState.WAITING).values_list("pk", flat=True):
            if time.monotonic() - beaten > BEAT:
                beaten = time.monotonic()
                Run.objects.filter(pk=run_id).update(beat_at=timezone.now())
                access = self._access_now(access.person, access.source)
            self._delete(pk, access)
        Run.objects.filter(pk=run_id).update(state=RunState.DONE, finished_at=timezone.now())

    def _delete(self, pk: int, access: Access) -> None:
        row = RunItem.objects.filter(pk=pk)
        item = row.get()
        try:
            self._service.delete(
                access=access,
                key=Key(item.namespace, item.name),
                uid=item.uid,
                and_then=lambda: row.update(state=ItemState.DONE),
            )
        except ConsoleError as error:
            problem = error.reason if isinstance(error, Forbidden) else error.problem or error.reason
            if isinstance(error, NotFound) and access.may(Permission.SEE, item.namespace):
                problem = "gone"
            row.update(state=ItemState.FAILED, problem=problem[:64])

    @staticmethod
    def _own(access: Access, run_id: UUID) -> Run:
        run = Run.objects.filter(pk=run_id, person=access.person).first()
        if run is None:
            raise NotFound(str(run_id))
        return run


def _state(run: Run) -> RunState:
    """A run whose process gave no sign of life for a while is interrupted, whatever was written last."""
    if run.state == RunState.RUNNING and (run.beat_at is None or timezone.now() - run.beat_at > LOST_AFTER):
        return RunState.INTERRUPTED
    return RunState(run.state)
