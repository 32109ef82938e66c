"""Undoes deletions: a registry gets its name, labels, annotations and password back, and its history with a new uid."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access, Permission
from registries.domain.errors import (
    AlreadyExists,
    Conflict,
    ConsoleError,
    Forbidden,
    NotFound,
    Problem,
    Unavailable,
)
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import Resource, same_but_tested
from registries.service.guard import Guard
from registries.stores.base import Store
from registries.stores.trash import Deleted, Leaving, Trash
from registries.verification.history import History, NotTested


@dataclass(eq=False)
class Undo:
    """Who may create in a namespace may restore there. A deletion outside of the console cannot be undone."""

    _store: Store
    _guard: Guard
    _audit: AuditLog
    _history: History
    _trash: Trash

    @property
    def is_on(self) -> bool:
        """Whether deletions can be undone, unless a person chooses otherwise."""
        return self._trash.is_on

    @property
    def hours(self) -> float:
        """For how long a deletion can be undone."""
        return self._trash.hours

    # Deleting

    def leaving(self, store: Store, key: Key, uid: str) -> Leaving | None:
        """A registry to delete, read by `store`. None when it cannot be read: the deletion goes on without an undo, and
        raises what is wrong. Uses no database on a cluster."""
        try:
            return self._trash.leaving(uid, store.whole(key, uid=uid)) if self.is_on else None
        except ConsoleError:
            return None

    def to_keep(self, *, access: Access, key: Key, uid: str) -> Leaving | None:
        """One of many to delete: as `leaving`, by the person. Keep it, then delete it."""
        self._guard.require(access, Permission.DELETE, key, Action.DELETE)
        return self.leaving(self._store.acting_as(access.acting), key, uid)

    def keep(self, leaving: Sequence[Leaving]) -> None:
        """Keeps registries that are deleted next."""
        self._trash.keep(leaving)

    @contextmanager
    def kept(self, leaving: Leaving | None) -> Iterator[None]:
        """Keeps a registry while it is deleted, and afterwards unless the deletion was refused."""
        self.keep([leaving] if leaving else [])
        try:
            yield
        except (Forbidden, Conflict):
            if leaving:
                self._trash.drop(leaving.uid)
            raise

    def after_deletions(self, deleted: Sequence[tuple[Key, str]], *, forget: bool) -> None:
        """Ends the tests of deleted registries, and drops the history of those that cannot be restored. `forget` drops
        the password as well, and those of earlier registries with these names."""
        uids = [uid for _, uid in deleted]
        if forget:
            self._trash.forget({key for key, _ in deleted})
        kept = self._trash.settle(uids)
        self._history.end(kept, NotTested(Problem.GONE))
        self._history.forget(*(uid for uid in uids if uid not in kept))

    def forget_namespace(self, namespace: str, before: datetime | None = None) -> None:
        """Drops what was deleted in a namespace that is deleted itself."""
        self._trash.forget_namespace(namespace, before)

    # Restoring

    def offered(self, *, access: Access, uids: Collection[str]) -> dict[str, Key]:
        """Those of these deleted registries that the person can restore, by uid."""
        kept = self._trash.kept(uids)
        return {uid: key for uid, key in kept.items() if access.may(Permission.CREATE, key.namespace)}

    def selected(self, *, access: Access, keys: Sequence[Key], uids: Sequence[str]) -> list[Deleted | None]:
        """The deleted registries with these keys, and uids where these are not "", in this order. Forbidden."""
        for key in keys:
            if access.may(Permission.SEE, key.namespace):
                self._guard.require(access, Permission.CREATE, key, Action.UNDO)
        return [
            self._trash.find(key, uid) if access.may(Permission.CREATE, key.namespace) else None
            for key, uid in zip(keys, uids, strict=True)
        ]

    def restore(
        self,
        *,
        access: Access,
        key: Key,
        uid: str = "",
        again: bool = False,
        and_then: Callable[[], object] = lambda: None,
    ) -> RegistrySecret:
        """Creates the registry again that was deleted last under this name, or the one with this uid.

        NotFound `no_undo`; AlreadyExists `undo_taken` or `being_deleted`, and the deleted registry stays restorable;
        Forbidden; Unavailable. `again`: an earlier attempt may have restored it. `and_then` runs in the same
        transaction, where the store has transactions.
        """
        self._guard.require(access, Permission.CREATE, key, Action.UNDO)
        deleted = self._trash.find(key, uid)
        if deleted is None:
            return self._restored_before(key, again, and_then)
        resource = self._trash.open(deleted)
        with self._guard.writing(access, Action.UNDO, key) as store:
            begun = self._trash.begin(deleted)
            if begun is None:
                raise NotFound(str(key), Problem.NO_UNDO)
            restored = self._create(store, deleted, resource, begun=begun)

            def record() -> None:
                self._audit.record(access, Action.UNDO, key=key, uid=restored.uid, note=deleted.uid)

            self._trash.finish(deleted, restored.uid, record)
            and_then()
        return restored

    def _restored_before(self, key: Key, again: bool, and_then: Callable[[], object]) -> RegistrySecret:
        """The registry that an earlier attempt restored. NotFound `no_undo` if there was none."""
        if not again:
            raise NotFound(str(key), Problem.NO_UNDO)
        present = self._store.get(key)
        and_then()
        return present

    def _create(self, store: Store, deleted: Deleted, resource: Resource, *, begun: bool) -> RegistrySecret:
        """Creates the resource, or finds the one that an attempt without an answer created."""
        try:
            return store.restore(resource)
        except AlreadyExists:
            present = self._store.get(deleted.key)
            if begun and present.uid != deleted.uid:
                theirs = store.whole(deleted.key, uid=present.uid)
                if same_but_tested(theirs, resource):
                    return present
            self._trash.release(deleted)
            problem = Problem.BEING_DELETED if present.deleting else Problem.UNDO_TAKEN
            raise AlreadyExists(str(deleted.key), problem) from None
        except ConsoleError as error:
            if not (isinstance(error, Unavailable) and error.problem == Problem.CLUSTER_UNCERTAIN):
                self._trash.release(deleted)
            raise
