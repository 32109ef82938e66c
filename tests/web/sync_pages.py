"""The panel and the dialogs of sync, as tests use them."""

import re

from django.test import Client

from tests.cast import Cast

URL = "/registries/team-a/harbor-prod/sync/"


def htmx(cast: Cast, person: str = "olive") -> Client:
    return cast.client(person, hx_request="true")


def panel(cast: Cast, person: str = "olive", url: str = URL) -> str:
    return re.sub(r"\s+", " ", htmx(cast, person).get(url).content.decode())


def values(shown: str) -> dict[str, list[str]]:
    """The hidden values of a preview."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([a-z]+)" value="([^"]*)"', shown):
        found.setdefault(name, []).append(value)
    return found
