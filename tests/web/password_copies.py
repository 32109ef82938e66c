"""Five registries, some with one password, and the dialog that changes it."""

import re

import pytest

from registries.domain.registry import RegistrySecret
from tests.cast import Cast, Probing
from tests.web.password_pages import stored


def run_of(html: str) -> str:
    """The address of the run that a dialog shows."""
    found = re.search(r'(/registries/-/rotations/[^/"]+/)', html)
    assert found
    return found[1]


def lines(html: str) -> dict[str, str]:
    """The text beside each registry."""
    lines = r'<span class="mono">([^<]+)</span>\s*<span class="[^"]*">([^<]*)</span>'
    return dict(re.findall(lines, html.replace("<wbr>", "")))


def passwords(five: dict[str, RegistrySecret]) -> dict[str, str]:
    return {name: stored(it.name, it.namespace) for name, it in five.items()}


@pytest.fixture
def five(cast: Cast, probing: Probing) -> dict[str, RegistrySecret]:
    """One with copies: the same password, another one, another user name, and in another namespace."""
    values = {**probing("harbor"), "password": "old-password"}
    return {
        "first": cast.add(**values),
        "same": cast.add("same", **values),
        "differs": cast.add("differs", **{**values, "password": "third-password"}),
        "user": cast.add("user", **{**values, "username": "somebody"}),
        "far": cast.add("far", "team-b", **values),
    }
