"""What a kind of run has to provide, and the order and the steps of its items."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar
from uuid import UUID

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.runs.run import Item, ItemOutcome, ItemState
from registries.runs.threads import Background

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
    fair: ClassVar[bool] = False
    """Whether the steps of one person leave threads to others. A run then begins only what can be done soon."""

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
