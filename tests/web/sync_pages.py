"""The panel and the dialogs of sync, as tests use them."""

import re

from tests.cast import Cast

URL = "/registries/team-a/harbor-prod/sync/"


def panel(cast: Cast, person: str = "olive", url: str = URL) -> str:
    return re.sub(r"\s+", " ", cast.htmx(person).get(url).content.decode())


def values(shown: str) -> dict[str, list[str]]:
    """The hidden values of a preview."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([a-z]+)" value="([^"]*)"', shown):
        found.setdefault(name, []).append(value)
    return found


def as_code(*names: str) -> str:
    return "、".join(f'<code class="unbroken">{it}</code>' for it in names)
