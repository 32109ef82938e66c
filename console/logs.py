"""What log lines leave out, and how values that others chose are written into them."""

import logging
from typing import Any

INDENT = "  "


class LineFormatter(logging.Formatter):
    """One line for each entry. A control character, an end of a line or a mark of direction in a value is written as
    an escape, and the lines of a traceback are indented: nobody makes an entry by a name of his own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  its name in the library
        return _plain(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(INDENT + _plain(line) for line in super().formatException(ei).split("\n"))


class ClientErrorFilter(logging.Filter):
    """No traceback for a request that is wrong itself: it is as long as forty lines, costs a client nothing, and its
    last line may quote what was sent. The line with status, path and id stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        if 400 <= getattr(record, "status_code", 0) < 500:
            record.exc_info = record.exc_text = None
        return True


def _plain(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(it if it.isprintable() else it.encode("unicode_escape").decode() for it in text)
