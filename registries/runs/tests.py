"""测试选中, 测试全部 and `manage.py verify`: runs of tests as people see them. Writes the items of runs.py's Run."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils import timezone

from registries.domain.access import Access
from registries.domain.errors import Conflict
from registries.domain.registry import Key, RegistrySecret
from registries.index.search import Index
from registries.models import Run, RunItem
from registries.probe import Reason
from registries.runs.drive import Drive
from registries.runs.engine import Heart, ItemState, Runs, RunState, state_of
from registries.runs.threads import Background
from registries.service.registries import Registries
from registries.service.tests import Tests
from registries.verification.pauses import Pauses

KEPT = 10
"""So many runs of a person are remembered."""
RECENT = timedelta(minutes=10)
"""For so long the list still tells of a run that has ended."""
LINES = 100
SUCCESSES = (Reason.OK.value, Reason.OK_UNVERIFIED.value)


@dataclass(frozen=True, slots=True)
class Line:
    """One registry of a run: its verdict's code, or why there is none (`problem`, or `left_alone`)."""

    key: Key
    uid: str
    state: ItemState
    reason: str
    problem: str
    duration_ms: int | None

    @property
    def ok(self) -> bool:
        return self.state is ItemState.DONE and self.reason in SUCCESSES


@dataclass(frozen=True, slots=True)
class Group:
    """How many items ended alike."""

    state: ItemState
    reason: str
    problem: str
    count: int

    @property
    def ok(self) -> bool:
        return self.state is ItemState.DONE and self.reason in SUCCESSES


@dataclass(frozen=True, slots=True)
class VerifyRunView:
    """A run as it stands. `groups` are all that have ended, the most frequent first; `lines` the newest of them."""

    id: UUID
    state: RunState
    total: int
    groups: tuple[Group, ...]
    lines: tuple[Line, ...]
    finished_at: datetime | None

    @property
    def ended(self) -> int:
        return sum(group.count for group in self.groups)

    @property
    def succeeded(self) -> int:
        return sum(group.count for group in self.groups if group.ok)

    @property
    def failed(self) -> int:
        """Those with a verdict that is a failure, and those that could not be tested."""
        return sum(
            group.count for group in self.groups if not group.ok and group.state is not ItemState.LEFT_ALONE
        )

    @property
    def left_alone(self) -> int:
        return sum(group.count for group in self.groups if group.state is ItemState.LEFT_ALONE)


class VerifyRuns(Runs):
    """`probing` has the threads that probe, as many as there may be tests at once: `most`."""

    kind = "verify"

    def __init__(
        self,
        registries: Registries,
        tests: Tests,
        index: Index,
        background: Background,
        probing: Background,
        most: int,
        pauses: Pauses,
        access_now: Callable[[Access], Access],
        atomic: Callable[[], AbstractContextManager[object]],
    ) -> None:
        super().__init__(background, access_now, atomic)
        self._registries = registries
        self._tests = tests
        self._index = index
        self._probing = probing
        self._most = most
        self._pauses = pauses

    def make(self, *, access: Access, registries: Sequence[RegistrySecret]) -> UUID:
        """Write down a run over these; Conflict `run_under_way`, about that one, while the person has another."""
        if under_way := self.current(access=access, states=(RunState.RUNNING,)):
            raise Conflict(str(under_way), "run_under_way")
        own = Run.objects.filter(kind=self.kind, person=access.person[:150]).order_by("-created_at")
        Run.objects.filter(pk__in=list(own.values_list("pk", flat=True)[KEPT - 1 :])).delete()
        return self.propose(access=access, registries=registries)

    def work(self, *, access: Access, run_id: UUID) -> None:
        """Start a run and do it here, as a command does."""
        self._claim(access, run_id)
        self._work(run_id, access)

    def cancel(self, *, access: Access, run_id: UUID) -> None:
        """Begin no further test; those under way end and are recorded. A run that has ended stays as it is."""
        self._own(access, run_id)
        running = Run.objects.filter(pk=run_id, state=RunState.RUNNING)
        running.update(state=RunState.CANCELLED, finished_at=timezone.now())

    def current(self, *, access: Access, states: Sequence[RunState]) -> UUID | None:
        """The newest run of this person, if it is in one of these states; one that was done long ago is not."""
        run = (
            Run.objects.filter(kind=self.kind, person=access.person[:150])
            .exclude(state=RunState.PROPOSED)
            .order_by("-created_at")
            .first()
        )
        if run is None or state_of(run) not in states:
            return None
        fresh = run.finished_at is None or timezone.now() - run.finished_at < RECENT
        return run.id if fresh else None

    def progress(self, *, access: Access, run_id: UUID) -> VerifyRunView:
        """How far it is. NotFound, also for somebody else's."""
        run = self._own(access, run_id)
        spread = run.items.values_list("state", "reason", "problem").annotate(count=Count("pk"))
        groups = [Group(ItemState(state), reason, problem, n) for state, reason, problem, n in spread]
        ended = [group for group in groups if group.state is not ItemState.WAITING]
        return VerifyRunView(
            id=run.id,
            state=state_of(run),
            total=sum(group.count for group in groups),
            groups=tuple(sorted(ended, key=lambda it: (it.ok, -it.count, it.reason, it.problem))),
            lines=_lines(run.items.exclude(state=ItemState.WAITING).order_by("-ended_at", "-pk")[:LINES]),
            finished_at=run.finished_at,
        )

    def group(self, *, access: Access, run_id: UUID, reason: str, problem: str) -> tuple[Line, ...]:
        """All that ended with a reason and a problem, by namespace and name."""
        items = self._own(access, run_id).items.exclude(state=ItemState.WAITING)
        return _lines(items.filter(reason=reason, problem=problem).order_by("namespace", "name"))

    def failures(self, *, access: Access, run_id: UUID) -> tuple[str, ...]:
        """The uids of what did not end well."""
        items = self._own(access, run_id).items.filter(state__in=[ItemState.DONE, ItemState.FAILED])
        return tuple(items.exclude(reason__in=SUCCESSES).values_list("uid", flat=True))

    def _lost(self, access: Access, items: QuerySet[RunItem]) -> None:
        """What it was testing will not be heard of any more, and can be tested again."""
        self._tests.abandon_lost_tests(access=access, uids=list(items.values_list("uid", flat=True)))

    def _work(self, run_id: UUID, access: Access) -> None:
        items = RunItem.objects.filter(run=run_id)
        heart = Heart(run_id, access, self._access_now)
        drive = Drive(self._registries, self._tests, self._index, self._probing, self._most, items, heart)
        drive.plan(self._pauses.active())
        if drive.go():
            self._end(run_id)


def _lines(items: QuerySet[RunItem]) -> tuple[Line, ...]:
    return tuple(
        Line(Key(it.namespace, it.name), it.uid, ItemState(it.state), it.reason, it.problem, it.duration_ms)
        for it in items
    )
