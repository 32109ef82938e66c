"""The order of the items of a run that changes a credential."""

from collections.abc import Sequence

from registries.domain.errors import Problem
from registries.runs.run import Item, ItemOutcome, ItemQueue, ItemState

SKIPPED = ItemOutcome(ItemState.LEFT_ALONE, problem=Problem.SKIPPED)


class RotationQueue(ItemQueue):
    """The first item of the run alone, and the others once it has ended. When it is rolled back, the others are not
    touched."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__(it for it in items if it.state is ItemState.WAITING)
        self._first = items[0].id if items else None
        self._is_alone = False

    def take(self) -> Item | None:
        item = None if self._is_alone else super().take()
        self._is_alone = self._is_alone or (item is not None and item.id == self._first)
        return item

    def coming(self, most: int) -> Sequence[Item]:
        return () if self._is_alone else super().coming(most)

    def put_back(self, items: Sequence[Item]) -> None:
        self._is_alone = self._is_alone and all(it.id != self._first for it in items)
        super().put_back(items)

    def ended(self, item: Item, outcome: ItemOutcome) -> Sequence[tuple[Item, ItemOutcome]]:
        self._is_alone = self._is_alone and item.id != self._first
        if (outcome.state, outcome.problem) != (ItemState.FAILED, Problem.ROLLED_BACK):
            return ()
        rest = tuple(self._items)
        self._items.clear()
        return [(it, SKIPPED) for it in rest]
