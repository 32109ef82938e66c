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
