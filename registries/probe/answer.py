"""A server's response: reads it within limits and interprets its body."""

import html
import json
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Protocol

from .endpoint import Endpoint

_API_VERSION = "docker-distribution-api-version"
_CHUNK = 8192
_MOST_SHOWN = 65_536
_TAG = re.compile(r"<[^<>]*>")
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_DEFAULT_RETRY = 60
_LONGEST_RETRY = 86_400
_LONGEST_DATE = 64
_EARLIEST_EPOCH = 1_000_000_000


class Body(Protocol):
    """The part of urllib3's response that is used here."""

    def read(self, amt: int, decode_content: bool) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. `headers` holds (lower-case name, value) pairs as received, one per line. `body` is decompressed
    and cut at the limit; `complete` is False if there was more or decompression failed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    complete: bool
    at: Endpoint

    def lines(self, name: str) -> list[str]:
        """All values of a header, one per header line."""
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next(iter(self.lines(name)), None)

    @property
    def document(self) -> object | None:
        """The body as JSON. None if it is not JSON, or is `null`."""
        return _parsed(self.body) if self.complete else None

    @property
    def is_registry_like(self) -> bool:
        """Whether this is the 200 of a registry's /v2/: it has the version header, an empty body or JSON. A login
        page or a captive portal has none of them (connection-test.md, "Ping")."""
        if self.status != 200:
            return False
        versions = ",".join(self.lines(_API_VERSION)).lower()
        if any(version.strip().startswith("registry/2") for version in versions.split(",")):
            return True
        body = self.body.strip()
        return self.complete and (body in (b"", b"null") or self.document is not None)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")

    def summary(self, scrub: Callable[[str], str]) -> str:
        """Status code and message of the body, for a human reader.

        `scrub` gets the whole body before tags are removed, because removing tags could leave half a secret. A
        truncated body could also end in half a secret, and a long one takes long to search: neither is shown.
        """
        shown = self.complete and len(self.body) <= _MOST_SHOWN
        text = scrub(self.text) if shown else ""
        said = _message(_parsed(text)) or _visible(text)
        return f"HTTP {self.status}: {said}" if said else f"HTTP {self.status}"

    @property
    def retry_after(self) -> int:
        """Seconds to wait, 1 to 86400, from Retry-After (RFC 9110, 10.2.3: seconds or a date) or Docker Hub's
        X-Retry-After (a Unix time). 60 if neither can be read."""
        for name in ("retry-after", "x-retry-after"):
            seconds = _seconds((self.header(name) or "")[:_LONGEST_DATE])
            if seconds is not None:
                return min(max(seconds, 1), _LONGEST_RETRY)
        return _DEFAULT_RETRY


def read_body(source: Body, encoding: str, limit: int) -> tuple[bytes, bool]:
    """Reads at most `limit` bytes of a body, decompressed if `encoding` is gzip or deflate; the second value is
    False if there was more.

    Never holds more than `limit` bytes, before or after decompression, so a compression bomb ends as an incomplete
    body. Connection errors are not caught.
    """
    raw = bytearray()
    while len(raw) <= limit:
        chunk = source.read(min(_CHUNK, limit + 1 - len(raw)), decode_content=False)
        if not chunk:
            return _inflated(bytes(raw), encoding, limit)
        raw += chunk
    return _inflated(bytes(raw[:limit]), encoding, limit)[0], False


def _inflated(raw: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"} or not raw:
        return raw, True
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        return b"", False
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # with a gzip or zlib header; raw deflate
        inflater = zlib.decompressobj(window)
        try:
            body = inflater.decompress(raw, limit)
        except zlib.error:
            continue
        return body, inflater.eof and not inflater.unconsumed_tail
    return b"", False


def _parsed(text: str | bytes) -> object | None:
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed


def _seconds(text: str) -> int | None:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 12:
        number = int(text)
        return number - int(time.time()) if number > _EARLIEST_EPOCH else number
    try:
        return int(parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _message(document: object | None) -> str:
    """The message of an error document: the distribution specification's list of errors, OAuth's error_description,
    or the fields of Docker Hub and others."""
    if not isinstance(document, dict):
        return ""
    errors = document.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        document = errors[0]
    names = ("code", "error", "message", "error_description", "details", "detail")
    found = [value for name in names if isinstance(value := document.get(name), str) and value]
    return ": ".join(dict.fromkeys(found))


def _visible(text: str) -> str:
    """The visible text of an HTML page: its title, or else its text without tags."""
    title = _TITLE.search(text)
    return html.unescape(title[1] if title else _TAG.sub(" ", text)).strip()
