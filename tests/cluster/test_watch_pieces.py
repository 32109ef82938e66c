"""A watch through a proxy that sends without chunks: each event is there when it comes, not when the answer ends."""

import threading
from collections.abc import Iterator

import pytest
from kubernetes.client import Configuration

from registries.cluster.connection import Connection
from tests.peers.command import LONG
from tests.peers.scripted import Reply, Request, scripted

EVENTS = (b'{"type":"ADDED","object":{}}\n', b'{"type":"MODI', b'FIED","object":{}}\n')


@pytest.mark.parametrize("chunked", [False, True])
def test_an_event_is_told_before_the_answer_ends(*, chunked: bool) -> None:
    seen = [threading.Event() for _ in EVENTS]
    late: list[bool] = []

    def pieces() -> Iterator[bytes]:
        for number, text in enumerate(EVENTS):
            yield b"%x\r\n%b\r\n" % (len(text), text) if chunked else text
            if text.endswith(b"\n"):  # the server waits until the event was told
                late.append(not seen[number].wait(LONG / 2))
        yield b"0\r\n\r\n" if chunked else b""

    def answer(request: Request) -> Reply:
        framing = ("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")
        return Reply(200, [("Content-Type", "application/json"), framing], pieces=pieces(), close=True)

    with scripted(answer) as server:
        given = Configuration()
        given.host = server.url("")
        types = []
        for event in Connection(given).watch("/x", subject="x", query={}, stop=threading.Event()):
            types.append(event["type"])
            seen[{"ADDED": 0, "MODIFIED": 2}[event["type"]]].set()

    assert types == ["ADDED", "MODIFIED"]
    assert late == [False, False]
