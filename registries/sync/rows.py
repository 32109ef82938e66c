"""The rows of rules and their copies: claims, and what was found. Owns SyncRule and SyncCopy.

A claim is a conditional UPDATE with an end: the rule of a dead process is due again. A process that slept past the end
of its claim writes nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from registries.domain.access import OWNER_MAX, Access
from registries.domain.registry import Key, RegistrySecret
from registries.models import SyncCopy, SyncRule
from registries.sync.states import CopyState, Known, RuleState

PART = 500
"""Values in one statement."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The namespaces of a rule: those that a label selector selects, and those with these names. Neither: all."""

    labels: str = ""
    names: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        return not (self.labels or self.names)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule without its claim. `owner` identifies the person as Access.owner."""

    id: int
    uid: str
    key: Key
    selection: Selection
    bind: bool
    owner: str
    person: str
    state: RuleState
    problem: str
    due_at: datetime
    fence: int
    ending: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The state in one namespace, with a Problem or ""."""

    namespace: str
    known: Known
    problem: str
    bound: bool
    made_binding: bool
    """Whether the rule bound the default service account, and no person did since."""
    at: datetime


def rules() -> list[Rule]:
    return [_rule(it) for it in SyncRule.objects.order_by("pk")]


def rule_of(uid: str) -> Rule | None:
    """The rule of a source."""
    row = SyncRule.objects.filter(uid=uid).first()
    return _rule(row) if row else None


def found(rule: Rule) -> dict[str, Found]:
    """By namespace."""
    return {it.namespace: _found(it) for it in SyncCopy.objects.filter(rule=rule.id).order_by("namespace")}


def counts(namespaces: Collection[str] | None) -> dict[int, Counter[CopyState]]:
    """By id of a rule, how many of these namespaces are in each state; None means all namespaces. The database counts:
    rules and namespaces may be many."""
    found: dict[int, Counter[CopyState]] = {}
    rows = SyncCopy.objects.order_by()
    for some in (
        [rows] if namespaces is None else [rows.filter(namespace__in=it) for it in _parts(namespaces)]
    ):
        for rule, state, number in some.values_list("rule", "state").annotate(number=Count("pk")):
            found.setdefault(rule, Counter())[CopyState(state)] += number
    return found


def unsaved(access: Access, source: RegistrySecret, selection: Selection, *, bind: bool) -> Rule:
    """A rule as `save` would store it."""
    acting, now = _acting(access), timezone.now()
    state, values = RuleState.NEW, (acting["owner"], acting["person"])
    return Rule(0, source.uid, source.key, selection, bind, *values, state, "", now, fence=0, ending=False)


def save(access: Access, source: RegistrySecret, selection: Selection, *, bind: bool) -> None:
    """Creates the rule of a source, or changes it. This person acts from now on. A running claim is ended."""
    values = {
        "namespace": source.namespace,
        "name": source.name,
        "labels": selection.labels,
        "names": " ".join(selection.names),
        "bind": bind,
        "ending": False,
        **_acting(access),
    }
    with transaction.atomic():
        row, _created = SyncRule.objects.update_or_create(uid=source.uid, defaults=values)
        _stop(row)


def end_later(access: Access, rule: Rule, unbinding: Collection[str]) -> None:
    """Switches a rule off, which goes once it has unbound what it bound in these namespaces. This person acts."""
    with transaction.atomic():
        SyncRule.objects.filter(pk=rule.id).update(ending=True, **_acting(access))
        _stop(SyncRule.objects.get(pk=rule.id), RuleState.ENDING)
        made = SyncCopy.objects.filter(rule=rule.id, made_binding=True).values_list("namespace", flat=True)
        for part in _parts([it for it in made if it not in unbinding]):
            SyncCopy.objects.filter(rule=rule.id, namespace__in=part).update(made_binding=False)


def binding_changed(uid: str) -> None:
    """The binding of a copy is somebody's own from now on."""
    SyncCopy.objects.filter(uid=uid).update(made_binding=False)


def unbound(rule: Rule, namespace: str, problem: str) -> bool:
    """Notes that a rule that ends unbound its copy, or why not. Under the claim: False if it was lost."""
    with transaction.atomic():
        if not _mine(rule).select_for_update().exists():
            return False
        row = SyncCopy.objects.filter(rule=rule.id, namespace=namespace)
        row.update(made_binding=bool(problem), problem=problem, at=timezone.now())
    return True


def drop(rule: Rule) -> None:
    """Deletes a rule. Its copies stay."""
    SyncRule.objects.filter(pk=rule.id).delete()


def settle(rule: Rule, namespace: str, known: Known) -> None:
    """Overwrites what is known of one namespace, and makes the rule due."""
    with transaction.atomic():
        _stop(SyncRule.objects.get(pk=rule.id))
        values = {**_values(known, ""), "bound": False}
        SyncCopy.objects.update_or_create(rule_id=rule.id, namespace=namespace, defaults=values)


def forget(rule: Rule, namespace: str) -> None:
    SyncCopy.objects.filter(rule=rule.id, namespace=namespace).delete()


def namespace_gone(name: str, before: datetime | None = None) -> None:
    """A namespace was deleted. A later one of this name is a new one for every rule, however soon it comes: nobody
    deleted its copy. `before`: only what was found before this time."""
    copies = SyncCopy.objects.filter(namespace=name).exclude(state=CopyState.NAMESPACE_GONE)
    copies = copies.filter(at__lt=before) if before else copies
    if not copies.exists():
        return
    with transaction.atomic():
        for row in SyncRule.objects.filter(pk__in=list(copies.values_list("rule", flat=True))):
            _stop(row, RuleState(row.state))
        copies.update(state=CopyState.NAMESPACE_GONE, problem="", at=timezone.now())


def claim(rule: Rule, by: str, until: datetime) -> Rule | None:
    """Claims a rule; None if another process has it, or changed it."""
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    rows = SyncRule.objects.filter(free, pk=rule.id, fence=rule.fence)
    if not rows.update(claimed_until=until, claimed_by=by[:64], fence=rule.fence + 1):
        return None
    return _rule(SyncRule.objects.get(pk=rule.id))


def extend(rule: Rule, until: datetime) -> bool:
    """Holds a claim for longer. False if it was lost."""
    return bool(_mine(rule).update(claimed_until=until))


def release(rule: Rule, state: RuleState, due_at: datetime, problem: str = "") -> None:
    """Ends a claim with what was found."""
    values = {"state": state.value, "problem": problem, "due_at": due_at}
    _mine(rule).update(claimed_until=None, claimed_by="", **values)


def note(
    rule: Rule,
    namespace: str,
    known: Known,
    problem: str = "",
    *,
    bound: bool | None = None,
    made_binding: bool = False,
) -> bool:
    """Writes the state of one namespace, under the claim. False if the claim was lost."""
    with transaction.atomic():
        if not _mine(rule).select_for_update().exists():
            return False
        values = _values(known, problem) | ({} if bound is None else {"bound": bound})
        values |= {"made_binding": True} if made_binding else {}
        SyncCopy.objects.update_or_create(rule_id=rule.id, namespace=namespace, defaults=values)
    return True


def move(before: str, after: str) -> None:
    """A registry was created again: its rule, and its place as a copy, go to the new uid."""
    if not SyncRule.objects.filter(uid=after).exists():
        SyncRule.objects.filter(uid=before).update(uid=after)
    SyncCopy.objects.filter(uid=before).update(uid=after)


def take_over(access: Access, rule: Rule, source: RegistrySecret) -> None:
    """A rule whose source is gone gets this one. This person acts from now on."""
    with transaction.atomic():
        values = {"uid": source.uid, **_acting(access)}
        if SyncRule.objects.filter(pk=rule.id, uid=rule.uid).update(**values):
            _stop(SyncRule.objects.get(pk=rule.id))


def keeper(uids: Collection[str], state: CopyState = CopyState.IN_STEP) -> dict[str, Rule]:
    """The rules that made these copies, by uid, for copies in this state."""
    rows = SyncCopy.objects.filter(state=state).select_related("rule")
    return {it.uid: _rule(it.rule) for part in _parts(uids) for it in rows.filter(uid__in=part)}


def waiting_for(keys: Collection[Key]) -> dict[Key, Rule]:
    """The rules that would create a copy at these keys, were there not a registry of somebody else."""
    wanted, namespaces = set(keys), {it.namespace for it in keys}
    free = Q(uid="") | Q(begun=True)
    rows = SyncCopy.objects.filter(free, state__in=(CopyState.PRESENT, CopyState.NAME_TAKEN))
    rows = rows.select_related("rule")
    found = (it for part in _parts(namespaces) for it in rows.filter(namespace__in=part))
    return {key: _rule(it.rule) for it in found if (key := Key(it.namespace, it.rule.name)) in wanted}


def _parts(values: Collection[str]) -> Iterator[list[str]]:
    """Parts that fit into one statement."""
    rest = iter(values)
    while part := list(islice(rest, PART)):
        yield part


def _acting(access: Access) -> dict[str, str]:
    return {"owner": access.owner[:OWNER_MAX], "person": access.person[:150]}


def _stop(row: SyncRule, state: RuleState = RuleState.NEW) -> None:
    """Takes a rule from the process that works on it, and makes it due."""
    now = timezone.now()
    values = {
        "due_at": now,
        "claimed_until": None,
        "claimed_by": "",
        "state": state.value,
        "problem": "",
    }
    SyncRule.objects.filter(pk=row.pk).update(fence=F("fence") + 1, **values)


def _mine(rule: Rule) -> QuerySet[SyncRule]:
    return SyncRule.objects.filter(pk=rule.id, fence=rule.fence)


def _rule(row: SyncRule) -> Rule:
    return Rule(
        id=row.pk,
        uid=row.uid,
        key=Key(row.namespace, row.name),
        selection=Selection(row.labels, tuple(row.names.split())),
        bind=row.bind,
        owner=row.owner,
        person=row.person,
        state=RuleState(row.state),
        problem=row.problem,
        due_at=row.due_at,
        fence=row.fence,
        ending=row.ending,
    )


def _found(row: SyncCopy) -> Found:
    known = Known(CopyState(row.state), row.uid, row.mark, row.source_mark, begun=row.begun)
    return Found(row.namespace, known, row.problem, row.bound, row.made_binding, row.at)


def _values(known: Known, problem: str) -> dict[str, object]:
    return {
        "uid": known.uid,
        "mark": known.mark,
        "source_mark": known.source_mark,
        "state": known.state.value,
        "begun": known.begun,
        "problem": problem,
        "at": timezone.now(),
    }
