"""The console as `make run` starts it: `manage.py demo` as a process with a data folder of its own. Only the hash of a
password is not as slow."""

import http.cookiejar
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from registries.demo.behaviours import BEHAVIOURS, Behaviour
from registries.demo.seed import ACCOUNTS, PASSWORD
from tests import canary
from tests.peers.command import listens
from tests.peers.ports import demo_base
from tests.peers.prepared import ready_folder
from tests.peers.scripted import wait_for
from tests.peers.wiretap import Wiretap

ROOT = Path(__file__).resolve().parents[2]
PATIENT = {
    "CONSOLE_PROBE_CONNECT_TIMEOUT": "40",
    "CONSOLE_PROBE_READ_TIMEOUT": "40",
    "CONSOLE_PROBE_TIMEOUT": "40",
    "CONSOLE_TESTS_PER_MINUTE": "0",
}
"""With long timeouts a slow machine does not turn a result into a timeout. Tests may be frequent."""
HASTY = {"CONSOLE_PROBE_TIMEOUT": "4"}
"""With short timeouts the tests of slow registries end soon."""
START, STOP = 180, 60
"""Seconds that starting and stopping may take. Usually a few are enough."""
COUNTING = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000) SELECT count(*) FROM n"
)
"""A database query that takes about two seconds."""
COOKIES = "cookies.json"
COMMON = {"anything"}
"""Passwords of the demo that are also normal words of the pages."""


class RunningConsole:
    """Serves from `folder`, which gets the demo's content on first use. A browser opens `url`."""

    program: tuple[str, ...] = ("-m", "tests.peers.light")

    def __init__(self, folder: Path, base_port: int, *arguments: str, **values: str) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        if not folder.exists():
            ready_folder(folder, demo=True)
        self._kept, self.port = _kept_port()
        self._process = self._start(base_port, arguments, values)
        self.tap = Wiretap(self.port)
        self.url = f"http://127.0.0.1:{self.tap.port}"

    def _start(
        self, base_port: int, arguments: tuple[str, ...], values: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        own = {
            "CONSOLE_DEMO": "1",
            "CONSOLE_DATA_DIR": str(self.folder),
            **PATIENT,
            "CONSOLE_CHECK_INTERVAL": "off",
            "PYTHONUNBUFFERED": "1",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONSOLE_")}
        command = [sys.executable, *self.program, "demo", "--bind", f"127.0.0.1:{self.port}"]
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--base-port", str(base_port), *arguments],
                cwd=ROOT,
                env={**inherited, **own, **values},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + START
        while not self._answers():
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                self._kept.close()
                raise RuntimeError(f"the console did not start:\n{self.log.read_text()}")
            time.sleep(0.02)
        return process

    def _answers(self) -> bool:
        if not listens(self.port):
            return False
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=START) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def cookies(self) -> dict[str, dict[str, str]]:
        """By person, of those who have logged in when the folder was filled."""
        kept = self.folder / COOKIES
        return json.loads(kept.read_text()) if kept.exists() else {}  # type: ignore[no-any-return]

    def address(self, name: str) -> str:
        """The address of a demo registry by its behaviour, as an operator types it."""
        host = behaviour(name).host
        ports = json.loads((self.folder / "registries" / "ports.json").read_text())
        scheme = "http://" if behaviour(name).scheme == "http" else ""
        return f"{scheme}{host}:{ports[host]}"

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of its database, read only."""
        database = sqlite3.connect(f"file:{self.folder / 'console.sqlite3'}?mode=ro", uri=True)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def slow_down_deletion_of(self, name: str) -> None:
        """Slows a deletion down, so that a run does not end before a page shows it."""
        self._write(
            "CREATE TRIGGER slow BEFORE UPDATE ON registries_runitem "
            f"WHEN NEW.name = '{name}' BEGIN {COUNTING}; END"
        )

    @contextmanager
    def without(self, table: str) -> Iterator[None]:
        """The database lacks this table for a while: pages that need it answer with an internal error."""
        self._write(f"ALTER TABLE {table} RENAME TO away_{table}")
        try:
            yield
        finally:
            self._write(f"ALTER TABLE away_{table} RENAME TO {table}")

    def _write(self, sql: str) -> None:
        database = sqlite3.connect(self.folder / "console.sqlite3", timeout=START)
        try:
            database.execute("PRAGMA legacy_alter_table = ON")  # other tables still refer to this one
            database.execute(sql)
        finally:
            database.close()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.tap.stop()
        self._kept.close()

    def leaks(self) -> list[str]:
        """Where the canary or a password of a demo registry appears in responses, logs and data. Call it after the
        console has stopped."""
        forms = {f"canary, {name}": form.encode() for name, form in canary.FORMS.items()}
        forms |= {
            f"password of {it.name}": it.password.encode() for it in BEHAVIOURS if it.password not in COMMON
        }
        places = {f"{file.name}": file.read_bytes() for file in self.folder.glob("console.sqlite3*")}
        places["log"] = self.log.read_bytes()
        places["address"] = "\n".join(self.tap.targets).encode()
        places["answer"] = b"\n".join(self.tap.sent)
        return [
            f"{what} in {where}"
            for where, data in places.items()
            for what, form in forms.items()
            if form in data
        ]


def seeded_folder(folder: Path) -> int:
    """Fills a data folder with the demo, waits for its slow tests, and logs everybody in; returns the first port of the
    registries."""
    base = demo_base()
    console = RunningConsole(folder, base, **HASTY)
    try:
        begun = "SELECT count(*) FROM registries_verificationrecord WHERE name IN ('registry-test', 'registry-hanging')"
        ended = f"{begun} AND finished_at IS NOT NULL"
        assert wait_for(lambda: console.query(ended) == [(2,)], START)
        cookies = {name: _logged_in(console.url, name) for name, *_ in ACCOUNTS}
        (folder / COOKIES).write_text(json.dumps(cookies))
    finally:
        console.stop()
    return base


def _logged_in(url: str, name: str) -> dict[str, str]:
    """The cookies of somebody who has logged in."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    with browser.open(f"{url}/login/", timeout=START):
        form = {"username": name, "password": PASSWORD}
    form |= {"csrfmiddlewaretoken": next(it.value or "" for it in cookies if it.name == "csrftoken")}
    with browser.open(f"{url}/login/", urllib.parse.urlencode(form).encode(), timeout=START):
        pass
    return {it.name: it.value or "" for it in cookies if it.name in ("sessionid", "csrftoken")}


def copied_console(
    template: Path, folder: Path, base_port: int, *, prepare: Callable[[], None] = lambda: None
) -> RunningConsole:
    """Another console with the content of the template, its log-ins and the same ports of the registries. `prepare` may
    fill the copy further."""
    shutil.copytree(template, folder)
    prepare()
    return RunningConsole(folder, base_port)


def behaviour(name: str) -> Behaviour:
    return next(it for it in BEHAVIOURS if it.name == name)


def _kept_port() -> tuple[socket.socket, int]:
    """A port that the system gives to no other program while the socket is open. A process that names it can listen
    on it."""
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    return keeper, int(keeper.getsockname()[1])
