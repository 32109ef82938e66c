"""Watches over the network: clients that go away, take nothing, or see a change at once."""

import errno
import json
import socket
import threading
import time
from pathlib import Path

import pytest
import requests

from registries.api import watch
from tests.api.test_api import TEAM_A
from tests.api.watching import spec, told
from tests.peers.command import LONG
from tests.peers.scripted import wait_for
from tests.peers.served_api import serving


def test_a_client_that_has_gone_holds_no_seat(tmp_path: Path) -> None:
    """A real server, which writes nothing as long as nothing changes. One of the clients has sent a byte too many."""
    with serving(tmp_path / "data", CONSOLE_API_RATE="100000") as (console, token):

        def watching() -> socket.socket | None:
            client = socket.create_connection(("127.0.0.1", console.port), timeout=LONG)
            client.sendall(
                f"GET {TEAM_A}?watch=true&timeoutSeconds=1800 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {token}\r\n\r\n".encode()
            )
            if b" 200 " in client.recv(4096).partition(b"\r\n")[0]:
                return client
            client.close()
            return None

        first = [watching() for _ in range(5)]
        assert [client is not None for client in first] == [True] * 4 + [False]
        for client in first[:4]:
            assert client
            client.sendall(b"G")
            client.close()

        second: list[socket.socket] = []
        assert wait_for(lambda: bool((one := watching()) and (second.append(one) or len(second) == 4)))
        for client in second:
            client.close()


def test_a_client_that_takes_nothing_is_dropped_by_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SILENT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.getsockname())
        connection, _ = server.accept()
        connection.settimeout(LONG)
        watch.drop_when_silent(connection)

        with connection, pytest.raises(TimeoutError) as caught:
            connection.sendall(bytes(2**26))

    assert caught.value.errno == errno.ETIMEDOUT, "from the kernel, not from this test"


def test_over_the_network_a_change_comes_at_once_and_pages_are_answered_meanwhile(tmp_path: Path) -> None:
    """A real server: lines are not held back, and as many watches as there are keep nobody waiting."""
    with serving(tmp_path / "data") as (console, token):
        base = f"http://127.0.0.1:{console.port}{TEAM_A}"
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {token}"
        watches = [
            session.get(base, params={"watch": "true", "timeoutSeconds": "300"}, stream=True, timeout=60)
            for _ in range(4)
        ]
        assert [it.status_code for it in watches] == [200] * 4
        assert session.get(base, params={"watch": "true"}, timeout=60).status_code == 429
        lines = watches[0].iter_lines()
        threading.Timer(
            0.3,
            lambda: requests.post(
                base,
                json={"metadata": {"name": "a"}, "spec": spec()},
                headers=dict(session.headers),
                proxies={"http": ""},
                timeout=60,
            ),
        ).start()
        begun = time.monotonic()
        event = json.loads(next(lines))

        assert told(event) == ("ADDED", "a")
        assert time.monotonic() - begun < 30, "a line that is held back comes after five minutes"
        for it in watches:
            it.close()
        assert console.status("/healthz") == 200
        assert console.stop() < 30, "and neither do they hold up who stops it"
