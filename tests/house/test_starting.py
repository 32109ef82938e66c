"""How the tests wait for a console to start: often, so it must cost little."""

import socket
import urllib.request

import pytest

from tests.peers.command import listens
from tests.peers.ports import free_port
from tests.peers.running_console import RunningConsole


def test_a_port_listens_while_a_server_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listens(port)
    assert not listens(port)


def test_no_request_is_sent_before_the_console_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty times a second a refused request would take the processor from the console that starts."""
    sent: list[object] = []
    monkeypatch.setattr(urllib.request, "urlopen", lambda *call, **_: sent.append(call))
    console = object.__new__(RunningConsole)
    console.port = free_port()

    assert not console._answers()
    assert sent == []
