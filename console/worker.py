"""The worker of gunicorn. It answers and logs an invalid request without any text of the request.

The errors of gunicorn quote what they could not read: a header, a token, a part of the body.
"""

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.core.exceptions import BadRequest
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.util import write_error
from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Logs one line and answers 400 for an unreadable request. Leaves other errors to gunicorn."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Invalid request from %s: %s", (addr or ("",))[0], type(exc).__name__)
        try:
            write_error(client, 400, "Bad Request", "")
        except OSError:
            self.log.debug("The answer to an invalid request was not sent.")


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
        except (ParseException, NoMoreData):
            raise BadRequest("The body of the request cannot be read.") from None
