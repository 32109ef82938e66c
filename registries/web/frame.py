"""The page frame: navigation, theme and languages; and the palette (Ctrl-K), which finds what a person may see."""

from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from registries.domain.access import Access, Permission, Role
from registries.domain.errors import Unavailable
from registries.domain.query import Criteria, ListQuery
from registries.log_in.access import ConsoleRequest
from registries.web import filters
from registries.web.responses import details_url
from registries.wiring import services
from registries.words import times
from registries.words.names import named
from registries.words.problems import problem_text

THEMES = (
    ("system", _("Use system setting"), "monitor"),
    ("light", _("Light"), "sun"),
    ("dark", _("Dark"), "moon"),
)
ROLES_SHOWN = 4
NAMED = 10
"""Namespaces in a notice."""


def shown_theme(request: HttpRequest) -> str:
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in ("light", "dark") else "system"


def frame(request: ConsoleRequest) -> dict[str, Any]:
    context: dict[str, Any] = {
        "theme": shown_theme(request),
        "themes": THEMES,
        "languages": tuple(settings.LANGUAGES),
        "demo": settings.DEMO,
        "by_cluster": services().by_cluster,
        "on_cluster": services().on_cluster,
    }
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context["navigation"] = navigation(request)
        access = _access(request)
        context["own_roles"] = OwnRoles.of(access) if access else None
        context["away"] = _away() or _overfull(access)
    return context


class OwnRoles(NamedTuple):
    """The roles of a person for the account menu: (namespace or EVERYWHERE, role), and how many more there are."""

    shown: tuple[tuple[str, Role], ...]
    more: int

    @classmethod
    def of(cls, access: Access) -> Self:
        roles = access.roles
        return cls(roles[:ROLES_SHOWN], len(roles[ROLES_SHOWN:]))


def _access(request: ConsoleRequest) -> Access | None:
    """None while the cluster does not answer: its error page has this frame, too."""
    try:
        request.access.administers  # noqa: B018  it is asked for on first use
        return request.access
    except Unavailable:
        return None


def _away() -> dict[str, Any] | None:
    """The notice of a store that does not answer: the reason and the age of the data. None while it answers."""
    freshness = services().index.freshness()
    if freshness.problem is None:
        return None
    at = freshness.as_of
    ago = times.ago(at, datetime.now(UTC))
    return {"text": problem_text(freshness.problem), "at": at, "ago": ago}


def _overfull(access: Access | None) -> dict[str, Any] | None:
    """The notice of namespaces with too many registries, of which this person does not see all."""
    if access is None:
        return None
    names = [it for it in sorted(services().store.overfull()) if access.may(Permission.SEE, it)]
    if not names:
        return None
    text = gettext(
        "Some registries are not shown, because these namespaces have more than the console keeps for one: %(names)s. "
        "Delete those that are no longer used."
    )
    if more := len(names[NAMED:]):
        some = {"names": names[:NAMED]}
        return {
            "text": named(
                {}, text, names=named(some, gettext("%(names)s, and %(n)s more"), n=number_format(more))
            )
        }
    return {"text": named({"names": names}, text)}


class Entry(NamedTuple):
    url: str
    text: Any
    icon: str
    here: bool
    """Whether the current page is this one or below it."""


class Group(NamedTuple):
    title: Any
    entries: tuple[Entry, ...]


def navigation(request: ConsoleRequest) -> tuple[Group, ...]:
    """The pages that this person may open."""
    access, pulls = _access(request), services().pull_failures.available
    administers = access is not None and access.administers
    tells = access is not None and access.may_anywhere(Permission.EDIT)
    return _navigation(administers, tells, pulls, services().by_cluster, request.path)


@lru_cache(256)
def _navigation(
    administers: bool, tells: bool, pulls: bool, by_cluster: bool, path: str
) -> tuple[Group, ...]:
    """`tells`: whether the person may manage channels, silences or check intervals somewhere."""
    images = [
        ("overview", _("Overview"), "layout-dashboard"),
        ("list", _("Registries"), "boxes"),
        ("journal", _("Audit log"), "scroll-text"),
    ]
    if pulls:
        images.insert(2, ("pull_failures", _("Pull failures"), "circle-alert"))
    if tells:
        images.append(("channels", _("Channels"), "bell"))
    if tells and not administers:
        images.append(("namespaces", _("Namespaces"), "folder"))
    groups = [(_("Images"), images)]
    if administers:
        entries = [("namespaces", _("Namespaces"), "folder"), ("mirrors", _("Mirrors"), "layers")]
        if not by_cluster:
            entries.insert(0, ("accounts", _("Accounts"), "users"))
            entries.append(("rules", _("Sync rules"), "copy-plus"))
        groups.append((_("Administration"), entries))
    return tuple(Group(title, tuple(_entry(*entry, path) for entry in entries)) for title, entries in groups)


def _entry(view: str, text: Any, icon: str, path: str) -> Entry:
    url = reverse(f"registries:{view}")
    return Entry(url, text, icon, here=path.startswith(url))


MOST = 8
"""Entries of each group."""


@require_safe
def palette(request: ConsoleRequest) -> HttpResponse:
    """Up to MOST pages, namespaces and registries whose names contain `find`."""
    find = request.GET.get("find", "").strip().lower()[: filters.LONGEST_TEXT]
    index, access = services().index, request.access
    pages = [(str(it.text), it.url) for group in navigation(request) for it in group.entries]
    if not services().by_cluster:
        pages.append((gettext("Access tokens"), reverse("registries:tokens")))
        pages.append((gettext("Change password"), reverse("password")))
    pages.append((gettext("API documentation"), reverse("api:docs")))
    spaces = [(name, filters.url(ListQuery(), namespace=name)) for name in index.namespaces(access)]
    groups: list[tuple[str, list[tuple[str, Any]]]] = [
        (gettext("Pages"), [it for it in pages if find in it[0].lower()][:MOST]),
        (gettext("Namespaces"), [it for it in spaces if find in it[0]][:MOST]),
    ]
    if find:
        known = islice(index.matching(access, Criteria(text=find)), MOST)
        entries = [(f"{it.title} · {it.namespace}", details_url(it.key)) for it in known]
        groups.append((gettext("Registries"), entries))
    return render(request, "_palette.html", {"groups": [it for it in groups if it[1]]})
