"""The canary: a password that must never appear anywhere. The suite searches every response, log record and table
for it, in every form that a mistake could produce."""

import base64
import json
import logging
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from django.db import connection
from django.http import HttpRequest, HttpResponse

CANARY = "canary-7f3d密鸟"
TOKEN = "canary-7f3d-token"
"""The prefix of the tokens with which people log in to the console of a cluster."""
leaks: list[str] = []


def _forms() -> dict[str, str]:
    plain = CANARY.encode()
    forms = {
        "plain": CANARY,
        "ascii part": "canary-7f3d",
        "json": json.dumps(CANARY)[1:-1],
        "repr of bytes": repr(plain)[2:-1],
        "url": quote(CANARY),
        "form": quote_plus(CANARY),
        "base64": base64.b64encode(plain).decode(),
    }
    # In a longer text ("user:password") the base64 form depends on the position; only the middle is the same.
    for shift in range(3):
        forms[f"base64 +{shift}"] = base64.b64encode(b"x" * shift + plain).decode()[4:-4]
    return forms


FORMS = _forms()


def find(text: str) -> str | None:
    """The form of the canary that a text contains, if any."""
    return next((name for name, form in FORMS.items() if form in text), None)


def watch(text: str, where: str) -> None:
    form = find(text)
    if form:
        leaks.append(f"{where} ({form})")


class WatchMiddleware:
    """The outermost middleware: it sees the response that is really sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        where = f"answer of {request.method} {request.path}"
        if not response.streaming:
            watch(response.content.decode(errors="replace"), where)
        watch(str(response.headers), f"headers of {where}")
        watch(str(response.cookies), f"cookies of {where}")
        return response


class WatchHandler(logging.Handler):
    """Checks every log record at every level."""

    def emit(self, record: logging.LogRecord) -> None:
        formatted = logging.Formatter().format(record)
        watch(f"{formatted} {record.__dict__}", f"log of {record.name}")


def watch_database() -> None:
    """Checks every row of every table."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  a table name from the database
            for row in cursor.fetchall():
                watch(repr(row), f"table {table}")
