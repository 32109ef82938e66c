"""The stylesheets: a browser takes a broken one without a word."""

import re
from pathlib import Path

import pytest

from tests.peers.command import ROOT

SHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
NOT_RULES = re.compile(r"/\*.*?\*/|\"[^\"]*\"", re.DOTALL)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda it: it.name)
def test_every_rule_is_closed_where_the_indent_says(sheet: Path) -> None:
    """A rule that is not closed takes the next ones into itself."""
    depth = 0
    for number, line in enumerate(NOT_RULES.sub("", sheet.read_text()).splitlines(), 1):
        indent = (len(line) - len(line.lstrip())) // 2
        closes = line.lstrip().startswith("}")
        if line.strip() and (closes or "{" in line):
            assert indent == depth - closes, f"{sheet.name}:{number}: {line}"
        depth += line.count("{") - line.count("}")
    assert depth == 0, sheet.name


def test_every_page_loads_every_stylesheet() -> None:
    loaded = re.findall(r'"css/([\w-]+\.css)"', (ROOT / "static" / "console.css").read_text())

    assert sorted(loaded) == [it.name for it in SHEETS]


BY_THEME = re.compile(r"([^{}]*\[data-bs-theme[^{}]*)\{([^{}]*)\}")
COLOURS = re.compile(r"\s*(color-scheme: \w+|--shadow[\w-]*: [^;]+|--[\w-]+: url\(\))\s*")


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda it: it.name)
def test_a_theme_changes_colours_and_pictures_only(sheet: Path) -> None:
    """A layout that was looked at in one theme is that of the other. `light-dark()` takes nothing but colours."""
    text = re.sub(r"url\(\"[^\"]*\"\)", "url()", sheet.read_text())
    for selector, declarations in BY_THEME.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)):
        if "theme-" in selector.replace("data-bs-theme", ""):
            continue  # the picture of the theme itself
        for one in filter(str.strip, declarations.split(";")):
            assert COLOURS.fullmatch(one), f"{sheet.name}: {selector} {one}"
