"""The query parameters of the list. Invalid values are ignored, so that an old bookmark still works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from registries.addresses import split_url
from registries.domain.access import Access
from registries.domain.query import (
    DEFAULT_PAGE_SIZE,
    PAGE_SIZES,
    Criteria,
    Filter,
    Group,
    ListQuery,
    Member,
    Sort,
    Trait,
    usual_sort,
)
from registries.domain.registry import Provider
from registries.log_in.access import ConsoleRequest
from registries.wiring import services
from registries.words import labels
from registries.words.language import quoted

SIZE_COOKIE = "page_size"
LONGEST_TEXT = 200
LONGEST_ADDRESS = 4000
LONGEST_MEMBER = 600
"""A host and a user name."""
UNUSED = "unused"
Find = Callable[[str], frozenset[str] | None]
"""Gives the uids of the registries of a namespace, or of all (""), that nothing uses; None without a cluster."""
PARAMETERS = frozenset(
    {"namespace", "q", "status", "provider", "in", "use", "has", "sort", "group", "size", "page"}
)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter: its text, and the URL without it."""

    name: str
    text: str
    url: str


def read(values: Mapping[str, str], remembered_size: str = "", find: Find | None = None) -> ListQuery:
    """A query from the parameters namespace, q, status, provider, in, use, has, sort (`-` first: descending), group,
    page, size."""
    sort, given = values.get("sort", ""), criteria(values, find)
    group = _one_of(Group, values.get("group", ""))
    return ListQuery(
        criteria=given,
        sort=_one_of(Sort, sort.removeprefix("-")) or usual_sort(given, group),
        descending=sort.startswith("-"),
        group=group,
        page=page_number(values),
        size=_size(values.get("size", "")) or _size(remembered_size) or DEFAULT_PAGE_SIZE,
    )


def criteria(values: Mapping[str, str], find: Find | None = None) -> Criteria:
    """The criteria of these parameters. Without `find`, `use` selects everything."""
    namespace = values.get("namespace", "").strip()
    unused = find(namespace) if find and values.get("use") == UNUSED else None
    kind, _colon, value = values.get("in", "")[:LONGEST_MEMBER].partition(":")
    group, wanted = _one_of(Group, kind), _one_of(Trait, values.get("has", ""))
    return Criteria(
        namespace=namespace,
        text=values.get("q", "").strip()[:LONGEST_TEXT],
        status=_one_of(Filter, values.get("status", "")),
        provider=_one_of(Provider, values.get("provider", "")),
        member=Member(group, value) if group and value else None,
        unused=unused,
        trait=wanted,
        old_before=_old_before() if wanted is Trait.AGED else None,
    )


def of_request(request: ConsoleRequest) -> ListQuery:
    return read(request.GET.dict(), request.COOKIES.get(SIZE_COOKIE, ""), unused_for(request.access))


def unused_for(access: Access) -> Find:
    """Asks the cluster which registries nothing uses, as far as a person may read it: none while it does not answer.
    NotFound; Unavailable."""

    def find(namespace: str) -> frozenset[str] | None:
        pulls = services().pull_failures
        if not pulls.available:
            return None
        found = pulls.secrets.unused(access=access, namespace=namespace)
        return found.uids if found else frozenset()

    return find


def came_from(request: HttpRequest) -> ListQuery:
    """The query of the list that a reader came from: in the URL of the page, or in that of the page before."""
    own = {name: value for name, value in request.GET.dict().items() if name in PARAMETERS}
    if not own:
        before = split_url(request.headers.get("Referer", "")[:LONGEST_ADDRESS])
        if before.path.startswith(reverse("registries:list")):
            own = dict(parse_qsl(before.query))
    return read(own)


def parameters(query: ListQuery) -> dict[str, str]:
    """The parameters that differ from the defaults, and always the page size, which is remembered."""
    given = query.criteria
    sort = ("-" if query.descending else "") + query.sort.value
    everything = {
        "namespace": given.namespace,
        "q": given.text,
        "status": given.status or "",
        "provider": given.provider or "",
        "in": f"{given.member.group}:{given.member.value}" if given.member else "",
        "use": "" if given.unused is None else UNUSED,
        "has": given.trait or "",
        "sort": "" if sort == usual_sort(given, query.group) else sort,
        "group": query.group or "",
        "size": "" if query.size == DEFAULT_PAGE_SIZE else str(query.size),
        "page": "" if query.page == 1 else str(query.page),
    }
    return {name: str(value) for name, value in everything.items() if value}


def url(query: ListQuery, **changes: Any) -> str:
    """The URL of the list with changed fields of the query or its criteria, on page 1 unless `page` is given. The
    usual order becomes that of the new criteria."""
    own = {name: changes.pop(name) for name in ("sort", "descending", "group", "size") if name in changes}
    page, given = changes.pop("page", 1), replace(query.criteria, **changes)
    if query.sort is usual_sort(query.criteria, query.group) and not query.descending:
        own.setdefault("sort", usual_sort(given, own.get("group", query.group)))
    changed = replace(query, criteria=given, page=page, **own)
    text = urlencode(parameters(changed))
    return reverse("registries:list") + (f"?{text}" if text else "")


def chips(query: ListQuery) -> list[Chip]:
    given = query.criteria
    found = []
    if given.text:
        found.append(Chip("q", quoted(given.text), url(query, text="")))
    if given.provider:
        found.append(Chip("provider", str(labels.PROVIDERS[given.provider].text), url(query, provider=None)))
    if given.member:
        found.append(Chip("in", labels.group(given.member), url(query, member=None)))
    if given.unused is not None:
        found.append(Chip("use", gettext("Unused"), url(query, unused=None)))
    if given.trait:
        found.append(Chip("has", trait(given.trait), url(query, trait=None)))
    if given.status:
        found.append(Chip("status", str(labels.FILTERS[given.status].text), url(query, status=None)))
    return found


def _old_before() -> datetime | None:
    days = settings.PASSWORD_AGE_DAYS
    return timezone.now() - timedelta(days) if days > 0 else None


def trait(kind: Trait) -> str:
    """Its words."""
    days = settings.PASSWORD_AGE_DAYS
    return {
        Trait.AGED: ngettext("Password older than %(n)d day", "Password older than %(n)d days", days)
        % {"n": days},
        Trait.NOT_VERIFIED: gettext("Certificate not verified"),
        Trait.PLAIN_HTTP: gettext("Plain HTTP"),
    }[kind]


def _one_of(kind: type[E], value: str) -> E | None:
    try:
        return kind(value)
    except ValueError:
        return None


def page_number(values: Mapping[str, str]) -> int:
    return _number(values.get("page", ""), 1)


def _number(value: str, default: int) -> int:
    return (
        int(value) if value.isascii() and value.isdigit() and 0 < len(value) < 7 and int(value) else default
    )


def _size(value: str) -> int | None:
    number = _number(value, 0)
    return number if number in PAGE_SIZES else None
