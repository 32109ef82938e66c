"""Runs: work on an explicit list of registries that goes on after its request. Only this room uses their tables.

A run holds exactly the registries that were chosen; no filter is run again. It belongs to one person. A run whose
process was lost is found by its heartbeat and can be resumed.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Count, QuerySet
from django.utils import timezone

from registries.domain.access import OWNER_MAX, Access
from registries.domain.errors import Conflict, NotFound, Problem
from registries.limits import exclusive
from registries.models import Run, RunItem
from registries.runs.execution import Execution
from registries.runs.owned import is_recent
from registries.runs.run import (
    LOST_AFTER,
    RESUMABLE,
    RETRIED,
    Item,
    ItemOutcome,
    ItemState,
    Kind,
    Named,
    RunState,
    RunView,
    ended,
    read_items,
    state_of,
    summary,
    unsuccessful,
    visible,
)
from registries.runs.threads import Background
from registries.stores.base import Freshness

PROPOSAL_KEPT = timedelta(hours=1)
PROPOSALS_KEPT = 20
"""Of one person and kind. Each may hold as many items as there are registries."""
MOST_ITEMS = 100_000
"""Items of all runs of one person and kind. Beyond, the oldest runs go: a run is begun and cancelled in no time."""


AccessNow = Callable[[Access], Access]
"""Looks up a person's access again, from the access before. Unavailable `session_ended` when the session has ended."""


@dataclass(eq=False)
class Runs:
    """The runs of one kind. `background` has one thread per run that is being worked on.

    A method with `run_id` raises NotFound unless the run is of this kind and belongs to the person. Items in namespaces
    that the person no longer sees are left out.
    """

    kind: Kind[Any]
    _background: Background
    _freshness: Callable[[], Freshness]
    _access_now: AccessNow
    _atomic: Callable[[], AbstractContextManager[object]]

    def propose(self, *, access: Access, registries: Sequence[Named]) -> UUID:
        """Create a run over these registries, which may be deleted ones. Permissions are checked per item, when it is
        done.

        Conflict `run_under_way` with the id of a running run, if the kind allows only one per person.
        """
        self._require_no_other(access)
        self._forget_old(access)
        with self._atomic():
            run = Run.objects.create(
                id=uuid4(),
                kind=self.kind.name,
                person=access.person[:150],
                owner=access.owner[:OWNER_MAX],
                state=RunState.PROPOSED,
            )
            items = (
                RunItem(
                    run=run, namespace=it.key.namespace, name=it.key.name, uid=it.uid, state=ItemState.WAITING
                )
                for it in registries
            )
            RunItem.objects.bulk_create(items, batch_size=500)
        return run.id

    def start(
        self,
        *,
        access: Access,
        run_id: UUID,
        access_now: AccessNow | None = None,
        forget: bool = False,
        prepare: Callable[[], object] = lambda: None,
        before: Callable[[], object] = lambda: None,
        within: timedelta = timedelta(),
    ) -> None:
        """Start a proposed run, or resume a cancelled or interrupted one. Conflict `already_running` for any other,
        and `run_under_way` as `propose`; TooManyRequests as `require_share`.

        `before` is called after the claim, and takes up to `within`. If this process dies in it, the run is a lost one.
        After an error of it, the run is a proposal again.

        `access_now` replaces the usual look-up, for a person who acts with a token. `forget`: a deletion keeps nothing
        for an undo; a resumed run keeps to it. `prepare` is called once the run is claimed, before its work begins.
        """
        self.require_share(access)
        fence = self._claim(access, run_id, prepare, forget, within)
        try:
            before()
        except BaseException:
            Run.objects.filter(pk=run_id, fence=fence).update(state=RunState.PROPOSED)
            raise
        self._background.submit(
            lambda: self._work(run_id, fence, access, access_now or self._access_now), access.owner
        )

    def require_share(self, access: Access) -> None:
        """TooManyRequests if the runs of this person, of all kinds, have their share of the threads: a run that waits
        for one has no heartbeat. Call it before anything that is done for a run."""
        self._background.require_share(access.owner)

    def work(self, *, access: Access, run_id: UUID, access_now: AccessNow) -> None:
        """Does a run in this thread, and returns when it has ended. Raises the errors of `start`."""
        fence = self._claim(access, run_id)
        self._work(run_id, fence, access, access_now)

    def cancel(self, *, access: Access, run_id: UUID) -> None:
        """Begin no further item. Items under way end and are recorded; a run that has ended stays as it is.

        Conflict `not_cancellable`.
        """
        self._own(access, run_id)
        if not self.kind.cancellable:
            raise Conflict(str(run_id), Problem.NOT_CANCELLABLE)
        running = Run.objects.filter(pk=run_id, state=RunState.RUNNING)
        running.update(state=RunState.CANCELLED, finished_at=timezone.now())

    def current(self, *, access: Access, states: Sequence[RunState]) -> UUID | None:
        """The person's newest run, if it is in one of these states and has not ended long ago."""
        run = self._of(access).exclude(state=RunState.PROPOSED).order_by("-created_at").first()
        return run.id if run and state_of(run) in states and is_recent(run.finished_at) else None

    def newest(self, *, access: Access, most: int) -> list[tuple[datetime, UUID]]:
        """Creation time and id of the person's newest runs. Proposed runs are left out."""
        started = self._of(access).exclude(state=RunState.PROPOSED)
        return list(started.order_by("-created_at").values_list("created_at", "pk")[:most])

    def view(self, *, access: Access, run_id: UUID) -> RunView:
        run = self._own(access, run_id)
        counts = visible(run, access).values_list("state", "reason", "problem").annotate(count=Count("pk"))
        return summary(run, list(counts))

    def sees_all(self, *, access: Access, run_id: UUID) -> bool:
        """Whether the person sees the namespaces of all items now."""
        run = self._own(access, run_id)
        return access.sees_everything or run.items.count() == visible(run, access).count()

    def namespaces(self, *, access: Access, run_id: UUID) -> dict[str, int]:
        """The number of items in each namespace, by name."""
        items = self._items(access, run_id)
        return dict(items.values_list("namespace").annotate(Count("pk")).order_by("namespace"))

    def items(self, *, access: Access, run_id: UUID, namespace: str = "") -> list[Item]:
        """The items of a namespace, or all, by namespace and name."""
        items = self._items(access, run_id).order_by("namespace", "name")
        return read_items(items.filter(namespace=namespace) if namespace else items)

    def in_order(self, *, access: Access, run_id: UUID) -> list[Item]:
        """All items in the order in which they were given."""
        return read_items(self._items(access, run_id).order_by("pk"))

    def ended(self, *, access: Access, run_id: UUID, reason: str, problem: str) -> list[Item]:
        """The items that ended with a reason and a problem, by namespace and name."""
        items = ended(self._items(access, run_id)).filter(reason=reason, problem=problem)
        return read_items(items.order_by("namespace", "name"))

    def failed(self, *, access: Access, run_id: UUID) -> list[Item]:
        """The items whose test failed, or that could not be tested or changed, by namespace and name."""
        items = unsuccessful(self._items(access, run_id)).exclude(state=ItemState.LEFT_ALONE)
        return read_items(items.order_by("namespace", "name"))

    def newest_failures(self, *, access: Access, run_id: UUID) -> list[Item]:
        """The items that did not end well, those left alone included, and deleted ones that finalizers hold, newest
        first; as many as the kind lists."""
        items = self._items(access, run_id)
        items = unsuccessful(items) | items.filter(problem=Problem.BEING_DELETED)
        return read_items(items.order_by("-ended_at", "-pk")[: self.kind.failures_listed])

    def newest_items(self, *, access: Access, run_id: UUID, most: int) -> list[Item]:
        """The items that ended last, newest first."""
        items = ended(self._items(access, run_id))
        return read_items(items.order_by("-ended_at", "-pk")[:most])

    def close(self, *, access: Access, run_id: UUID, outcome: ItemOutcome) -> None:
        """Ends a run that was stopped: its waiting items get this outcome. Conflict `already_running`."""
        with exclusive(f"runs {self.kind.name} {access.owner}"):
            run = self._own(access, run_id)
            if state_of(run) not in RESUMABLE:
                raise Conflict(str(run.pk), Problem.ALREADY_RUNNING)
            now = timezone.now()
            run.items.filter(state=ItemState.WAITING).update(
                state=outcome.state, problem=outcome.problem, ended_at=now
            )
            run.state, run.finished_at, run.fence = RunState.DONE, now, run.fence + 1
            run.save(update_fields=["state", "finished_at", "fence"])
            self.kind.finish(run_id)

    def _claim(
        self,
        access: Access,
        run_id: UUID,
        prepare: Callable[[], object] = lambda: None,
        forget: bool = False,
        within: timedelta = timedelta(),
    ) -> int:
        """Take the run for this process. Of two processes that try at once, one gets the Conflict.

        Returns the fencing number of the claim. The process of an earlier claim begins nothing any more.
        """
        with exclusive(f"runs {self.kind.name} {access.owner}"):
            run = self._own(access, run_id)
            state, now = state_of(run), timezone.now()
            if state not in RESUMABLE:
                raise Conflict(str(run.pk), Problem.ALREADY_RUNNING)
            self._require_no_other(access)
            run.state, run.beat_at, run.finished_at = RunState.RUNNING, now + within, None
            run.started_at, run.fence = run.started_at or now, run.fence + 1
            run.forget = run.forget or forget
            run.save(update_fields=["state", "beat_at", "finished_at", "started_at", "fence", "forget"])
            prepare()
        if state is RunState.INTERRUPTED:
            waiting = run.items.filter(state=ItemState.WAITING)
            self.kind.recover(access, read_items(waiting))
            waiting.update(problem=RETRIED)
        return run.fence

    def _require_no_other(self, access: Access) -> None:
        if self.kind.one_per_person and (running := self._alive(access).first()):
            raise Conflict(str(running), Problem.RUN_UNDER_WAY)

    def _alive(self, access: Access) -> QuerySet[Run, UUID]:
        """The ids of the person's runs that a process is working on."""
        alive = self._of(access).filter(state=RunState.RUNNING, beat_at__gt=timezone.now() - LOST_AFTER)
        return alive.values_list("pk", flat=True)

    def _work(self, run_id: UUID, fence: int, access: Access, access_now: AccessNow) -> None:
        execution = Execution(run_id, fence, access, access_now, self.kind, self._freshness, self._atomic)
        if execution.work():
            with self._atomic():
                if execution.run.update(state=RunState.DONE, finished_at=timezone.now()):
                    self.kind.finish(run_id)

    def _forget_old(self, access: Access) -> None:
        """Delete proposals that nobody confirmed, and all but the newest runs of the person. A running one stays."""
        proposed = Run.objects.filter(state=RunState.PROPOSED)
        proposed.filter(created_at__lt=timezone.now() - PROPOSAL_KEPT).delete()
        newest = self._of(access).order_by("-created_at").values_list("pk", flat=True)
        old = list(newest.filter(state=RunState.PROPOSED)[PROPOSALS_KEPT:])
        ended = newest.exclude(state=RunState.PROPOSED).exclude(pk__in=self._alive(access))
        if self.kind.kept is not None:
            old += ended[self.kind.kept - 1 :]
        items = RunItem.objects.filter(run__in=ended.order_by())
        if items.count() > MOST_ITEMS:
            counts = dict(items.values_list("run").annotate(Count("pk")))
            runs = [run for run in ended if run in counts]
            totals = accumulate(counts[run] for run in runs)
            old += [run for run, total in zip(runs, totals, strict=True) if total > MOST_ITEMS]
        Run.objects.filter(pk__in=old).delete()

    def _of(self, access: Access) -> QuerySet[Run]:
        return Run.objects.filter(kind=self.kind.name, owner=access.owner[:OWNER_MAX])

    def _own(self, access: Access, run_id: UUID) -> Run:
        run = self._of(access).filter(pk=run_id).first()
        if run is None:
            raise NotFound(str(run_id))
        return run

    def _items(self, access: Access, run_id: UUID) -> QuerySet[RunItem]:
        return visible(self._own(access, run_id), access)
