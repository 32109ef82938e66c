"""The list and its fragment at 100, 1,000 and 10,000 registries, and the bytes of a visit."""

import re
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import requests

from tests.bench.targets import note
from tests.peers.command import ROOT, Serving, environment

SIZES = (100, 1_000, 10_000)
ROUNDS = 80
PASSWORD = "bench-only-7"
"""As tests/bench/fill.py sets it."""
LIST = "/registries/?size=50"
PLAIN = "/password/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "/registries/"}


def run(folder: Path) -> None:
    """All sizes are served side by side and asked in turns, so that all meet the same weather."""
    with ExitStack() as stack:
        visits = {}
        for size in SIZES:
            data = folder / str(size)
            fill = [sys.executable, "-m", "tests.bench.fill", str(size), str(min(200, size))]
            settings = environment(data, DJANGO_SETTINGS_MODULE="console.settings")
            subprocess.run(fill, cwd=ROOT, env=settings, check=True)
            console = stack.enter_context(Serving(data, "serve"))
            visits[size] = (console, logged_in(console))
        _report_times(_measure(visits))
        _report_bytes(*visits[SIZES[-1]])


def logged_in(console: Serving) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    url = f"http://127.0.0.1:{console.port}/login/"
    session.get(url, timeout=10)
    form = {"username": "olive", "password": PASSWORD, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    session.post(url, form, headers={"Referer": url}, timeout=10).raise_for_status()
    return session


def _measure(visits: dict[int, tuple[Serving, requests.Session]]) -> dict[int, dict[str, list[float]]]:
    """Milliseconds per request, by size and kind."""
    kinds = {"page": (LIST, {}), "fragment": (LIST, HTMX), "plain page": (PLAIN, {})}
    times: dict[int, dict[str, list[float]]] = {size: {kind: [] for kind in kinds} for size in visits}
    for number in range(ROUNDS + 10):
        for kind, (path, headers) in kinds.items():
            for size, (console, session) in visits.items():
                url = f"http://127.0.0.1:{console.port}{path}"
                begun = time.perf_counter()
                session.get(url, headers=headers, timeout=30).raise_for_status()
                if number >= 10:  # the first ones fill the index and the template cache
                    times[size][kind].append((time.perf_counter() - begun) * 1000)
    return times


def _report_times(times: dict[int, dict[str, list[float]]]) -> None:
    say("The list on the embedded store, 50 rows, milliseconds:")
    say(f"  {'':12}{'':>10}" + "".join(f"{size:>10,}" for size in SIZES) + "   10,000 : 100")
    for kind in ("page", "fragment", "plain page"):
        for name, pick in (("p50", 0.50), ("p95", 0.95)):
            values = [quantile(times[size][kind], pick) for size in SIZES]
            figures = "".join(f"{value:>10.1f}" for value in values)
            say(f"  {kind:12}{name:>10}{figures}{values[-1] / values[0]:>15.2f}")
    for kind in ("page", "fragment"):
        ratios = [
            statistics.median(times[size][kind]) / statistics.median(times[size]["plain page"])
            for size in SIZES
        ]
        say(f"  {kind} : plain page" + "".join(f"{ratio:>10.2f}" for ratio in ratios))


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _report_bytes(console: Serving, session: requests.Session) -> None:
    """What travels, compressed, as a browser on loopback or HTTPS asks for it."""
    encodings = {"Accept-Encoding": "gzip, br"}
    page, markup = _fetch(console, session, LIST, encodings)
    assets = sorted(set(re.findall(r'(?:href|src)="(/(?:static|icons)/[^"#]+)', markup)))
    total = page + sum(_fetch(console, session, path, encodings)[0] for path in assets)
    fragment, _ = _fetch(console, session, LIST, {**encodings, **HTMX})
    say(f"A first visit: {total / 1024:.1f} KiB in {len(assets) + 1} answers (target 90)")
    note("a first visit, KiB", total / 1024, 90)
    note("a fragment of 50 rows, KiB", fragment / 1024, 8)
    say(f"A fragment of 50 rows: {fragment / 1024:.1f} KiB (target 8)")


def _fetch(
    console: Serving, session: requests.Session, path: str, headers: dict[str, str]
) -> tuple[int, str]:
    """Bytes on the wire, headers left out, and the text."""
    url = f"http://127.0.0.1:{console.port}{path}"
    with session.get(url, headers=headers, stream=True, timeout=30) as answer:
        answer.raise_for_status()
        raw = answer.raw.read(decode_content=False)
    text = session.get(url, headers=headers, timeout=30).text
    return len(raw), text


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
