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


COLOUR = re.compile(r"(--[\w-]+): light-dark\((#\w{6}|rgb\([^)]*\)), (#\w{6}|rgb\([^)]*\))\)")
POINTED_AT = re.compile(r"tbody tr:[^{]*:?hover[^{]*td \{ background(?:-image)?: [^;]*var\((--[\w-]+)\)")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_row_under_the_pointer_can_be_told_from_the_others(theme: str) -> None:
    """So can the pills in it, whose ground is the quietest one."""
    text = "".join(it.read_text() for it in SHEETS)
    pairs = {name: (light, dark) for name, light, dark in COLOUR.findall(text)}
    token = POINTED_AT.search(text)
    assert token

    surface, over, pill = (_rgba(pairs[it][theme == "dark"]) for it in ("--surface", token[1], "--idle-weak"))
    row = tuple(
        over[3] * part + (1 - over[3]) * below for part, below in zip(over[:3], surface[:3], strict=True)
    )

    assert _contrast(row, surface) >= 1.09
    assert _contrast(row, pill) >= 1.09


def _rgba(colour: str) -> tuple[float, ...]:
    """Red, green, blue (0 to 255), and the opacity (0 to 1)."""
    if colour.startswith("#"):
        return (*bytes.fromhex(colour[1:]), 1.0)
    *parts, opacity = re.findall(r"\d+", colour)
    return (*map(float, parts), int(opacity) / 100)


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """As WCAG 2 defines it."""
    lightness = sorted(_luminance(it) for it in (one, other))
    return (lightness[1] + 0.05) / (lightness[0] + 0.05)


def _luminance(colour: tuple[float, ...]) -> float:
    shares = (it / 255 for it in colour[:3])
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
