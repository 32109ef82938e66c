"""Reads the audit log: what a person may see of it, filtered, with one line for all entries of a run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from registries.audit.action import IN_DOUBT, OK, Action
from registries.domain.access import OWNER_MAX, Access, Permission
from registries.domain.errors import NotFound
from registries.domain.registry import Key
from registries.models import AuditEntry, DeletedRegistry

MOST_LINES = 10_000
MOST_READ = 20_000
"""Entries that one search reads. Runs have many entries a line."""


class Outcome(StrEnum):
    """The values of the outcome filter. Every entry has exactly one."""

    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


_WITHOUT_REFUSAL = (OK, "failed", IN_DOUBT)
_OUTCOMES = {
    Outcome.DONE: Q(failed=False),
    Outcome.FAILED: Q(failed=True, outcome__in=(OK, "failed")),
    Outcome.REFUSED: Q(failed=True) & ~Q(outcome__in=_WITHOUT_REFUSAL),
    Outcome.UNCERTAIN: Q(failed=True, outcome=IN_DOUBT),
}


@dataclass(frozen=True, slots=True)
class Criteria:
    """The entries to select. An empty value selects all. `start` is inclusive, `end` is not."""

    start: datetime | None = None
    end: datetime | None = None
    namespace: str = ""
    name: str = ""
    person: str = ""
    action: str = ""
    outcome: Outcome | None = None
    run: UUID | None = None


@dataclass(frozen=True, slots=True)
class RunLine:
    """The matching entries of one run together. `namespaces` is their number, `namespace` the first of them."""

    newest: AuditEntry
    run: UUID
    total: int
    failed: int
    namespaces: int
    namespace: str


Line = AuditEntry | RunLine


@dataclass(frozen=True, slots=True)
class LinePage:
    """One page of lines, newest first. `more` says that there are more lines than `total`, which were not counted."""

    lines: Sequence[Line]
    number: int
    pages: int
    total: int
    more: bool


def visible(access: Access) -> QuerySet[AuditEntry]:
    """The entries that the person may see, newest first: own entries and those of visible namespaces, or all.

    Only administrators see attempts of people who do not see the namespace, and entries of deleted namespaces.
    """
    # SQLite does not know that a namespace can have most of the entries: it must not prefer the index of namespaces.
    entries = AuditEntry.objects.alias(place=Coalesce("namespace", Value(""))).order_by("-at", "-pk")
    if access.administers:
        return entries
    own = Q(place="", owner=access.owner[:OWNER_MAX])
    seen = ~Q(place="") if access.sees_everything else Q(place__in=list(access.namespaces))
    return entries.filter(own | seen, administrators_only=False)


def matching(access: Access, criteria: Criteria) -> QuerySet[AuditEntry]:
    """The visible entries that match, newest first."""
    given = {
        "at__gte": criteria.start,
        "at__lt": criteria.end,
        "place": criteria.namespace,
        "name": criteria.name,
        "person": criteria.person,
        "action": criteria.action,
        "run": criteria.run,
    }
    entries = visible(access).filter(**{name: value for name, value in given.items() if value})
    return entries.filter(_OUTCOMES[criteria.outcome]) if criteria.outcome else entries


def page(access: Access, criteria: Criteria, *, number: int, size: int) -> LinePage:
    """A page of lines; the last one for a number beyond it. With a run as criterion, its entries are single lines."""
    entries = matching(access, criteria)
    heads: list[tuple[int, UUID | None]] = []
    runs: set[UUID] = set()
    more = False
    found = entries.values_list("pk", "run")[: MOST_READ + 1].iterator(chunk_size=2000)
    for read, (pk, run) in enumerate(found):
        if more := len(heads) == MOST_LINES or read == MOST_READ:
            break
        if run is None or criteria.run:
            heads.append((pk, None))
        elif run not in runs:
            runs.add(run)
            heads.append((pk, run))
    pages = max(1, -(-len(heads) // size))
    number = min(number, pages)
    shown = heads[(number - 1) * size : number * size]
    return LinePage(_lines(entries, shown), number, pages, len(heads), more)


def run_line(access: Access, criteria: Criteria, run: UUID) -> RunLine:
    """The line of one run. NotFound without a visible entry that matches."""
    entries = matching(access, criteria).filter(run=run)
    newest = entries.first()
    if newest is None:
        raise NotFound(str(run))
    return _run_lines(entries, {run: newest})[run]


def of_run(access: Access, criteria: Criteria, run: UUID, most: int) -> list[AuditEntry]:
    """The newest matching entries of a run: the failed ones first."""
    return list(matching(access, criteria).filter(run=run).order_by("-failed", "-at", "-pk")[:most])


def deleted_by(access: Access, run: UUID) -> list[str]:
    """The uids of the registries that a run deleted, as far as the person sees them."""
    return list(_deletions(access).filter(run=run).values_list("uid", flat=True))


def deletion(access: Access, key: Key, uid: str) -> AuditEntry | None:
    """The deletion of a registry by this console, if the person sees it."""
    uid = uid.replace("\0", "")  # PostgreSQL rejects it in a query
    return _deletions(access).filter(namespace=key.namespace, name=key.name, uid=uid).first()


def was_undone(access: Access, run: UUID) -> bool:
    """Whether something that a run deleted was restored, as far as the person sees it."""
    deleted = _deletions(access).filter(run=run).values("uid")
    return visible(access).filter(action=Action.UNDO, outcome=OK, note__in=deleted).exists()


def runs_to_undo(access: Access, runs: Collection[UUID], since: datetime) -> frozenset[UUID]:
    """Those of these runs that deleted, since a moment, something that the person can restore."""
    kept = DeletedRegistry.objects.filter(at__gt=since)
    found = _deletions(access).filter(run__in=runs, uid__in=kept.values("uid"))
    pairs = found.order_by().values_list("run", "namespace").distinct()
    return frozenset(run for run, namespace in pairs if run and access.may(Permission.CREATE, namespace))


def deleted_since(moments: Mapping[Key, datetime]) -> frozenset[Key]:
    """Those of these registries that the console deleted after the moment, whoever may see it."""
    deletions = AuditEntry.objects.filter(action=Action.DELETE, outcome=OK, at__gt=min(moments.values()))
    places = {key.namespace for key in moments}, {key.name for key in moments}
    found = deletions.filter(namespace__in=places[0], name__in=places[1])
    keys = (
        (Key(namespace, name), at) for namespace, name, at in found.values_list("namespace", "name", "at")
    )
    return frozenset(key for key, at in keys if key in moments and at > moments[key])


def _deletions(access: Access) -> QuerySet[AuditEntry]:
    return visible(access).filter(action=Action.DELETE, outcome=OK)


def _lines(entries: QuerySet[AuditEntry], shown: Sequence[tuple[int, UUID | None]]) -> list[Line]:
    found = AuditEntry.objects.in_bulk([pk for pk, _ in shown])
    runs = _run_lines(entries, {run: found[pk] for pk, run in shown if run and pk in found})
    lines: list[Line] = []
    for pk, run in shown:
        if run in runs and runs[run].total > 1:
            lines.append(runs[run])
        elif pk in found:  # the daily clean-up may have deleted it
            lines.append(found[pk])
    return lines


def _run_lines(entries: QuerySet[AuditEntry], newest: Mapping[UUID, AuditEntry]) -> dict[UUID, RunLine]:
    """The lines of runs, by run, from the newest entry of each."""
    if not newest:
        return {}
    counted = (
        entries.filter(run__in=newest)
        .order_by()
        .values_list("run")
        .annotate(
            number=Sum("count"),
            bad=Sum("count", filter=Q(failed=True), default=0),
            places=Count("namespace", distinct=True),
            place=Min("namespace"),
        )
    )
    return {row[0]: RunLine(newest[row[0]], *row) for row in counted}


def newest_ids(access: Access, criteria: Criteria, most: int) -> list[int]:
    """The ids of the newest matching entries, newest first."""
    return list(matching(access, criteria).values_list("pk", flat=True)[:most])


def by_id(access: Access, ids: Sequence[int]) -> list[AuditEntry]:
    """The entries with these ids that the person may see, in this order."""
    found = visible(access).in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]
