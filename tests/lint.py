"""The tools that read the sources: style, types, templates, security, imports. `make lint` runs all of them.

With `--lint` pytest runs them beside the tests, and reports each as a test of its own. This file is that plugin.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parents[1]
BESIDE_PYTHON = Path(sys.executable).parent
TOOLS = {
    "mypy": ["mypy"],
    "djlint": ["djlint", "templates", "--lint", "--quiet"],
    "imports": ["lint-imports"],
    "ruff": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
}


class Tool:
    """A tool under way. Its output goes to a file, so that it never waits for a reader."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed with the object
        program, *arguments = TOOLS[name]
        command = [str(BESIDE_PYTHON / program), *arguments]
        self._began, self._seconds = time.time(), 0.0
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT
        )
        self._clock = threading.Thread(target=self._take_time, daemon=True)
        self._clock.start()

    def _take_time(self) -> None:
        self.process.wait()
        self._seconds = time.time() - self._began

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def result(self) -> tuple[bool, str, float]:
        """Whether the tool found nothing; what it said; its seconds. Waits until it has ended."""
        found_nothing = self.process.wait() == 0
        self._clock.join()
        self._output.seek(0)
        return found_nothing, self._output.read().decode(errors="replace").strip(), self._seconds


class Lint:
    """Runs the tools one after the other, beside the tests: they take what the workers leave of the processors."""

    def __init__(self) -> None:
        self._waiting = list(TOOLS)
        self._tools: list[Tool] = []
        self.go_on()

    def go_on(self) -> None:
        """Start the next tool when the one before has ended."""
        if self._waiting and all(it.has_ended() for it in self._tools):
            self._tools.append(Tool(self._waiting.pop(0)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        outcome = yield
        while self._waiting:
            self._tools[-1].process.wait()
            self.go_on()
        for tool in self._tools:
            report = _report(tool)
            session.config.hook.pytest_runtest_logreport(report=report)
            session.testsfailed += report.failed
        return outcome

    def pytest_runtest_logreport(self) -> None:
        self.go_on()

    def pytest_unconfigure(self) -> None:
        for tool in self._tools:
            if tool.process.poll() is None:
                tool.process.kill()


def _report(tool: Tool) -> pytest.TestReport:
    found_nothing, said, seconds = tool.result()
    return pytest.TestReport(
        nodeid=f"make lint: {tool.name}",
        location=("tests/lint.py", 0, f"make lint: {tool.name}"),
        keywords={},
        outcome="passed" if found_nothing else "failed",
        longrepr=None if found_nothing else said,
        when="call",
        duration=seconds,
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lint", action="store_true", help="run the tools of `make lint` beside the tests")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("lint") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Lint(), "lint-run")


def main() -> int:
    """Run every tool; the number of those that found something."""
    failed = 0
    for tool in [Tool(name) for name in TOOLS]:
        found_nothing, said, seconds = tool.result()
        sys.stdout.write(f"{tool.name}: {'ok' if found_nothing else 'FAILED'} ({seconds:.1f} s)\n")
        if not found_nothing:
            sys.stdout.write(f"{said}\n")
            failed += 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
