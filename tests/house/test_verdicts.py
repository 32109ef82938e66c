"""docs/verdicts.md has one row for each reason code, and no row for anything else."""

import re
from pathlib import Path

import pytest

from registries.probe import Reason
from registries.probe.reason import ImageReason

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/verdicts.md", "docs/verdicts.zh-CN.md")
COLUMNS = 6
"""Code, what the registry did, Docker, containerd, CRI-O, what to do."""


def rows_of(page: str) -> list[list[str]]:
    """The cells of every row below a table's head."""
    lines = re.findall(r"^\| (.*) \|$", (ROOT / page).read_text(), re.MULTILINE)
    return [cells for line in lines if (cells := line.split(" | "))[0].startswith("`")]


@pytest.mark.parametrize("page", PAGES)
def test_every_reason_has_one_row_and_no_row_is_unknown(page: str) -> None:
    assert sorted(row[0] for row in rows_of(page)) == sorted(f"`{it}`" for it in (*Reason, *ImageReason))


@pytest.mark.parametrize("page", PAGES)
def test_no_cell_is_empty(page: str) -> None:
    for row in rows_of(page):
        assert len(row) == COLUMNS, row[0]
        assert all(cell.strip() for cell in row), row[0]


def test_both_languages_quote_the_same_texts() -> None:
    english, chinese = (
        {row[0]: re.findall(r"`([^`]+)`", "|".join(row)) for row in rows_of(it)} for it in PAGES
    )
    assert english == chinese
