"""A served console under load, and killed: slow and silent clients, log-ins, unread watches, tests of a registry that
answers one byte at a time, and one person who works."""

import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.bench.fill import PASSWORD
from tests.peers.command import LONG, ROOT, Serving, environment
from tests.peers.prepared import ready_folder
from tests.processes.serving import children_of
from tests.processes.test_runs import PATH as RUN_PAGE
from tests.processes.test_runs import Visit
from tests.soak.load import PATH
from tests.soak.person import KEPT, Person, list_until, sample

REGISTRIES = 200
WARM_UP = 10
"""Seconds of load before memory is measured: each thread of the server opens its connection to the database, each kind
of request is answered once, and the buffers for unread answers fill. This happens once and has its bounds."""
PROBE = 5
"""Seconds of the longest test of a registry."""
PATIENCE = 3 * PROBE + 15
"""Seconds after which a test counts as lost (verification/prober.py)."""
LAST = ("nice", "-n", "19")
SETTINGS = {
    "CONSOLE_API_RATE": "0",
    "CONSOLE_TESTS_PER_MINUTE": "0",
    "CONSOLE_PROBE_ALLOW_LOOPBACK": "1",
    "CONSOLE_PROBE_TIMEOUT": str(PROBE),
}


@dataclass
class Figures:
    """Times in seconds, memory in MiB, None for what was not measured."""

    health: float = 0
    """The slowest answer of /healthz under load."""
    idle: float = 0
    """The 95th percentile of the list of all registries, without load."""
    working: float = 0
    """The same while the person works."""
    loaded: float = 0
    """The same while the person works, under load."""
    memory: float = 0
    """Of the worker, before the load."""
    warm_up: float = 0
    """Growth of that memory while the load began."""
    growth: float = 0
    """The same from then to the end of the load."""
    unhealthy: int = 0
    works: int = 0
    created: int = 0
    lost: int = 0
    intact: bool = False
    """SQLite finds no damage in the database."""
    open: int | None = None
    """Tests that the killed processes left open."""
    blocked: int | None = None
    """Those of them that still prevent a new test after their patience."""
    resumed: bool | None = None
    """A run under way in both kills was resumed twice and done."""
    refused: dict[str, int] = field(default_factory=dict)
    """The person's failed steps."""
    load: dict[str, int] = field(default_factory=dict)
    load_average: float = 0

    def checks(self) -> list[tuple[str, str, bool]]:
        """What was measured, the bound, and whether it holds."""
        return [
            (f"/healthz: slowest {self.health:.2f} s, {self.unhealthy} failed", "under 1 s, none failed",
             self.health < 1 and not self.unhealthy),
            (f"list, p95: idle {1000 * self.idle:.0f} ms, under load {1000 * self.loaded:.0f} ms; "
             f"{1000 * self.working:.0f} ms while only the person works",
             "at most 3x idle", self.loaded <= 3 * self.idle),
            (f"memory growth: {self.growth:.1f} MiB, after {self.warm_up:.1f} in the first seconds of load "
             f"({self.memory:.0f} before)", "under 20", self.growth < 20),
            (f"the person: {self.works} rounds of work, failed steps {self.refused}", "none failed",
             self.works > 0 and not self.refused),
            (f"after kills: {self.lost} lost of {self.created} registries; database intact: {self.intact}",
             "none lost", not self.lost and self.intact),
            (f"tests left open: {self.open}, blocking a new test: {self.blocked}", "none blocking",
             not self.blocked),
            (f"run resumed after each kill and done: {self.resumed}", "yes", self.resumed is not False),
        ]  # fmt: skip

    def broken(self) -> list[str]:
        return [found for found, _, holds in self.checks() if not holds]

    def text(self) -> str:
        load = ", ".join(f"{what}: {count}" for what, count in self.load.items())
        rows = [
            f"{'ok ' if holds else 'BAD'} {found} (target: {bound})" for found, bound, holds in self.checks()
        ]
        return "\n".join([f"load: {load}", f"load average during the load: {self.load_average:.1f}", *rows])


class LoadProcess:
    """The process of load.py. `port` is that of its registry. Clients have machines of their own elsewhere: here they
    get what the console leaves of the processors. Linux shares these between sessions first (autogroup in sched(7)),
    so the load has a session of its own, and the session gets the lowest priority, too."""

    def __enter__(self) -> "LoadProcess":
        command = [*LAST, sys.executable, "-m", "tests.soak.load"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True
        )
        with suppress(FileNotFoundError):  # a system without sessions in its scheduler
            Path(f"/proc/{self._process.pid}/autogroup").write_text(LAST[-1])
        self.port = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def start(self, port: int, token: str) -> None:
        self._write(json.dumps({"port": port, "token": token, "password": PASSWORD}))

    def end(self) -> dict[str, int]:
        self._write("")
        return dict(self._read())

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@contextmanager
def listing(person: Person, seconds: float) -> Iterator[Callable[[], list[float]]]:
    """Lists all registries meanwhile, in a process of its own: a time must not have the waits of other clients for
    the interpreter in it. Call the value for the times; the person hears of refusals."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(os.getpid).result()  # it has started
        times = pool.submit(list_until, person.port, person.token, seconds)

        def result() -> list[float]:
            found, refused = times.result()
            person.refused.update(refused)
            return found

        yield result


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def memory(console: Serving) -> float:
    """MiB of the worker."""
    pages = sum(
        int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in children_of(console.process.pid)
    )
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _measure_idle(person: Person, seconds: float, figures: Figures) -> None:
    for _ in range(KEPT + 1):
        person.work()
    with listing(person, seconds) as times:
        figures.idle = p95(times())
    with listing(person, seconds) as times:
        person.work_until(time.monotonic() + seconds)
        figures.working = p95(times())


def measure(console: Serving, person: Person, seconds: float, figures: Figures) -> None:
    """Measures under load, while the person works."""
    with listing(person, seconds) as lists, ThreadPoolExecutor(2) as pool:
        begun = time.monotonic()
        figures.memory = memory(console)
        health = pool.submit(sample, begun + seconds, lambda: console.status("/healthz") == 200)
        work = pool.submit(person.work_until, begun + seconds)
        time.sleep(min(WARM_UP, seconds / 2))
        warm = memory(console)
        (times, figures.unhealthy), listed = health.result(), lists()
        work.result()
        after = memory(console)
    figures.health, figures.loaded = max(times), p95(listed)
    figures.warm_up, figures.growth = warm - figures.memory, after - warm
    figures.load_average = os.getloadavg()[0]


@contextmanager
def killed(console: Serving, person: Person, name: str) -> Iterator[None]:
    """The person creates registries during the block; at its end the console is killed."""
    writer = threading.Thread(target=person.create_until_killed, args=(name,))
    writer.start()
    try:
        yield
    finally:
        os.killpg(console.process.pid, signal.SIGKILL)
        console.process.wait()
        writer.join()


def soak(folder: Path, seconds: float, *, idle: float = 10, whole: bool = True) -> Figures:
    """Not `whole`: one kill, no run, and no wait for the patience of tests."""
    data, figures = ready_folder(folder / "data"), Figures()
    with LoadProcess() as load:
        command = [sys.executable, "-m", "tests.soak.fill", str(REGISTRIES if whole else 20), str(load.port)]
        settings = environment(data, DJANGO_SETTINGS_MODULE="console.settings", **SETTINGS)
        made = subprocess.run(
            command, cwd=ROOT, env=settings, check=True, timeout=LONG, stdout=subprocess.PIPE
        )
        token, load_token = json.loads(made.stdout)
        person = Person(0, token)
        with Serving(data, "serve", **SETTINGS) as console:
            person.port = console.port
            _measure_idle(person, idle, figures)
            load.start(console.port, load_token)
            measure(console, person, seconds, figures)
            run = person.start_run() if whole else ""
            with killed(console, person, "kill-1"):
                time.sleep(1 if whole else 0.2)
                figures.load = load.end()
        if whole:
            _kill_again(data, person, run, lambda port: load.start(port, load_token))
    with Serving(data, "serve", **SETTINGS) as console:
        person.port = console.port
        _after(data, console, person, run, figures)
    return figures


def _kill_again(data: Path, person: Person, run: str, start_load: Callable[[int], None]) -> None:
    with Serving(data, "serve", **SETTINGS) as console:
        person.port = console.port
        _resume(console, person, run)
        start_load(console.port)
        with killed(console, person, "kill-2"):
            time.sleep(2 * PROBE)


def _resume(console: Serving, person: Person, run: str) -> None:
    _until(lambda: person.run(run)["state"] == "interrupted")
    Visit(console).post(f"{RUN_PAGE}{run}/start/")
    assert person.run(run)["state"] in ("running", "done")


def _until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + LONG
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(0.5)
    return holds


def _after(data: Path, console: Serving, person: Person, run: str, figures: Figures) -> None:
    """The load is gone and its registry refuses connections, so that tests end at once."""
    if run:
        left = _open_tests(data)
        ready = time.monotonic() + PATIENCE
        _resume(console, person, run)
        figures.resumed = _until(lambda: person.run(run)["state"] == "done")
        time.sleep(max(0.0, ready - time.monotonic()))
        for name in left.values():
            person.expect(200, "POST", f"{PATH}/{name}/verify")
        figures.open, figures.blocked = len(left), len(left.keys() & _open_tests(data).keys())
    figures.lost, figures.works, figures.created = person.lost(), person.works, len(person.created)
    figures.refused = dict(person.refused)
    with closing(sqlite3.connect(data / "console.sqlite3")) as database:
        figures.intact = database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _open_tests(data: Path) -> dict[int, str]:
    """The names of the registries with a test under way, by the id of the test."""
    with closing(sqlite3.connect(data / "console.sqlite3")) as database:
        asked = "SELECT id, name FROM registries_verificationrecord WHERE finished_at IS NULL"
        return dict(database.execute(asked).fetchall())
