"""What every page's frame needs: navigation, theme, languages. A context processor."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from registries import icons
from registries.views.people import access_to

THEMES = (
    ("system", _("As the system"), "monitor"),
    ("light", _("Light"), "sun"),
    ("dark", _("Dark"), "moon"),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    chosen = request.COOKIES.get("theme", "")
    context: dict[str, Any] = {
        "theme": chosen if chosen in ("light", "dark") else "system",
        "themes": THEMES,
        "languages": settings.LANGUAGES,
        "sprite": reverse("registries:icons", args=[icons.version()]),
        "demo": settings.DEMO,
    }
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context["navigation"] = _navigation(request)
    return context


def _navigation(request: HttpRequest) -> list[dict[str, Any]]:
    images = [("list", _("Registries"), "boxes"), ("journal", _("Journal"), "scroll-text")]
    groups = [(_("Images"), images)]
    if access_to(request).administers:
        groups.append(
            (
                _("Administration"),
                [("accounts", _("Accounts"), "users"), ("namespaces", _("Namespaces"), "folder")],
            )
        )
    here = request.path
    return [
        {"title": title, "entries": [_entry(view, text, icon, here) for view, text, icon in entries]}
        for title, entries in groups
    ]


def _entry(view: str, text: Any, icon: str, here: str) -> dict[str, Any]:
    url = reverse(f"registries:{view}")
    return {"url": url, "text": text, "icon": icon, "here": here.startswith(url)}
