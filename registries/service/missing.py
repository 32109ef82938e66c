"""The copies that runs made of a source and that are not there any more, and how they are made again.

A copy that is gone leaves nothing on the store: the items of copying runs say what was made. A copy that a person
deleted in the console is not missed.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, NotFound, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.index.search import Index
from registries.service.copies import is_copy
from registries.service.copying import NEEDED_AT_SOURCE, Copying

MOST = 50
"""Missing copies that are listed."""
Moments = Mapping[Key, datetime]


@dataclass(frozen=True, slots=True)
class Missing:
    key: Key
    name_taken: bool
    """Another registry has its name: with another address or user name, and no copy of this source."""
    alignable: bool
    """Whether this person may make it again."""


class MissingCopies:
    """`made` has the copies that were made of the source with a uid, and when. `deleted` are those that the console
    deleted after the moment."""

    def __init__(
        self,
        index: Index,
        copying: Copying,
        made: Callable[[str], Moments],
        deleted: Callable[[Moments], Collection[Key]],
    ) -> None:
        self._index = index
        self._copying = copying
        self._made = made
        self._deleted = deleted

    def of(self, *, access: Access, source: RegistrySecret) -> tuple[Missing, ...]:
        """At most MOST, in namespaces that this person sees, by namespace and name."""
        snapshot = self._index.fresh()
        absent = {
            key: at
            for key, at in self._made(source.uid).items()
            if key.namespace in snapshot.namespaces
            and access.may(Permission.SEE, key.namespace)
            and not _is_relative(snapshot.find(key), source)
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
        snapshot = self._index.fresh()
        place = snapshot.keys_by_uid.get(uid)
        found = snapshot.find(place) if place and access.may(Permission.SEE, place.namespace) else None
        if found is None or key not in {it.key for it in self.of(access=access, source=found)}:
            raise NotFound(str(key))
        return found

    def align(self, *, access: Access, key: Key, uid: str) -> None:
        """Makes a missing copy of the source with this uid again. NotFound, Forbidden, AlreadyExists `name_taken`,
        Conflict `changed` if it is there, and the errors of a copy."""
        self.source(access=access, key=key, uid=uid)
        if not self._copying.copy(access=access, key=key, uid=uid):
            raise Conflict(str(key), Problem.CHANGED)


def _is_relative(present: RegistrySecret | None, source: RegistrySecret) -> bool:
    """Whether the panel of the source lists a registry anyway: as a copy, or with the same address and user name."""
    if present is None:
        return False
    return (present.origin is not None and present.origin.uid == source.uid) or is_copy(present, source)
