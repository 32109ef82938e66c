"""The use cases of registries and namespaces: find, create, edit, delete.

One method per use case, keyword-only, without request, response or ORM. Lists and counts are in index/.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from registries.audit.action import OF_SECRET, Action, note_of_edit
from registries.audit.log import AuditLog
from registries.domain.access import Access, Permission
from registries.domain.errors import (
    AlreadyExists,
    Cause,
    Forbidden,
    Invalid,
    Problem,
    TooManyRequests,
    Unavailable,
)
from registries.domain.metadata import TELLING, namespace_problem
from registries.domain.registry import Draft, Key, RegistrySecret
from registries.domain.resource import PREFIX, information_annotations
from registries.domain.writer import Writer
from registries.index.search import Index
from registries.intake import LONGEST, information_causes, stored_echo_causes
from registries.service.copies import Guesses, guesses_in
from registries.service.guard import NEEDED, Guard, require_present
from registries.service.images import require_probe_image
from registries.service.undo import Undo
from registries.stores.base import Store


@dataclass(eq=False)
class Registries:
    """Reads single registries and changes them. Access is checked here, once per call."""

    _store: Store
    _index: Index
    _guard: Guard
    _audit: AuditLog
    _guesses: Guesses
    _undo: Undo

    # Reading

    def find(self, *, access: Access, key: Key, action: Action = Action.SEE) -> RegistrySecret:
        """One registry as it is now, for an action on it. NotFound, Forbidden.

        For SEE, the last known state is good enough while the store is away.
        """
        if action is not Action.SEE:
            return self.get(access=access, key=key, action=action)
        self._guard.require(access, Permission.SEE, key, Action.SEE)
        # The store is not asked while it is away, since its answer may take long.
        known = self._index.fresh().find(key) if self._index.freshness().problem else None
        if known is not None:
            return known
        try:
            return self._store.get(key)
        except Unavailable:
            known = self._index.fresh().find(key)
            if known is None:
                raise
            return known

    def get(self, *, access: Access, key: Key, action: Action = Action.SEE) -> RegistrySecret:
        """One registry as the store has it now. NotFound, Forbidden, Unavailable."""
        self._guard.require(access, NEEDED[action], key, action)
        return self._store.get(key)

    def writer(self, *, access: Access, key: Key, text: str) -> Writer | None:
        """The other program that last wrote a text, such as `display-name`; None if the console did.

        NotFound, Forbidden, Unavailable.
        """
        self._guard.require(access, Permission.EDIT, key, Action.EDIT)
        return self._store.writer(key, PREFIX + text)

    def by_uid(
        self, *, access: Access, uids: Sequence[str], action: Action = Action.SEE
    ) -> tuple[tuple[RegistrySecret, ...], tuple[RegistrySecret, ...]]:
        """The registries with these uids that this person sees, and those of them that the person may act on.

        Both are sorted by namespace and name. Those that the person only sees are recorded as refused.
        """
        snapshot = self._index.fresh()
        keys = {snapshot.keys_by_uid[uid] for uid in uids if uid in snapshot.keys_by_uid}
        found = (snapshot.find(key) for key in sorted(keys) if access.may(Permission.SEE, key.namespace))
        seen = tuple(filter(None, found))
        allowed = tuple(it for it in seen if access.may(NEEDED[action], it.namespace))
        if refused := [(it.key, it.uid) for it in seen if not access.may(NEEDED[action], it.namespace)]:
            self._audit.record_all(access, action, refused, outcome=Forbidden.reason)
        return seen, allowed

    def selected(
        self, *, access: Access, keys: Sequence[Key], action: Action
    ) -> tuple[RegistrySecret | None, ...]:
        """These registries in this order; None for one that is absent or not visible. Forbidden."""
        snapshot = self._index.fresh()
        seen = [key if access.may(Permission.SEE, key.namespace) else None for key in keys]
        for key in seen:
            if key is not None:
                self._guard.require(access, NEEDED[action], key, action)
        return tuple(None if key is None else snapshot.find(key) for key in seen)

    # Creating and editing

    def require_create(self, *, access: Access, namespace: str) -> None:
        """Raises NotFound or Forbidden unless this person may create in a namespace."""
        self._guard.require(access, Permission.CREATE, Key(namespace, ""), Action.CREATE)
        self._index.require_namespace(access, namespace)

    def rehearse_create(self, *, access: Access, draft: Draft) -> RegistrySecret:
        """A dry run of `create`: the same errors, nothing stored. The registry has no version yet."""
        self.require_create(access=access, namespace=draft.key.namespace)
        with self._guard.writing(access, Action.CREATE, draft.key, doubt=False) as store:
            return self._stored(store, draft, dry_run=True)

    def create(self, *, access: Access, draft: Draft, adopted: Key | None = None) -> RegistrySecret:
        """`adopted` is the Secret that has the password. AlreadyExists; Forbidden; NotFound for a hidden namespace."""
        self._guard.require(access, Permission.CREATE, draft.key, Action.CREATE)
        with self._guard.writing(access, Action.CREATE, draft.key) as store:
            created = self._stored(store, draft)
            note = f"{created.domain}{OF_SECRET}{adopted}" if adopted else created.domain
            self._audit.record(access, Action.CREATE, key=created.key, uid=created.uid, note=note)
        return created

    def _stored(self, store: Store, draft: Draft, *, dry_run: bool = False) -> RegistrySecret:
        """Stores a registry. AlreadyExists `being_deleted` when the one of that name is on its way out; Invalid."""
        if draft.probe_image:
            address = f"http://{draft.domain}" if draft.plain_http else draft.domain
            require_probe_image(address, draft.probe_image)
        try:
            return store.create(draft, dry_run=dry_run)
        except AlreadyExists:
            present = self._index.fresh().find(draft.key)
            if present is not None and present.deleting:
                raise AlreadyExists(str(draft.key), Problem.BEING_DELETED) from None
            raise

    def edit(
        self,
        *,
        access: Access,
        key: Key,
        uid: str,
        resource_version: str,
        information: Mapping[str, str],
        rehearse: bool = False,
    ) -> RegistrySecret:
        """Changes fields of INFORMATION; with `rehearse` only a dry run. An empty text removes a field.

        Conflict when the registry changed since it was read, or is being deleted; Invalid; TooManyRequests.
        """
        self._guard.require(access, Permission.EDIT, key, Action.EDIT)
        causes = information_causes(information)
        causes += self._echo_causes(access, key, uid, information)
        if causes:
            raise Invalid(str(key), tuple(causes))
        with self._comparison_recorded(access, key, uid, information, always=rehearse):
            before = require_present(self._read(key, resource_version))
            if (image := information.get("probe_image", "")) != before.probe_image:
                require_probe_image(before.address, image)
            with self._guard.writing(access, Action.EDIT, key, doubt=not rehearse) as store:
                patch = information_annotations(information)
                changed = store.annotate(
                    key, patch, uid=uid, resource_version=resource_version, dry_run=rehearse
                )
                if not rehearse:
                    note = note_of_edit(before.information, changed.information)
                    self._audit.record(access, Action.EDIT, key=key, uid=uid, note=note)
        return changed

    @contextmanager
    def _comparison_recorded(
        self, access: Access, key: Key, uid: str, texts: Mapping[str, str], *, always: bool
    ) -> Iterator[None]:
        """Records that texts were compared with the password where no edit is recorded: in a dry run, and for an edit
        that fails afterwards."""
        done = False
        try:
            yield
            done = not always
        finally:
            if not done and _compared(texts):
                self._audit.record(access, Action.COMPARE, key=key, uid=uid)

    def _read(self, key: Key, resource_version: str) -> RegistrySecret:
        """The registry with this version, from memory if it is there; else the newest one of the store. NotFound."""
        known = self._index.fresh().find(key)
        return known if known and known.resource_version == resource_version else self._store.get(key)

    def _echo_causes(self, access: Access, key: Key, uid: str, texts: Mapping[str, str]) -> list[Cause]:
        """The texts that hold the stored password. A hit is recorded, since it can be an attempt to guess.

        Each comparison counts, a dry run as well, whatever comes of it. TooManyRequests.
        """
        if not (compared := _compared(texts)):
            return []
        if wait := self._guesses.wait(access.owner, str(key), guesses_in(compared)):
            if self._guesses.first_refusal(access.owner, str(key)):
                self._audit.record(
                    access, Action.EDIT, key=key, outcome=TooManyRequests.reason, note="holds_password"
                )
            raise TooManyRequests(str(key), retry_after=wait)
        try:
            causes = stored_echo_causes(texts, self._store.credential(key, uid=uid).password)
        except Unavailable as error:
            if error.problem in (Problem.KEY_MISSING, Problem.SEAL_BROKEN):
                return []  # a password that cannot be opened must not keep anybody from renaming
            raise
        if causes:
            self._audit.record(access, Action.EDIT, key=key, uid=uid, outcome="failed", note="holds_password")
        return causes

    # Deleting

    def delete(
        self,
        *,
        access: Access,
        key: Key,
        uid: str,
        forget: bool = False,
        and_then: Callable[[], object] = lambda: None,
    ) -> bool:
        """NotFound when it is gone; Conflict when another registry has taken its name, which is left alone.

        Returns whether the deletion can be undone: not with `forget`, nor when the password cannot be read.
        `and_then` runs in the same transaction, where the store has transactions.
        """
        self._guard.require(access, Permission.DELETE, key, Action.DELETE)
        with self._guard.writing(access, Action.DELETE, key) as store:
            leaving = None if forget else self._undo.leaving(store, key, uid)
            with self._undo.kept(leaving):
                store.delete(key, uid=uid)
            self._undo.after_deletions([(key, uid)], forget=forget)
            self._audit.record(access, Action.DELETE, key=key, uid=uid)
            and_then()
        return leaving is not None

    def rehearse_delete(self, *, access: Access, key: Key, uid: str) -> None:
        """A dry run of `delete`: the same errors, nothing deleted."""
        self._guard.require(access, Permission.DELETE, key, Action.DELETE)
        with self._guard.writing(access, Action.DELETE, key, doubt=False) as store:
            store.delete(key, uid=uid, dry_run=True)

    def remove(self, *, access: Access, key: Key, uid: str, again: bool = False) -> bool:
        """Deletes one of many, without records; call `record_deletions` afterwards. The errors of `delete`. False if
        finalizers hold it.

        Set `again` on a retry after a missing answer: the doubt is recorded only once.
        """
        self._guard.require(access, Permission.DELETE, key, Action.DELETE)
        with self._guard.writing(access, Action.DELETE, key, doubt=not again) as store:
            return store.delete(key, uid=uid)

    def record_deletions(self, *, access: Access, deleted: Sequence[tuple[Key, str]], forget: bool) -> None:
        """Records what `remove` deleted, by key and uid, in a few statements."""
        self._undo.after_deletions(deleted, forget=forget)
        self._audit.record_all(access, Action.DELETE, deleted)

    # Namespaces

    @property
    def manages_namespaces(self) -> bool:
        """Whether namespaces are created and deleted here. A cluster manages its own."""
        return self._store.manages_namespaces

    def create_namespace(self, *, access: Access, name: str) -> None:
        """AlreadyExists; Invalid; Forbidden."""
        access.require_administration()
        if problem := namespace_problem(name):
            raise Invalid(name, (Cause("namespace", problem),))
        with self._guard.atomic():
            self._store.create_namespace(name)
            self._audit.record(access, Action.NAMESPACE, namespace=name, note="create")

    def delete_namespace(
        self, *, access: Access, name: str, and_then: Callable[[], object] = lambda: None
    ) -> None:
        """Conflict `not_empty` while a registry is in it. `and_then` runs in the same transaction."""
        access.require_administration()
        with self._guard.atomic():
            self._store.delete_namespace(name)
            self._audit.record(access, Action.NAMESPACE, namespace=name, note="delete")
            self._audit.close_namespace(name)
            self._undo.forget_namespace(name)
            and_then()


def _compared(texts: Mapping[str, str]) -> list[str]:
    """The texts that are compared with the password. A date is not, nor is a short one."""
    return [text for name, text in texts.items() if len(text) >= TELLING and name in LONGEST]
