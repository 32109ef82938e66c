"""A data folder that is ready to serve: its database is migrated, its files for the browser are collected.

It is made once per run, by the first who asks, and copied by everybody. A copy has no keys yet.
"""

import fcntl
import shutil
from pathlib import Path

from tests.environment import RUN
from tests.peers.command import manage

PREPARE = """
import os
from django.db import connections
from console.management.commands.serve import prepare
os.umask(0o077)
prepare("127.0.0.1:8000")
connections.close_all()
"""


def prepared() -> Path:
    """The folder itself. Whoever writes takes a copy."""
    folder = RUN / "prepared"
    with (RUN / "prepared.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            begun = RUN / "begun"
            done = manage(begun, "shell", "-c", PREPARE)
            assert done.returncode == 0, done.stderr
            shutil.rmtree(begun / "keys", ignore_errors=True)
            begun.rename(folder)
    return folder


def ready_folder(folder: Path, *, demo: bool = False) -> Path:
    """A copy in `folder`, which must not exist; `demo` says that the demo may fill it."""
    shutil.copytree(prepared(), folder)
    if demo:
        (folder / "demo.json").touch()
    return folder
