"""Waits until the test run is over, however it ended; then kills what it left running, and removes its folder.

`python sweeper.py NAME FOLDER` with a pipe as standard input, whose other end only the run holds. A process belongs to
the run when NAME=FOLDER is in its environment.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

ATTEMPTS = 50
"""Looks for processes: one that is being started may appear after the first look."""


def left_behind(mark: bytes) -> list[int]:
    """Processes with this entry in their environment. Zombies have none."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def sweep(mark: bytes) -> None:
    for _ in range(ATTEMPTS):
        processes = left_behind(mark)
        if not processes:
            return
        for pid in processes:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def main() -> None:
    name, folder = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    sweep(f"{name}={folder}".encode())
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
