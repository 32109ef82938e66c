"""The relatives of a registry: its source, its copies, those that drifted or are gone, and others with the same address
and user name; and how a copy is made like its source again.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice

from registries.audit.action import LINKED, Action
from registries.audit.log import AuditLog
from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, NotFound, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.index.search import Index
from registries.service.copies import Difference, Likeness, is_copy, visible_differences
from registries.service.copying import NEEDED_AT_SOURCE, Copying
from registries.service.guard import Guard, require_present
from registries.service.origins import Origins
from registries.service.registries import Registries
from registries.service.replacement import Replacement
from registries.stores.base import Store

MOST = 50
"""Relatives that are listed and compared; missing copies that are listed."""
NEEDED_AT_COPY = (Permission.CREATE, Permission.EDIT, Permission.DELETE)


class Bond(StrEnum):
    SOURCE = "source"
    COPY = "copy"
    ACCOUNT = "account"
    """Neither, but with the same address and user name."""


@dataclass(frozen=True, slots=True)
class Relative:
    """`differences` is empty for one that is alike, and has UNKNOWN where the passwords were not compared."""

    registry: RegistrySecret
    bond: Bond
    differences: tuple[Difference, ...]
    alignable: bool = False
    """Whether this person may make the copy of the two like its source."""

    @property
    def same(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class Former:
    """A copy of an earlier registry of the same name. `problem` is why it cannot be linked to this one, or None."""

    registry: RegistrySecret
    problem: Problem | None


@dataclass(eq=False)
class Relatives:
    _store: Store
    _index: Index
    _guard: Guard
    _likeness: Likeness
    _registries: Registries
    _copying: Copying
    _replacement: Replacement
    _audit: AuditLog
    _origins: Origins

    def of(self, *, access: Access, registry: RegistrySecret) -> tuple[Relative, ...]:
        """At most MOST visible relatives: the source, then the copies, then the others, by namespace and name."""
        found: dict[str, tuple[RegistrySecret, Bond]] = {}
        if source := self.source(access=access, registry=registry):
            found[source.uid] = source, Bond.SOURCE
        copies = self._origins.true(self._index.copies(access, registry.uid), registry.created_at)
        for it in islice(copies, MOST):
            found.setdefault(it.uid, (it, Bond.COPY))
        for it in self._index.with_account_of(access, registry):
            found.setdefault(it.uid, (it, Bond.ACCOUNT))
        return tuple(self._relative(access, registry, *it) for it in list(found.values())[:MOST])

    def with_other_password(self, *, access: Access, registry: RegistrySecret) -> int:
        """How many visible registries have its address and user name, and another password."""
        others = self._index.with_account_of(access, registry)[:MOST]
        return sum(Difference.PASSWORD in self._differences(access, registry, it) for it in others)

    def align(self, *, access: Access, key: Key, uid: str, source_uid: str) -> RegistrySecret:
        """Makes a copy like its source, and returns it. Another password is changed in place; with another address,
        user name or certificate, the copy is deleted and created again with its own labels, annotations and history,
        and its pull secret stays.

        NotFound; Forbidden; Conflict `recreated` for another uid, `changed` when it is no copy of this source any more.
        TooManyRequests: the age of the password tells afterwards whether it was the same, so it counts as a guess.
        """
        for permission in NEEDED_AT_COPY:
            self._guard.require(access, permission, key, Action.COPY)
        copy = require_present(self._store.get(key))
        if copy.uid != uid:
            raise Conflict(str(key), Problem.RECREATED)
        source = self.source(access=access, registry=copy)
        if source is None or source.uid != source_uid:
            raise Conflict(str(key), Problem.CHANGED)
        differences, same = visible_differences(source, copy), False
        if not {Difference.ADDRESS, Difference.USERNAME} & set(differences):
            same = self._likeness.same_password(access.owner, source, copy, source.key, key)
        template = self._copying.template(access=access, uid=source_uid)
        before = self._replacement.before(access=access, key=key, uid=uid)
        set_at = before.password_set_at if same else None
        after = replace(before, password=template.password, password_set_at=set_at)
        if differences:
            kept = ("key", "labels", "annotations", "password_set_at")
            after = replace(template, **{name: getattr(after, name) for name in kept})
            after = self._copying.placed(after, key)
        changed = self._replacement.put(access=access, uid=uid, old=before, new=after)
        return self._copying.with_verdict(access=access, copy=changed, template=template)

    def former(self, *, access: Access, source: RegistrySecret) -> tuple[Former, ...]:
        """The visible copies of earlier registries of this name, at most MOST. Only those with its address, where this
        person may change the copy, can be linked again."""
        found = islice(self._origins.true(self._index.former_copies(access, source)), MOST)
        may = set(NEEDED_AT_SOURCE) <= access.permissions(source.namespace)
        return tuple(Former(it, self._obstacle(access, source, it, may=may)) for it in found)

    def link(self, *, access: Access, source: RegistrySecret, uids: Collection[str]) -> int:
        """Makes former copies, those with these uids that can be linked, copies of this source. Nothing else of them
        changes. Returns how many were linked; what somebody changed meanwhile is left alone. NotFound, Forbidden."""
        for permission in NEEDED_AT_SOURCE:
            self._guard.require(access, permission, source.key, Action.SYNC)
        linked, source = 0, require_present(source)
        for it in self.former(access=access, source=source):
            copy = it.registry
            if it.problem or copy.uid not in uids:
                continue
            with (
                suppress(NotFound, Conflict),
                self._guard.writing(access, Action.SYNC, copy.key) as store,
            ):
                note = self._origins.annotations(source, copy.key)
                store.annotate(copy.key, note, uid=copy.uid, resource_version=copy.resource_version)
                self._audit.record(access, Action.SYNC, key=copy.key, uid=copy.uid, note=LINKED)
                linked += 1
        return linked

    @staticmethod
    def _obstacle(
        access: Access, source: RegistrySecret, copy: RegistrySecret, *, may: bool
    ) -> Problem | None:
        if source.deleting or copy.deleting:
            return Problem.BEING_DELETED
        if not may or not set(NEEDED_AT_COPY) <= access.permissions(copy.namespace):
            return Problem.FORBIDDEN
        return Problem.NO_COPY if Difference.ADDRESS in visible_differences(source, copy) else None

    def source(self, *, access: Access, registry: RegistrySecret) -> RegistrySecret | None:
        """The source of a copy, if it is still there and this person sees it."""
        origin = registry.origin
        found = self._index.known(access, origin.key) if origin else None
        same = found and origin and found.uid == origin.uid
        return found if found and same and self._origins.is_true(registry, found.created_at) else None

    def _relative(self, access: Access, one: RegistrySecret, other: RegistrySecret, bond: Bond) -> Relative:
        found = self._differences(access, one, other)
        source, copy = (other, one) if bond is Bond.SOURCE else (one, other)
        may = (
            bond is not Bond.ACCOUNT
            and set(NEEDED_AT_SOURCE) <= access.permissions(source.namespace)
            and set(NEEDED_AT_COPY) <= access.permissions(copy.namespace)
        )
        differs = bool(set(found) - {Difference.UNKNOWN})
        return Relative(other, bond, found, may and differs and not (one.deleting or other.deleting))

    def _differences(
        self, access: Access, one: RegistrySecret, other: RegistrySecret
    ) -> tuple[Difference, ...]:
        found = visible_differences(one, other)
        if {Difference.ADDRESS, Difference.USERNAME} & set(found):
            return found
        same = self._likeness.compared(access, one, other)
        if same is None:
            return (*found, Difference.UNKNOWN)
        return found if same else (*found, Difference.PASSWORD)


Moments = Mapping[Key, datetime]


@dataclass(frozen=True, slots=True)
class Missing:
    key: Key
    name_taken: bool
    """Another registry has its name: with another address or user name, and no copy of this source."""
    alignable: bool
    """Whether this person may make it again."""


@dataclass(eq=False)
class MissingCopies:
    """`made` has the copies that were made of the source with a uid, and when. `deleted` are those that the console
    deleted after the moment."""

    _index: Index
    _copying: Copying
    _made: Callable[[str], Moments]
    _deleted: Callable[[Moments], Collection[Key]]
    _origins: Origins

    def of(self, *, access: Access, source: RegistrySecret) -> tuple[Missing, ...]:
        """At most MOST, in namespaces that this person sees, by namespace and name."""
        snapshot = self._index.fresh()
        absent = {
            key: at
            for key, at in self._made(source.uid).items()
            if key.namespace in snapshot.namespaces
            and (key.namespace not in snapshot.left_out or snapshot.find(key))
            and access.may(Permission.SEE, key.namespace)
            and not self._is_relative(snapshot.find(key), source)
        }
        missed = sorted(absent.keys() - set(self._deleted(absent)) if absent else ())[:MOST]
        may = not source.deleting and set(NEEDED_AT_SOURCE) <= access.permissions(source.namespace)
        taken = {key: snapshot.find(key) is not None for key in missed}
        return tuple(
            Missing(it, taken[it], may and not taken[it] and access.may(Permission.CREATE, it.namespace))
            for it in missed
        )

    def source(self, *, access: Access, key: Key, uid: str) -> RegistrySecret:
        """The source with this uid, of which the registry at `key` is a missing copy. NotFound."""
        found = self._index.with_uid(access, uid)
        if found is None or key not in {it.key for it in self.of(access=access, source=found)}:
            raise NotFound(str(key))
        return found

    def align(self, *, access: Access, key: Key, uid: str) -> None:
        """Makes a missing copy of the source with this uid again. NotFound, Forbidden, AlreadyExists `name_taken`,
        Conflict `changed` if it is there, and the errors of a copy."""
        self.source(access=access, key=key, uid=uid)
        if not self._copying.copy(access=access, key=key, uid=uid):
            raise Conflict(str(key), Problem.CHANGED)

    def _is_relative(self, present: RegistrySecret | None, source: RegistrySecret) -> bool:
        """Whether the panel of the source lists a registry anyway: as a copy, or with the same address and user
        name."""
        if present is None or is_copy(present, source):
            return present is not None
        named = present.origin is not None and present.origin.uid == source.uid
        return named and self._origins.is_true(present, source.created_at)
