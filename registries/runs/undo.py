"""Runs that restore deleted registries, one after the other in the run's own thread.

An embedded store shares the database: a registry is restored in one transaction with the state of its item. On a
cluster, an item that is retried may be restored already; a present registry then counts as done.
"""

from collections.abc import Sequence
from functools import partial

from registries.audit.action import Action
from registries.domain.access import Permission
from registries.runs.execution import Execution
from registries.runs.kind import Kind
from registries.runs.run import Item, ItemOutcome, ItemState
from registries.runs.threads import Background
from registries.service.undo import Undo

DONE = ItemOutcome(ItemState.DONE)


class UndoKind(Kind[None]):
    """The uid of an item is that of the deleted registry."""

    name = "undo"
    action = Action.UNDO
    permission = Permission.CREATE
    at_once = 1

    def __init__(self, undo: Undo) -> None:
        self._undo = undo
        self.workers = Background(0, "undo")

    def begin(self, item: Item, run: Execution[None]) -> None:
        run.patiently(
            lambda: self._undo.restore(
                access=run.access,
                key=item.key,
                uid=item.uid,
                again=item.retried,
                and_then=partial(run.end, [item], DONE),
            )
        )

    def record(self, results: Sequence[tuple[Item, None]], run: Execution[None]) -> None:
        raise AssertionError("no step is left to workers")
