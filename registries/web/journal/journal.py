"""操作记录 (audit log): the actions in the namespaces that the person may see, with links to what exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from registries.audit import search
from registries.audit.action import OK, Action
from registries.audit.search import Line, RunLine
from registries.domain.access import Access, Permission
from registries.domain.errors import NotFound
from registries.domain.registry import Key
from registries.index.snapshot import Snapshot
from registries.log_in.access import ConsoleRequest
from registries.models import AuditEntry
from registries.web import filters
from registries.web.filters import page_number
from registries.web.journal.journal_export import MOST_ROWS
from registries.web.journal.journal_filter import JournalFilter
from registries.web.pages import Pages
from registries.web.responses import details_url, is_htmx
from registries.web.runs import progress
from registries.web.runs.notices import of_runs
from registries.wiring import services
from registries.words.journal import Line as Words
from registries.words.journal import line, run_action, run_outcome


@dataclass(frozen=True, slots=True)
class Row:
    """An entry. `url` leads to its object; "" if that is gone or not visible."""

    entry: AuditEntry
    words: Words
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
    of_run, of_one = of_runs(access, runs), services().undo.offered(access=access, uids=uids)
    return [
        _run_row(access, snapshot, form, it, of_run.get(it.run, ""))
        if isinstance(it, RunLine)
        else Row(
            it,
            line(it),
            form.url(person=it.person),
            _object_url(access, snapshot, it),
            progress.undo_url(of_one[it.uid], it.uid) if it.action == deletions and it.uid in of_one else "",
        )
        for it in lines
    ]


def _run_row(access: Access, snapshot: Snapshot, form: JournalFilter, run: RunLine, undo_url: str) -> RunRow:
    done, failed = run_outcome(run)
    return RunRow(
        run=run,
        action=run_action(run),
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


PAGE = 50
OPENED = 100
"""Entries of a run that open in its line. All of them have pages of their own."""


@require_safe
def journal(request: ConsoleRequest) -> HttpResponse:
    """The page. HTMX gets only the part that a filter changes. 422 for a filter that cannot be read."""
    form = JournalFilter.of(request)
    context: dict[str, Any] = {
        "form": form,
        "asked": form.data,
        "namespaces": services().index.namespaces(access=request.access),
        "zone": settings.TIME_ZONE,
        "filtered": any(form.data.values()),
        "all_url": reverse("registries:journal"),
        "whole_url": form.url(run=""),
        "of_run": None,
    }
    url = form.url()
    if form.is_valid():
        wanted = page_number(request.GET.dict())
        found = search.page(request.access, form.criteria(), number=wanted, size=PAGE)
        url = form.url(page=found.number if found.number > 1 else "")
        context |= {
            "rows": rows(request.access, form, found.lines),
            "controls": Pages(
                found.number, PAGE, found.total, found.more, lambda number: form.url(page=number)
            ),
            "has_runs": any(isinstance(it, RunLine) for it in found.lines),
            "export": {"url": form.url("registries:journal_export"), "most": MOST_ROWS},
        }
        if found.lines and (run := form.cleaned_data["run"]):
            line_of_run = search.run_line(request.access, form.criteria(), run)
            [context["of_run"]] = rows(request.access, form, [line_of_run])
    partial = is_htmx(request)
    template = "journal/_journal.html" if partial else "journal/journal.html"
    response = render(request, template, context, status=200 if form.is_valid() else 422)
    return push_url(response, url) if partial and form.is_valid() else response


@require_safe
def journal_run(request: ConsoleRequest, run: UUID) -> HttpResponse:
    """The line of a run, with its newest entries if `open` is given. NotFound without a visible entry that matches."""
    form = JournalFilter.of(request)
    if not form.is_valid():
        raise NotFound(str(run))
    found = search.run_line(request.access, form.criteria(), run)
    opened = "open" in request.GET
    items = search.of_run(request.access, form.criteria(), run, OPENED) if opened else []
    [row] = rows(request.access, form, [found])
    context = {
        "row": row,
        "items": rows(request.access, form, items),
        "rest": found.total > len(items) > 0,
        "opened": opened,
    }
    return render(request, "journal/_journal_line.html", context)
