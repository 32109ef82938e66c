"""The lines of the audit log for its templates: words, and links to what exists."""

from collections.abc import Sequence
from dataclasses import dataclass

from registries.audit.action import OK, Action
from registries.audit.search import Line, RunLine
from registries.domain.access import Access, Permission
from registries.domain.registry import Key
from registries.index.snapshot import Snapshot
from registries.models import AuditEntry
from registries.web import filters
from registries.web.journal.journal_filter import JournalFilter
from registries.web.responses import details_url
from registries.web.runs import progress
from registries.wiring import services
from registries.words import journal


@dataclass(frozen=True, slots=True)
class Row:
    """An entry. `url` leads to its object; "" if that is gone or not visible."""

    entry: AuditEntry
    words: journal.Line
    person_url: str
    url: str
    undo_url: str = ""
    """Restores what was deleted; "" if that is not possible."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run. `done` and `failed` are its counts in words."""

    run: RunLine
    action: str
    done: str
    failed: str
    person_url: str
    url: str
    page_url: str
    """The page with the entries of the run."""
    line_url: str
    open_url: str
    """The line with its entries."""
    undo_url: str = ""
    """Restores what the run deleted; "" if that is not possible."""


def rows(access: Access, form: JournalFilter, lines: Sequence[Line]) -> list[Row | RunRow]:
    snapshot, deletions = services().index.fresh(), Action.DELETE
    runs = [it.run for it in lines if isinstance(it, RunLine) and it.newest.action == deletions]
    uids = [
        it.uid for it in lines if isinstance(it, AuditEntry) and (it.action, it.outcome) == (deletions, OK)
    ]
    of_run, of_one = progress.of_runs(access, runs), services().undo.offered(access=access, uids=uids)
    return [
        _run_row(access, snapshot, form, it, of_run.get(it.run, ""))
        if isinstance(it, RunLine)
        else Row(
            it,
            journal.line(it),
            form.url(person=it.person),
            _object_url(access, snapshot, it),
            progress.undo_url(of_one[it.uid], it.uid) if it.action == deletions and it.uid in of_one else "",
        )
        for it in lines
    ]


def _run_row(access: Access, snapshot: Snapshot, form: JournalFilter, run: RunLine, undo_url: str) -> RunRow:
    done, failed = journal.run_outcome(run)
    return RunRow(
        run=run,
        action=journal.run_action(run),
        done=done,
        failed=failed,
        person_url=form.url(person=run.newest.person),
        url=_namespace_url(access, snapshot, run.namespace) if run.namespaces == 1 else "",
        page_url=form.url(run=run.run),
        line_url=form.url("registries:journal_run", run.run),
        open_url=form.url("registries:journal_run", run.run, open="1"),
        undo_url=undo_url,
    )


def _object_url(access: Access, snapshot: Snapshot, entry: AuditEntry) -> str:
    """The page of the registry, or the list of the namespace. "" also for a later registry with the name."""
    if not entry.name:
        return _namespace_url(access, snapshot, entry.namespace)
    key = Key(entry.namespace, entry.name)
    registry = snapshot.find(key) if access.may(Permission.SEE, key.namespace) else None
    if registry is None:
        return ""
    same = entry.uid == registry.uid if entry.uid else entry.at >= registry.created_at
    return details_url(key) if same else ""


def _namespace_url(access: Access, snapshot: Snapshot, name: str) -> str:
    exists = name in snapshot.namespaces and access.may(Permission.SEE, name)
    return filters.url(filters.read({"namespace": name})) if exists else ""
