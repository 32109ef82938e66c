"""What a run is: its state, its items, the counts of their outcomes; and what a kind of run has to provide, with the
order and the steps of its items.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import Problem
from registries.domain.registry import Key
from registries.models import Run, RunItem
from registries.probe import Reason
from registries.runs.threads import Background

LOST_AFTER = timedelta(seconds=15)
"""A running run without a heartbeat for this long is interrupted."""
RETRIED = "again"
"""The problem of a waiting item that was tried before. It may be done although nothing was recorded."""
NOT_THERE = frozenset((Problem.GONE, Problem.RECREATED))
"""The problems of an item whose registry no longer exists, so that nobody can select it."""
SUCCESSES = ("", Reason.OK.value, Reason.OK_UNVERIFIED.value)
"""The reasons of a done item that count as success. An item has a reason only if it was tested."""


class RunState(StrEnum):
    PROPOSED = "proposed"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """Never stored: `state_of` derives it."""


RESUMABLE = (RunState.PROPOSED, RunState.CANCELLED, RunState.INTERRUPTED)


class ItemState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    LEFT_ALONE = "left_alone"
    """Not tested: the host refused the same user name before, or another test is under way."""


STATES = {it.value: it for it in ItemState}
"""By value: a look-up takes a tenth of the time of a call of the class, and runs have thousands of items."""


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What came of an item. `reason` is the code of a test's verdict, `problem` the code of what went wrong."""

    state: ItemState
    reason: str = ""
    problem: str = ""
    duration_ms: int | None = None


DONE = ItemOutcome(ItemState.DONE)


class Named(Protocol):
    """What a run holds of a registry."""

    @property
    def key(self) -> Key: ...

    @property
    def uid(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Item:
    """One registry of a run. A run that copies has the registry to create here, and the uid of its source."""

    id: int
    key: Key
    uid: str
    state: ItemState
    reason: str
    problem: str
    duration_ms: int | None

    @property
    def ok(self) -> bool:
        return is_success(self.state, self.reason)

    @property
    def retried(self) -> bool:
        return self.problem == RETRIED


@dataclass(frozen=True, slots=True)
class Group:
    """The number of items with the same outcome."""

    state: ItemState
    reason: str
    problem: str
    count: int

    @property
    def ok(self) -> bool:
        return is_success(self.state, self.reason)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands. `groups` has all items that have ended: failures first, then by count."""

    id: UUID
    state: RunState
    total: int
    groups: tuple[Group, ...]
    finished_at: datetime | None = None
    robots: tuple[str, ...] = ()
    """The robot account of Harbor that was created for the run, and the one before; () for any other run."""
    started_at: datetime | None = None
    forget: bool = False
    """A deletion that keeps nothing for an undo."""

    @property
    def ended(self) -> int:
        return sum(group.count for group in self.groups)

    @property
    def succeeded(self) -> int:
        return sum(group.count for group in self.groups if group.ok)

    @property
    def failed(self) -> int:
        """Items whose test failed, and items that could not be tested or changed."""
        return self.ended - self.succeeded - self.left_alone - self.gone

    @property
    def gone(self) -> int:
        """Items whose registry no longer exists: these did not fail."""
        return sum(group.count for group in self.groups if group.problem in NOT_THERE)

    @property
    def tried(self) -> int:
        """All that ended, without the items left alone, and without those that are gone."""
        return self.succeeded + self.failed

    @property
    def waiting(self) -> int:
        return self.total - self.ended

    @property
    def left_alone(self) -> int:
        return sum(group.count for group in self.groups if group.state is ItemState.LEFT_ALONE)


def is_success(state: ItemState, reason: str) -> bool:
    return state is ItemState.DONE and reason in SUCCESSES


def state_of(run: Run) -> RunState:
    """The stored state, or `interrupted` for a running run whose heartbeat has stopped."""
    if run.state == RunState.RUNNING and (run.beat_at is None or timezone.now() - run.beat_at > LOST_AFTER):
        return RunState.INTERRUPTED
    return RunState(run.state)


def read_items(rows: QuerySet[RunItem]) -> list[Item]:
    """The items of a query, in its order."""
    columns = ("pk", "namespace", "name", "uid", "state", "reason", "problem", "duration_ms")
    return [
        Item(pk, Key(namespace, name), uid, STATES[state], reason, problem, duration_ms)
        for pk, namespace, name, uid, state, reason, problem, duration_ms in rows.values_list(*columns)
    ]


def visible(run: Run, access: Access) -> QuerySet[RunItem]:
    """The items in namespaces that the person sees now. The others do not count either: they do not exist."""
    return (
        run.items.all() if access.sees_everything else run.items.filter(namespace__in=list(access.namespaces))
    )


def ended(items: QuerySet[RunItem]) -> QuerySet[RunItem]:
    return items.exclude(state=ItemState.WAITING)


def unsuccessful(items: QuerySet[RunItem]) -> QuerySet[RunItem]:
    return ended(items).exclude(state=ItemState.DONE, reason__in=SUCCESSES)


def summary(run: Run, counts: Sequence[tuple[str, str, str, int]]) -> RunView:
    """A view of a run from counts by state, reason and problem."""
    groups = [Group(ItemState(state), reason, problem, count) for state, reason, problem, count in counts]
    others = [group for group in groups if group.state is not ItemState.WAITING]
    others.sort(key=lambda group: (group.ok, -group.count, group.reason, group.problem))
    total = sum(group.count for group in groups)
    about = (run.finished_at, tuple(run.robots), run.started_at, run.forget)
    return RunView(run.id, state_of(run), total, tuple(others), *about)


if TYPE_CHECKING:
    from registries.runs.execution import Execution

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step(Generic[T]):
    """The part of an item's work for a worker thread. `call` may not use the database. None: not done, the item still
    waits. `late` is called instead, if the step has waited too long for its lane. `workers` replaces
    those of the kind."""

    call: Callable[[], T | None]
    lane: str = ""
    late: Callable[[], T | None] | None = None
    workers: Background | None = None


class ItemQueue:
    """The waiting items of a run, in the order of the run."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = deque(items)

    def take(self) -> Item | None:
        """The next item, or None if no item can begin now."""
        return self._items.popleft() if self._items else None

    def put_back(self, items: Sequence[Item]) -> None:
        """Put items at the front, for a retry."""
        self._items.extendleft(reversed(items))

    def ended(self, item: Item, outcome: ItemOutcome) -> Sequence[tuple[Item, ItemOutcome]]:
        """Note the end of an item. Returns further items that end because of it."""
        return ()

    def coming(self, most: int) -> Sequence[Item]:
        """The next items, which stay in the queue."""
        return list(islice(self._items, most))

    @property
    def is_empty(self) -> bool:
        return not self._items


class Kind(ABC, Generic[T]):
    """What a run does with one item. `T` is the result of a step.

    The run's own thread calls `begin` and `record`, which may use the database. `workers` has the threads of the
    steps, and at most `at_once` steps of a run are begun and not recorded.
    """

    name: ClassVar[str]
    """Stored with the run; the `type` of the API."""
    action: ClassVar[Action]
    permission: ClassVar[Permission]
    listed: ClassVar[bool] = True
    """Whether a list of registries is all that it takes to begin a run."""
    cancellable: ClassVar[bool] = False
    one_per_person: ClassVar[bool] = False
    kept: ClassVar[int | None] = None
    """How many runs of one person are kept; None for all."""
    failures_listed: ClassVar[int | None] = None
    """How many items the API lists of those that did not end well; None for all."""
    recorded_at_once: ClassVar[int] = 1
    halts: ClassVar[bool] = False
    """Whether a failed item stops the run: steps under way end, and no other begins. The person decides."""
    begins_soon: ClassVar[bool] = False
    """Whether a run begins only the steps that its threads can do soon. What has not begun can still be left alone."""

    workers: Background
    at_once: int

    def queue(self, run: "Execution[T]") -> ItemQueue:
        """The waiting items, in the order in which they are done."""
        return ItemQueue(item for item in run.items() if item.state is ItemState.WAITING)

    @abstractmethod
    def begin(self, item: Item, run: "Execution[T]") -> Step[T] | None:
        """Begin an item. Returns the step for a worker, or None if the item was ended here.

        A ConsoleError ends the item as failed; so does one of the step, unless the retry policy allows a retry.
        """

    @abstractmethod
    def record(self, results: Sequence[tuple[Item, T]], run: "Execution[T]") -> None:
        """Record the results of steps, and end their items or go on with a further step. Gets at most
        `recorded_at_once` of them."""

    def waits(self, items: Sequence[Item], run: "Execution[T]") -> None:
        """Called with items whose step did nothing: they still wait."""

    def finish(self, run_id: UUID) -> None:
        """Called in the transaction that ends a run: all of its items have ended, or it was given up."""

    def recover(self, access: Access, items: Sequence[Item]) -> None:
        """Called when a run is resumed whose process was lost, with the items that were not recorded."""
