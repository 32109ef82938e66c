"""Two processes of the schedule on one PostgreSQL: together they test a host once at a time, and what a killed one had
claimed is tested by the other."""

# ruff: noqa: S608  the names of tables are constants

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

from tests.peers.command import LONG, ROOT, environment
from tests.peers.postgresql import postgresql
from tests.peers.scripted import wait_for
from tests.processes.sweeping import EACH

HOSTS = 6
HOLDS = 0.3
ROWS = "registries_scheduledcredential"


class Holder:
    """A server that takes a connection, holds it for a moment, and closes it. `most` is the number at once."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.now = self.most = self.total = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.now += 1
            self.total += 1
            self.most = max(self.most, self.now)
            threading.Timer(HOLDS, self._close, [connection]).start()

    def _close(self, connection: socket.socket) -> None:
        self.now -= 1
        connection.close()

    def stop(self) -> None:
        self._socket.close()


@pytest.fixture
def holders() -> Iterator[list[Holder]]:
    servers = [Holder() for _ in range(HOSTS)]
    yield servers
    for it in servers:
        it.stop()


@contextmanager
def sweeping(settings: dict[str, str], name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process whose connections to the database have this name."""
    command = [sys.executable, "-m", "tests.processes.sweeping"]
    process = subprocess.Popen(command, cwd=ROOT, env={**settings, "PGAPPNAME": name})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_two_processes_share_the_work_and_one_is_killed(holders: list[Holder], tmp_path: Path) -> None:
    with postgresql() as url:
        settings = environment(
            tmp_path,
            DATABASE_URL=url,
            DJANGO_SETTINGS_MODULE="console.settings",
            CONSOLE_SECRET_KEY="one for both",
            CONSOLE_PASSWORD_KEYS=Fernet.generate_key().decode(),
            CONSOLE_PROBE_ALLOW_LOOPBACK="1",
            CONSOLE_CHECK_INTERVAL="6h",
        )
        fill = [sys.executable, "-m", "tests.processes.sweeping", *(str(it.port) for it in holders)]
        subprocess.run(fill, cwd=ROOT, env=settings, check=True, timeout=LONG)
        with psycopg.connect(url, autocommit=True) as database:

            def ask(sql: str) -> list[tuple[object, ...]]:
                return database.execute(sql).fetchall()

            def until(condition: Callable[[], bool]) -> None:
                assert wait_for(condition, LONG), ask(f"SELECT * FROM {ROWS}")

            with sweeping(settings, "one") as one, sweeping(settings, "two") as two:
                until(lambda: ask(f"SELECT count(*) FROM {ROWS}") == [(EACH * HOSTS,)])
                held = f"SELECT count(*) FROM {ROWS} WHERE claimed_until > now() AND claimed_by LIKE '%-{{}}'"

                worked: set[int] = set()

                def works(process: "subprocess.Popen[bytes]") -> bool:
                    # What was done is due again: one process may be done before the other has started.
                    database.execute(f"UPDATE {ROWS} SET due_at = now() WHERE claimed_until IS NULL")
                    worked.update(it.pid for it in (one, two) if ask(held.format(it.pid)) != [(0,)])
                    return process.pid in worked

                until(lambda: works(one) and works(two))
                enough = sum(it.total for it in holders) + EACH * HOSTS
                until(lambda: works(one) and sum(it.total for it in holders) >= enough)  # both are busy
                worked.clear()
                until(lambda: works(one))
                one.kill()
                one.wait()
                # The database may still do what the process asked for last.
                until(lambda: not ask("SELECT 1 FROM pg_stat_activity WHERE application_name = 'one'"))
                before = ask(held.format(one.pid))
                time.sleep(3 * HOLDS)
                assert ask(held.format(one.pid)) == before, "nobody takes what is claimed"
                hosts = [host for (host,) in ask(held.replace("count(*)", "host").format(one.pid))]
                until(lambda: not any(it.now for it in holders if f"127.0.0.1:{it.port}" in hosts))
                # A claim ends after more than a minute. The test does not wait for that.
                database.execute(
                    f"UPDATE {ROWS} SET claimed_until = now() WHERE claimed_by LIKE '%-{one.pid}'"
                )
                database.execute(
                    "UPDATE registries_verificationrecord SET started_at = now() - interval '1 day'"
                )
                until(lambda: ask(f"SELECT count(*) FROM {ROWS} WHERE tested_at IS NULL") == [(0,)])

    assert [it.most for it in holders] == [1] * HOSTS, "one at a time on each host"
