"""The use case of changing a stored credential to given values, in a way that can be repeated after a crash.

Only a password changes in place. For other values, and where a cluster's definition lets no password change, the
registry is deleted and created again under its name; its history goes with it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from registries.audit.action import REPLACED, Action, Audit
from registries.domain.access import Access, Permission
from registries.domain.errors import (
    AlreadyExists,
    Conflict,
    ConsoleError,
    NotFound,
    Problem,
    Refused,
    Unavailable,
)
from registries.domain.registry import Credential, Draft, Key, RegistrySecret
from registries.service.guard import Guard, require_present
from registries.service.registries import Registries
from registries.stores.base import Store
from registries.verification.check import Checks
from registries.verification.outcome import NotTested


def same_spec(one: Draft, other: Draft) -> bool:
    """Whether two have the same values but the password."""
    values = ("domain", "username", "provider", "plain_http", "ca_bundle", "skip_tls_verify")
    return all(getattr(one, name) == getattr(other, name) for name in values)


class Replacement:
    """`moved` is called with the uids before and after, so that what is kept of a registry stays with it."""

    def __init__(
        self,
        store: Store,
        guard: Guard,
        registries: Registries,
        audit: Audit,
        history: Checks,
        moved: Callable[[str, str], None] = lambda before, after: None,
    ) -> None:
        self._store = store
        self._guard = guard
        self._registries = registries
        self._audit = audit
        self._history = history
        self._moved = moved

    def require(self, *, access: Access, key: Key) -> None:
        """Raises NotFound or Forbidden unless this person may delete a registry and create it again."""
        self._registries.require_rotate(access=access, key=key)
        self._guard.require(access, Permission.DELETE, key, Action.PASSWORD)

    def before(self, *, access: Access, key: Key, uid: str) -> Draft:
        """The stored values with the password, read as the person. NotFound, Forbidden, Conflict, Unavailable."""
        self._registries.require_rotate(access=access, key=key)
        with self._guard.writing(access, Action.PASSWORD, key, doubt=False) as store:
            return store.draft(key, uid=uid)

    def corrected(
        self, *, access: Access, registry: RegistrySecret, changes: Mapping[str, Any]
    ) -> Credential:
        """The stored values with other ones, for a test before saving. `changes` are those of `corrections`."""
        key = registry.key
        self.require(access=access, key=key)
        draft = replace(self.before(access=access, key=key, uid=registry.uid), **changes)
        address = registry.address
        if "domain" in changes:
            address = f"http://{draft.domain}" if draft.plain_http else draft.domain
        return Credential(address, draft.username, draft.password, draft.ca_bundle, draft.skip_tls_verify)

    def put(
        self,
        *,
        access: Access,
        uid: str,
        old: Draft,
        new: Draft,
        replacing: bool,
        replace_now: Callable[[], object],
    ) -> RegistrySecret:
        """Stores `new` where `old` is stored. Where `new` is stored already, by an attempt before a crash, nothing is
        written. Conflict `changed` when somebody stored other values meanwhile, `recreated`.

        `replace_now` is called before a registry is deleted to be created again. From then on, `replacing` must be
        set: one that is gone is created.
        """
        key = new.key
        self._registries.require_rotate(access=access, key=key)
        try:
            present = self._store.get(key)
        except NotFound:
            if not replacing:
                raise
            return self._replace(access, uid, old, new)
        stored = self._stored(access, present, uid, (old, new), replacing=replacing)
        if _is(stored, new):
            return present
        uid = present.uid
        if same_spec(old, new):
            try:
                return self._registries.change_password(
                    access=access,
                    key=key,
                    uid=uid,
                    password=new.password,
                    generation=present.generation,
                    set_at=new.password_set_at,
                )
            except Refused as error:
                if error.problem is not Problem.PASSWORD_FIXED:
                    raise
        self._rehearse(access, uid, new)
        replace_now()
        return self._replace(access, uid, old, new)

    def _stored(
        self, access: Access, present: RegistrySecret, uid: str, ours: Sequence[Draft], *, replacing: bool
    ) -> Draft:
        """The stored values, one of `ours`. Conflict."""
        key = present.key
        require_present(present)
        stored = self.before(access=access, key=key, uid=present.uid)
        known = any(_is(stored, it) for it in ours)
        if present.uid != uid:
            if not (replacing and known):
                raise Conflict(str(key), Problem.RECREATED)
            self._record(access, key, uid, present.uid)  # created by an attempt before a crash
        elif not known:
            raise Conflict(str(key), Problem.CHANGED)
        return stored

    def _rehearse(self, access: Access, uid: str, new: Draft) -> None:
        """Asks the store whether it would delete and create, before anything is deleted. Raises its errors."""
        key = new.key
        self.require(access=access, key=key)
        with self._guard.writing(access, Action.PASSWORD, key, doubt=False) as store:
            store.delete(key, uid=uid, dry_run=True)
            with suppress(AlreadyExists):  # admission has allowed it by then
                store.create(new, dry_run=True)

    def _replace(self, access: Access, uid: str, old: Draft, new: Draft) -> RegistrySecret:
        """The new registry. When it cannot be created, the old one is created again, and the error is raised."""
        key = new.key
        if new.password != old.password and new.password_set_at is None:
            new = replace(new, password_set_at=datetime.now(UTC))
        with self._guard.writing(access, Action.PASSWORD, key) as store:
            try:
                created = store.replace(new, uid=uid)
            except Unavailable:
                raise  # another attempt goes on
            except ConsoleError:
                self._restore(access, store, uid, old)
                raise
            self._record(access, key, uid, created.uid)
        return created

    def _restore(self, access: Access, store: Store, uid: str, old: Draft) -> None:
        """Creates the old registry again, if it was deleted and its name is free."""
        try:
            self._store.get(old.key)
        except NotFound:
            self._record(access, old.key, uid, store.create(old).uid)

    def _record(self, access: Access, key: Key, uid: str, after: str) -> None:
        self._history.end([uid], NotTested(Problem.CHANGED))
        self._moved(uid, after)
        self._audit.record(access, Action.PASSWORD, key=key, uid=after, note=f"{REPLACED}{uid}")


def _is(one: Draft, other: Draft) -> bool:
    return same_spec(one, other) and one.password == other.password
