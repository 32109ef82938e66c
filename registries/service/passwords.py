"""The use cases of a stored password: who may change it, a test before saving, and saving in place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access, Permission
from registries.domain.errors import Cause, Conflict, Invalid, Problem
from registries.domain.registry import Credential, Key, RegistrySecret
from registries.domain.writer import PASSWORD
from registries.intake import echo_causes, password_causes
from registries.service.guard import Guard, require_present
from registries.stores.base import Store
from registries.verification.history import History, NotTested

ATTEMPTS = 5
"""Attempts to change a password while tests write their verdicts."""


@dataclass(eq=False)
class Passwords:
    """`moved` is called with registries as they were before their passwords were changed."""

    _store: Store
    _guard: Guard
    _audit: AuditLog
    _history: History
    _moved: Callable[[Sequence[RegistrySecret]], None]

    def require_rotate(self, *, access: Access, key: Key) -> None:
        """Raises NotFound or Forbidden unless this person may change the passwords of a namespace: like deleting and
        adding again, it takes image-admin."""
        for permission in (Permission.CREATE, Permission.EDIT):
            self._guard.require(access, permission, key, Action.PASSWORD)

    def password_writer(self, *, access: Access, key: Key) -> str:
        """The other program that wrote the stored password, and may write it again, such as kubectl; "" for none.

        NotFound, Forbidden, Unavailable.
        """
        self.require_rotate(access=access, key=key)
        writer = self._store.writer(key, PASSWORD)
        return writer.program if writer else ""

    def with_password(
        self, *, access: Access, key: Key, uid: str, password: str
    ) -> tuple[Credential, Credential]:
        """The stored credential, and the same with another password, for a test before saving.

        NotFound, Forbidden, Conflict, Unavailable; Invalid with the causes of `password`.
        """
        self.require_rotate(access=access, key=key)
        require_present(self._store.get(key))
        with self._guard.writing(access, Action.PASSWORD, key, doubt=False) as store:
            stored = store.credential(key, uid=uid)
        if causes := password_causes(stored.username, password):
            raise Invalid(str(key), tuple(causes))
        return stored, replace(stored, password=password)

    def change_password(
        self,
        *,
        access: Access,
        key: Key,
        uid: str,
        password: str,
        generation: str | None = None,
        resource_version: str | None = None,
        rehearse: bool = False,
    ) -> RegistrySecret:
        """Stores another password; with `rehearse` only a dry run. uid, history and pull secret stay. The verdict of
        the old password goes, and a running test of it ends.

        Conflict `changed` for another `generation` (another password) or version; Invalid with causes of `password`.
        """
        self.require_rotate(access=access, key=key)
        for attempt in range(1, ATTEMPTS + 1):
            before = require_present(self._store.get(key))
            if generation not in (None, before.generation) and before.uid == uid:
                raise Conflict(str(key), Problem.CHANGED)
            self.require_password(before, password)
            try:
                version = resource_version or before.resource_version
                with self._guard.writing(access, Action.PASSWORD, key, doubt=not rehearse) as store:
                    changed = store.set_password(
                        key, password, uid=uid, resource_version=version, dry_run=rehearse
                    )
                    if not rehearse:
                        self.record_passwords(access=access, before=[before])
                return changed
            except Conflict as error:  # a test wrote its verdict in between
                if resource_version or error.problem != Problem.CHANGED or attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def record_passwords(self, *, access: Access, before: Sequence[RegistrySecret]) -> None:
        """Records new passwords in a few statements. `before` has the registries with the old ones."""
        self._history.end([it.uid for it in before], NotTested(Problem.CHANGED))
        self._moved(before)
        self._audit.record_all(access, Action.PASSWORD, [(it.key, it.uid) for it in before])

    @staticmethod
    def require_password(registry: RegistrySecret, password: str) -> None:
        """Raises Invalid with the causes of `password`, for a registry."""
        causes = password_causes(registry.username, password)
        if causes or echo_causes(registry.information, password):
            causes = causes or [Cause("password", Problem.HOLDS_PASSWORD)]
            raise Invalid(str(registry.key), tuple(causes))
