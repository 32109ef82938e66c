"""The use cases of rules: set one up, look at it, solve a conflict, end it.

A rule acts later, without the person, in every namespace that its selection reaches. So it takes image-admin in all
namespaces, when it is set up and whenever it acts. People of a cluster (CONSOLE_AUTH=kubernetes) have no rules: the
console's own account may not create registries there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from registries.audit.action import Action, Audit
from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, NotFound, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.domain.selectors import read_selector
from registries.index.search import Index
from registries.service.guard import require_present
from registries.sync import rows
from registries.sync.follow import selected
from registries.sync.rows import Found, Rule, Selection
from registries.sync.states import NOTHING, CopyState, Known, decide, mark
from registries.sync.writes import Writes

SOLVABLE = (CopyState.CHANGED, CopyState.PRESENT, CopyState.DELETED, CopyState.FAILED)
FORGETTABLE = (CopyState.NAMESPACE_GONE, CopyState.LEFT)


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule and its copies, in the namespaces that the viewer sees."""

    rule: Rule
    copies: tuple[Found, ...]

    @property
    def in_step(self) -> int:
        return sum(it.known.state is CopyState.IN_STEP for it in self.copies)


class Rules:
    def __init__(self, index: Index, audit: Audit, writes: Writes, *, available: bool) -> None:
        self._index = index
        self._audit = audit
        self._writes = writes
        self.available = available

    @property
    def binds(self) -> bool:
        """Whether a rule can bind default service accounts."""
        return self._writes.binds

    def view(self, *, access: Access, registry: RegistrySecret) -> RuleView | None:
        """The rule of a source, for whoever sees the source; None without one."""
        access.require(Permission.SEE, registry.namespace)
        rule = rows.rule_of(registry.uid) if self.available else None
        if rule is None:
            return None
        seen = (it for it in rows.found(rule).values() if access.may(Permission.SEE, it.namespace))
        return RuleView(rule, tuple(seen))

    def source_of(self, *, access: Access, registry: RegistrySecret) -> Key | None:
        """The source with which a rule keeps this registry in step, if this person sees the source."""
        rule = rows.keeper([registry.uid]).get(registry.uid) if self.available else None
        return rule.key if rule and access.may(Permission.SEE, rule.key.namespace) else None

    def may_set_up(self, *, access: Access) -> bool:
        return self.available and access.administers

    def preview(
        self, *, access: Access, source: RegistrySecret, selection: Selection
    ) -> tuple[tuple[str, CopyState], ...]:
        """What the rule would find in each namespace now; WAITING: a copy will be written. Forbidden; Conflict;
        SelectorError; Unavailable."""
        self._require(access)
        if selection.labels:
            read_selector(selection.labels, "")
        rule = rows.rule_of(source.uid)
        found = rows.found(rule) if rule else {}
        snapshot = self._index.fresh()
        places = selected(self._writes, snapshot, selection, source)
        return tuple(
            (it, self._foreseen(source, Key(it, source.name), found.get(it))) for it in sorted(places)
        )

    def set_up(
        self, *, access: Access, source: RegistrySecret, selection: Selection, bind: bool = False
    ) -> None:
        """Creates or changes the rule of a source; this person acts from now on. The errors of `preview`."""
        self._require(access)
        if selection.labels:
            read_selector(selection.labels, "")
        require_present(source)
        rows.save(access, source, selection, bind=bind and self.binds)
        self._audit.record(access, Action.SYNC, key=source.key, uid=source.uid, note="on")

    def end(self, *, access: Access, source: RegistrySecret) -> None:
        """Switches a rule off. Its copies stay. Forbidden."""
        self._require(access)
        rule = rows.rule_of(source.uid)
        if rule is not None:
            rows.drop(rule)
            self._audit.record(access, Action.SYNC, key=source.key, uid=source.uid, note="off")

    def unchanged(self, *, access: Access, source: RegistrySecret) -> Sequence[RegistrySecret]:
        """The copies that the rule made, and that nobody changed since."""
        self._require(access)
        rule, snapshot = rows.rule_of(source.uid), self._index.fresh()
        found = rows.found(rule) if rule else {}
        made = [
            present
            for it in found.values()
            if (present := snapshot.find(Key(it.namespace, source.name))) and present.uid == it.known.uid
        ]
        return [it for it in made if found[it.namespace].known.mark == mark(it)]

    def solve(self, *, access: Access, source: RegistrySecret, namespace: str, uid: str) -> CopyState:
        """Solves the state of one namespace, and returns it: the copy is written again, taken over or forgotten.

        `uid` is of the registry that was shown there, "" for none. Forbidden; NotFound; Conflict `changed`.
        """
        self._require(access)
        rule = rows.rule_of(source.uid)
        found = rows.found(rule).get(namespace) if rule else None
        if rule is None or found is None:
            raise NotFound(namespace)
        state, key = found.known.state, Key(namespace, source.name)
        if state in FORGETTABLE:
            rows.forget(rule, namespace)
            return state
        if state not in SOLVABLE:
            raise Conflict(str(key), Problem.CHANGED)
        present = self._writes.present(key)
        if (present.uid if present else "") != uid:
            raise Conflict(str(key), Problem.CHANGED)
        waiting = Known(CopyState.WAITING)
        if present is not None and state is not CopyState.FAILED:
            waiting = Known(CopyState.WAITING, present.uid, mark(present))
        elif present is not None:
            waiting = replace(found.known, state=CopyState.WAITING)
        rows.settle(rule, namespace, waiting)
        self._audit.record(access, Action.SYNC, key=key, uid=uid, note=state.value)
        return state

    def _foreseen(self, source: RegistrySecret, key: Key, found: Found | None) -> CopyState:
        present = self._writes.present(key)
        known = found.known if found else NOTHING

        def alike() -> bool:
            return present is not None and self._writes.alike(source, present)

        return decide(known, present, source, exists=True, selected=True, alike=alike)

    def _require(self, access: Access) -> None:
        """Raises Forbidden unless this person is image-admin in all namespaces; NotFound where there are no rules."""
        if not self.available:
            raise NotFound("sync")
        access.require_administration()
