"""Another database than SQLite: what touches tables, once more on a real PostgreSQL.

Of a test with many cases only the first runs (tests/suite.py), but for `make test-long`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.postgresql import postgresql

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    "api/test_runs",
    "api/test_verify",
    "api/test_watch",
    "domain/test_access",
    "events/test_outbox",
    "events/test_repeats",
    "events/test_retries",
    "events/test_turns",
    "index/test_index",
    "index/test_watch_order",
    "limits/test_limits",
    "people/test_tokens",
    "processes/test_keys",
    "processes/test_keys_held",
    "processes/test_verify_command",
    "runs/test_concurrency",
    "schedule/test_loop",
    "schedule/test_new_password",
    "schedule/test_telling",
    "stores/test_concurrency",
    "stores/test_embedded",
    "stores/test_store",
    "verification/test_quota",
    "web/test_administration",
    "web/test_channels_page",
    "web/test_delete_many",
    "web/test_edit_delete",
    "web/test_hostile_input",
    "web/test_journal",
    "web/test_journal_edits",
    "web/test_journal_export",
    "web/test_journal_lines",
    "web/test_journal_runs",
    "web/test_log_in",
    "web/test_queries",
    "web/test_test_many",
    "web/test_test_many_interrupted",
    "web/test_test_one",
    "web/test_test_one_interrupted",
    "web/test_trust",
)
NOT = (
    "api/test_watch.py::test_over_the_network_a_change_comes_at_once_and_pages_are_answered_meanwhile",
    "schedule/test_telling.py::test_the_consoles_own_network_is_told_once_and_its_end",
)
"""A test of a server of its own, which has a database of its own, and a long one."""


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with postgresql() as url:
        yield url


def test_the_same_tests_pass_on_postgresql(database_url: str) -> None:
    """All but those of a store on a cluster, which has no tables."""
    files = [f"tests/{name}.py" for name in FILES] + [f"--deselect=tests/{name}" for name in NOT]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not kubernetes", *files],
        cwd=ROOT,
        env={**inherited, "CONSOLE_TEST_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
