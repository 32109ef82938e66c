"""`manage.py` commands that serve, as processes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.peers.ports import free_port

ROOT = Path(__file__).resolve().parents[2]

LONG = 120
"""Seconds. Only a defect makes a test wait this long."""


def environment(folder: Path, **values: str) -> dict[str, str]:
    """The environment of this process with a data folder, without other settings of this project."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DATABASE_"))
    }
    own = {"CONSOLE_DATA_DIR": str(folder), "CONSOLE_CHECK_INTERVAL": "off", "PYTHONUNBUFFERED": "1"}
    return {**inherited, **own, **values}


def manage(folder: Path, *arguments: str, **values: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(folder, **values),
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )


def listens(port: int) -> bool:
    """Whether a server takes connections on this port. A refused one costs an eighth of a request that is refused."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


class Serving:
    """`with Serving(folder, "serve") as console:` serves for the duration of the block. `seconds` is the time it
    took to start."""

    def __init__(self, folder: Path, *arguments: str, **values: str) -> None:
        self.port = free_port()
        self.log = folder.with_suffix(".log")
        self._folder = folder
        self._arguments = arguments
        self._values = values
        self.seconds = 0.0

    def __enter__(self) -> Self:
        command = [sys.executable, "manage.py", *self._arguments, "--bind", f"127.0.0.1:{self.port}"]
        begun = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(self._folder, **self._values),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while not listens(self.port) or self.status("/healthz") != 200:
            if self.process.poll() is not None or time.monotonic() - begun > LONG:
                self.process.kill()
                raise RuntimeError(self.said())
            time.sleep(0.02)
        self.seconds = time.monotonic() - begun
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Stops the process; returns the seconds that took."""
        begun = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(LONG)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                raise
        return time.monotonic() - begun

    def status(self, path: str) -> int:
        return self.get(path)[0]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=LONG) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def said(self) -> str:
        return self.log.read_text()
