"""The console as `make run` starts it: `manage.py demo` as a process with a data folder of its own."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from registries.demo.ports import LAST_PORT
from registries.demo.tempers import OFFSETS, TEMPERS, Temper
from tests import canary
from tests.peers.wiretap import Wiretap

ROOT = Path(__file__).resolve().parents[2]
PROBE_TIMEOUT = 4.0
"""Seconds after which a hanging registry is given up; the slow one of the demo needs three."""
SPREAD = max(OFFSETS.values()) + 1
COMMON = {"anything"}
"""Passwords of the demo that are words of the pages as well."""


class RunningConsole:
    """Serves from `folder`, which is filled with the demo on first use. `url` is where a browser goes."""

    def __init__(self, folder: Path, base_port: int, *arguments: str, **values: str) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        self.port = _free_port()
        self._process = self._start(base_port, arguments, values)
        self.tap = Wiretap(self.port)
        self.url = f"http://127.0.0.1:{self.tap.port}"

    def _start(
        self, base_port: int, arguments: tuple[str, ...], values: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        own = {
            "CONSOLE_DEMO": "1",
            "CONSOLE_DATA_DIR": str(self.folder),
            "CONSOLE_PROBE_TIMEOUT": str(PROBE_TIMEOUT),
            "PYTHONUNBUFFERED": "1",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONSOLE_")}
        command = [sys.executable, "manage.py", "demo", "--bind", f"127.0.0.1:{self.port}"]
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--base-port", str(base_port), *arguments],
                cwd=ROOT,
                env={**inherited, **own, **values},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + 30
        while not self._answers():
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise RuntimeError(f"the console did not start:\n{self.log.read_text()}")
            time.sleep(0.02)
        return process

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def address(self, name: str) -> str:
        """Of one of the registries behind it, by its temper, as an operator types it."""
        host = temper(name).host
        ports = json.loads((self.folder / "registries" / "ports.json").read_text())
        scheme = "http://" if temper(name).scheme == "http" else ""
        return f"{scheme}{host}:{ports[host]}"

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of its database, read only."""
        database = sqlite3.connect(f"file:{self.folder / 'console.sqlite3'}?mode=ro", uri=True)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(8)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.tap.stop()

    def leaks(self) -> list[str]:
        """Where the canary, or a password of the demo's registries, stands in what it sent, logged and stored.

        Only after it has stopped.
        """
        forms = {f"canary, {name}": form.encode() for name, form in canary.FORMS.items()}
        forms |= {
            f"password of {it.name}": it.password.encode() for it in TEMPERS if it.password not in COMMON
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
    """Fill a data folder with the demo, its slow tests ended; gives the base port of the demo's registries."""
    base = free_range()
    console = RunningConsole(folder, base)
    try:
        begun = "SELECT count(*) FROM registries_verificationrecord WHERE name IN ('registry-test', 'registry-hanging')"
        until = time.monotonic() + 30
        while console.query(f"{begun} AND finished_at IS NOT NULL") != [(2,)] and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        console.stop()
    return base


def copied_console(template: Path, folder: Path, base_port: int) -> RunningConsole:
    """One more console with the content of the template, and the same ports of the registries behind it."""
    shutil.copytree(template, folder)
    return RunningConsole(folder, base_port)


def temper(name: str) -> Temper:
    return next(it for it in TEMPERS if it.name == name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_range() -> int:
    """Where so many ports in a row are free, below those that the system hands out."""
    for base in range(20000, LAST_PORT - SPREAD, SPREAD):
        if all(_is_free(port) for port in range(base, base + SPREAD)):
            return base
    raise RuntimeError("no ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
