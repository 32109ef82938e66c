"""A server's response: reads it within limits and interprets its body."""

import json
import re
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Protocol

from .endpoint import Endpoint, EndpointError
from .scrubber import MASK

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_API_VERSION = "docker-distribution-api-version"
_CHUNK = 8192
_MOST_SHOWN = 65_536
_LONGEST_FIELD = 2_000
# The fields of an error document that are shown; everything else is left out.
_SHOWN_FIELDS = ("code", "error", "message", "error_description", "details", "detail")
# Media types that tell of a login page or a proxy instead of a registry.
_PAGES = frozenset({"text/html", "text/plain", "application/xhtml+xml", "text/xml", "application/xml"})
# A JSON Web Token, or another long word with letters and digits: it may be a token.
_OPAQUE = re.compile(
    r"eyJ[\w-]{5,}(?:\.[\w-]*)*|(?<![\w.~+/=-])(?=[^\s\d]*\d)(?=[^\sA-Za-z]*[A-Za-z])[\w.~+/=-]{40,}"
    r"|(?<![\w~+-])(?=[^\s\d.:/]*\d)(?=[^\sA-Za-z.:/]*[A-Za-z])[\w~+=-]{20,}"  # no part of a host or a path
)
_ERROR_CODE = re.compile(r"[A-Z_]{1,64}")
_DEFAULT_RETRY = 60
_LONGEST_RETRY = 86_400
_LONGEST_DATE = 64
_EARLIEST_EPOCH = 1_000_000_000


class Body(Protocol):
    """The part of a response that is used here."""

    def read(self, amt: int, /) -> bytes: ...


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
        return parsed_json(self.body) if self.complete else None

    @property
    def is_registry_like(self) -> bool:
        """Whether this is the 200 of a registry's /v2/: it has the version header, an empty body or an
        empty object. A login page, a captive portal or an API with `{"code": 404}` has none of them
        (connection-test.md, "Ping")."""
        if self.status != 200:
            return False
        body = self.body.strip()
        return self.has_version or (self.complete and (body in (b"", b"null") or self.document == {}))

    @property
    def has_version(self) -> bool:
        """Whether it names version 2 of the API in its header. Not every registry does."""
        versions = ",".join(self.lines(_API_VERSION)).lower()
        return any(version.strip().startswith("registry/2") for version in versions.split(","))

    @property
    def error_codes(self) -> list[str]:
        """The codes of an error document of a registry: `errors`, each with a `code` in capitals."""
        errors = self.document.get("errors") if isinstance(self.document, dict) else None
        codes = [it.get("code") for it in errors if isinstance(it, dict)] if isinstance(errors, list) else []
        return [code for code in codes if isinstance(code, str) and _ERROR_CODE.fullmatch(code)]

    @property
    def redirect(self) -> Endpoint | None:
        """The target of a redirect; None for another answer, or a target that cannot be used."""
        location = self.header("location")
        if self.status not in REDIRECTS or location is None:
            return None
        with suppress(EndpointError):
            return self.at.resolve(location)
        return None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")

    def summary(self, scrub: Callable[[str], str]) -> str:
        """The status and what may be shown of the body, for a human reader.

        Only recognised fields of an error document are shown, each cleaned by `scrub`. A success has no error to
        show, and a document with a token could show the token: both have the status alone. So have a truncated
        body, which could end in half a secret, and a long one, which takes long to search.
        """
        shown = self.complete and len(self.body) <= _MOST_SHOWN and not 200 <= self.status < 300
        said = _message(self.document, scrub) if shown else ""
        kind = (self.header("content-type") or "").partition(";")[0].strip().lower()
        if said:
            return f"HTTP {self.status}: {said}"
        return f"HTTP {self.status} ({kind})" if kind in _PAGES else f"HTTP {self.status}"

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
        chunk = source.read(min(_CHUNK, limit + 1 - len(raw)))
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


def parsed_json(text: str | bytes) -> object | None:
    """JSON as Go reads it, in which runtimes are written. Python alone takes a byte order mark, UTF-16 and NaN."""
    try:
        as_text = text if isinstance(text, str) else text.decode(errors="replace")
        parsed: object = json.loads(as_text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return parsed


def _refused(constant: str) -> object:
    raise ValueError(constant)


def _seconds(text: str) -> int | None:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 12:
        number = int(text)
        return number - int(time.time()) if number > _EARLIEST_EPOCH else number
    try:
        return int(parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _message(document: object | None, scrub: Callable[[str], str]) -> str:
    """The message of an error document: the distribution specification's list of errors, OAuth's error_description,
    or the fields of Docker Hub and others. '' if the document has a token anywhere."""
    if not isinstance(document, dict) or _has_token(document):
        return ""
    errors = document.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        document = errors[0]
    found = [value for name in _SHOWN_FIELDS if isinstance(value := document.get(name), str) and value]
    cleaned = [_OPAQUE.sub(MASK, scrub(value)) for value in found if len(value) <= _LONGEST_FIELD]
    return ": ".join(dict.fromkeys(value for value in cleaned if value))


def _has_token(document: object) -> bool:
    """Whether a field anywhere in a document is named as a token (`id_token`, `refreshToken`)."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if any("token" in name.casefold() and value[name] for name in value):
                return True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return False
