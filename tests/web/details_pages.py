"""The page of one registry, as tests use it."""

import html
import re

from tests.cast import Cast

PATH = "/registries/team-a/harbor-prod/"

HTMX = {"HX-Request": "true"}


def shown(cast: Cast, person: str = "vic") -> str:
    return cast.client(person).get(PATH).content.decode()


def plain(page: str) -> str:
    """The HTML of a page without the marks of where its lines may break."""
    return html.unescape(re.sub(r'<wbr>|<span class="unbroken">([^<]*)</span>', r"\1", page))
