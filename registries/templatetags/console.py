"""Template tags: icons from the sprite, rows of the list, moments as <time>, and a thin space where Chinese meets
Latin.
"""

from collections.abc import Hashable
from datetime import datetime

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from registries.web.rows import Row

register = template.Library()

ROWS_KEPT = 2_000
"""Rendered; of 2 KiB each."""
_rows: dict[Hashable, SafeString] = {}

SHORT = 9
"""Values of more characters are cut in the middle where there is no room."""
TAIL = 7
"""What stays of them: a port, a number. values.css knows its width."""


@register.simple_tag(takes_context=True)
def icon(context: Context, name: str, label: str = "") -> SafeString:
    """An icon by name; hidden from screen readers unless it says something by itself."""
    sprite = context.get("sprite", "")
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>', label, sprite, name
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', sprite, name)


@register.simple_tag(takes_context=True)
def table_row(context: Context, row: Row) -> SafeString:
    """_row.html, rendered once for all who see the same: 50 of them take longer than everything else of a list.
    What a row shows follows from its registry, and from what `shown` holds besides."""
    sprite = context.get("sprite", "")
    shown = (row.registry, row.can, row.testing, row.delay, row.ago, row.stale, sprite, get_language())
    found = _rows.get(shown)
    if found is None:
        found = render_to_string("registries/_row.html", {"row": row, "sprite": sprite})
        if len(_rows) >= ROWS_KEPT:
            _rows.clear()
        _rows[shown] = found
    return found


@register.filter
def clip(text: str) -> SafeString:
    """A value in two parts: the first gives way, the second stays."""
    if len(text) <= SHORT:
        return conditional_escape(text)
    return format_html('<span class="head">{}</span>{}', text[:-TAIL], text[-TAIL:])


@register.simple_tag
def moment(at: datetime | None, text: str = "") -> SafeString:
    """A moment, absolute in the title: 2026-11-23 22:41:05 UTC+08:00. Shows `text`, or the absolute time."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    offset = local.strftime("%z")
    absolute = f"{local:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:]}"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), absolute, text or absolute)
