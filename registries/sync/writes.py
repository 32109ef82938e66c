"""What a rule reads and writes of one copy. Each write is one use case of the service, with its checks and records."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace

from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.errors import Conflict, ConsoleError, NotFound, Problem, Unavailable
from registries.domain.registry import INFORMATION, Draft, Key, RegistrySecret
from registries.index.snapshot import Snapshot
from registries.pull_secrets.kinds import Binding, PullSecret
from registries.service.copies import Likeness
from registries.service.copying import Copying
from registries.service.guard import Guard
from registries.service.pull_secret_use import PullSecretUse
from registries.service.replacement import Replacement
from registries.stores.base import Store
from registries.sync import rows
from registries.sync.rows import Rule
from registries.sync.states import Known, mark


@dataclass(eq=False)
class Writes:
    _store: Store
    _guard: Guard
    _copying: Copying
    _replacement: Replacement
    _pull_secrets: PullSecretUse
    _likeness: Likeness

    @property
    def binds(self) -> bool:
        """Whether the store has pull secrets."""
        return self._pull_secrets.available

    def atomic(self) -> AbstractContextManager[object]:
        """One transaction for a write and its row, where the store has transactions."""
        return self._guard.atomic()

    def labelled(self, labels: str) -> frozenset[str] | None:
        """The namespaces with these labels; None where they have none. SelectorError, Unavailable."""
        return self._store.namespaces_with(labels)

    def present(self, key: Key) -> RegistrySecret | None:
        """The registry at a key, as the store has it now. Unavailable."""
        try:
            return self._store.get(key)
        except NotFound:
            return None

    def unchanged(self, snapshot: Snapshot, rule: Rule) -> list[RegistrySecret]:
        """The copies that a rule made, and that nobody changed since."""
        found = {it.namespace: it.known for it in rows.found(rule).values()}
        copies = (self._known(snapshot, Key(it, rule.key.name)) for it in found)
        made = [it for it in copies if it and it.uid == found[it.namespace].uid]
        return [it for it in made if mark(it) == found[it.namespace].mark]

    def _known(self, snapshot: Snapshot, key: Key) -> RegistrySecret | None:
        """From the index, or from the store if the index leaves registries of the namespace out."""
        found = snapshot.find(key)
        if found is None and key.namespace in snapshot.left_out:
            with suppress(Unavailable):
                return self.present(key)
        return found

    def alike(self, access: Access, source: RegistrySecret, present: RegistrySecret, known: Known) -> bool:
        """Whether two have the same values. What the rule did not write itself is compared as a guess of its owner at
        both. TooManyRequests; Unavailable if the passwords cannot be compared now."""
        own = known.uid == present.uid and known.mark == mark(present)
        guessed = () if own else (source.key, present.key)
        return self._likeness.alike(access.owner, source, present, *guessed)

    def create(self, access: Access, source: RegistrySecret, key: Key, known: Known) -> RegistrySecret:
        """The new copy. One that an attempt before a crash deleted, to create it again, keeps its pull secret.

        The errors of a creation.
        """
        draft = self._copying.placed(self._copying.template(access=access, uid=source.uid), key)
        if not (known.begun and known.uid):
            return self._copying.create(access=access, draft=draft)
        self._replacement.require(access=access, key=key)
        with self._guard.writing(access, Action.COPY, key) as store:
            created = store.replace(draft, uid=known.uid)
            self._copying.record(access=access, source=source.key, copies=[(key, created.uid)])
        return created

    def refused(
        self, access: Access, source: RegistrySecret, keys: Sequence[Key]
    ) -> Mapping[Key, str | None]:
        """Why new copies would be refused at some of these keys now. Nothing is written."""
        return self._copying.refused(access=access, source=source, keys=keys)

    def update(self, access: Access, source: RegistrySecret, key: Key, known: Known) -> RegistrySecret:
        """Makes a copy like its source. Conflict `changed` if it is not as `known` any more."""
        old = self._replacement.before(access=access, key=key, uid=known.uid)
        template = self._copying.template(access=access, uid=source.uid)
        new = self._copying.placed(_like(template, old), key)
        if mark(self._store.get(key)) != known.mark:
            raise Conflict(str(key), Problem.CHANGED)
        changed = self._replacement.put(access=access, uid=known.uid, old=old, new=new)
        if changed.uid != known.uid:
            return changed
        return self._copying.with_verdict(access=access, copy=changed, template=template)

    def bind(self, access: Access, key: Key, uid: str) -> tuple[str, bool]:
        """Binds the default service account. Returns the code of a problem, or "", and whether it was not bound."""
        before = self._pull_secrets.binding(access=access, key=key)
        try:
            self._pull_secrets.bind(access=access, key=key, uid=uid, bound=True)
        except Unavailable:
            raise
        except ConsoleError as error:
            return error.code, False
        return "", before is Binding.UNBOUND

    def unbind(self, access: Access, key: Key, uid: str) -> str:
        """Unbinds a copy, also a deleted one. If another registry or Secret has the name now, nothing is done. Returns
        the code of a problem, or "". Unavailable."""
        present = self.present(key)
        if (present and present.uid != uid) or self._store.pull_secret(key) is PullSecret.FOREIGN:
            return ""
        try:
            self._pull_secrets.bind(access=access, key=key, uid=uid, bound=False, gone=present is None)
        except Unavailable:
            raise
        except ConsoleError as error:
            return "" if error.problem is Problem.NO_SERVICE_ACCOUNT else error.code
        return ""


def _like(template: Draft, copy: Draft) -> Draft:
    """The values of the source, with the texts, labels and annotations of the copy."""
    kept = ("key", "labels", "annotations", *INFORMATION)
    return replace(template, password_set_at=None, **{name: getattr(copy, name) for name in kept})
