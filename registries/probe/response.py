"""The head of a response and the length of its body. Connections of http.client and of urllib3 take longer for it than
all else that a probe does."""

import email.parser
import http.client
import io
import re
from collections.abc import Sequence
from typing import cast

_FIELD = re.compile(r"([!-9;-~]+):[ \t]*([^\r\n]*)\r?\n")
_FOLD = re.compile(r"(?:(?<![ \t])[ \t]+)?\r\n[ \t]+")


class InvalidHeader(http.client.HTTPException):
    """A response with several lengths."""


class _Fields(list[tuple[str, str]]):
    """The header lines of a response: lower-case name and value, in the order received."""

    def get(self, name: str) -> str | None:
        """The first value."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self if key == name]


class Response(http.client.HTTPResponse):
    """http.client's response, with faster reading of its head, and an error for a body that ends early."""

    fields: _Fields
    _missing: int | None
    _method: str

    def begin(self) -> None:
        """Reads the head. Skips interim responses (RFC 9110, 15.2): http.client only skips 100 and would take 103 Early
        Hints for the final response."""
        while True:
            version, status, self.reason = self._read_status()  # type: ignore[attr-defined]
            if status == 101 or status >= 200:
                break
            _lines(self.fp)
        if not version.startswith("HTTP/1.") and version != "HTTP/0.9":
            raise http.client.UnknownProtocol(version)
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.code = self.status = status
        self.fields = _fields(_lines(self.fp))
        self.headers = self.msg = cast(http.client.HTTPMessage, self.fields)  # _check_close() reads it
        codings = [value.lower() for value in self.fields.all("transfer-encoding")]
        self.chunked = codings[:1] == ["chunked"]
        self.chunk_left = None
        self._set_length(framed="chunked" in map(str.strip, ",".join(codings).split(",")))
        self.will_close = self._check_close() or not (self.chunked or self.length is not None)  # type: ignore[attr-defined]

    def _set_length(self, *, framed: bool) -> None:
        """Sets how many bytes are read, and how many the server has to send: any number, if the body is `framed`."""
        declared = self.fields.all("content-length")
        lengths = {_number(part) for value in declared for part in value.split(",")}
        if len(lengths) > 1 and None not in lengths and not framed:
            raise InvalidHeader
        self.length = _natural(_number(declared[0])) if declared and not self.chunked else None
        self._missing = _natural(lengths.pop()) if len(lengths) == 1 and not framed else None
        if self.status in (204, 304) or self.status < 200 or self._method == "HEAD":
            self.length = 0
            self._missing = None if framed and declared else 0

    def read(self, amt: int | None = None) -> bytes:
        """IncompleteRead if the body ends before its length."""
        data = super().read(amt)
        if self._missing is not None:
            if amt and not data and self._missing:
                raise http.client.IncompleteRead(b"", self._missing)
            self._missing -= len(data)
        return data


def _lines(file: io.BufferedReader) -> list[bytes]:
    """The lines of a head, with its end; at most 100 of at most 64 KiB."""
    return http.client._read_headers(file)  # type: ignore[attr-defined, no-any-return]


def _fields(lines: Sequence[bytes]) -> _Fields:
    """The fields of a head. One with anything unusual is read as http.client does, which drops malformed lines.
    Folded lines are joined (RFC 9112, 5.2)."""
    text = [line.decode("latin-1") for line in lines]
    found = [_FIELD.fullmatch(line) for line in text[:-1]]
    if all(found):
        return _Fields((field[1].lower(), field[2]) for field in found if field)
    message = email.parser.Parser(_class=http.client.HTTPMessage).parsestr("".join(text))
    return _Fields((name.lower(), _FOLD.sub(" ", value)) for name, value in message.items())


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _natural(number: int | None) -> int | None:
    return None if number is None or number < 0 else number
