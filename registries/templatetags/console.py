"""Template tags: icons from the sprite, moments as <time>, heads of tables, and values cut in the middle."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache

from django import template
from django.template.defaultfilters import stringfilter
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString  # noqa: TID251

from registries.domain.moments import in_any_zone
from registries.web.icons import current_version
from registries.web.lists.rows import Seen
from registries.words import times
from registries.words.language import comma, is_chinese, sentences

register = template.Library()

ROLE_NAME = re.compile(r"(image-(?:admin|operator|viewer|prober))")
URL = re.compile(r"(https?://[^\s'\"]+)")
SLASH = re.compile(r"(?<=[^:/]/)")
TURN = re.compile(r"(?<=[@,])|(?<=/)(?!/)|(?<!sha256)(?=:\w)")
OPTION = re.compile(r"(?<!\S)((?=\S{2,32}(?!\S))\S*-\S*|(?=[\w-]*-)[\w-]{2,32}=(?=\S))")
"""A word of a command with a hyphen, such as an option or a name, if it is short enough for one line of a phone. Of a
longer one, the part before its value."""
COMMAND = re.compile(r"(?:(?<=: )|(?<=：))((?:kubectl|openssl|manage\.py)(?: [\w./=:@-]*[\w/@-])+)$")
"""A command at the end of a sentence, after a colon."""
SETTING = re.compile(r"(CONSOLE_[A-Z_]+)")
UNDERSCORE = re.compile(r"(?<=_)")
DATE = re.compile(r"(\d{4}-\d\d-\d\d)")
OBJECT_NAME = re.compile(
    r"(?<![\w.:/@$-])((?=[a-z0-9-]{1,32}(?![\w-]))[a-z0-9]+(?:-[a-z0-9]+)+)(?![\w@$-]|[.:]\w)"
)
"""The name of an object with a hyphen, such as harbor-prod, if it is short enough. No part of a host or a path."""
HOST_NAME = re.compile(r"(?<![\w.-])((?=[\w.:-]{1,40}(?![\w.:-]))[\w.:]+(?:-[\w.:]+)+)")
"""A word with a hyphen, also of a host, such as registry-1.docker.io:443, if it is short enough."""
SHORT = 9
"""Values of more characters are cut in the middle where there is no room."""
LONG = 40
"""Names of more characters are cut in the middle by `cut`, however much room there is."""
TAIL = 7
"""What stays of them: a port, a number. values.css knows its width."""


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """An icon by name, hidden from screen readers."""
    sprite = reverse("registries:icons", args=[current_version()])
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', sprite, name)


@register.filter
def clip(text: str) -> SafeString:
    """A value in two parts: the first gives way, the second stays."""
    if len(text) <= SHORT:
        return conditional_escape(text)
    return format_html('<span class="head">{}</span>{}', text[:-TAIL], text[-TAIL:])


@register.filter
def cut(name: str) -> str:
    """A name cut in the middle if it is longer than LONG, for a cell whose tooltip has the whole: its end tells it from
    others."""
    return name if len(name) <= LONG else f"{name[:11]}…{name[-9:]}"


@register.filter
def dotted(host: str) -> SafeString:
    """A host that goes on in the next line after a dot, not inside a word. An IPv6 address goes on after a colon."""
    mark = ":" if host.count(":") > 1 and "." not in host else "."
    return format_html_join(SafeString(f"{mark}<wbr>"), "{}", ((part,) for part in host.split(mark)))


@register.filter
@stringfilter
def whole_roles(text: str) -> SafeString:
    """A text whose names of roles stay in one line, such as image-admin. The tags of a safe text stay tags."""
    return _whole(text, ROLE_NAME)


@register.filter
@stringfilter
def whole_options(command: str) -> SafeString:
    """A command that goes on in the next line between words, not at a hyphen of one such as --local or team-a, and in a
    URL after a slash."""
    return _whole(command, OPTION, _slashed_urls)


@register.filter
@stringfilter
def command_as_code(text: str) -> SafeString:
    """A sentence with its command as code, if it ends with one: "Get a new one: kubectl create token". No other part
    becomes a tag; the tags of a safe text stay tags."""
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", whole_options(it)) if nth % 2 else it,)
            for nth, it in enumerate(_parts(COMMAND, text))
        ),
    )


@register.filter
@stringfilter
def settings_as_code(text: str) -> SafeString:
    """A sentence whose settings are code, which goes on in the next line after an underscore, not inside a word."""
    parts = enumerate(_parts(SETTING, text))
    code = '<code class="setting">{}</code>'
    return format_html_join(
        "", "{}", ((format_html(code, _turning(UNDERSCORE, it)) if nth % 2 else it,) for nth, it in parts)
    )


@register.filter
@stringfilter
def whole_names(text: str) -> SafeString:
    """A text whose names of objects stay in one line."""
    return _whole(text, OBJECT_NAME)


@register.filter
@stringfilter
def whole_dates(text: str) -> SafeString:
    """A text whose dates stay in one line, such as 2026-11-28."""
    return _whole(text, DATE)


@register.filter
@stringfilter
def whole_hosts(text: str) -> SafeString:
    """A text of a program, in which hosts and other words with a hyphen stay in one line."""
    return _whole(text, HOST_NAME)


@register.filter
def listed(names: Iterable[str]) -> SafeString:
    """Names one after another. Each stays in one line."""
    return format_html_join(comma(), "{}", ((whole_names(it),) for it in names))


def _whole(
    text: str, pattern: re.Pattern[str], other: Callable[[str], str] = lambda part: part
) -> SafeString:
    """A text whose parts that match stay in one line. The pattern has one group. `other` is for what is between."""
    whole = '<span class="unbroken">{}</span>'
    return format_html_join(
        "",
        "{}",
        ((format_html(whole, it) if nth % 2 else other(it),) for nth, it in enumerate(_parts(pattern, text))),
    )


def _slashed_urls(text: str) -> SafeString:
    parts = enumerate(_parts(URL, text))
    return format_html_join("", "{}", ((_turning(SLASH, it) if nth % 2 else it,) for nth, it in parts))


def _turning(pattern: re.Pattern[str], text: str) -> SafeString:
    """A text that may go on in the next line where the pattern fits."""
    return format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in _parts(pattern, text)))


def _parts(pattern: re.Pattern[str], text: str) -> list[str]:
    """Parts of an escaped text are escaped."""
    return [SafeString(it) if isinstance(text, SafeString) else it for it in pattern.split(text)]


@register.filter
@stringfilter
def slashed(value: str) -> SafeString:
    """An address, image reference, Key or subject that goes on in the next line after a slash, an @ or a comma, or
    before a port or tag: not inside a word."""
    return _turning(TURN, value)


@register.simple_tag
def moment(at: datetime | None, text: str = "") -> SafeString:
    """A moment, absolute in the title: 2026-11-23 22:41:05 UTC+08:00. Shows `text`, or the absolute time. A date stays
    in one line."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(in_any_zone(at))
    offset = local.strftime("%z")
    absolute = f"{local:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:]}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), absolute, _whole(text or absolute, DATE)
    )


@register.simple_tag
def day(at: datetime) -> SafeString:
    """The day of a moment, absolute in the title."""
    return moment(at, f"{timezone.localtime(in_any_zone(at)):%Y-%m-%d}")


@register.simple_tag
def past(at: datetime) -> SafeString:
    """The age of a moment, absolute in the title."""
    return moment(at, times.ago(at, timezone.now()))


@register.simple_tag
def month(seen: Seen) -> SafeString:
    """The last 30 days of a registry as a drawing with a text: a low line for successes, a high one for failures."""
    parts = (("ok", seen.good), ("warn", seen.unproven), ("bad", seen.bad))
    paths = format_html_join(
        "", '<path class="bar-{}" d="{}"/>', ((kind, path) for kind, path in parts if path)
    )
    return format_html(
        '<svg class="month" role="img" viewBox="0 0 90 10" preserveAspectRatio="none" aria-label="{}">'
        "{}</svg>",
        seen.text,
        paths,
    )


@register.simple_tag
def heads(*names: str) -> SafeString:
    """The head of a table, one column per name."""
    cells = format_html_join("", '<th scope="col" role="columnheader">{}</th>', ((name,) for name in names))
    return format_html('<thead role="rowgroup"><tr role="row">{}</tr></thead>', cells)


register.simple_tag(sentences)
register.simple_tag(comma)


@register.simple_tag
def gap() -> str:
    """Between two sentences, and between a label with a colon and its value. Chinese punctuation needs no space."""
    return "" if is_chinese() else " "


@register.filter
def number(value: int) -> str:
    """A count: 12,345."""
    return f"{value:,}"
