"""Two processes that keep registries in sync, on one PostgreSQL: one is killed in the middle, and the other does the
rest, nothing twice."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet

from tests.peers.command import LONG, ROOT, environment
from tests.peers.postgresql import postgresql
from tests.peers.scripted import wait_for

PLACES = 24
HELD = "place-5"
BEFORE = sum(f"place-{it}" < HELD for it in range(PLACES))
"""The namespaces before it. They are written by name."""

HOLD_ROW = """
    INSERT INTO registries_synccopy
        (rule_id, namespace, uid, mark, source_mark, state, problem, begun, bound, made_binding, at)
    SELECT id, %s, '', '', '', 'waiting', '', false, false, false, now() FROM registries_syncrule
"""
"""While this is not committed, nobody can write the row of this namespace."""


@contextmanager
def following(settings: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.processes.following"]
    process = subprocess.Popen(command, cwd=ROOT, env=settings)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_killed_process_leaves_the_rest_to_another_one(tmp_path: Path) -> None:
    with postgresql() as url:
        settings = environment(
            tmp_path,
            DATABASE_URL=url,
            DJANGO_SETTINGS_MODULE="console.settings",
            CONSOLE_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        )
        fill = [sys.executable, "-m", "tests.processes.following", str(PLACES)]
        subprocess.run(fill, cwd=ROOT, env=settings, timeout=LONG, check=True)
        with psycopg.connect(url, autocommit=True) as database:

            def number(query: str) -> int:
                row = database.execute(query).fetchone()
                return int(row[0]) if row else 0

            written = "SELECT count(*) FROM registries_synccopy WHERE state = 'in_step'"
            copies = "SELECT count(*) FROM registries_auditentry WHERE action = 'copy'"
            begun = "SELECT count(*) FROM registries_synccopy WHERE begun AND state = 'waiting'"
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            with psycopg.connect(url) as row, psycopg.connect(url) as store:
                row.execute(HOLD_ROW, [HELD])
                with following(settings) as first:
                    assert wait_for(lambda: number(blocked) == 1, LONG), "it waits before this namespace"
                    store.execute("SELECT * FROM registries_storeversion FOR UPDATE")
                    row.rollback()
                    assert wait_for(lambda: number(begun) == 1 == number(blocked), LONG), (
                        "it creates the copy"
                    )
                    first.kill()
                    first.wait()
            assert number(written) == number(copies) == BEFORE

            with following(settings), following(settings):
                assert number("SELECT count(*) FROM registries_syncrule WHERE claimed_until > now()") == 1
                database.execute("UPDATE registries_syncrule SET claimed_until = now()")  # the claim ends
                assert wait_for(lambda: number(written) == PLACES, LONG)
                assert wait_for(
                    lambda: number("SELECT count(*) FROM registries_syncrule WHERE state = 'active'") == 1,
                    LONG,
                )
            assert number(copies) == PLACES, "nothing was written twice"
            stored = "SELECT count(*) FROM registries_storedresource WHERE name = 'harbor-prod'"
            assert number(stored) == PLACES + 1
