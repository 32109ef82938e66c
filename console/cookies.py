r"""Reads the cookies of a request in linear time.

`http.cookies` of Python before 3.11.10 and 3.12.6 takes time by the square of the backslashes of a quoted value
(CVE-2024-7592): a header of 16 KiB costs half a second, three cost five, without a log-in.
"""

import re
from collections.abc import Callable, Iterator
from typing import cast

from django.http import HttpRequest, HttpResponse

MOST = 16 * 1024
"""Characters of all cookies. A request with more has none: browsers send less, and one of the console has 100."""
_ESCAPE = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))")


class CookieMiddleware:
    """Sets `request.COOKIES`, which Django else computes on first use. Comes before all that read a cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.COOKIES = dict(_parse(cast(str, request.META.get("HTTP_COOKIE", ""))))
        return self.get_response(request)


def _parse(header: str) -> Iterator[tuple[str, str]]:
    """The names and values, as django.http.cookie.parse_cookie reads them."""
    if len(header) > MOST:
        return
    for piece in header.split(";"):
        name, _, value = piece.partition("=") if "=" in piece else ("", "", piece)
        if name.strip() or value.strip():
            yield name.strip(), _unquoted(value.strip())


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return _ESCAPE.sub(lambda it: chr(int(it[1], 8)) if it[1] else it[2], value[1:-1])
