"""Runs that delete.

An embedded store shares the database: each registry is deleted in one transaction with the state of its item, one
after the other. A cluster has no part in a transaction: several registries are deleted at once, each by its uid, and
then recorded together. An item that is retried may be deleted already, so a missing registry then counts as done.
"""

from collections.abc import Sequence
from functools import partial

from registries.audit.action import Action
from registries.domain.access import Permission
from registries.domain.errors import NotFound, Problem
from registries.runs.execution import Execution, Kind, Step
from registries.runs.run import Item, ItemOutcome, ItemState
from registries.runs.threads import Background
from registries.service.registries import Registries

AT_ONCE = 128
"""Deletions of one run that are begun and not recorded: the workers go on while the run records."""
DONE = ItemOutcome(ItemState.DONE)
HELD = ItemOutcome(ItemState.DONE, problem=Problem.BEING_DELETED)
"""Deleted, but finalizers hold the registry for now."""


class DeleteKind(Kind[bool]):
    """`workers` delete at the same time. Without them, the run's own thread deletes in transactions."""

    name = "delete"
    action = Action.DELETE
    permission = Permission.DELETE
    cancellable = True
    recorded_at_once = 500

    def __init__(self, registries: Registries, workers: Background | None) -> None:
        self._registries = registries
        self._in_transactions = workers is None
        self.workers = workers or Background(0, "delete")
        self.at_once = AT_ONCE

    def begin(self, item: Item, run: Execution[bool]) -> Step[bool] | None:
        if not self._in_transactions:
            return Step(partial(self._remove, item, run))
        self._registries.delete(
            access=run.access, key=item.key, uid=item.uid, and_then=partial(run.end, [item], DONE)
        )
        return None

    def record(self, results: Sequence[tuple[Item, bool]], run: Execution[bool]) -> None:
        items = [item for item, _ in results]
        with run.atomic():
            deleted = [(item.key, item.uid) for item in items]
            self._registries.record_deletions(access=run.access, deleted=deleted)
            run.end([item for item, gone in results if gone], DONE)
            run.end([item for item, gone in results if not gone], HELD)

    def _remove(self, item: Item, run: Execution[bool]) -> bool | None:
        """Whether the registry is gone now. Runs in a worker thread."""
        if run.stopped:
            return None
        access = run.access
        try:
            return self._registries.remove(access=access, key=item.key, uid=item.uid, again=item.retried)
        except NotFound:
            if not (item.retried and access.may(Permission.DELETE, item.key.namespace)):
                raise
        return True
