"""The palette (Ctrl-K): pages, namespaces and registries that a person may see, found by a part of their names."""

from itertools import islice
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registries.domain.query import Criteria, ListQuery
from registries.log_in.access import ConsoleRequest
from registries.web import filters
from registries.web.responses import details_url
from registries.web.shell import navigation
from registries.wiring import services

MOST = 8
"""Entries of each group."""


@require_safe
def palette(request: ConsoleRequest) -> HttpResponse:
    """Up to MOST pages, namespaces and registries whose names contain `find`."""
    find = request.GET.get("find", "").strip().lower()[: filters.LONGEST_TEXT]
    index, access = services().index, request.access
    pages = [(str(it.text), it.url) for group in navigation(request) for it in group.entries]
    spaces = [(name, filters.url(ListQuery(), namespace=name)) for name in index.namespaces(access)]
    groups: list[tuple[str, list[tuple[str, Any]]]] = [
        (_("Pages"), [it for it in pages if find in it[0].lower()][:MOST]),
        (_("Namespaces"), [it for it in spaces if find in it[0]][:MOST]),
    ]
    if find:
        known = islice(index.matching(access, Criteria(text=find)), MOST)
        entries = [(f"{it.title} · {it.namespace}", details_url(it.key)) for it in known]
        groups.append((_("Registries"), entries))
    return render(request, "lists/_palette.html", {"groups": [it for it in groups if it[1]]})
