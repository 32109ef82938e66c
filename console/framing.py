"""Where a request ends. The main loop asks it for each piece that comes, so that a slow client holds no thread."""

import re
from enum import Enum
from typing import NamedTuple

MOST_BODY = 2 * 2**20
"""A longer body is read by a thread. Forms and the API refuse a longer one without reading."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LONGEST_SIZE = 256
MOST_TRAILERS = 16 * 1024
"""All of them are searched for their end with each piece that comes."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*(?=\r\n)", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding:[ \t]*([^\r\n]*)", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:", re.IGNORECASE)
_ASKS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


class Head(NamedTuple):
    """The head of a request, without the header with which a client asks whether to go on (`asks`). `length` is that of
    the head and the declared body. `unread`: a thread has to read the body."""

    text: bytes
    asks: bool
    length: int
    chunked: bool
    unread: bool


class Chunks(Enum):
    MORE = "more"
    COMPLETE = "complete"
    BROKEN = "broken"


def read_head(text: bytes) -> Head:
    """A thread reads a long body, one of two lengths, one in other codings, and one with another expectation: the
    parser refuses most of them."""
    without = _ASKS.sub(b"", text, count=1)
    lengths = {int(it) for it in _LENGTH.findall(without)}
    codings = [it.strip().lower() for it in _CODING.findall(without)]
    chunked = codings == [b"chunked"] and not lengths
    declared = max(lengths, default=0)
    odd = len(lengths) > 1 or bool(_EXPECTS.search(without)) or (bool(codings) and not chunked)
    if odd or declared > MOST_BODY:
        return Head(text, asks=False, length=len(text), chunked=False, unread=True)
    asks = without != text
    return Head(without, asks=asks, length=len(without) + declared, chunked=chunked, unread=False)


def chunks_end(received: bytearray, at: int) -> tuple[int, Chunks]:
    """Goes through the chunks from the one that begins at `at`. Returns where the next look begins."""
    while True:
        found = _SIZE.match(received, at)
        if found is None:
            whole = received.find(b"\n", at, at + _LONGEST_SIZE) >= 0 or len(received) - at > _LONGEST_SIZE
            return at, Chunks.BROKEN if whole else Chunks.MORE
        size = int(found[1], 16)
        if size == 0:  # trailers may follow
            if received.find(b"\r\n\r\n", found.end() - 2) >= 0:
                return at, Chunks.COMPLETE
            return at, Chunks.BROKEN if len(received) - found.end() > MOST_TRAILERS else Chunks.MORE
        end = found.end() + size
        if end + 2 > len(received):
            return at, Chunks.MORE
        if received[end : end + 2] != b"\r\n":
            return at, Chunks.BROKEN
        at = end + 2
