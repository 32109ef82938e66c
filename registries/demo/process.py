"""Runs the demo's registries in a child process: start, wait until ready, stop."""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from registries.demo.behaviours import BASE_PORT, Behaviour

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 2


class DemoError(Exception):
    """The registries did not start. The text contains the child's standard error."""


class DemoRegistries:
    """`with DemoRegistries(folder) as registries:` runs the registries for the duration of the block.

    `ports` (host to port) has every host of the table. The ports in `skipped` are used by another program.
    DemoError if they are not ready within `timeout` seconds.
    """

    def __init__(self, state_dir: Path | str, *, base_port: int = BASE_PORT, timeout: float = 60) -> None:
        self.state_dir = Path(state_dir).absolute()
        self.ports: dict[str, int] = {}
        self.skipped: dict[str, int] = {}
        self.ca_file = Path()
        self._base_port = base_port
        self._timeout = timeout
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def address(self, behaviour: Behaviour) -> str:
        """The address as an operator types it: `harbor.localhost:5500`, or `http://basic.localhost:5505`."""
        scheme = "http://" if behaviour.scheme == "http" else ""
        return f"{scheme}{behaviour.host}:{self.ports[behaviour.host]}"

    def start(self) -> None:
        command = [sys.executable, "-m", "registries.demo", "--state", str(self.state_dir)]
        with tempfile.TemporaryFile() as errors:
            # The command is our own interpreter and module.
            self._child = child = subprocess.Popen(  # noqa: S603
                [*command, "--base-port", str(self._base_port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
            )
            _started.add(self)
            try:
                ready = json.loads(self._first_line(child.stdout)) if child.stdout else {}
            except (TimeoutError, ValueError) as problem:
                self.stop()
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip() or "There was no output."
                raise DemoError(
                    f"the demo's registries did not start: {problem or 'no response'}\n{said}"
                ) from None
        self.ports, self.skipped = ready["ports"], ready["skipped"]
        self.ca_file = Path(ready["ca_file"])

    def stop(self) -> None:
        """Ends the child by closing its input. Does nothing if there is no child."""
        if child := self._let_go():
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def abandon(self) -> None:
        """To be called in a fork of the process that started the child: the fork must neither end it nor wait for
        it."""
        if child := self._let_go():
            child.returncode = 0

    def _let_go(self) -> "subprocess.Popen[bytes] | None":
        child, self._child = self._child, None
        for pipe in filter(None, (child.stdin, child.stdout) if child else ()):
            pipe.close()
        return child

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _first_line(self, output: IO[bytes]) -> bytes:
        """The line that the child writes when it is ready. TimeoutError; ValueError if the child ended."""
        deadline = time.monotonic() + self._timeout
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise TimeoutError(f"not ready after {self._timeout:g} s")
                part = os.read(output.fileno(), 65536)
                if not part:
                    raise ValueError("the process ended")
                line += part
        return line


_started: "weakref.WeakSet[DemoRegistries]" = weakref.WeakSet()


def _abandon_all() -> None:
    for registries in list(_started):
        registries.abandon()


# The child ends when its input pipe is closed, so a forked worker must not keep that pipe open.
os.register_at_fork(after_in_child=_abandon_all)
