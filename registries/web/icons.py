"""All icons as one SVG sprite, under a URL that changes with its content: lucide icons by name, and our own marks."""

import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from zipfile import ZipFile

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

NAMES = (
    *("arrow-down", "arrow-left", "arrow-right", "arrow-up", "arrow-up-down", "bell", "bell-off"),
    *("boxes", "calendar-clock", "check", "chevron-down", "chevron-left", "chevron-right"),
    *("circle-alert", "circle-check", "circle-dashed", "circle-x", "copy", "copy-plus", "ellipsis"),
    *("eye", "eye-off", "folder", "globe", "history", "info", "key-round", "layers", "list-filter"),
    *("layout-dashboard", "loader-circle", "lock", "log-out", "mail", "menu", "message-square", "minus"),
    *("monitor", "moon", "pencil", "plug-zap", "plus", "rows-3", "scroll-text", "search"),
    *("shield-check", "square-terminal", "sun", "trash-2", "triangle-alert", "undo-2", "user-round", "users"),
    *("webhook", "wrench", "x"),
)
# Drawn for this console on the same 24 × 24 grid; nobody's trademark.
MARKS = {
    # a lighthouse
    "harbor": '<path d="M10 21 11 9h2l1 12M9 9h6M10 9V6h4v3M12 3v3M4 7l4-1M20 7l-4-1M6 21h12"/>',
    # a stack of containers
    "dockerhub": '<path d="M3 14h4v4H3zM8 14h4v4H8zM13 14h4v4h-4zM8 9h4v4H8zM13 9h4v4h-4zM13 4h4v4h-4zM19 15l2-1"/>',
    # two brackets and the dash between them
    "aliyun": '<path d="M9 5H6a4 4 0 0 0-4 4v6a4 4 0 0 0 4 4h3M15 5h3a4 4 0 0 1 4 4v6a4 4 0 0 1-4 4h-3M9 12h6"/>',
    # a box
    "other": '<path d="M12 3 4 7v10l8 4 8-4V7zM4 7l8 4 8-4M12 11v10"/>',
    # the console's own mark: a box behind a keyhole
    "mark": '<path d="M12 2.5 4 6.5v11l8 4 8-4v-11zM12 9a2 2 0 0 1 1 3.7V16h-2v-3.300A2 2 0 0 1 12 9z"/>',
}
_INNER = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


@login_not_required
@require_safe
def sprite(request: HttpRequest, version: str) -> HttpResponse:
    response = HttpResponse(drawn(), content_type="image/svg+xml")
    if version == current_version():
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@cache
def drawn() -> str:
    """The sprite as SVG."""
    # lucide's own function reads the list of its 1,700 icons again for each icon: 0.4 s for these.
    with files("lucide").joinpath("lucide.zip").open("rb") as file, ZipFile(file) as icons:
        symbols = [_symbol(name, _inner(icons.read(f"{name}.svg").decode())) for name in NAMES]
    symbols += [_symbol(name, drawing) for name, drawing in MARKS.items()]
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'


@cache
def current_version() -> str:
    """A digest of the content for the URL, so that browsers may cache the sprite for ever."""
    return sha256(drawn().encode()).hexdigest()[:12]


def _inner(svg: str) -> str:
    """What is inside the svg element, without line breaks."""
    match = _INNER.search(svg)
    return re.sub(r"\s*\n\s*", "", match[1]).strip() if match else ""


def _symbol(name: str, drawing: str) -> str:
    return f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>'
