"""`?watch=true`: a stream of changes, one JSON object a line, as in Kubernetes.

A watch keeps a thread, so the number and the duration of watches are limited. A client continues from the last
version. A watch also ends when the caller's access changes, and when the client closes the connection.
"""

import json
import select
import time
from collections.abc import Callable, Iterator

from django.http import HttpRequest, StreamingHttpResponse

from registries.api import bodies
from registries.api.callers import Caller, access_now
from registries.api.status import JSON, bad_request, failure
from registries.domain.access import Access
from registries.domain.errors import NotFound, TooManyRequests, Unavailable
from registries.domain.query import Criteria, Listing
from registries.domain.resource import API_VERSION, KIND
from registries.index.watch_log import News, is_version
from registries.wiring import services

DEFAULT_SECONDS = 300
MOST_SECONDS = 1800
LOOK = 0.5
"""Seconds between two reads of the store."""
RIGHTS = 5.0
"""Seconds between two checks of the caller's access."""
BOOKMARK = 30.0
ALL = 10**9
AGAIN = 5
_CLOSED = getattr(select, "POLLRDHUP", select.POLLHUP)
"""The poll event of a client that closed its side. POLLRDHUP exists only on Linux."""


def watch(caller: Caller, request: HttpRequest, criteria: Criteria) -> StreamingHttpResponse:
    """Streams changes after `resourceVersion`. Without one, or with 0, existing registries come first as ADDED."""
    service = services()
    seconds = bodies.number(request, "timeoutSeconds", 0, least=0) or DEFAULT_SECONDS
    bookmarks = bodies.flag(request, "allowWatchBookmarks")
    since = request.GET.get("resourceVersion", "")
    if since and not is_version(since):
        raise bad_request("resourceVersion must be one that a list, a resource or a watch has told")
    if criteria.namespace and not service.index.namespace_exists(
        access=caller.access, name=criteria.namespace
    ):
        raise NotFound(criteria.namespace)
    if not services().api_watches.take(caller.key):
        raise TooManyRequests(retry_after=AGAIN)
    follower = Follower(
        caller.access, lambda: access_now(caller), criteria, min(seconds, MOST_SECONDS), bookmarks
    )
    lines = Held(follower.lines(since, lambda: has_gone(request)), caller.key)
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


class Held:
    """Lines that hold a seat until they end, or until the server closes them because the client has gone."""

    def __init__(self, lines: Iterator[bytes], caller: str) -> None:
        self._lines = lines
        self._caller = caller
        self._held = True

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
            services().api_watches.give_back(self._caller)


class Follower:
    def __init__(
        self,
        access: Access,
        access_now: Callable[[], Access | None],
        criteria: Criteria,
        seconds: int,
        bookmarks: bool,
    ) -> None:
        self._access = access
        self._access_now = access_now
        self._criteria = criteria
        self._seconds = seconds
        self._bookmarks = bookmarks

    def lines(self, since: str, has_gone: Callable[[], bool]) -> Iterator[bytes]:
        begun = looked = marked = time.monotonic()
        yield b""  # gunicorn sends the headers with the first chunk
        service = services()
        place: int | None
        if since in ("", "0"):
            listing = self._everything()
            place, since = listing.place, listing.version
            yield from (_line("ADDED", document) for document in listing.items)
        else:
            place = service.index.place_of(version=since)
        while (now := time.monotonic()) - begun < self._seconds and not has_gone():
            if now - looked > RIGHTS:
                looked = now
                if self._access_now() != self._access:
                    return
            news = self._news(place)
            if news is None:
                gone = failure(410, f"too old resource version: {since}", reason="Expired")
                yield _line("ERROR", gone.content)
                return
            # The client's version may come from a replica that is ahead.
            place, since = news.place, max(since, news.version, key=int)
            # One chunk: a client receives all of these changes or none.
            if news.changes:
                yield b"".join(_line(it.type.value, it.document) for it in news.changes)
            if self._bookmarks and now - marked > BOOKMARK:
                marked = now
                yield _bookmark(since)
            time.sleep(LOOK)
        if self._bookmarks:
            yield _bookmark(since)

    def _news(self, place: int | None) -> News | None:
        if place is None:
            return None
        of = self._criteria
        return services().index.changes(
            access=self._access, namespace=of.namespace, after=place, selector=of.selector
        )

    def _everything(self) -> Listing:
        return services().index.listing(access=self._access, criteria=self._criteria, first=0, count=ALL)


def _line(kind: str, document: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), document)


def _bookmark(version: str) -> bytes:
    resource = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"resourceVersion": version}}
    return _line("BOOKMARK", json.dumps(resource).encode())
