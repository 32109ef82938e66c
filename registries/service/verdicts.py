"""Writes verdicts to registries that were not tested themselves: to those with the credential of a test by the schedule
or by a run, and to new copies of a tested registry."""

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, ConsoleError, Forbidden, NotFound
from registries.domain.registry import Draft, RegistrySecret, VerifyStatus
from registries.domain.resource import NEW_GENERATION, verification_annotations
from registries.index.search import Index
from registries.probe.result import Result
from registries.service.copies import Likeness
from registries.service.guard import Guard
from registries.stores.base import Store
from registries.verification.history import verdict_annotations

REMEMBERED = 10_000


@dataclass(eq=False)
class Verdicts:
    """A copy that is made before the test of its source has ended gets the verdict of that test: from `to_copies` if it
    is there when the test ends, else from `of_source`.

    Only copies that this process wrote: their password is known to be that of the source. A registry that names a
    source in its annotations could have any password, and its verdict would tell whether that is the right one. What
    another process wrote is tested by the schedule.
    """

    _store: Store
    _index: Index
    _guard: Guard
    _likeness: Likeness
    _new: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """The generations of copies without a verdict, by uid, as they were written."""

    def write(self, *, access: Access, registry: RegistrySecret, result: Result, at: datetime) -> None:
        """Writes a confirmed verdict to one resource. `registry` has the credential that was tested: the verdict does
        not count for a later one. NotFound, Conflict, Unavailable, Forbidden."""
        self._guard.require(access, Permission.TEST, registry.key, Action.TEST)
        patch = verdict_annotations(result, at, registry.generation)
        with self._guard.writing(access, Action.TEST, registry.key) as store:
            store.annotate(registry.key, patch, uid=registry.uid)

    def write_all(
        self, *, access: Access, registries: Sequence[RegistrySecret], result: Result, at: datetime
    ) -> frozenset[str]:
        """Does `write` for several, in one step for those of a generation where the store can. Returns the uids of
        those that need no other try. Unavailable."""
        for it in registries:
            self._guard.require(access, Permission.TEST, it.key, Action.TEST)
        done = set[str]()
        for generation in sorted({it.generation for it in registries}):
            some = [it for it in registries if it.generation == generation]
            patch = verdict_annotations(result, at, generation)
            if self._store.annotate_all([(it.key, it.uid) for it in some], patch):
                done |= {it.uid for it in some}
                continue
            for it in some:
                with suppress(NotFound, Conflict):  # the index will tell
                    with suppress(Forbidden):  # it is in the audit log; the next verdict is tried again
                        self.write(access=access, registry=it, result=result, at=at)
                    done.add(it.uid)
        return frozenset(done)

    def to_copies(self, *, access: Access, source: RegistrySecret, result: Result, at: datetime) -> None:
        """Writes the verdict of a test that has ended to the new copies of its registry. No error stops that."""
        if not self._new:
            return
        for it in self._index.copies(access, source.uid):
            with suppress(ConsoleError):
                if self._waits(it) and self._likeness.alike(access.owner, source, it):
                    self.write(access=access, registry=it, result=result, at=at)
                    self._new.pop(it.uid, None)

    def of_source(self, *, access: Access, copy: RegistrySecret, template: Draft) -> RegistrySecret:
        """Gives a copy that was written a moment ago the verdict of its source: the one in its template, or one since
        then. Without one, the copy waits for that of `to_copies`. No error stops that."""
        verdict = template.verification
        with suppress(ConsoleError):
            if verdict.status is VerifyStatus.UNTESTED:
                self._wait(copy)  # before the look at the source
                source = self._source(template)
                if source is not None and self._likeness.alike(access.owner, source, copy):
                    verdict = source.verification
            if verdict != copy.verification:
                patch = verification_annotations(verdict, copy.generation or NEW_GENERATION)
                with self._guard.writing(access, Action.COPY, copy.key) as store:
                    return store.annotate(copy.key, patch, uid=copy.uid)
        return copy

    def _wait(self, copy: RegistrySecret) -> None:
        self._new[copy.uid] = copy.generation
        while len(self._new) > REMEMBERED:
            self._new.popitem(last=False)

    def _source(self, template: Draft) -> RegistrySecret | None:
        origin = template.origin
        found = self._index.fresh().find(origin.key) if origin else None
        return found if found and origin and found.uid == origin.uid else None

    def _waits(self, copy: RegistrySecret) -> bool:
        untested = copy.verification.status is VerifyStatus.UNTESTED and not copy.deleting
        return untested and self._new.get(copy.uid) == copy.generation
