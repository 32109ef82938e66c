"""The list while a run of 1,000 hanging registries is under way, against the same list before it."""

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.bench.pages import HTMX, LIST, logged_in, quantile, say
from tests.peers.command import ROOT, Serving, environment

REGISTRIES = 1_000
PORTS = 100
ROUNDS = 60
RUN = "/registries/-/verify/"


def run(folder: Path) -> None:
    silent = [socket.create_server(("127.0.0.1", 0), backlog=512) for _ in range(PORTS)]
    try:
        ports = [str(server.getsockname()[1]) for server in silent]
        fill = [sys.executable, "-m", "tests.bench.fill", str(REGISTRIES), "200", *ports]
        settings = environment(folder, DJANGO_SETTINGS_MODULE="console.settings")
        subprocess.run(fill, cwd=ROOT, env=settings, check=True)
        with Serving(folder, "serve", CONSOLE_PROBE_ALLOW_LOOPBACK="1") as console:
            _measure(console)
    finally:
        for server in silent:
            server.close()


def _measure(console: Serving) -> None:
    session, base = logged_in(console), f"http://127.0.0.1:{console.port}"
    before = _times(session, base)
    session.post(
        base + RUN, {"query": ""}, headers={**HTMX, **_token(session, base)}, timeout=30
    ).raise_for_status()
    time.sleep(1)
    during = _times(session, base)
    shown = session.get(base + "/registries/", timeout=30).text
    state = re.search(r"(正在测试：[\d,]+ / [\d,]+)", shown)
    say("The list of 50 rows while a run of 1,000 hanging registries is under way, milliseconds:")
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        first, second = quantile(before, share), quantile(during, share)
        say(f"  {name:10}{first:>10.1f} before{second:>10.1f} during{second / first:>10.2f} during : before")
    say(f"  the page says: {state[1] if state else 'no run is under way: the figures are void'}")


def _token(session: requests.Session, base: str) -> dict[str, str]:
    return {"X-CSRFToken": session.cookies["csrftoken"], "Referer": base + "/"}


def _times(session: requests.Session, base: str) -> list[float]:
    times = []
    for number in range(ROUNDS + 10):
        begun = time.perf_counter()
        session.get(base + LIST, timeout=30).raise_for_status()
        if number >= 10:
            times.append((time.perf_counter() - begun) * 1000)
    return times
