"""镜像源管理 (registries): the list, notices of runs above it, the namespace selector, "select all", the poll for
changes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import parse_qsl

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.safestring import SafeString  # noqa: TID251
from django.views.decorators.http import require_safe
from django_htmx.http import push_url, replace_url, trigger_client_event
from django_htmx.middleware import HtmxDetails

from registries.addresses import split_url
from registries.domain.access import EVERYWHERE, Access, Permission
from registries.domain.query import PAGE_SIZES, Filter, Group, ListQuery, Page, Sort, Tally
from registries.domain.registry import Provider
from registries.log_in.access import ConsoleRequest
from registries.web import filters
from registries.web.lists.group_rows import with_heads
from registries.web.lists.rows import of_rows, rows_html
from registries.web.pages import near_pages
from registries.web.registry_actions import ACTIONS, RegistryAction, offered_for_many
from registries.web.responses import is_htmx, pulse_every
from registries.web.runs.notices import notices
from registries.wiring import services
from registries.words import labels
from registries.words.language import Text

NOBODY: frozenset[str] = frozenset()
"""For addresses only: which registries are unused is not asked."""
YEAR = 365 * 24 * 3600


@require_safe
def registry_list(request: ConsoleRequest) -> HttpResponse:
    """The list page. HTMX gets only the part that a filter changes."""
    query = filters.of_request(request)
    page = services().index.page(access=request.access, query=query)
    context = _context(request, query, page)
    if not is_htmx(request):
        context |= notices(request)
    template = "lists/_list.html" if is_htmx(request) else "lists/list.html"
    response = render(request, template, context)
    if is_htmx(request):
        _keep_address(request, response, filters.url(query, page=page.number))
    if request.COOKIES.get(filters.SIZE_COOKIE) != str(query.size) and "size" in request.GET:
        response.set_cookie(filters.SIZE_COOKIE, str(query.size), max_age=YEAR, samesite="Lax", httponly=True)
    return response


def _keep_address(request: ConsoleRequest, response: HttpResponse, url: str) -> None:
    """Updates the address bar. Each filter adds a history entry; letters of a search replace the last one."""
    htmx = HtmxDetails(request)
    shown = split_url(htmx.current_url or "")
    if f"{shown.path}?{shown.query}".rstrip("?") == url:
        return
    (replace_url if htmx.trigger_name == "q" else push_url)(response, url)


def _context(request: ConsoleRequest, query: ListQuery, page: Page) -> dict[str, Any]:
    access = request.acting_access
    checks = services().history.under_way([it.uid for it in page.items])
    now = datetime.now(UTC)
    rows = rows_html(page.items, access, checks, now, of_rows(page.items, now))
    return {
        "page": page,
        "rows": with_heads(rows, query, page.groups, access) if page.groups else SafeString("".join(rows)),
        "controls": ListControls.of(query, page, access),
        "namespace": query.criteria.namespace,
        "namespace_selector": True,
        "actions": ACTIONS,
        "pulse_every": pulse_every(),
        "unused": _unused(request.access, query),
    }


def _unused(access: Access, query: ListQuery) -> dict[str, Any] | None:
    """What the filter of unused registries found out; None without it. `of_request` has read it."""
    if query.criteria.unused is None:
        return None
    secrets, namespace = services().pull_failures.secrets, query.criteria.namespace
    found = secrets.unused(access=access, namespace=namespace, reads=False)
    if found is None or (found.left == found.namespaces and services().index.freshness().problem):
        return {"nothing": True}
    return {
        "complete": found.complete,
        "left": found.left,
        "read": found.namespaces - found.left,
        "of": found.namespaces,
    }


@dataclass(frozen=True)
class ListControls:
    """The values of the controls. Templates cache the rendered controls under these values ({% kept %})."""

    query: ListQuery
    tally: Tally
    number: int
    pages: int
    first: int
    last: int
    may_add: bool
    many: tuple[RegistryAction, ...]
    """The actions on a selection."""
    granted: bool
    """Whether the person has a role."""

    @classmethod
    def of(cls, query: ListQuery, page: Page, access: Access) -> Self:
        namespace = query.criteria.namespace
        return cls(
            query=query,
            tally=page.tally,
            number=page.number,
            pages=page.pages,
            first=page.first,
            last=page.last,
            may_add=access.may(Permission.CREATE, namespace)
            if namespace
            else access.may_anywhere(Permission.CREATE),
            many=offered_for_many(access),
            granted=access.sees_everything or bool(access.namespaces),
        )

    @property
    def may_test(self) -> bool:
        return any(action.permission is Permission.TEST for action in self.many)

    @property
    def namespace(self) -> str:
        return self.query.criteria.namespace

    @property
    def total(self) -> int:
        return self.tally.of(self.query.criteria.status)

    @property
    def tiles(self) -> list[dict[str, Any]]:
        """The summary strip: the total, its three states, then the filters that overlap them. Dates that run out are
        the concern of few: without any, they have no tile."""
        chosen = self.query.criteria.status
        tiles: list[dict[str, Any]] = []
        for status in (None, *Filter):
            if status is Filter.EXPIRING and status is not chosen and not self.tally.expiring:
                continue
            label = labels.FILTERS[status] if status else labels.ALL
            tiles.append(
                {
                    "name": status.value if status else "all",
                    "label": label,
                    "count": self.tally.of(status),
                    "active": status is chosen,
                    "url": filters.url(self.query, status=None if status is chosen else status),
                    "apart": status is Filter.UNPROVEN,
                }
            )
        return tiles

    @property
    def chips(self) -> list[filters.Chip]:
        return filters.chips(self.query)

    @property
    def clear_url(self) -> str:
        return filters.url(ListQuery(size=self.query.size), namespace=self.namespace)

    @property
    def everywhere_url(self) -> str:
        return filters.url(self.query, namespace="")

    @property
    def providers(self) -> list[tuple[str, Text]]:
        return [(it.value, labels.PROVIDERS[it].text) for it in Provider]

    @property
    def statuses(self) -> list[tuple[str, Text]]:
        return [(it.value, labels.FILTERS[it].text) for it in Filter]

    @property
    def groups(self) -> list[tuple[str, Text]]:
        return [(it.value, labels.GROUPS[it]) for it in Group]

    @property
    def member(self) -> str:
        """The chosen group as the address has it."""
        return filters.parameters(self.query).get("in", "")

    @property
    def columns(self) -> dict[str, dict[str, str]]:
        """By sortable column: the URL that sorts by it, and its present order (aria-sort)."""
        columns = {}
        for sort in Sort:
            active = self.query.sort is sort
            order = ("descending" if self.query.descending else "ascending") if active else ""
            url = filters.url(self.query, sort=sort, descending=active and not self.query.descending)
            columns[sort.value] = {"url": url, "order": order}
        return columns

    @property
    def page_urls(self) -> list[tuple[int, str] | None]:
        """(number, URL) of the first, last and neighbouring pages; None is a gap."""
        return [
            None if it is None else (it, filters.url(self.query, page=it))
            for it in near_pages(self.number, self.pages)
        ]

    @property
    def previous_url(self) -> str:
        return filters.url(self.query, page=self.number - 1) if self.number > 1 else ""

    @property
    def next_url(self) -> str:
        return filters.url(self.query, page=self.number + 1) if self.number < self.pages else ""

    @property
    def size_urls(self) -> list[tuple[int, str]]:
        return [(size, filters.url(self.query, size=size)) for size in PAGE_SIZES]


@require_safe
def namespace_options(request: ConsoleRequest) -> HttpResponse:
    """The options of the namespace selector: all visible namespaces, with links that keep the other filters.

    `current` is the query string of the page, `find` the typed search.
    """
    access = request.access
    current = dict(parse_qsl(split_url(request.GET.get("current", "")).query))
    query = filters.read(current, find=lambda _namespace: NOBODY)
    find = request.GET.get("find", "").strip().lower()
    own = dict(access.roles)
    chosen = query.criteria.namespace
    tallies = services().index.tallies(access=access)
    options = [
        (name, filters.url(query, namespace=name), name == chosen, tally, own.get(name, ""))
        for name, tally in tallies.items()
        if find in name
    ]
    everything = {
        "url": filters.url(query, namespace=""),
        "chosen": not chosen,
        "role": own.get(EVERYWHERE, ""),
        "failed": sum(it.failed for it in tallies.values()),
        "total": sum(it.total for it in tallies.values()),
    }
    context = {"options": options, "everything": everything, "find": find}
    return render(request, "lists/_namespace_options.html", context)


@require_safe
def selection(request: ConsoleRequest) -> JsonResponse:
    """The uids of all registries that match a filter. A selection does not change later with the filter."""
    given = filters.criteria(request.GET.dict(), filters.unused_for(request.access))
    found = services().index.matching(access=request.access, criteria=given)
    return JsonResponse({"uids": [it.uid for it in found]})


@require_safe
def pulse(request: ConsoleRequest) -> HttpResponse:
    """The poll of an open list. Sends the event `registries-changed` if the list changed since `version`."""
    response = HttpResponse(status=204)
    namespace = request.GET.get("namespace", "")
    current = services().index.version(access=request.access, namespace=namespace)
    if current != request.GET.get("version", ""):
        trigger_client_event(response, "registries-changed", {})
    return response
