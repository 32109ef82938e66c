"""The body of a request, without a text of it in an error."""

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.core.exceptions import BadRequest
from gunicorn.http.errors import NoMoreData, ParseException


def without_text(application: WSGIApplication) -> WSGIApplication:
    """Wraps the application. Reading a broken body raises BadRequest, not an error that quotes the body."""

    def guarded(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"])
        return application(environ, start)

    return guarded


class _Body:
    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, *size: int) -> bytes:
        return self._ask(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._ask(self._body.readline, *size)

    def _ask(self, method: Callable[..., bytes], *size: int) -> bytes:
        try:
            return method(*size)
        except (ParseException, NoMoreData, BlockingIOError):
            raise BadRequest("The body of the request cannot be read.") from None
