"""Files to download, streamed part by part. Each person gets a fair share of the work that they take."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.http import StreamingHttpResponse

from registries.domain.access import Access
from registries.domain.errors import TooManyRequests
from registries.wiring import services

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
