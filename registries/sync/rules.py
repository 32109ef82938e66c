"""The use cases of rules: set one up, look at it, solve a conflict, end it.

A rule acts later, without the person, in every namespace that its selection reaches. So it takes image-admin in all
namespaces, when it is set up and whenever it acts. People of a cluster (CONSOLE_AUTH=kubernetes) have no rules: the
console's own account may not create registries there.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import EVERYWHERE, Access, Permission, Role
from registries.domain.errors import Conflict, Forbidden, NotFound, Problem, TooManyRequests
from registries.domain.registry import Key, RegistrySecret
from registries.domain.selectors import read_selector
from registries.index.search import Index
from registries.service.guard import require_present
from registries.sync import rows
from registries.sync.follow import selected
from registries.sync.rows import Found, Rule, Selection
from registries.sync.states import (
    NOTHING,
    SOLUTIONS,
    CopyState,
    Known,
    RuleState,
    Solution,
    decide,
    mark,
)
from registries.sync.views import Deletion, Foreseen, RuleView, names_of, view_of
from registries.sync.writes import Writes

REHEARSED = 1000
"""New copies of which a preview looks whether they can be created: each is a dry run while the person waits."""


@dataclass(eq=False)
class Rules:
    _index: Index
    _audit: AuditLog
    _writes: Writes
    available: bool

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
        return view_of(access, rule, rows.found(rule).values())

    def all(self, *, access: Access) -> tuple[RuleView, ...]:
        """The rules whose sources this person sees, by namespace and name; for who may set up rules, also those whose
        sources are gone: a later namespace of the same name has other people. NotFound where there are no rules."""
        if not self.available:
            raise NotFound("sync")
        there, gone = self._index.fresh().keys_by_uid, self.may_set_up(access=access)
        seen = [
            it
            for it in rows.rules()
            if access.may(Permission.SEE, it.key.namespace) and (gone or it.uid in there)
        ]
        mine = [it for it in access.namespaces if access.may(Permission.SEE, it)]
        counts = rows.counts(None if access.sees_everything else mine) if seen else {}
        ordered = sorted(seen, key=lambda it: (it.key, it.id))
        return tuple(RuleView(it, (), names_of(access, it), counts.get(it.id, {})) for it in ordered)

    def source_of(
        self, *, access: Access, registry: RegistrySecret, state: CopyState = CopyState.IN_STEP
    ) -> Key | None:
        """The source of the rule that made this copy, which is in this state, if this person sees the source."""
        rule = rows.keeper([registry.uid], state).get(registry.uid) if self.available else None
        return rule.key if rule and access.may(Permission.SEE, rule.key.namespace) else None

    def may_set_up(self, *, access: Access) -> bool:
        """Also with a token that allows all of it, in all namespaces."""
        return self.available and frozenset(Permission) <= access.everywhere

    def preview(
        self, *, access: Access, source: RegistrySecret, selection: Selection
    ) -> tuple[Foreseen, ...]:
        """What the rule would find in each namespace now. New copies are tried in a dry run. Forbidden; Conflict;
        SelectorError; Unavailable. Each comparison with a password is a guess: without one left, a registry of others
        counts as another one."""
        self.require(access=access)
        _require_usable(source)
        read_selector(selection.labels, "")
        rule = rows.rule_of(source.uid)
        found = rows.found(rule) if rule else {}
        snapshot = self._index.fresh()
        places = selected(self._writes, snapshot, selection, source)
        keys = [Key(it, source.name) for it in sorted(places)]
        present = {it: self._writes.present(it) for it in keys}
        states = {it: self._foreseen(access, source, present[it], found.get(it.namespace)) for it in keys}
        created = [it for it in keys if states[it] is CopyState.WAITING and present[it] is None]
        refused = self._writes.refused(access, source, created[:REHEARSED])
        return tuple(Foreseen(it.namespace, states[it], refused.get(it) or "") for it in keys)

    def foreseen(
        self, *, access: Access, source: RegistrySecret, selection: Selection, bind: bool
    ) -> RuleView:
        """The rule that `set_up` would store."""
        return view_of(access, rows.unsaved(access, source, selection, bind=bind and self.binds), ())

    def require_labels(self, selection: Selection) -> None:
        """Raises SelectorError, or Conflict `no_labels` where namespaces have none. Unavailable."""
        read_selector(selection.labels, "")
        if selection.labels and self._writes.labelled(selection.labels) is None:
            raise Conflict(selection.labels, Problem.NO_LABELS)

    def set_up(
        self, *, access: Access, source: RegistrySecret, selection: Selection, bind: bool = False
    ) -> None:
        """Creates or changes the rule of a source; this person acts from now on. The errors of `preview`."""
        self.require(access=access)
        read_selector(selection.labels, "")
        _require_usable(source)
        rows.save(access, source, selection, bind=bind and self.binds)
        self._audit.record(access, Action.SYNC, key=source.key, uid=source.uid, note="on")

    def former(self, *, access: Access, source: RegistrySecret) -> RuleView | None:
        """The rule of a registry of this name that is gone, for who may set one up, if this source has no rule and the
        address of all its unchanged copies."""
        if not self.may_set_up(access=access) or rows.rule_of(source.uid) is not None:
            return None
        gone = (it for it in rows.rules() if it.key == source.key and not it.ending)
        rule = next((it for it in gone if it.uid not in self._index.fresh().keys_by_uid), None)
        if rule is None or any(it.address != source.address for it in self._unchanged(rule)):
            return None
        return view_of(access, rule, rows.found(rule).values())

    def take_over(self, *, access: Access, source: RegistrySecret) -> None:
        """Gives this source the rule of `former`. Its unchanged copies follow from now on. Forbidden; Conflict
        `changed` if `former` finds no rule."""
        self.require(access=access)
        view = self.former(access=access, source=require_present(source))
        if view is None:
            raise Conflict(str(source.key), Problem.CHANGED)
        rows.take_over(access, view.rule, source)
        self._audit.record(access, Action.SYNC, key=source.key, uid=source.uid, note="moved")

    binding_changed = staticmethod(rows.binding_changed)
    """Called with the uid of a registry that was bound or unbound: the binding is no rule's any more."""

    def bound(self, *, access: Access, source: RegistrySecret) -> tuple[str, ...]:
        """The namespaces whose default service account the rule bound, and no person since, to an unchanged copy."""
        self.require(access=access)
        rule = rows.rule_of(source.uid)
        found = rows.found(rule) if rule else {}
        copies = self._unchanged(rule) if rule else []
        return tuple(sorted(it.namespace for it in copies if found[it.namespace].made_binding))

    def end(self, *, access: Access, source: RegistrySecret, unbinding: Collection[str] = ()) -> None:
        """Switches a rule off. Its copies stay. With namespaces of `bound`, the rule unbinds these in the background,
        in the name of this person, before it goes. Forbidden."""
        unbinding = set(unbinding).intersection(self.bound(access=access, source=source))
        rule = rows.rule_of(source.uid)
        if rule is not None:
            if unbinding:
                rows.end_later(access, rule, unbinding)
            else:
                rows.drop(rule)
            self._audit.record(access, Action.SYNC, key=source.key, uid=source.uid, note="off")

    def deletion(self, *, access: Access, registries: Sequence[RegistrySecret]) -> Deletion:
        """What a deletion of these means for rules, for whoever sees them."""
        for namespace in {it.namespace for it in registries}:
            access.require(Permission.SEE, namespace)
        if not self.available or not registries:
            return Deletion()
        uids = {it.uid for it in registries}
        rules = {it.uid: it for it in rows.rules() if not it.ending}
        sources = tuple(it for it in registries if it.uid in rules)
        made = (it for source in sources for it in self._unchanged(rules[source.uid]))
        keepers = rows.keeper(uids) if rules else {}
        waiting = rows.waiting_for([it.key for it in registries]) if rules else {}

        def acted_on(rule: Rule | None) -> bool:
            if rule is None or rule.ending or rule.state is RuleState.SOURCE_GONE:
                return False
            return rule.uid not in uids

        return Deletion(
            sources,
            tuple(it for it in made if it.uid not in uids) if self.may_set_up(access=access) else (),
            tuple(it for it in registries if acted_on(keepers.get(it.uid))),
            tuple(it for it in registries if acted_on(waiting.get(it.key))),
        )

    def unchanged(self, *, access: Access, source: RegistrySecret) -> Sequence[RegistrySecret]:
        """The copies that the rule made, and that nobody changed since."""
        self.require(access=access)
        rule = rows.rule_of(source.uid)
        return self._unchanged(rule) if rule else ()

    def _unchanged(self, rule: Rule) -> list[RegistrySecret]:
        return self._writes.unchanged(self._index.fresh(), rule)

    def solve(
        self,
        *,
        access: Access,
        source: RegistrySecret,
        namespace: str,
        uid: str | None,
        solution: Solution | None = None,
    ) -> CopyState:
        """Solves the state of one namespace, and returns it: the copy is written again, taken over or forgotten.

        `uid` is of the registry that was shown there, "" for none, None for any. Forbidden; NotFound; Conflict
        `changed`, also where the state has another `solution` or none.
        """
        self.require(access=access)
        rule = rows.rule_of(source.uid)
        found = rows.found(rule).get(namespace) if rule else None
        if rule is None or found is None:
            raise NotFound(namespace)
        state, key = found.known.state, Key(namespace, source.name)
        own = SOLUTIONS.get(state)
        if own is None or solution not in (None, own):
            raise Conflict(str(key), Problem.CHANGED)
        if own is Solution.DISMISS:
            rows.forget(rule, namespace)
            return state
        present = self._writes.present(key)
        if uid not in (None, present.uid if present else ""):
            raise Conflict(str(key), Problem.CHANGED)
        waiting = Known(CopyState.WAITING)
        if present is not None and state is not CopyState.FAILED:
            waiting = Known(CopyState.WAITING, present.uid, mark(present))
        elif present is not None:
            waiting = replace(found.known, state=CopyState.WAITING)
        rows.settle(rule, namespace, waiting)
        self._audit.record(access, Action.SYNC, key=key, uid=present.uid if present else "", note=state.value)
        return state

    def _foreseen(
        self,
        access: Access,
        source: RegistrySecret,
        present: RegistrySecret | None,
        found: Found | None,
    ) -> CopyState:
        known = found.known if found else NOTHING

        def alike() -> bool:
            with suppress(TooManyRequests):  # the rule leaves it alone, whether it is alike or not
                return present is not None and self._writes.alike(access, source, present, known)
            return False

        return decide(known, present, source, exists=True, selected=True, alike=alike)

    def require(self, *, access: Access) -> None:
        """Raises Forbidden unless this person is image-admin in all namespaces; NotFound where there are no rules."""
        if not self.available:
            raise NotFound("sync")
        if not self.may_set_up(access=access):
            raise Forbidden(EVERYWHERE, Role.ADMIN)


def _require_usable(source: RegistrySecret) -> None:
    """Conflict `being_deleted`; `source_unusable` without a valid address."""
    if require_present(source).address_problem:
        raise Conflict(str(source.key), Problem.SOURCE_UNUSABLE)
