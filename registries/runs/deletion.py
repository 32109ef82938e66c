"""Runs that delete.

An embedded store shares the database: each registry is deleted in one transaction with the state of its item, one
after the other. A cluster has no part in a transaction: several registries are deleted at once, each by its uid, and
then recorded together. An item that is retried may be deleted already, so a missing registry then counts as done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from registries.audit.action import Action
from registries.domain.access import Permission
from registries.domain.errors import NotFound, Problem
from registries.runs.execution import Execution
from registries.runs.kind import Kind, Step
from registries.runs.run import Item, ItemOutcome, ItemState
from registries.runs.threads import Background
from registries.service.registries import Registries
from registries.service.undo import Undo
from registries.stores.trash import Deleted

AT_ONCE = 128
"""Deletions of one run that are begun and not recorded: the workers go on while the run records."""
DONE = ItemOutcome(ItemState.DONE)
HELD = ItemOutcome(ItemState.DONE, problem=Problem.BEING_DELETED)
"""Deleted, but finalizers hold the registry for now."""


@dataclass(frozen=True, slots=True)
class Read:
    """The result of the first of two steps on a cluster: the registry for an undo, or None if it cannot be read."""

    deleted: Deleted | None


Result = Read | bool
"""The second step tells whether the registry is gone now."""


class DeleteKind(Kind[Result]):
    """`workers` delete at the same time. Without them, the run's own thread deletes in transactions."""

    name = "delete"
    action = Action.DELETE
    permission = Permission.DELETE
    cancellable = True
    recorded_at_once = 500

    def __init__(self, registries: Registries, undo: Undo, workers: Background | None) -> None:
        self._registries = registries
        self._undo = undo
        self._in_transactions = workers is None
        self.workers = workers or Background(0, "delete")
        self.at_once = AT_ONCE

    def begin(self, item: Item, run: Execution[Result]) -> Step[Result] | None:
        if not self._in_transactions:
            first = self._read if self._undo.is_on and not run.forget else self._remove
            return Step(partial(first, item, run))
        self._registries.delete(
            access=run.access,
            key=item.key,
            uid=item.uid,
            forget=run.forget,
            and_then=partial(run.end, [item], DONE),
        )
        return None

    def record(self, results: Sequence[tuple[Item, Result]], run: Execution[Result]) -> None:
        read = [(item, result.deleted) for item, result in results if isinstance(result, Read)]
        self._undo.keep([deleted for _, deleted in read if deleted])
        for item, _ in read:
            run.go_on(item, Step(partial(self._remove, item, run)))
        gone = [item for item, result in results if result is True]
        held = [item for item, result in results if result is False]
        if not gone and not held:
            return
        with run.atomic():
            deleted = [(item.key, item.uid) for item in (*gone, *held)]
            self._registries.record_deletions(access=run.access, deleted=deleted, forget=run.forget)
            run.end(gone, DONE)
            run.end(held, HELD)

    def _read(self, item: Item, run: Execution[Result]) -> Result | None:
        """Runs in a worker thread."""
        if run.stopped:
            return None
        return Read(self._undo.to_keep(access=run.access, key=item.key, uid=item.uid))

    def _remove(self, item: Item, run: Execution[Result]) -> Result | None:
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
