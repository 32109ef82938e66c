"""Two replicas with one PostgreSQL behave as one: started together, sessions, runs and limits are shared."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.peers.command import Serving
from tests.peers.postgresql import postgresql
from tests.peers.prepared import ready_folder
from tests.processes.test_runs import PATH, Visit, fill, until

DOWN = {"domain": "127.0.0.1:9", "username": "u", "password": "p"}


@pytest.fixture(scope="module")
def shared() -> Iterator[dict[str, str]]:
    """What all replicas have in common."""
    with postgresql() as url:
        yield {
            "DATABASE_URL": url,
            "CONSOLE_SECRET_KEY": "two replicas and one key",
            "CONSOLE_PASSWORD_KEYS": Fernet.generate_key().decode(),
            "CONSOLE_PROBE_ALLOW_LOOPBACK": "1",
            "CONSOLE_TESTS_PER_MINUTE": "3",
        }


def test_two_behave_as_one(shared: dict[str, str], tmp_path: Path) -> None:
    silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    one, two = (Serving(ready_folder(tmp_path / name), "serve", **shared) for name in ("one", "two"))
    starting = [threading.Thread(target=it.__enter__) for it in (one, two)]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    try:
        assert [it.status("/readyz") for it in (one, two)] == [200, 200], "both migrated an empty database"
        fill(tmp_path / "one", 8, [it.getsockname()[1] for it in silent], **shared)
        here = Visit(one)
        there = here.at(two)
        assert "registry-00001" in there.get("/registries/"), "one session"

        here.post(PATH, query="")
        assert "正在测试" in there.get("/registries/")
        run = re.search(rf'href="({PATH}[0-9a-f-]{{36}}/)"', there.get("/registries/"))
        assert run is not None
        there.post(f"{run[1]}cancel/")
        until(lambda: here.get(run[1]), "测试已停止")

        for namespace in ("team-000", "team-001", "team-002"):
            begun = time.monotonic()
            answers = [visit.try_connection(**DOWN, namespace=namespace) for visit in (here, there) * 2]
            if time.monotonic() - begun < 20:  # three a minute: after 20 seconds there is one more
                break
        assert answers == [200, 200, 200, 429], "they count together"

        there.post("/logout/")
        assert "registry-00001" not in here.get("/registries/"), "logging out at one ends it at the other"
    finally:
        for it in (one, two):
            it.stop()
        for server in silent:
            server.close()
