"""Runs that delete, restore and copy.

An embedded store shares the database: each registry is written in one transaction with the state of its item, one after
the other. A cluster has no part in a transaction: several are written at once, each by its uid, and then recorded
together. An item that is retried may be done already: then a missing registry counts as deleted, and a present one as
restored. An item of a copy has the registry to create, and the uid of its source.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

from registries.audit.action import Action
from registries.domain.access import Permission
from registries.domain.errors import NotFound, Problem
from registries.domain.registry import Draft, Key
from registries.models import RunItem
from registries.runs.execution import Execution
from registries.runs.run import DONE, Item, ItemOutcome, ItemState, Kind, Step
from registries.runs.threads import Background
from registries.service.copying import Copying
from registries.service.registries import Registries
from registries.service.undo import Undo
from registries.stores.trash import Leaving

AT_ONCE = 128
"""Items of one run that are begun and not recorded: the workers go on while the run records."""
T = TypeVar("T")
HELD = ItemOutcome(ItemState.DONE, problem=Problem.BEING_DELETED)
"""Deleted, but finalizers hold the registry for now."""


@dataclass(frozen=True, slots=True)
class Read:
    """The result of the first of two steps on a cluster: the registry for an undo, or None if it cannot be read."""

    leaving: Leaving | None


Result = Read | bool
"""The second step tells whether the registry is gone now."""


class WritingKind(Kind[T]):
    """`workers` write at the same time. Without them, the run's own thread writes in transactions."""

    cancellable = True
    recorded_at_once = 500
    at_once = AT_ONCE

    def __init__(self, workers: Background | None) -> None:
        self._in_transactions = workers is None
        self.workers = workers or Background(0, self.name)


class DeleteKind(WritingKind[Result]):
    name = "delete"
    action = Action.DELETE
    permission = Permission.DELETE

    def __init__(self, registries: Registries, undo: Undo, workers: Background | None) -> None:
        super().__init__(workers)
        self._registries = registries
        self._undo = undo

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
        read = [(item, result.leaving) for item, result in results if isinstance(result, Read)]
        self._undo.keep([leaving for _, leaving in read if leaving])
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


PRESENT = ItemOutcome(ItemState.LEFT_ALONE, problem=Problem.COPY_PRESENT)

Copied = tuple[Key, str]
"""The source of a copy, and the uid of the copy; "" if the same registry was there already."""


class CopyKind(WritingKind[Copied]):
    name = "copy"
    action = Action.COPY
    permission = Permission.CREATE

    def __init__(self, copying: Copying, workers: Background | None) -> None:
        super().__init__(workers)
        self._copying = copying
        self._templates: WeakKeyDictionary[Execution[Copied], dict[str, tuple[str, Draft]]] = (
            WeakKeyDictionary()
        )
        """By run and uid: the version of a source and its values, read once and forgotten with the run."""

    def begin(self, item: Item, run: Execution[Copied]) -> Step[Copied] | None:
        if not self._in_transactions:
            return Step(partial(self._put, item, run))
        end = partial(run.end, [item], DONE)
        if not self._copying.copy(access=run.access, key=item.key, uid=item.uid, and_then=end):
            run.end([item], PRESENT)
        return None

    def record(self, results: Sequence[tuple[Item, Copied]], run: Execution[Copied]) -> None:
        with run.atomic():
            for source in {source for _, (source, _) in results}:
                made = [(item, uid) for item, (of, uid) in results if of == source and uid]
                copies = [(item.key, uid) for item, uid in made]
                self._copying.record(access=run.access, source=source, copies=copies)
                run.end([item for item, _ in made], DONE)
            run.end([item for item, (_, uid) in results if not uid], PRESENT)

    def _put(self, item: Item, run: Execution[Copied]) -> Copied | None:
        """Creates one copy. Runs in a worker thread."""
        if run.stopped:
            return None
        template = self._template(item, run)
        put = self._copying.put
        return template.key, put(access=run.access, template=template, key=item.key, again=item.retried)

    def _template(self, item: Item, run: Execution[Copied]) -> Draft:
        """The values of the item's source, read again when the source has changed."""
        known = self._templates.setdefault(run, {})
        version = self._copying.current_version(item.uid)
        if item.uid not in known or known[item.uid][0] != version:
            known[item.uid] = version, self._copying.template(access=run.access, uid=item.uid)
        return known[item.uid][1]


def copies_made(uid: str) -> dict[Key, datetime]:
    """The copies that runs made of the source with this uid, and when. Runs are kept as long as the audit log."""
    made = RunItem.objects.filter(run__kind=CopyKind.name, uid=uid, state=ItemState.DONE).order_by("ended_at")
    rows = made.values_list("namespace", "name", "ended_at")
    return {Key(namespace, name): at for namespace, name, at in rows if at is not None}


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
