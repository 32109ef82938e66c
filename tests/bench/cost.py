"""What a page costs: processor time of the console's pages beside the floor's (tests/bench/floor), asked in turns."""

import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.bench.pages import HTMX, LIST, PLAIN, logged_in, say
from tests.bench.targets import note
from tests.peers.command import LONG, ROOT, Serving, environment, free_port

REGISTRIES = 10_000
ROUNDS = 12
BATCH = 25
"""Requests of a kind in a row. The processor's time is read before and after."""
CLIENTS = 8
SECONDS = 4.0
TARGETS = {"page": 1.6, "fragment": 1.3, "plain page": 0.6}


def run(folder: Path) -> None:
    """Everything is served at once and asked in turns, so that all meet the same load of the machine."""
    data = folder / "cost"
    fill = [sys.executable, "-m", "tests.bench.fill", str(REGISTRIES), "200"]
    settings = environment(data, DJANGO_SETTINGS_MODULE="console.settings")
    subprocess.run(fill, cwd=ROOT, env=settings, check=True)
    with Serving(data, "serve") as console, _floor(folder / "floor") as (floor, port):
        session, ours = logged_in(console), f"http://127.0.0.1:{console.port}"
        bare = requests.Session()
        bare.trust_env = False
        bare.cookies["sessionid"] = (folder / "floor" / "session").read_text()
        asked: dict[str, tuple[int, Callable[[], requests.Response]]] = {
            "page": (console.process.pid, lambda: session.get(ours + LIST, timeout=30)),
            "fragment": (console.process.pid, lambda: session.get(ours + LIST, headers=HTMX, timeout=30)),
            "plain page": (console.process.pid, lambda: session.get(ours + PLAIN, timeout=30)),
            "overview": (console.process.pid, lambda: session.get(ours + "/overview/", timeout=30)),
            "floor": (floor, lambda: bare.get(f"http://127.0.0.1:{port}/", timeout=30)),
        }
        _report_time(_measure(asked))
        rates = {"console": [], "floor": []}  # type: dict[str, list[float]]
        for _ in range(3):
            rates["console"].append(_pages_a_second(console.port, LIST, session))
            rates["floor"].append(_pages_a_second(port, "/", bare))
        mine, theirs = (statistics.median(rates[name]) for name in ("console", "floor"))
        note("pages a second : bare Django", mine / theirs, 0.6, least=True)
        say(
            f"  8 clients at once, pages a second: {mine:.0f}, floor {theirs:.0f} ={mine / theirs:>6.2f} (target 0.6)"
        )


@contextmanager
def _floor(folder: Path) -> Iterator[tuple[int, int]]:
    """The floor's process and its port."""
    folder.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.floor", f"127.0.0.1:{port}", str(REGISTRIES)]
    env = environment(folder, FLOOR_FOLDER=str(folder))
    with subprocess.Popen(command, cwd=ROOT, env=env) as process:
        try:
            begun = time.monotonic()
            while not _answers(port):
                if process.poll() is not None or time.monotonic() - begun > LONG:
                    raise RuntimeError("the floor does not serve")
                time.sleep(0.05)
            yield process.pid, port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def _measure(asked: dict[str, tuple[int, Callable[[], requests.Response]]]) -> dict[str, list[float]]:
    """Milliseconds of processor time per request, by kind: one figure a batch."""
    times: dict[str, list[float]] = {kind: [] for kind in asked}
    for number in range(ROUNDS + 1):
        for kind, (process, ask) in asked.items():
            before = processor_seconds(process)
            for _ in range(BATCH):
                ask().raise_for_status()
            spent = processor_seconds(process) - before
            if number:  # the first batch fills the index and the template caches
                times[kind].append(spent * 1000 / BATCH)
    return times


def _report_time(times: dict[str, list[float]]) -> None:
    floor = statistics.median(times["floor"])
    say(
        f"Processor time of one request, 50 rows of {REGISTRIES:,}, milliseconds; the floor takes {floor:.1f}:"
    )
    for kind, target in TARGETS.items():
        ratio = statistics.median(own / bare for own, bare in zip(times[kind], times["floor"], strict=True))
        note(f"{kind} of {REGISTRIES:,} : bare Django, processor", ratio, target)
        say(f"  {kind:12}{statistics.median(times[kind]):>8.1f} : floor ={ratio:>6.2f} (target {target})")

    ratio = statistics.median(
        overview / page for overview, page in zip(times["overview"], times["page"], strict=True)
    )
    note(f"overview of {REGISTRIES:,} : list page, processor", ratio, 1.5)
    say(f"  overview : list page ={ratio:>6.2f} (target 1.5)")


def processor_seconds(parent: int) -> float:
    """What the worker, the only child of this process, has used so far; all threads together. Linux only."""
    worker = int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])
    spent = (it.read_text().split()[0] for it in Path(f"/proc/{worker}/task").glob("*/schedstat"))
    return sum(map(int, spent)) / 1e9


def _pages_a_second(port: int, path: str, session: requests.Session) -> float:
    """As many connections as clients, each asking again as soon as it has its answer."""
    cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}
    end = time.monotonic() + SECONDS

    def client(_: int) -> int:
        connection, count = http.client.HTTPConnection("127.0.0.1", port, timeout=30), 0
        while time.monotonic() < end:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")
            count += 1
        connection.close()
        return count

    begun = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(client, range(CLIENTS))) / (time.monotonic() - begun)
