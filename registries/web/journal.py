"""操作记录 (audit log): the actions in the namespaces that the person may see."""

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registries.audit.log import visible
from registries.log_in.access import ConsoleRequest
from registries.wiring import services
from registries.words import labels
from registries.words.journal import line

PAGE = 50


@require_safe
def journal(request: ConsoleRequest) -> HttpResponse:
    access = request.access
    # PostgreSQL rejects NUL in a query; no name contains one.
    asked = {
        name: request.GET.get(name, "").replace("\0", "").strip()
        for name in ("namespace", "action", "person")
    }
    entries = visible(access, **asked)
    page = Paginator(entries, PAGE).get_page(request.GET.get("page", "1"))
    given = {name: value for name, value in asked.items() if value}
    context: dict[str, Any] = {
        "page": page,
        "rows": [(entry, line(entry)) for entry in page],
        "asked": asked,
        "actions": labels.ACTIONS.items(),
        "namespaces": services().index.namespaces(access=access),
        "query": urlencode(given),
    }
    return render(request, "registries/journal.html", context)
