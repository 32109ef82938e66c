"""A round of the checks that run by themselves: 10,000 registries with 50 credentials, and the list meanwhile."""

import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from tests.bench.cost import processor_seconds
from tests.bench.pages import LIST, logged_in, quantile, say
from tests.bench.targets import note
from tests.peers.command import ROOT, Serving, environment
from tests.peers.scripted import Reply, Request, ScriptedServer, registry_ok, unauthorized

REGISTRIES, CREDENTIALS = 10_000, 50
ROUNDS = 40
"""Pages without a sweep, for comparison."""
LONGEST = 1_800.0
"""Seconds for a round on a busy machine."""
OPEN = (
    "SELECT count(*) FROM registries_scheduledcredential WHERE tested_at IS NULL OR tested_at < ? OR behind"
)
PLACED = "SELECT count(*) FROM registries_scheduledregistry"


def run(folder: Path, number: int = REGISTRIES) -> None:
    log_ins: list[str] = []

    def answer(request: Request) -> Reply:
        if request.authorization is None:
            return unauthorized('Basic realm="bench"')
        log_ins.append(request.authorization)
        return registry_ok()

    with ExitStack() as stack:
        servers = [ScriptedServer(answer) for _ in range(CREDENTIALS)]
        for server in servers:
            stack.callback(server.stop)
        ports = [it.netloc.rpartition(":")[2] for it in servers]
        fill = [sys.executable, "-m", "tests.bench.fill", "--one-account", str(number), "200", *ports]
        settings = environment(folder, DJANGO_SETTINGS_MODULE="console.settings")
        subprocess.run(fill, cwd=ROOT, env=settings, check=True)
        given = {"CONSOLE_PROBE_ALLOW_LOOPBACK": "1", "CONSOLE_CHECK_INTERVAL": "7d"}
        console = stack.enter_context(Serving(folder, "serve", **given))
        database = stack.enter_context(closing(sqlite3.connect(folder / "console.sqlite3", timeout=60)))
        _until(lambda: database.execute(PLACED).fetchone()[0] == number)
        _round(console, database, lambda: None)  # the first one finds that everything is new
        idle, session = list[float](), logged_in(console)
        _ask(console, session, [])  # fills the template caches
        before = processor_seconds(console.process.pid)
        for _ in range(ROUNDS):
            _ask(console, session, idle)
        page = (processor_seconds(console.process.pid) - before) / ROUNDS
        _become_tomorrow(database)
        log_ins.clear()
        during, size = list[float](), _size(database)
        spent = _round(console, database, lambda: _ask(console, session, during))
        spent -= page * len(during)
        _report(number, spent, idle, during, len(log_ins), _size(database) - size)


def _round(console: Serving, database: sqlite3.Connection, meanwhile: Callable[[], None]) -> float:
    """Makes everything due, and waits until every verdict is written. Returns the processor's seconds."""
    begun, before = _text(datetime.now(UTC)), processor_seconds(console.process.pid)
    with database:
        database.execute("UPDATE registries_scheduledcredential SET due_at = ?", [begun])

    def is_over() -> bool:
        meanwhile()
        return not database.execute(OPEN, [begun]).fetchone()[0]

    _until(is_over)
    return processor_seconds(console.process.pid) - before


def _become_tomorrow(database: sqlite3.Connection) -> None:
    """Takes back what was written today, so that the next round is the first one of a day, and writes all verdicts."""
    with database:
        earlier = _text(datetime.now(UTC) - timedelta(hours=6))
        database.execute("UPDATE registries_scheduledregistry SET written_at = ?", [earlier])
        database.execute("DELETE FROM registries_dayrecord")


def _report(
    number: int, spent: float, idle: list[float], during: list[float], log_ins: int, growth: int
) -> None:
    ratio = statistics.median(during) / statistics.median(idle)
    say(f"A round of {number:,} registries with {CREDENTIALS} credentials: {log_ins} log-ins")
    for name, times in (("before", idle), ("during", during)):
        say(
            f"  the list {name}: p50 {quantile(times, 0.5):.1f} ms, p95 {quantile(times, 0.95):.1f} ms, {len(times)}"
        )
    note(f"CPU of a round of {number:,} registries, s", spent, None)
    note("pages during a sweep : idle", ratio, 1.1)
    note("database growth per day, first round, MiB", growth / 2**20, None)


def _ask(console: Serving, session: requests.Session, times: list[float]) -> None:
    begun = time.perf_counter()
    session.get(f"http://127.0.0.1:{console.port}{LIST}", timeout=60).raise_for_status()
    times.append((time.perf_counter() - begun) * 1000)
    time.sleep(0.1)


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError("the schedule does not come to an end")
        time.sleep(0.1)


def _size(database: sqlite3.Connection) -> int:
    """Bytes in use."""
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int(size * (pages - free))


def _text(at: datetime) -> str:
    """A time as Django stores it in SQLite."""
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")
