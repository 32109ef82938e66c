"""The copies of a credential: registries with the same address and user name in what a person sees."""

from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from hmac import compare_digest

from registries.domain.access import Access, Permission
from registries.domain.errors import ConsoleError
from registries.domain.query import Criteria
from registries.domain.registry import RegistrySecret
from registries.domain.writer import PASSWORD
from registries.index.search import Index
from registries.service.guesses import Guesses
from registries.stores.base import Store

MOST = 50
"""Copies that are listed and compared."""


class CopyState(StrEnum):
    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    """Its password could not be compared now."""
    FORBIDDEN = "forbidden"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class Copy:
    registry: RegistrySecret
    state: CopyState
    writer: str = ""
    """The other program that wrote its password, and may write it again, such as kubectl or Argo CD."""

    @property
    def changeable(self) -> bool:
        return self.state in (CopyState.SAME, CopyState.DIFFERS, CopyState.UNKNOWN)


def is_copy(it: RegistrySecret, of: RegistrySecret) -> bool:
    """Whether two registries have the same address and user name. An address that cannot be parsed has no copies."""
    same = (it.address, it.username) == (of.address, of.username)
    return same and it.uid != of.uid and not of.address_problem


class Copies:
    """Compares passwords in memory and keeps nothing of them. A comparison counts as a guess at the password."""

    def __init__(self, store: Store, index: Index, guesses: Guesses) -> None:
        self._store = store
        self._index = index
        self._guesses = guesses

    def of(self, *, access: Access, registry: RegistrySecret) -> tuple[Copy, ...]:
        """At most MOST copies, by namespace and name."""
        found = self._index.matching(access, Criteria(text=registry.domain))
        copies = [it for it in found if is_copy(it, registry)][:MOST]
        mine = self._password(access, registry) if copies else None
        return tuple(self._copy(access, it, mine) for it in copies)

    def copy(self, *, access: Access, of: RegistrySecret, uid: str) -> RegistrySecret | None:
        """A copy by its uid; None when there is none any more that this person sees."""
        snapshot = self._index.fresh()
        key = snapshot.keys_by_uid.get(uid)
        found = snapshot.find(key) if key and access.may(Permission.SEE, key.namespace) else None
        return found if found and is_copy(found, of) else None

    def _copy(self, access: Access, it: RegistrySecret, mine: str | None) -> Copy:
        copy = Copy(it, self._state(access, it, mine))
        if not copy.changeable:
            return copy
        with suppress(ConsoleError):
            writer = self._store.writer(it.key, PASSWORD)
            return replace(copy, writer=writer.program if writer else "")
        return copy

    def _state(self, access: Access, copy: RegistrySecret, mine: str | None) -> CopyState:
        if copy.deleting:
            return CopyState.DELETING
        if not {Permission.CREATE, Permission.EDIT} <= access.permissions(copy.namespace):
            return CopyState.FORBIDDEN
        if mine is None or self._guesses.wait(access.owner, str(copy.key)):
            return CopyState.UNKNOWN
        theirs = self._password(access, copy)
        if theirs is None:
            return CopyState.UNKNOWN
        same = compare_digest(theirs.encode(), mine.encode())
        return CopyState.SAME if same else CopyState.DIFFERS

    def _password(self, access: Access, registry: RegistrySecret) -> str | None:
        """The stored password, read as the person; None when it cannot be read now."""
        try:
            store = self._store.acting_as(access.acting)
            return store.credential(registry.key, uid=registry.uid).password
        except ConsoleError:
            return None
