"""Keeps copies in sync with their source: a loop in every process that serves.

No process leads. One claims a rule in the database, looks at each namespace, and writes what is behind, in the name of
the rule's owner with the rights that this person has now. What a dead process had claimed is due again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from os import getpid
from socket import gethostname

from django.utils import timezone

from registries.audit.action import BY_RULE
from registries.domain.access import Access
from registries.domain.errors import Conflict, ConsoleError, Problem, Unavailable
from registries.domain.registry import Key, RegistrySecret
from registries.index.search import Index
from registries.index.snapshot import Snapshot
from registries.runs.rotation_rows import is_undecided
from registries.runs.threads import repeat
from registries.schedule.moving import restorable
from registries.sync import rows
from registries.sync.rows import Found, Rule, Selection
from registries.sync.states import NOTHING, CopyState, Known, RuleState, decide, mark
from registries.sync.writes import Writes

PAUSE = 1.0
"""Seconds between two looks for a new namespace or a changed source."""
AGAIN = timedelta(seconds=10)
"""After this time, labels of namespaces and copies are looked at again."""
LATER = timedelta(minutes=1)
"""After this time, a write that failed is tried again."""
LASTS = timedelta(minutes=2)
"""A claim holds for so long. It is held for longer before each write."""
FORGOTTEN = (CopyState.NAMESPACE_GONE, CopyState.LEFT)
"""States that are nothing to tell for a namespace without a copy of the rule."""
SETTLED = (*FORGOTTEN, CopyState.PRESENT, CopyState.NAME_TAKEN, CopyState.CHANGED, CopyState.DELETED)
"""States that stay until a registry, the selection or a person changes something."""
Judged = dict[str, tuple[object, ...]]
"""By namespace: everything that decides about it."""


class Follower:
    """`access_now` looks up the access of a rule's owner."""

    def __init__(self, index: Index, writes: Writes, access_now: Callable[[Access], Access]) -> None:
        self._index = index
        self._writes = writes
        self._access_now = access_now
        self._by = f"{gethostname()[:40]}-{getpid()}"
        self._seen: dict[int, tuple[object, ...]] = {}
        """By rule: the namespaces and the mark of the source when this process looked last."""
        self._judged: dict[int, Judged] = {}
        """By rule: what this process judged in its last look. The same needs no second look."""

    def run(self) -> None:
        """Works for ever, in its own thread."""
        repeat(self.turn, PAUSE, "registries are not kept in sync")

    def turn(self) -> int:
        """Looks at the rules that are due, and at those whose source or namespaces changed. Returns their number."""
        if self._index.freshness().problem:
            return 0
        begun, rules = 0, rows.rules()
        for gone in self._seen.keys() - {it.id for it in rules}:
            del self._seen[gone]
            self._judged.pop(gone, None)
        for rule in rules:
            snapshot = self._index.fresh()
            source = snapshot.with_uid(rule.uid)
            seen = (snapshot.namespaces, mark(source) if source else "", rule.uid)
            if rule.due_at > timezone.now() and self._seen.get(rule.id) == seen:
                continue
            if is_undecided(rule.uid):  # the copies follow what stays
                continue
            claimed = rows.claim(rule, self._by, timezone.now() + LASTS)
            if claimed is not None:
                begun += 1
                self._seen[rule.id] = seen
                self._work(claimed, snapshot, source)
        return begun

    def _work(self, rule: Rule, snapshot: Snapshot, source: RegistrySecret | None) -> None:
        """Looks at every namespace of a claimed rule, and ends the claim."""
        access = replace(self._access_now(Access(rule.person, owner=rule.owner)), source=BY_RULE)
        state, problem = RuleState.ACTIVE, ""
        gone = source is None and snapshot.is_gone(rule.uid, rule.key.namespace)
        if gone and not (rule.ending or restorable([rule.uid])):
            rows.drop(rule)  # whatever became of its owner
            return
        if not access.administers:
            state = RuleState.NO_RIGHT
        elif rule.ending:
            state, problem = self._end(rule, access)
        elif source is None and not gone:
            state, problem = RuleState.FAILED, Problem.NAMESPACE_FULL  # it is left out of memory
        elif source is None or source.deleting:
            state = RuleState.SOURCE_GONE
        else:
            try:
                self._look_at_all(Round(rule, access, source), snapshot)
            except ConsoleError as error:
                state, problem = RuleState.FAILED, error.code
        rows.release(rule, state, timezone.now() + (LATER if problem else AGAIN), problem)

    def _look_at_all(self, of: "Round", snapshot: Snapshot) -> None:
        """Looks at every namespace, until the claim is lost or a run begins to change the source.

        Raises the errors that concern all of them."""
        places = selected(self._writes, snapshot, of.rule.selection, of.source)
        found = rows.found(of.rule)
        last, judged = self._judged.get(of.rule.id, {}), Judged()
        self._judged[of.rule.id] = judged
        for namespace in sorted(places | set(found)):
            before, key = found.get(namespace), Key(namespace, of.source.name)
            present = snapshot.find(key)
            if before and namespace in places and self._is_done(of, before, present):
                continue
            exists = namespace in snapshot.namespaces
            if before and before.known.state in SETTLED:
                theirs = (present.uid, mark(present), present.deleting) if present else None
                judged[namespace] = (before.known, theirs, mark(of.source), exists, namespace in places)
                if last.get(namespace) == judged[namespace]:
                    continue
            held = rows.extend(of.rule, timezone.now() + LASTS) and not is_undecided(of.source.uid)
            if not held or not self._look(of, before, key, exists=exists, selected=namespace in places):
                return

    def _look(self, of: "Round", before: Found | None, key: Key, *, exists: bool, selected: bool) -> bool:
        """Decides about one namespace, and writes there. False if the claim was lost. Unavailable."""
        known = before.known if before else NOTHING
        if before and known.state is CopyState.FAILED and timezone.now() - before.at < LATER:
            return True
        try:
            present = self._writes.present(key) if exists else None
            if present is not None and present.deleting:
                return True
            alike = partial(self._writes.alike, of.access, of.source, present, known) if present else bool
            state = decide(known, present, of.source, exists=exists, selected=selected, alike=alike)
            if state is CopyState.WAITING:
                return self._write(of, key, known, present)
            if state is CopyState.IN_STEP and present is not None:
                return self._in_sync(of, key, present, before)
        except ConsoleError as error:
            return self._failed(of, key, known, error)
        if state in FORGOTTEN and not known.uid:
            rows.forget(of.rule, key.namespace)
            return True
        if before and known.state is state:
            return True
        return rows.note(of.rule, key.namespace, replace(known, state=state))

    def _write(self, of: "Round", key: Key, known: Known, present: RegistrySecret | None) -> bool:
        """Creates a copy, or makes it like its source. A process that dies in between leaves the state WAITING."""
        begun = replace(known, state=CopyState.WAITING, begun=True)
        if not rows.note(of.rule, key.namespace, begun):
            return False
        try:
            with self._writes.atomic():
                if present is None:
                    copy = self._writes.create(of.access, of.source, key, known)
                else:
                    copy = self._writes.update(of.access, of.source, key, known)
                written = Known(CopyState.IN_STEP, copy.uid, mark(copy), mark(of.source))
                held = rows.note(of.rule, key.namespace, written, bound=False if present is None else None)
        except ConsoleError as error:
            if error.problem is Problem.CHANGED:
                return rows.note(of.rule, key.namespace, replace(known, state=CopyState.CHANGED))
            return self._failed(of, key, begun, error)
        return held and self._bind(of, key, written)

    def _in_sync(self, of: "Round", key: Key, present: RegistrySecret, before: Found | None) -> bool:
        """Notes a copy that has the values of its source."""
        known = Known(CopyState.IN_STEP, present.uid, mark(present), mark(of.source))
        same = before is not None and before.known == known
        if not same and not rows.note(of.rule, key.namespace, known):
            return False
        return (before is not None and before.bound) or self._bind(of, key, known)

    def _bind(self, of: "Round", key: Key, known: Known) -> bool:
        """Binds the default service account of the namespace, if the rule says so."""
        if not (of.rule.bind and self._writes.binds):
            return True
        problem, made = self._writes.bind(of.access, key, known.uid)
        return rows.note(of.rule, key.namespace, known, problem, bound=not problem, made_binding=made)

    def _end(self, rule: Rule, access: Access) -> tuple[RuleState, str]:
        """Unbinds what a rule that was switched off bound, and deletes the rule. What fails is tried again."""
        found, failed = rows.found(rule).values(), ""
        for it in (it for it in found if it.made_binding):
            if not rows.extend(rule, timezone.now() + LASTS):
                return RuleState.ENDING, ""
            try:
                problem = self._writes.unbind(access, Key(it.namespace, rule.key.name), it.known.uid)
            except ConsoleError as error:
                problem = error.code
            failed = problem or failed
            if not rows.unbound(rule, it.namespace, problem):
                return RuleState.ENDING, ""
        if not failed:
            rows.drop(rule)
        return RuleState.ENDING, failed

    def _failed(self, of: "Round", key: Key, known: Known, error: ConsoleError) -> bool:
        """Notes why one namespace failed. Raises the error if the whole store does not answer."""
        if isinstance(error, Unavailable) and self._index.freshness().problem:
            raise error
        return rows.note(of.rule, key.namespace, replace(known, state=CopyState.FAILED), error.code)

    def _is_done(self, of: "Round", before: Found, present: RegistrySecret | None) -> bool:
        """Whether nothing changed since the copy was found in sync. Compares no passwords."""
        known = before.known
        if present is None or present.deleting or known.state is not CopyState.IN_STEP:
            return False
        same = (known.uid, known.mark, known.source_mark) == (present.uid, mark(present), mark(of.source))
        unbound = of.rule.bind and self._writes.binds and not before.bound
        return same and not (unbound and timezone.now() - before.at >= LATER)


@dataclass(frozen=True, slots=True)
class Round:
    """A claimed rule, its owner's access, and the source as it is now."""

    rule: Rule
    access: Access
    source: RegistrySecret


def selected(
    writes: Writes, snapshot: Snapshot, selection: Selection, source: RegistrySecret
) -> frozenset[str]:
    """The existing namespaces of a selection, without that of the source. Conflict `no_labels`; Unavailable."""
    places = snapshot.namespaces if selection.everything else snapshot.namespaces & set(selection.names)
    if selection.labels:
        labelled = writes.labelled(selection.labels)
        if labelled is None:
            raise Conflict(selection.labels, Problem.NO_LABELS)
        places |= snapshot.namespaces & labelled
    return places - {source.namespace}
