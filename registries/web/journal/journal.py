"""操作记录 (audit log): the actions in the namespaces that the person may see."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from registries.audit import search
from registries.domain.errors import NotFound
from registries.log_in.access import ConsoleRequest
from registries.web.filters import page_number
from registries.web.journal.journal_export import MOST_ROWS
from registries.web.journal.journal_filter import JournalFilter
from registries.web.journal.journal_rows import rows
from registries.web.pages import Pages
from registries.web.responses import is_htmx
from registries.wiring import services

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
            "export": {"url": form.url("registries:journal_export"), "most": MOST_ROWS},
        }
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
