"""{% kept a b=c %} … {% endkept %}: a part of a page that is rendered once for each language and each set of values.

The part sees the named values and nothing else of the page. A forgotten name leaves a hole; it never shows one person
what another one may see. The values must be hashable. `{% csrf_token %}` works: every page gets a token of its own.
"""

from collections.abc import Hashable
from secrets import token_hex

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString  # noqa: TID251
from django.utils.translation import get_language

register = template.Library()

KEPT = 64
"""Renderings of one part. When they are that many, all are dropped."""
TOKEN = token_hex(16)
"""Stands for the CSRF token in what is kept."""


class KeptNode(Node):
    def __init__(self, nodelist: NodeList, values: dict[str, FilterExpression]) -> None:
        self.nodelist = nodelist
        self._values = tuple(values.items())
        self._kept: dict[Hashable, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        values = [expression.resolve(context) for _, expression in self._values]
        key = (get_language(), *values, *map(type, values))  # safe text is equal to the same text that is not
        kept = self._kept.get(key)
        if kept is None:
            names = (name for name, _ in self._values)
            seen = {**dict(zip(names, values, strict=True)), "csrf_token": TOKEN}
            kept = self.nodelist.render(context.new(seen))
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = kept
        if TOKEN in kept:
            return SafeString(kept.replace(TOKEN, str(context.get("csrf_token", ""))))  # letters and digits
        return kept


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    values = {}
    for bit in token.split_contents()[1:]:
        name, _, expression = bit.partition("=")
        values[name] = parser.compile_filter(expression or name)
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(nodelist, values)
