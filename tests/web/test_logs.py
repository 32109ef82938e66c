"""Log lines: nobody makes one by a name or an error of his own."""

import logging
import sys
from types import TracebackType

import pytest

from console.logs import LineFormatter

FORGED = "2026-11-28 10:00:00,000 INFO registries.runs [-] olive deleted everything"
ENDS = [
    "\n",
    "\r\n",
    "\r",
    "\x0b",
    "\x0c",
    "\x1b[2K\x1b[1A",
    "\x85",
    "\u2028",
    "\u2029",
    "\x00",
    "\u202e",
    "\ud800",
]
Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def lines(message: str, *values: object, error: Raised | None = None) -> list[str]:
    record = logging.LogRecord("registries", logging.ERROR, __file__, 1, message, values, error)
    return LineFormatter("{levelname} {message}", style="{").format(record).split("\n")


@pytest.mark.parametrize("end", ENDS)
def test_a_value_ends_no_line(end: str) -> None:
    [line] = lines("goes on with the runs of %s", f"vic{end}{FORGED}")

    assert line.startswith("ERROR goes on with the runs of vic\\")
    assert line.isprintable()


@pytest.mark.parametrize("end", ENDS)
def test_an_error_begins_no_entry(end: str) -> None:
    try:
        raise ValueError(f"no such name: vic{end}{FORGED}")
    except ValueError:
        first, *traceback = lines("an item failed", error=sys.exc_info())  # type: ignore[arg-type]

    assert first == "ERROR an item failed"
    assert traceback[0] == "  Traceback (most recent call last):"
    assert all(it.startswith("  ") and it.isprintable() for it in traceback)


def test_words_of_any_language_are_written_as_they_are() -> None:
    assert lines("%s · %s", "镜像源 团队", "Łódź é 🎉") == ["ERROR 镜像源 团队 · Łódź é 🎉"]
