"""The audit log as a CSV file for spreadsheets, streamed part by part. Each person gets a fair share of the work."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import StringIO

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from registries.audit import search
from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import TooManyRequests
from registries.log_in.access import ConsoleRequest
from registries.models import AuditEntry
from registries.web.journal.journal_filter import JournalFilter
from registries.wiring import services
from registries.words.journal import line

MOST_ROWS = 50_000
AT_ONCE = 500
FORMULA = "=+@−⁺⁻⁼₊₋₌⩵⩶﬩﹢﹣﹦﹫＋－＝＠-"
"""A spreadsheet takes a cell that begins with one of these for a formula; some also in another width or place."""
_UNSEEN = (
    r"[\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]*"
)
"""A program may drop these in front of it."""
_CELL = re.compile(rf"(^|[;\t\r\n])(?={_UNSEEN}[{FORMULA}]|^[\t\r\n])")
BOM = "\ufeff"
"""Excel reads a file as UTF-8 only with this mark."""


@require_GET
def journal_export(request: ConsoleRequest) -> HttpResponseBase:
    """The entries that match the filter, newest first. A filter that cannot be read leads back to the page.
    TooManyRequests."""
    form = JournalFilter.of(request)
    if not form.is_valid():
        return redirect(form.url())
    access, criteria = request.access, form.criteria()
    place = criteria.namespace if access.may(Permission.SEE, criteria.namespace) else ""
    with ExitStack() as held:
        held.enter_context(share(access))
        ids = search.newest_ids(access, criteria, MOST_ROWS + 1)
        number = str(min(len(ids), MOST_ROWS))
        services().audit.record(access, Action.EXPORT, namespace=place, note=number)
        parts = _file(access, ids, translation.get_language())
        return csv_file(f"audit-log-{timezone.localdate():%Y-%m-%d}.csv", parts, held.pop_all())


def _file(access: Access, ids: Sequence[int], language: str | None) -> Iterator[str]:
    """The file in parts. Each has what the person may see when it is made: a slow client takes minutes. The language is
    set for each part, since other requests run between two of them. Unavailable."""
    with translation.override(language):
        start = BOM + _csv([_head()])
        end = _csv(
            [
                [
                    _("Only the newest %(n)s entries are included. Filter to export others.")
                    % {"n": f"{MOST_ROWS:,}"}
                ]
            ]
        )
    yield start
    for first in range(0, min(len(ids), MOST_ROWS), AT_ONCE):
        some, now = ids[first : min(first + AT_ONCE, MOST_ROWS)], services().people.access_now(access)
        with translation.override(language):
            part = _csv([_row(it) for it in search.by_id(now, some)])
        yield part
    if len(ids) > MOST_ROWS:
        yield end


def _head() -> list[str]:
    return [
        *(_("Time"), _("Person"), _("Action"), _("Namespace"), _("Name"), _("Change"), _("Outcome")),
        *(_("Reason"), _("Times"), _("Last time"), _("From"), _("Run")),
    ]


def _row(entry: AuditEntry) -> list[str]:
    words = line(entry)
    last = timezone.localtime(entry.last_at).isoformat(" ", "seconds") if entry.last_at else ""
    return [
        timezone.localtime(entry.at).isoformat(" ", "seconds"),
        *(entry.person, words.action, entry.namespace, entry.name or words.account),
        *(words.about, words.outcome, words.detail),
        *(str(entry.count), last, entry.source, str(entry.run or "")),
    ]


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: str) -> str:
    """The value as text, never as a formula. An apostrophe is the mark of a text in a spreadsheet. Where the decimal
    sign is a comma, Excel begins a cell after each semicolon, and a row after each line end."""
    return _CELL.sub(r"\1'", value)


BUSY = 5
"""Seconds until somebody without a seat tries again."""


@contextmanager
def share(access: Access) -> Iterator[None]:
    """Holds one of the few seats of this process for a file. TooManyRequests without a free seat, for a second file of
    this person at the same time, and for too many files a minute."""
    seats = services().export_seats
    if not seats.take(access.owner):
        raise TooManyRequests(retry_after=BUSY)
    try:
        if wait := services().export_rates.wait(f"export {access.owner}"):
            raise TooManyRequests(retry_after=wait)
        yield
    finally:
        seats.give_back(access.owner)


def csv_file(name: str, parts: Iterator[str], held: ExitStack) -> StreamingHttpResponse:
    """The response. `held` is closed when the file has ended, or when its client has gone."""
    response = StreamingHttpResponse(_Held(parts, held), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class _Held:
    """The parts. The server calls `close` in each case."""

    def __init__(self, parts: Iterator[str], held: ExitStack) -> None:
        self._parts = parts
        self._held = held

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return next(self._parts)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._held.close()
