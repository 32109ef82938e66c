"""A process of the schedule is killed with -9 in every phase at once; another one on the same PostgreSQL goes on.

Nothing is lost: one log-in more for the test that was cut off, each change once in the history, told once or twice.
Locks of database rows and servers that hold their answers keep the process in each phase.
"""

# ruff: noqa: S608  the names of tables are constants

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet

from registries.schedule.sweep import WRITES
from tests.peers.command import LONG, ROOT, environment
from tests.peers.postgresql import postgresql
from tests.peers.scripted import Reply, Request, ScriptedServer, unauthorized, wait_for

ROWS, REGISTRIES = "registries_scheduledcredential", "registries_scheduledregistry"
DELIVERIES, CHANGES = "registries_delivery", "registries_statechange"
RESOURCES, TESTS = "registries_storedresource", "registries_verificationrecord"
COPIES = {"claimed": 1, "probing": 1, "result-written": 1, "partly-written": WRITES + 1, "told": 1}
"""The phases, each on a host of its own, with the number of copies of its credential."""


@dataclass
class Held:
    """A server that refuses every password, or takes every message. `hold` keeps the answers back."""

    script: Callable[[Request], Reply]
    hold: threading.Event = field(default_factory=threading.Event)
    got: list[Request] = field(default_factory=list)
    server: ScriptedServer = field(init=False)

    def __post_init__(self) -> None:
        self.hold.set()
        self.server = ScriptedServer(self._answer)

    def _answer(self, request: Request) -> Reply:
        if request.authorization or request.body:
            self.got.append(request)
            self.hold.wait(LONG)
        return self.script(request)

    def stop(self) -> None:
        self.hold.set()
        self.server.stop()


@dataclass
class Stage:
    """The database, and what the processes ask other servers for."""

    url: str
    stack: ExitStack
    hosts: dict[str, Held]
    hooks: list[Held]
    settings: dict[str, str]

    def __post_init__(self) -> None:
        self._database = self.stack.enter_context(psycopg.connect(self.url, autocommit=True))

    def process(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.processes.watching", *arguments]
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.settings, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._database.execute(sql).fetchall()

    def do(self, sql: str) -> None:
        self._database.execute(sql)

    def until(self, condition: Callable[[], bool]) -> None:
        assert wait_for(condition, LONG), (
            self.ask(f"SELECT host, due_at, claimed_until, tested_reason, behind FROM {ROWS}"),
            self.ask(f"SELECT state, due_at, claimed_until, attempts FROM {DELIVERIES}"),
        )

    def lock(self, sql: str) -> "psycopg.Connection[tuple[Any, ...]]":
        """A transaction that holds what the statement locks."""
        holder = self.stack.enter_context(psycopg.connect(self.url))
        holder.execute(sql)
        return holder

    def blocked(self) -> int:
        """The number of connections that wait for a lock."""
        return int(self.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")[0][0])

    def row(self, phase: str, what: str) -> Any:
        return self.ask(f"SELECT {what} FROM {ROWS} WHERE host = '{self.hosts[phase].server.netloc}'")[0][0]

    def make_due(self, phase: str) -> None:
        self.do(f"UPDATE {ROWS} SET due_at = now() WHERE host = '{self.hosts[phase].server.netloc}'")

    def log_ins(self) -> dict[str, int]:
        return {phase: len(it.got) for phase, it in self.hosts.items()}

    def messages(self) -> list[Counter[tuple[str, str]]]:
        """For each webhook, how often it got a message of a host, with the id of the message."""
        by_host = {it.server.netloc: phase for phase, it in self.hosts.items()}
        return [
            Counter(
                (by_host[json.loads(it.body)["data"]["changes"][0]["host"]], str(it.header("webhook-id")))
                for it in hook.got
            )
            for hook in self.hooks
        ]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        url = stack.enter_context(postgresql())
        hosts = {phase: Held(lambda _: unauthorized('Basic realm="test"')) for phase in COPIES}
        hooks = [Held(lambda _: Reply(200)) for _ in range(2)]
        for server in (*hosts.values(), *hooks):
            stack.callback(server.stop)
        settings = environment(
            tmp_path,
            DATABASE_URL=url,
            DJANGO_SETTINGS_MODULE="console.settings",
            CONSOLE_SECRET_KEY="one for both",
            CONSOLE_PASSWORD_KEYS=Fernet.generate_key().decode(),
            CONSOLE_PROBE_ALLOW_LOOPBACK="1",
            CONSOLE_NOTIFY_PLAIN_HTTP="1",
            CONSOLE_CHECK_INTERVAL="6h",
            # A test that a server holds goes on until the process is killed, however slow the machine is.
            CONSOLE_PROBE_READ_TIMEOUT=str(2 * LONG),
            CONSOLE_PROBE_TIMEOUT=str(2 * LONG),
        )
        yield Stage(url, stack, hosts, hooks, settings)


def test_killed_in_every_phase(stage: Stage) -> None:
    names = {
        it.server.address: [f"{phase}-{number:02}" for number in range(COPIES[phase])]
        for phase, it in stage.hosts.items()
    }
    given = {"registries": names, "webhooks": [it.server.url("/hook") for it in stage.hooks]}
    one, two = stage.process(json.dumps(given)), stage.process()
    for it in (one, two):
        assert it.stdout
        assert it.stdout.readline() == "ready\n"

    locks = [bring_into_every_phase(stage, one)]
    one.kill()
    one.wait()
    assert stage.log_ins() == {**dict.fromkeys(COPIES, 1), "claimed": 0}
    assert [sum(it.values()) for it in stage.messages()] == [1, 0]
    # What waits for a lock ends with its connection, as if the process had been on another machine.
    stage.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for lock in (it for some in locks for it in some):
        lock.rollback()
    for held in (*stage.hosts.values(), *stage.hooks):
        held.hold.set()

    # Claims and tests of a dead process end after minutes. The test does not wait for that.
    for table in (ROWS, DELIVERIES):
        stage.do(f"UPDATE {table} SET claimed_until = now() WHERE claimed_until IS NOT NULL")
    stage.do(f"UPDATE {TESTS} SET started_at = now() - interval '1 day'")
    assert two.stdin
    two.stdin.write("go\n")
    two.stdin.flush()
    stage.until(lambda: stage.ask(f"SELECT count(*) FROM {ROWS} WHERE tested_at IS NULL OR behind") == [(0,)])
    total = len(COPIES) * len(stage.hooks)

    def all_sent() -> bool:
        stage.do(f"UPDATE {DELIVERIES} SET due_at = now() WHERE state IN ('collecting', 'due')")
        return stage.ask(f"SELECT count(*) FROM {DELIVERIES} WHERE state = 'sent'") == [(total,)]

    stage.until(all_sent)
    nothing_is_lost(stage)


def bring_into_every_phase(stage: Stage, process: "subprocess.Popen[str]") -> list[Any]:
    """Lets a process work on one host after the other. It stays in another phase on each. Gives the locks."""
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()
    stage.until(lambda: stage.ask(f"SELECT count(*) FROM {ROWS}") == [(len(COPIES),)])
    stage.do(f"UPDATE {ROWS} SET due_at = now() + interval '1 day'")

    # As after a failed try: a message that is still collecting changes does not wait so long.
    later = f"UPDATE {DELIVERIES} SET state = 'due', due_at = now() + interval '1 hour'"
    stage.make_due("told")
    stage.until(lambda: stage.row("told", "tested_at IS NOT NULL AND NOT behind AND claimed_until IS NULL"))
    stage.do(later)

    # The verdict is written to all resources but the last.
    last = f"SELECT 1 FROM {RESOURCES} WHERE name = 'partly-written-{WRITES}' FOR UPDATE"
    locks = [stage.lock(last)]
    stage.make_due("partly-written")
    stage.until(lambda: stage.blocked() == 1)
    assert stage.ask(f"SELECT count(*) FROM {REGISTRIES} WHERE written_at IS NOT NULL") == [(WRITES + 1,)]

    # The result is recorded, and no verdict is written: writers of a process wait for each other.
    stage.make_due("result-written")
    stage.until(lambda: bool(stage.row("result-written", "behind")))
    stage.do(later)

    stage.hosts["probing"].hold.clear()
    stage.make_due("probing")
    stage.until(lambda: len(stage.hosts["probing"].got) == 1)

    locks.append(stage.lock(f"LOCK TABLE {TESTS} IN SHARE MODE"))
    stage.make_due("claimed")
    stage.until(lambda: stage.blocked() == 2)
    assert stage.row("claimed", "claimed_until IS NOT NULL AND tested_at IS NULL")

    # Told, not sent: one message is on its way, the other one is claimed and not yet sent.
    stage.do(later)
    stage.hooks[0].hold.clear()
    stage.do(told_by(stage, "hook-0"))
    stage.until(lambda: len(stage.hooks[0].got) == 1)
    locks.append(stage.lock("LOCK TABLE registries_deliveryitem IN ACCESS EXCLUSIVE MODE"))
    stage.do(told_by(stage, "hook-1"))
    stage.until(lambda: stage.blocked() == 3)
    claimed = f"SELECT count(*) FROM {DELIVERIES} WHERE claimed_until IS NOT NULL"
    assert stage.ask(claimed) == [(2,)]
    return locks


def told_by(stage: Stage, hook: str) -> str:
    """The statement that makes a message about the host `told` due."""
    of_host = f"\"group\" LIKE '%|{stage.hosts['told'].server.netloc}|%'"
    channel = f"SELECT id FROM registries_channel WHERE name = '{hook}'"
    return f"UPDATE {DELIVERIES} SET due_at = now() WHERE {of_host} AND channel_id IN ({channel})"


def nothing_is_lost(stage: Stage) -> None:
    """Also: nothing twice but a message, and the log-in that was cut off."""
    assert stage.log_ins() == {**dict.fromkeys(COPIES, 1), "probing": 2}
    waits = f"SELECT min(due_at - now()) > interval '10 hours' FROM {ROWS}"
    assert stage.ask(waits) == [(True,)], "no refused password is tried within its back-off"
    every = sum(COPIES.values())
    history = f"SELECT count(*), count(DISTINCT uid), min(after), max(after) FROM {CHANGES}"
    assert stage.ask(history) == [(every, every, "failing", "failing")]
    assert stage.ask("SELECT sum(failed), sum(ok) FROM registries_dayrecord") == [(every, 0)]
    failed = f"SELECT count(*) FROM {RESOURCES} WHERE body LIKE '%\"theriseunion.io/verify-status\":%failed%'"
    assert stage.ask(failed) == [(every,)]
    first, second = stage.messages()
    assert sorted(first.values()) == [1, 1, 1, 1, 2], "the one that was on its way comes twice, with one id"
    assert {phase: number for (phase, _), number in second.items()} == dict.fromkeys(COPIES, 1)
    assert {phase for phase, _ in first} == set(COPIES)
