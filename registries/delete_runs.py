"""删除选中: exactly the registries that were shown, one by one. Writes the items of runs.py's Run.

Nothing is deleted twice: an item's state changes together with its registry.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

from registries.access import Access, Permission
from registries.background import Background
from registries.domain import Key
from registries.errors import ConsoleError, Forbidden, NotFound
from registries.models import RunItem
from registries.runs import Heart, ItemState, Runs
from registries.service import RegistryService


class DeleteRuns(Runs):
    kind = "delete"

    def __init__(
        self,
        service: RegistryService,
        background: Background,
        access_now: Callable[[str, str], Access],
        atomic: Callable[[], AbstractContextManager[object]],
    ) -> None:
        super().__init__(background, access_now, atomic)
        self._service = service

    def _work(self, run_id: UUID, access: Access) -> None:
        heart = Heart(run_id, access, self._access_now)
        waiting = RunItem.objects.filter(run=run_id, state=ItemState.WAITING)
        for pk in list(waiting.values_list("pk", flat=True)):
            if not heart.beat():
                return
            self._delete(pk, heart.access)
        self._end(run_id)

    def _delete(self, pk: int, access: Access) -> None:
        row = RunItem.objects.filter(pk=pk)
        item = row.get()
        try:
            self._service.delete(
                access=access,
                key=Key(item.namespace, item.name),
                uid=item.uid,
                and_then=lambda: row.update(state=ItemState.DONE),
            )
        except ConsoleError as error:
            row.update(state=ItemState.FAILED, problem=item_problem(error, access, item.namespace))


def item_problem(error: ConsoleError, access: Access, namespace: str) -> str:
    """The code of what went wrong with one item: `gone` where the person may know that it was there."""
    if isinstance(error, NotFound) and access.may(Permission.SEE, namespace):
        return "gone"
    return (error.reason if isinstance(error, Forbidden) else error.problem or error.reason)[:64]
