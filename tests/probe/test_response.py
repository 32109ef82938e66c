"""The head of a response is read as urllib3 and http.client read it, which know what real servers send."""

import http.client
import io
from typing import cast

import pytest
import urllib3
from hypothesis import example, given, settings
from hypothesis import strategies as st
from urllib3.connection import HTTPConnection

from registries.probe.response import Response
from tests.examples import of

Reading = tuple[int, list[tuple[str, str]], bytes, bool] | str


class _Socket:
    """What a server sent, as a socket."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(cast(io.RawIOBase, io.BytesIO(self._sent)))

    def settimeout(self, _seconds: float) -> None: ...

    def sendall(self, _data: bytes) -> None: ...

    def close(self) -> None: ...


def ours(sent: bytes, method: str) -> Reading:
    response = Response(_Socket(sent), method=method)  # type: ignore[arg-type]
    try:
        response.begin()
        body = b"".join(iter(lambda: response.read(7), b""))
    except (http.client.HTTPException, ConnectionError) as error:
        return type(error).__name__
    return response.status, sorted(response.fields), body, response.will_close


def theirs(sent: bytes, method: str) -> Reading:
    connection = HTTPConnection("registry.example")
    connection.sock = _Socket(sent)  # type: ignore[assignment]
    connection.request(method, "/v2/", preload_content=False)
    try:
        response = connection.getresponse()
        body = b"".join(iter(lambda: response.read(7, decode_content=False), b""))
    except (http.client.HTTPException, ConnectionError, urllib3.exceptions.HTTPError) as error:
        wrapped = [it for it in error.args if isinstance(it, BaseException)]
        return type(wrapped[-1] if wrapped else error).__name__
    fields = sorted((name.lower(), value) for name, value in response.headers.iteritems())
    return response.status, fields, body, connection.sock is None


STARTS = [
    *("HTTP/1.1 200 OK", "HTTP/1.1 401 Unauthorized", "HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified"),
    *("HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1  200  two blanks", "HTTP/1.7 200 OK", "HTTP/0.9 200 OK"),
    *(
        "HTTP/2 200",
        "HTTP/1.1 099 x",
        "HTTP/1.1 1000 x",
        "HTTP/1.1 abc",
        "ICY 200 OK",
        "",
        "HTTP/1.1 101 Upgrade",
    ),
]
INTERIM = ["", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n"]
FIELDS = [
    *(
        "Content-Length: 5",
        "Content-Length: 7",
        "content-length:5",
        "Content-Length: 5, 5",
        "Content-Length: 5, 6",
    ),
    *(
        "Content-Length: 0",
        "Content-Length: -1",
        "Content-Length: x",
        "Content-Length: 5 ",
        "Content-Length:",
    ),
    *("Transfer-Encoding: chunked", "TRANSFER-ENCODING: Chunked", "Transfer-Encoding: gzip, chunked"),
    *("Transfer-Encoding: identity", "Connection: close", "Connection: keep-alive", "Keep-Alive: timeout=5"),
    *("Proxy-Connection: Keep-Alive", 'WWW-Authenticate: Basic realm="x"', "WWW-Authenticate: Bearer y"),
    *(
        "X-Text: caf\xe9",
        "X: a\x85b\x0bc\x0cd",
        "X:\t tab \t",
        "X: folded\r\n more\r\n\tand more",
        "X:",
        ": no name",
    ),
    *(
        "no colon",
        "Blank : before",
        "From x: y",
        " begins with a blank",
        "X: a\rY: b",
        "X: a\nY: b",
        "X: a\x00b",
    ),
]
BODIES = [
    "",
    "{}   ",
    "seven!!",
    "longer than it says",
    "5\r\nhello\r\n0\r\n\r\n",
    "5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n",
]
BODIES += ["5\r\nhel", "zz\r\n", "3\r\nabc\r\n4\r\ndefg\r\n0\r\n", "1"]


@given(
    st.sampled_from(INTERIM),
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(FIELDS), max_size=4),
    st.sampled_from(["\r\n", "\r\n", "\n"]),
    st.sampled_from(BODIES),
    st.sampled_from(["GET", "GET", "HEAD", "POST"]),
    st.integers(0, 12),
)
@settings(max_examples=of(800))
@example("", STARTS[0], ["Content-Length: 5", "Content-Length: 6"], "\r\n", "hello", "GET", 0)
@example("", STARTS[0], ["Content-Length: 7"], "\r\n", "five!", "GET", 0)
@example("", STARTS[0], ["Transfer-Encoding: gzip, chunked", "Content-Length: 7"], "\r\n", "", "GET", 0)
@example("", STARTS[0], ["X: 1", "no colon", "Content-Length: 2"], "\r\n", "seven!!", "GET", 0)
@example("", STARTS[0], ["X: folded\r\n more", "Content-Length: 2"], "\r\n", "seven!!", "GET", 0)
def test_a_response_is_read_as_urllib3_reads_it(
    interim: str, start: str, fields: list[str], end: str, body: str, method: str, cut: int
) -> None:
    sent = end.join([interim + start, *fields, "", body]).encode("latin-1")
    sent = sent[: len(sent) - cut]
    assert ours(sent, method) == theirs(sent, method)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 101 + b"\r\n", "HTTPException"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", "LineTooLong"),
        (b"HTTP/1.1 200 " + b"a" * 70_000 + b"\r\n\r\n", "LineTooLong"),
    ],
)
def test_a_head_without_an_end_is_an_error(sent: bytes, error: str) -> None:
    assert ours(sent, "GET") == theirs(sent, "GET") == error


def test_early_hints_are_no_response() -> None:
    """http.client skips 100 only."""
    sent = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    assert ours(sent, "GET") == (200, [("content-length", "2")], b"{}", False)
