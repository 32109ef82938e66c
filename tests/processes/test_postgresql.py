"""Another database than SQLite: what touches tables, once more on a real PostgreSQL."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.postgresql import postgresql

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    "test_access",
    "test_administration",
    "test_api_runs",
    "test_api_verify",
    "test_api_watch",
    "test_batch_delete",
    "test_changes",
    "test_hostile_input",
    "test_index",
    "test_journal",
    "test_keys",
    "test_login",
    "test_queries",
    "test_quota",
    "test_rates",
    "test_store",
    "test_store_concurrency",
    "test_tokens",
    "test_trust",
    "test_verify",
    "test_verify_command",
    "test_verify_runs",
    "test_verify_runs_interrupted",
)
NOT = ("test_api_watch.py::test_over_the_network_a_change_comes_at_once_and_pages_are_answered_meanwhile",)
"""Tests of a server of their own, which has a database of its own."""


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with postgresql() as url:
        yield url


def test_the_same_tests_pass_on_postgresql(database_url: str) -> None:
    files = [f"tests/{name}.py" for name in FILES] + [f"--deselect=tests/{name}" for name in NOT]
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
