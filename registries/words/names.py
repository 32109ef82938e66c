"""Names in sentences: of Secrets, pods, nodes, namespaces, hosts and fields."""

import re
from collections.abc import Iterator, Mapping

from django.utils.html import format_html, format_html_join

from registries.words.language import Text, comma, is_chinese, sentences

_PLACE = re.compile(r"%\((\w+)\)s|`([^`]+)`")
MORE = "…"
"""Stands in a list for the names that are left out."""
WHOLE = 32
"""Names of at most so many characters stay in one line."""


def named(names: Mapping[str, object], /, *texts: Text, **values: object) -> str:
    """Sentences for a page, one after another: each name or list of names, and each word of a text in backticks, is a
    <code>. Texts, names and values are escaped; a value that is safe already stays as it is."""
    marked = {key: _marked(it) for key, it in names.items()} | values
    filled = ((format_html_join("", "{}", _parts(str(it), marked)),) for it in texts if it)
    return format_html_join("" if is_chinese() else " ", "{}", filled)


def plain(names: Mapping[str, object], /, *texts: Text, **values: object) -> str:
    """The same sentences as plain text."""
    joined = {key: comma().join(map(str, _listed(it))) for key, it in names.items()} | values
    return sentences(*(str(it).replace("`", "") % joined for it in texts if it))


def _parts(text: str, values: Mapping[str, object]) -> Iterator[tuple[object]]:
    place = 0
    for found in _PLACE.finditer(text):
        yield (text[place : found.start()],)
        yield (values[found[1]] if found[1] else _marked(found[2]),)
        place = found.end()
    yield (text[place:],)


def _marked(name: object) -> object:
    if isinstance(name, list | tuple):
        return format_html_join(comma(), "{}", ((_marked(it),) for it in name))
    if name == MORE or hasattr(name, "__html__"):
        return name
    return format_html(
        '<code class="unbroken">{}</code>' if len(str(name)) <= WHOLE else "<code>{}</code>", name
    )


def _listed(name: object) -> list[object] | tuple[object, ...]:
    return name if isinstance(name, list | tuple) else (name,)
