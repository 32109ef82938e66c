"""`?watch=true`: a stream of changes, one JSON object a line, as in Kubernetes.

A watch keeps a thread, so the number and the duration of watches are limited. A client continues from the last
version. A client that reads too slowly falls out of the log of changes and gets a 410. A watch also ends when the
caller's access changes, when the client closes the connection, and when the client's machine no longer answers.
"""

import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.http import HttpRequest, StreamingHttpResponse

from registries.api import bodies
from registries.api.endpoint import Caller, access_now
from registries.api.status import JSON, bad_request, failure
from registries.domain.access import Access
from registries.domain.errors import TooManyRequests, Unavailable
from registries.domain.query import Criteria, Listing
from registries.domain.resource import API_VERSION, KIND, number_of
from registries.index.search import Index
from registries.index.watch_log import News
from registries.wiring import services

DEFAULT_SECONDS = 300
MOST_SECONDS = 1800
LOOK = 0.5
"""Seconds between two looks whether the client is still there. A change comes at once."""
RIGHTS = 2.0
"""Seconds between two checks of the caller's access."""
BOOKMARK = 30.0
ALL = 10**9
AGAIN = 5
SILENT = 10.0
"""Seconds after which the kernel drops a client that confirms nothing, neither data nor a keep-alive."""
_CLOSED = getattr(select, "POLLRDHUP", select.POLLHUP)
"""The poll event of a client that closed its side. POLLRDHUP exists only on Linux."""


def watch(caller: Caller, request: HttpRequest, criteria: Criteria) -> StreamingHttpResponse:
    """Streams changes after `resourceVersion`. Without one, or with 0, existing registries come first as ADDED."""
    service = services()
    seconds = bodies.number(request, "timeoutSeconds", 0, least=0) or DEFAULT_SECONDS
    bookmarks = bodies.flag(request, "allowWatchBookmarks")
    since = request.GET.get("resourceVersion", "")
    if since and number_of(since) is None:
        raise bad_request("resourceVersion must be one that a list, a resource or a watch has told")
    service.index.require_namespace(caller.access, criteria.namespace)
    person = caller.access.owner
    if not service.api_watches.take(person):
        raise TooManyRequests(retry_after=AGAIN)
    follower = Follower(
        service.index,
        caller.access,
        lambda: access_now(caller),
        criteria,
        min(seconds, MOST_SECONDS),
        bookmarks,
    )
    drop_when_silent(request.META.get("gunicorn.socket"))
    lines = Held(follower.lines(since, lambda: has_gone(request)), person)
    response = StreamingHttpResponse(lines, content_type=JSON)
    response.headers["Content-Encoding"] = "identity"  # compression would delay lines
    return response


def has_gone(request: HttpRequest) -> bool:
    """Whether the client closed its connection. Polls the socket without reading from it."""
    connection = request.META.get("gunicorn.socket")
    if connection is None:
        return False
    try:
        poll = select.poll()
        poll.register(connection, _CLOSED)
        return bool(poll.poll(0))
    except (OSError, ValueError):  # closed on this side
        return True


def drop_when_silent(connection: socket.socket | None) -> None:
    """Ends a connection whose other end is unreachable or takes nothing, even while there is nothing to write."""
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    values = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": int(SILENT * 1000)}
    for name, value in values.items():
        if option := getattr(socket, name, None):  # not every system has all of them
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


@dataclass(eq=False)
class Held:
    """Lines that hold a seat until they end, or until the server closes them because the client has gone."""

    _lines: Iterator[bytes]
    _person: str
    _held: bool = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._lines)
        except Unavailable:
            # The store is away. The headers are sent, so the stream ends; the client's next request gets the error.
            self.close()
            raise StopIteration from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._held:
            self._held = False
            services().api_watches.give_back(self._person)


@dataclass(eq=False)
class Follower:
    _index: Index
    _access: Access
    _access_now: Callable[[], Access | None]
    _criteria: Criteria
    _seconds: int
    _bookmarks: bool
    _begun: float = 0.0
    _looked: float = 0.0
    _ended: bool = False

    def lines(self, since: str, has_gone: Callable[[], bool]) -> Iterator[bytes]:
        self._begun = self._looked = marked = time.monotonic()
        yield b""  # gunicorn sends the headers with the first chunk
        index, seen = self._index, 0
        place: int | None
        if since in ("", "0"):
            listing = self._everything()
            place, since = listing.place, listing.version
            for document in listing.items:
                if self._is_over(has_gone):
                    return
                yield _line("ADDED", document)
        else:
            place, seen = index.place_of(version=since) or (None, 0)
        while not self._is_over(has_gone):
            news = self._news(place)
            if news is None:
                gone = failure(410, f"too old resource version: {since}", reason="Expired")
                yield _line("ERROR", gone.content)
                return
            place, since = news.place, max(since, news.version, key=int)
            lines = [_line(it.type.value, it.document) for it in news.changes if it.version > seen]
            if lines:
                yield b"".join(lines)
            if self._bookmarks and (now := time.monotonic()) - marked > BOOKMARK:
                marked = now
                yield _bookmark(since)
            index.wait(place, LOOK)
        if self._bookmarks and not self._ended:
            yield _bookmark(since)

    def _is_over(self, has_gone: Callable[[], bool]) -> bool:
        """Whether the time is up, the client has gone, or the caller's access has changed."""
        now = time.monotonic()
        if now - self._looked > RIGHTS:
            self._looked = now
            self._ended = self._access_now() != self._access
        return self._ended or now - self._begun >= self._seconds or has_gone()

    def _news(self, place: int | None) -> News | None:
        if place is None:
            return None
        of = self._criteria
        return self._index.changes(
            access=self._access, namespace=of.namespace, after=place, selector=of.selector
        )

    def _everything(self) -> Listing:
        return self._index.listing(access=self._access, criteria=self._criteria, first=0, count=ALL)


def _line(kind: str, document: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), document)


def _bookmark(version: str) -> bytes:
    resource = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"resourceVersion": version}}
    return _line("BOOKMARK", json.dumps(resource).encode())
