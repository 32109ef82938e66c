"""A run of tests that is told to end does so, and none of the servers that it started is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import MARK
from tests.peers.command import LONG, ROOT
from tests.peers.scripted import wait_for
from tests.sweeper import left_behind

SERVERS = ("docker-registry", "registries.demo", "manage.py")


def said(pid: int) -> str:
    """The command line of a process; nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("number", "arguments"),
    [(signal.SIGINT, []), (signal.SIGTERM, ["-n1"]), (signal.SIGKILL, [])],
    ids=["Ctrl-C", "SIGTERM with workers", "killed"],
)
def test_its_servers_end_with_it(number: int, arguments: list[str], tmp_path: Path) -> None:
    """Who is killed can stop nothing: the sweeper does."""
    begun = tmp_path / "begun"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", MARK))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/house/endless.py"]
    with (tmp_path / "output").open("wb") as output:
        run = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env={**inherited, "ENDLESS": str(begun)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        # It migrates a database and starts servers, for as long as it takes; one that fails to ends.
        assert wait_for(lambda: begun.exists() or run.poll() is not None, 5 * LONG)
        assert begun.exists(), (tmp_path / "output").read_text()
        mark = f"{MARK}={begun.read_text()}".encode()
        running = [said(pid) for pid in left_behind(mark)]
        for server in SERVERS:
            assert any(server in it for it in running), running

        run.send_signal(number)
        status = run.wait(LONG)
    finally:
        run.kill()

    assert status == (-signal.SIGKILL if number == signal.SIGKILL else pytest.ExitCode.INTERRUPTED)
    assert wait_for(lambda: not left_behind(mark), LONG)
    assert wait_for(lambda: not Path(begun.read_text()).exists(), LONG)
