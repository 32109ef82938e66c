"""Runs that copy. An item has the registry to create, and the uid of its source.

An embedded store shares the database: each copy is created in one transaction with the state of its item. On a cluster,
several are created at once and then recorded together. An item that is retried may be created already.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from weakref import WeakKeyDictionary

from registries.audit.action import Action
from registries.domain.access import Permission
from registries.domain.errors import Problem
from registries.domain.registry import Draft, Key
from registries.models import RunItem
from registries.runs.execution import Execution
from registries.runs.kind import Kind, Step
from registries.runs.run import Item, ItemOutcome, ItemState
from registries.runs.threads import Background
from registries.service.copying import Copying

AT_ONCE = 128
"""Copies of one run that are begun and not recorded: the workers go on while the run records."""
DONE = ItemOutcome(ItemState.DONE)
PRESENT = ItemOutcome(ItemState.LEFT_ALONE, problem=Problem.COPY_PRESENT)

Copied = tuple[Key, str]
"""The source of a copy, and the uid of the copy; "" if the same registry was there already."""


class CopyKind(Kind[Copied]):
    """`workers` create at the same time. Without them, the run's own thread creates in transactions."""

    name = "copy"
    action = Action.COPY
    permission = Permission.CREATE
    cancellable = True
    recorded_at_once = 500

    def __init__(self, copying: Copying, workers: Background | None) -> None:
        self._copying = copying
        self._in_transactions = workers is None
        self.workers = workers or Background(0, "copy")
        self.at_once = AT_ONCE
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
