"""The values of a run: its state, its items, and the counts of their outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from registries.domain.registry import Key
from registries.models import Run, RunItem
from registries.probe import Reason

LOST_AFTER = timedelta(seconds=15)
"""A running run without a heartbeat for this long is interrupted."""
RETRIED = "again"
"""The problem of a waiting item that was tried before. It may be done although nothing was recorded."""
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


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What came of an item. `reason` is the code of a test's verdict, `problem` the code of what went wrong."""

    state: ItemState
    reason: str = ""
    problem: str = ""
    duration_ms: int | None = None


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

    @property
    def ended(self) -> int:
        return sum(group.count for group in self.groups)

    @property
    def succeeded(self) -> int:
        return sum(group.count for group in self.groups if group.ok)

    @property
    def failed(self) -> int:
        """Items whose test failed, and items that could not be tested or changed."""
        return self.ended - self.succeeded - self.left_alone

    @property
    def tried(self) -> int:
        """All that ended, without the items left alone."""
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
        Item(pk, Key(namespace, name), uid, ItemState(state), reason, problem, duration_ms)
        for pk, namespace, name, uid, state, reason, problem, duration_ms in rows.values_list(*columns)
    ]


def summary(run: Run, counts: Sequence[tuple[str, str, str, int]]) -> RunView:
    """A view of a run from counts by state, reason and problem."""
    groups = [Group(ItemState(state), reason, problem, count) for state, reason, problem, count in counts]
    ended = [group for group in groups if group.state is not ItemState.WAITING]
    ended.sort(key=lambda group: (group.ok, -group.count, group.reason, group.problem))
    total = sum(group.count for group in groups)
    return RunView(run.id, state_of(run), total, tuple(ended), run.finished_at, tuple(run.robots))
