"""The use case of changing a stored credential to given values, in a way that can be repeated after a crash.

Only a password changes in place. For other values, and where a cluster's definition lets no password change, the
registry is deleted and created again under its name; its history goes with it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from registries.audit.action import REPLACED, Action
from registries.audit.log import AuditLog
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
from registries.domain.registry import Credential, Draft, Key, RegistrySecret, Verification
from registries.domain.resource import fingerprint
from registries.index.search import Index
from registries.service.guard import Guard, require_present
from registries.service.passwords import ATTEMPTS, Passwords
from registries.stores.base import SecretWaits, Store
from registries.verification.history import History, NotTested


@dataclass(frozen=True, slots=True)
class Change:
    """A registry after a change. `uid` is the one before. `before` is the registry with the old password, if a password
    was stored in place. `secret_waits`: its pull secret still has the old password."""

    uid: str
    registry: RegistrySecret
    before: RegistrySecret | None = None
    secret_waits: bool = False


@dataclass(frozen=True, slots=True)
class Renewal:
    """The registry with this uid has to be created again."""

    uid: str


def same_spec(one: Draft | RegistrySecret, other: Draft) -> bool:
    """Whether two have the same values but the password."""
    values = ("domain", "username", "provider", "plain_http", "ca_bundle", "skip_tls_verify")
    return all(getattr(one, name) == getattr(other, name) for name in values)


@dataclass(eq=False)
class Replacement:
    """`index` is looked at before the store is read. `moved` is called with the uids before and after, so that what is
    kept of a registry stays with it."""

    _store: Store
    _index: Index
    _guard: Guard
    _passwords: Passwords
    _audit: AuditLog
    _history: History
    _moved: Callable[[str, str], None]

    def require(self, *, access: Access, key: Key) -> None:
        """Raises NotFound or Forbidden unless this person may delete a registry and create it again."""
        self._passwords.require_rotate(access=access, key=key)
        self._guard.require(access, Permission.DELETE, key, Action.PASSWORD)

    def before(self, *, access: Access, key: Key, uid: str) -> Draft:
        """The stored values with the password, read as the person. NotFound, Forbidden, Conflict, Unavailable."""
        self._passwords.require_rotate(access=access, key=key)
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
        replacing: bool = False,
        replace_now: Callable[[], object] = lambda: None,
        and_then: Callable[[RegistrySecret], object] = lambda changed: None,
    ) -> RegistrySecret:
        """Stores `new` where `old` is stored. Where `new` is stored already, by an attempt before a crash, nothing is
        written. Conflict `changed` when somebody stored other values meanwhile, `recreated`.

        `replace_now` is called before a registry is deleted to be created again. From then on, `replacing` must be
        set: one that is gone is created. `and_then` runs in the same transaction, where the store has transactions.
        """
        key = new.key
        require = self._passwords.require_rotate if same_spec(old, new) else self.require
        require(access=access, key=key)  # a refusal stays recorded
        with self._guard.atomic():
            known = self.known(key=key, uid=uid, values=old)
            change = self.change(access=access, uid=uid, old=old, new=new, replacing=replacing, known=known)
            if isinstance(change, Renewal):
                replace_now()
                change = self.renew(access=access, uid=change.uid, old=old, new=new)
            self.record(access=access, changes=[change])
            if change.secret_waits:
                self.keep_secret(key)
            and_then(change.registry)
        return change.registry

    def change(
        self,
        *,
        access: Access,
        uid: str,
        old: Draft,
        new: Draft,
        replacing: bool,
        known: RegistrySecret | None,
        again: bool = False,
    ) -> Change | Renewal:
        """Does `put` for one of many, without records; call `record` afterwards. Renewal: the registry has to be
        created again, with `renew`, and the store would allow it.

        Set `again` on a retry: what is stored already then counts as changed. The write names the version that is
        `known`: the store is read only where that is not as expected.
        """
        self._passwords.require_rotate(access=access, key=new.key)
        for attempt in range(1, ATTEMPTS + 1):
            if known is None:
                try:
                    known = self._store.get(new.key)
                except NotFound:
                    if not replacing:
                        raise
                    return Renewal(uid)
                if _is(self._stored(access, known, uid, (old, new), replacing=replacing), new):
                    self.keep_secret(new.key)  # a kill may have come between the two writes
                    return Change(uid, known, known if again else None)
            if not same_spec(old, new):
                return self._rehearsed(access, known.uid, new)
            try:
                changed = self._put_password(access, known, uid, new, again=again)
            except Conflict as error:  # a test wrote its verdict in between
                if error.problem is not Problem.CHANGED or attempt == ATTEMPTS:
                    raise
                known = None
                continue
            return changed or self._rehearsed(access, known.uid, new)
        raise AssertionError("unreachable")

    def _put_password(
        self, access: Access, known: RegistrySecret, uid: str, new: Draft, *, again: bool
    ) -> Change | None:
        """Stores another password and its verdict, if the registry is as known. None where no password may change."""
        self._passwords.require_password(require_present(known), new.password)
        try:
            with self._guard.writing(access, Action.PASSWORD, known.key, doubt=not again) as store:
                changed = store.set_password(
                    known.key,
                    new.password,
                    uid=known.uid,
                    resource_version=known.resource_version,
                    set_at=new.password_set_at,
                    verdict=new.verification,
                    with_secret=True,
                )
        except SecretWaits as waits:
            return Change(uid, waits.registry, known, secret_waits=True)
        except Refused as error:
            if error.problem is not Problem.PASSWORD_FIXED:
                raise
            return None
        return Change(uid, changed, known)

    def keep_secret(self, key: Key) -> None:
        """Repairs the pull secret of a registry. Unavailable while it cannot be written, but soon can."""
        self._store.pull_secret(key)

    def renew(self, *, access: Access, uid: str, old: Draft, new: Draft) -> Change:
        """Creates a registry again with other values, without records. From before it on, one that is gone is created.

        When the new one cannot be created, the old one is created again, and the error is raised.
        """
        if new.password_set_at is None:  # also for a typed password that is the same: that is told to nobody
            new = replace(new, password_set_at=datetime.now(UTC))
        with self._guard.writing(access, Action.PASSWORD, new.key) as store:
            try:
                return Change(uid, store.replace(new, uid=uid))
            except Unavailable:
                raise  # another attempt goes on
            except ConsoleError:
                self._restore(access, store, uid, old)
                raise

    def record(self, *, access: Access, changes: Sequence[Change]) -> None:
        """Records changes in a few statements."""
        if before := [it.before for it in changes if it.before and it.before.uid == it.uid]:
            self._passwords.record_passwords(access=access, before=before)
        for it in changes:
            if it.registry.uid != it.uid:
                self._record(access, it.registry.key, it.uid, it.registry.uid)

    def verdict(self, *, key: Key, uid: str, values: Draft) -> Verification:
        """The verdict on a registry with these values; untested when it has others now."""
        found = self.known(key=key, uid=uid, values=values)
        return found.verification if found else Verification()

    def known(self, *, key: Key, uid: str, values: Draft) -> RegistrySecret | None:
        """The registry as the index knows it, if it has these values. None may be wrong."""
        found = self._index.fresh().find(key)
        if found is None or found.uid != uid or found.address_problem or not same_spec(found, values):
            return None
        with suppress(ConsoleError):
            digest = fingerprint(found.address, found.username, values.password)
            if compare_digest(self._store.fingerprint(found), digest):
                return found
        return None

    def _stored(
        self, access: Access, present: RegistrySecret, uid: str, ours: Sequence[Draft], *, replacing: bool
    ) -> Draft:
        """The stored values, one of `ours`. Conflict."""
        key = present.key
        require_present(present)
        stored = self.before(access=access, key=key, uid=present.uid)
        known = any(_is(stored, it) for it in ours)
        if present.uid != uid and not (replacing and known):
            raise Conflict(str(key), Problem.RECREATED)
        if not known:
            raise Conflict(str(key), Problem.CHANGED)
        return stored

    def _rehearsed(self, access: Access, uid: str, new: Draft) -> Renewal:
        """Asks the store whether it would delete and create, before anything is deleted. Raises its errors."""
        key = new.key
        self.require(access=access, key=key)
        with self._guard.writing(access, Action.PASSWORD, key, doubt=False) as store:
            store.delete(key, uid=uid, dry_run=True)
            with suppress(AlreadyExists):  # admission has allowed it by then
                store.create(new, dry_run=True)
        return Renewal(uid)

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
