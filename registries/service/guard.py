"""Access to the store: every use case checks its permission here, and refusals reach the audit log."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from registries.audit.action import IN_DOUBT, Action
from registries.audit.log import AuditLog
from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, ConsoleError, Forbidden, Problem, Refused, Unavailable
from registries.domain.registry import Key, RegistrySecret
from registries.stores.base import Store

NEEDED = {
    Action.SEE: Permission.SEE,
    Action.EDIT: Permission.EDIT,
    Action.TEST: Permission.TEST,
    Action.DELETE: Permission.DELETE,
    Action.PASSWORD: Permission.CREATE,
    Action.UNDO: Permission.CREATE,
    Action.COPY: Permission.CREATE,
}
"""The permission for an action on an existing registry."""


def require_present(registry: RegistrySecret) -> RegistrySecret:
    """The registry. Conflict `being_deleted`."""
    if registry.deleting:
        raise Conflict(str(registry.key), Problem.BEING_DELETED)
    return registry


@dataclass(eq=False)
class Guard:
    """Checks permissions and opens the store for writing.

    `atomic` puts a write and its records into one transaction, where the store shares their database.
    """

    _store: Store
    _audit: AuditLog
    atomic: Callable[[], AbstractContextManager[object]]

    def require(self, access: Access, permission: Permission, key: Key, action: Action) -> None:
        """Raises NotFound or Forbidden, and records the refusal."""
        try:
            access.require(permission, key.namespace)
        except ConsoleError as error:
            self._audit.record(access, action, key=key, outcome=error.reason)
            raise

    @contextmanager
    def writing(self, access: Access, action: Action, key: Key, *, doubt: bool = True) -> Iterator[Store]:
        """The store, acting as this person, in one transaction where the store has transactions.

        A refusal by the store is recorded. So is a write without an answer, which may have happened, unless
        `doubt` is False: in a dry run, or when it was recorded before.
        """
        try:
            with self.atomic():
                yield self._store.acting_as(access.acting)
        except Forbidden as error:
            outcome = "refused" if isinstance(error, Refused) else error.reason
            self._audit.record(access, action, key=key, outcome=outcome)
            raise
        except Unavailable as error:
            if doubt and error.problem == Problem.CLUSTER_UNCERTAIN:
                self._audit.record(access, action, key=key, outcome=IN_DOUBT)
            raise
