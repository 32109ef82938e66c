"""Template tags: icons from the sprite, moments as <time>, and a thin space where Chinese meets Latin."""

from datetime import datetime

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def icon(context: Context, name: str, label: str = "") -> SafeString:
    """An icon by name; hidden from screen readers unless it says something by itself."""
    sprite = context.get("sprite", "")
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>', label, sprite, name
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', sprite, name)


@register.simple_tag
def moment(at: datetime | None, text: str = "") -> SafeString:
    """A moment, absolute in the title: 2026-11-23 22:41:05 UTC+08:00. Shows `text`, or the absolute time."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    offset = local.strftime("%z")
    absolute = f"{local:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:]}"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), absolute, text or absolute)
