"""What every page's frame needs: navigation, theme, languages. A context processor."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from registries.domain.errors import Unavailable
from registries.log_in.access import ConsoleRequest
from registries.web.sprite import version
from registries.wiring import services
from registries.words import labels
from registries.words.problems import problem_text

THEMES = (
    ("system", _("As the system"), "monitor"),
    ("light", _("Light"), "sun"),
    ("dark", _("Dark"), "moon"),
)


def shell(request: ConsoleRequest) -> dict[str, Any]:
    chosen = request.COOKIES.get("theme", "")
    context: dict[str, Any] = {
        "theme": chosen if chosen in ("light", "dark") else "system",
        "themes": THEMES,
        "languages": settings.LANGUAGES,
        "sprite": reverse("registries:icons", args=[version()]),
        "demo": settings.DEMO,
        "by_cluster": services().by_cluster,
    }
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context["navigation"] = _navigation(request)
        context["away"] = _away()
    return context


def _away() -> dict[str, Any] | None:
    """That the store is away, why, and as of when the page is; None while it is there."""
    freshness = services().index.freshness()
    if freshness.problem is None:
        return None
    at = freshness.as_of
    ago = labels.ago(at, datetime.now(UTC)) if at else ""
    return {"text": problem_text(freshness.problem), "at": at, "ago": ago}


def _navigation(request: ConsoleRequest) -> list[dict[str, Any]]:
    images = [("list", _("Registries"), "boxes"), ("journal", _("Journal"), "scroll-text")]
    groups = [(_("Images"), images)]
    if _administers(request):
        entries = [("namespaces", _("Namespaces"), "folder")]
        if not services().by_cluster:
            entries.insert(0, ("accounts", _("Accounts"), "users"))
        groups.append((_("Administration"), entries))
    here = request.path
    return [
        {"title": title, "entries": [_entry(view, text, icon, here) for view, text, icon in entries]}
        for title, entries in groups
    ]


def _administers(request: ConsoleRequest) -> bool:
    """The page that says that the cluster cannot be asked has a frame, too."""
    try:
        return request.access.administers
    except Unavailable:
        return False


def _entry(view: str, text: Any, icon: str, here: str) -> dict[str, Any]:
    url = reverse(f"registries:{view}")
    return {"url": url, "text": text, "icon": icon, "here": here.startswith(url)}
