"""Where a request ends, however its bytes arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.framing import MOST_BODY, MOST_TRAILERS, Chunks, chunks_end, read_head

LINE = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
HEADS = {
    b"": (0, False, False, False),
    b"Content-Length: 7\r\n": (7, False, False, False),
    b"content-length:7 \r\nExpect: 100-Continue\r\n": (7, False, False, True),
    b"Transfer-Encoding: Chunked\r\n": (0, True, False, False),
    b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n": (0, True, False, True),
    b"Transfer-Encoding: gzip, chunked\r\n": (0, False, True, False),
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n": (0, False, True, False),
    b"Transfer-Encoding: chunked\r\nContent-Length: 7\r\n": (0, False, True, False),
    b"Content-Length: 7\r\nContent-Length: 8\r\n": (0, False, True, False),
    b"Content-Length: 7\r\nExpect: something\r\n": (0, False, True, False),
    b"Content-Length: %d\r\nExpect: 100-continue\r\n" % (MOST_BODY + 1): (0, False, True, False),
}


@pytest.mark.parametrize("headers", HEADS)
def test_a_head_says_who_reads_the_body(headers: bytes) -> None:
    declared, chunked, unread, asks = HEADS[headers]
    head = read_head(LINE + headers + b"\r\n")

    assert (head.length - len(head.text), head.chunked, head.unread, head.asks) == (
        declared,
        chunked,
        unread,
        asks,
    )
    assert (b"100-continue" not in head.text.lower()) or unread
    assert (head.text[: len(LINE)], head.text[-4:]) == (LINE, b"\r\n\r\n")


pieces = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
extensions = st.sampled_from([b"", b";a=b", b" ;x"])
trailers = st.sampled_from([b"", b"A: b\r\n", b"A: b\r\nC: 0\r\n"])


@given(pieces, extensions, trailers, st.binary(max_size=9), st.integers(1, 30))
def test_chunks_end_where_they_end(
    chunks: list[bytes], extension: bytes, trailer: bytes, after: bytes, step: int
) -> None:
    """Also with a body that looks like the end of one, and with bytes of the next request."""
    written = b"".join(b"%x%s\r\n%s\r\n" % (len(it), extension, it) for it in chunks)
    whole = b"head" + written + b"0\r\n" + trailer + b"\r\n"
    received, at, state = bytearray(), 4, Chunks.MORE
    for start in range(0, len(whole), step):
        assert state is Chunks.MORE
        received += whole[start : start + step]
        if len(received) > at:
            at, state = chunks_end(received, at)
    assert state is Chunks.COMPLETE
    assert chunks_end(bytearray(whole + after), 4)[1] is Chunks.COMPLETE


@pytest.mark.parametrize(
    "text", [b"x\r\n", b"-1\r\n", b"\r\n", b"5\r\nabcdefg", b"a" * 300, b"123456789\r\n", b"5 5\r\n"]
)
def test_what_is_no_chunk_is_not_waited_for(text: bytes) -> None:
    assert chunks_end(bytearray(text), 0)[1] is Chunks.BROKEN


def test_trailers_without_an_end_are_broken_soon() -> None:
    """They are searched again with each byte that comes: two MiB of them took a thousandth of a second and more."""
    text = b"0\r\n" + b"x: y\r\n" * MOST_TRAILERS

    assert chunks_end(bytearray(text[:MOST_TRAILERS]), 0) == (0, Chunks.MORE)
    assert chunks_end(bytearray(text[:MOST_TRAILERS] + b"\r\n\r\n"), 0) == (0, Chunks.COMPLETE)
    assert chunks_end(bytearray(text[: MOST_TRAILERS + 8]), 0) == (0, Chunks.BROKEN)
