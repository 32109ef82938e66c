"""Response bodies: a server cannot make a probe hold or read more than the limit. Encoded bodies are decoded."""

import gzip
import itertools
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from registries.probe import Policy, Reason, Result, probe
from registries.probe.answer import read_body
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    json_reply,
    registry_ok,
    scripted,
    unauthorized,
)


def timed(address: str, policy: Policy) -> tuple[Result, float]:
    started = time.monotonic()
    result = probe(address, "admin", "secret", policy)
    return result, time.monotonic() - started


@pytest.mark.parametrize("status", [200, 401, 302, 500])
def test_an_endless_fast_body_is_not_read_to_its_end(status: int) -> None:
    sent = [0]

    def pieces() -> Iterator[bytes]:
        while True:
            sent[0] += 65536
            yield b"a" * 65536

    location = "Location: /login\r\n" if status == 302 else ""
    start = f"HTTP/1.1 {status} X\r\n{location}WWW-Authenticate: Negotiate\r\n\r\n".encode()
    with scripted(lambda request: Reply(raw=start, pieces=pieces())) as server:
        result, seconds = timed(server.address, HERE)
    assert not result.ok
    assert result.reason is not Reason.TIMEOUT
    assert seconds < HERE.read_timeout
    assert sent[0] < 64 * 1024 * 1024


_CHUNKED = b"HTTP/1.1 401 X\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "interim": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "interim with headers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    "trailers": (_CHUNKED + b"0\r\n", b"A: b\r\n"),
    "trailers without text": (_CHUNKED + b"0\r\n", b"x\n"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_response_without_an_end_costs_little_time(kind: str) -> None:
    """Each read has something, so no timeout ends it before that of the test."""
    start, piece = ENDLESS[kind]
    pieces = itertools.repeat(piece * 1000)
    with scripted(lambda request: Reply(raw=start, pieces=pieces)) as server:
        result, _ = timed(server.address, replace(HERE, total_timeout=20.0))
    assert (result.reason, result.cause) == (Reason.UNEXPECTED_RESPONSE, "TooMuch")


def test_a_body_in_chunks_of_a_byte_is_read() -> None:
    body = b'{"token": "%s"}' % (b"a" * 60_000)
    chunks = b"".join(b"1\r\n%c\r\n" % it for it in body)
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(raw=start + chunks + b"0\r\n\r\n")
        return (
            registry_ok() if request.authorization else unauthorized(f'Bearer realm="{server.url("/token")}"')
        )

    with scripted(script) as server:
        assert probe(server.address, "admin", "secret", HERE).ok


@pytest.mark.parametrize("unit", ["a ", 'x="', "Bearer realm=é.", "=,"])
def test_long_headers_cost_little_time(unit: str) -> None:
    """A timeout cannot interrupt parsing."""
    lines = [("WWW-Authenticate", unit * (60_000 // len(unit)))] * 90
    with scripted(lambda request: Reply(401, [*lines, ("Retry-After", "1 " * 30_000)])) as server:
        began = time.thread_time()
        result = probe(server.address, "admin", "secret", HERE)
        spent = time.thread_time() - began
    assert not result.ok
    assert spent < 5.0, "CPU time, independent of other processes"


@pytest.mark.parametrize("limit_exceeded", [False, True])
def test_the_token_body_may_have_a_megabyte(limit_exceeded: bool) -> None:
    padding = "x" * (1024 * 1024 - 40 + (100 if limit_exceeded else 0))

    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": "t", "padding": padding}) if request.authorization else Reply(401)
        if request.authorization == "Bearer t":
            return registry_ok()
        return unauthorized(f'Bearer realm="http://{request.header("host")}/token"')

    with scripted(script) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert result.reason is (Reason.TOKEN_INVALID_RESPONSE if limit_exceeded else Reason.OK)


def test_a_long_refusal_is_neither_searched_for_secrets_nor_shown() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(401, [], b"secret " * 100_000)
        return unauthorized(f'Bearer realm="http://{request.header("host")}/token"')

    with scripted(script) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert (result.reason, result.detail) == (Reason.BAD_CREDENTIALS, "HTTP 401")


def bomb(size: int) -> bytes:
    return gzip.compress(b" " * size, compresslevel=9)


def test_a_gzip_bomb_does_not_unfold() -> None:
    headers = [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
    with scripted(lambda request: Reply(200, headers, bomb(50_000_000))) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert result.reason is Reason.NOT_A_REGISTRY


def test_a_gzip_bomb_of_a_token_does_not_unfold() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(200, [("Content-Encoding", "gzip")], token)
        return unauthorized(f'Bearer realm="http://{request.header("host")}/token"')

    token = gzip.compress(b'{"token": "t"' + b" " * 50_000_000 + b"}", compresslevel=9)
    with scripted(script) as server:
        tracemalloc.start()
        result = probe(server.address, "admin", "secret", HERE)
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert result.reason is Reason.TOKEN_INVALID_RESPONSE
    assert held < 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"{}", mtime=0)),
        ("X-GZIP", gzip.compress(b"{}", mtime=0)),
        ("deflate", zlib.compress(b"{}")),
        ("deflate", zlib.compress(b"{}")[2:-4]),
        ("identity", b"{}"),
    ],
)
def test_an_encoded_body_is_read_though_none_was_asked_for(encoding: str, body: bytes) -> None:
    def script(request: Request) -> Reply:
        assert request.header("accept-encoding") == "identity"
        if "/manifests/" in request.path:
            return unauthorized('Basic realm="registry"')
        return Reply(200, [("Content-Encoding", encoding)], body)

    with scripted(script) as server:
        assert probe(server.address, "admin", "secret", HERE).reason is Reason.OK_UNVERIFIED


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip"])
def test_an_unreadable_encoding_is_no_registry(encoding: str) -> None:
    with scripted(lambda request: Reply(200, [("Content-Encoding", encoding)], b"{}")) as server:
        assert probe(server.address, "admin", "secret", HERE).reason is Reason.NOT_A_REGISTRY


class _Source:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.taken = 0

    def read(self, amt: int, /) -> bytes:
        piece = self.body[self.taken : self.taken + amt]
        self.taken += len(piece)
        return piece


def test_a_body_is_bounded_before_and_after_inflating() -> None:
    source = _Source(b"a" * 1000)
    assert read_body(source, "", 100) == (b"a" * 100, False)
    assert source.taken == 101
    assert read_body(_Source(b"a" * 100), "", 100) == (b"a" * 100, True)
    assert read_body(_Source(bomb(10_000)), "gzip", 100) == (b" " * 100, False)
    assert read_body(_Source(bomb(100)), "gzip", 100) == (b" " * 100, True)
    assert read_body(_Source(b""), "gzip", 100) == (b"", True)
