"""The API under eight connections: requests per second and p95 as ratios to the same server's /healthz."""

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.targets import note
from tests.peers.command import ROOT, Serving, environment, manage

CONNECTIONS = 8
SECONDS = 4.0
COUNT = 1_000
BASE = "/oapis/image.theriseunion.io/v1alpha1/namespaces"
MAKE = """
from datetime import timedelta
from django.utils import timezone
from registries.intake import read_draft
from registries.wiring import services
from django.contrib.auth.models import User
from registries.domain.access import Role
from registries.people.grants import access_of
access = access_of(User.objects.get(username="olive"))
for number, port in enumerate({ports}):
    values = dict(name=f"verify-{{number}}", namespace="team-000", domain=f"http://127.0.0.1:{{port}}")
    draft = read_draft(values | dict(username="u", password="bench-only-7", provider="other"))
    services().registries.create(access=access, draft=draft)
until = timezone.now() + timedelta(days=1)
print(services().tokens.create(access=access, name="b", namespaces=(), role=Role.ADMIN, expires_at=until)[1])
"""


@dataclass(frozen=True)
class Load:
    """Requests per second, and the 95th percentile in milliseconds."""

    rate: float
    p95: float


def new_token(data: Path, ports: Sequence[int] = (), **settings: str) -> str:
    """A token of olive's, and registries to verify at these ports."""
    made = manage(data, "shell", "-c", MAKE.format(ports=list(ports)), **settings)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip().splitlines()[-1]


def run(folder: Path) -> None:
    data = folder / "api"
    values = {
        "CONSOLE_API_RATE": "0",
        "CONSOLE_TESTS_PER_MINUTE": "0",
        "CONSOLE_API_TESTS": str(2 * CONNECTIONS),  # of which one person may take half
        "CONSOLE_PROBE_ALLOW_LOOPBACK": "1",
    }
    with ExitStack() as stack:
        ports = [stack.enter_context(_Registry()).port for _ in range(CONNECTIONS)]
        fill = [sys.executable, "-m", "tests.bench.fill", str(COUNT), "4"]
        settings = environment(data, DJANGO_SETTINGS_MODULE="console.settings")
        subprocess.run(fill, cwd=ROOT, env=settings, check=True)
        token = new_token(data, ports)
        console = stack.enter_context(Serving(data, "serve", **values))
        _report(console.port, token)


def _report(port: int, token: str) -> None:
    one = f"{BASE}/team-000/registry-secrets"
    asked = {
        "/healthz": ("GET", ["/healthz"]),
        "get": ("GET", [f"{one}/registry-00000"]),
        "list of 10": ("GET", [f"{BASE}/_all_/registry-secrets?limit=10"]),
        "list of 500": ("GET", [f"{BASE}/_all_/registry-secrets?limit=500"]),
        "search": ("GET", [f"{BASE}/_all_/registry-secrets?search=registry-7"]),
        "verify": ("POST", [f"{one}/verify-{number}/verify" for number in range(CONNECTIONS)]),
    }
    found: dict[str, list[Load]] = {name: [] for name in asked}
    for _ in range(2):  # in turns, so that all meet the same weather; the first round warms up as well
        for name, (method, paths) in asked.items():
            found[name].append(_load(port, token, method, paths))
    best = {name: max(loads, key=lambda load: load.rate) for name, loads in found.items()}
    base = best["/healthz"]
    say(f"The API over {COUNT:,} registries, {CONNECTIONS} connections, ratios to /healthz:")
    say(f"  {'':12}{'per second':>12}{'ratio':>8}{'p95 ms':>10}{'ratio':>8}")
    for name, load in best.items():
        shares = f"{load.rate / base.rate:>8.2f}{load.p95:>10.1f}{load.p95 / base.p95:>8.1f}"
        say(f"  {name:12}{load.rate:>12.0f}{shares}")
    note("API, list of 500 : list of 10, p95", best["list of 500"].p95 / best["list of 10"].p95, 3)
    say(f"  list of 500 : list of 10, p95 {best['list of 500'].p95 / best['list of 10'].p95:.2f} (target 3)")


def _load(port: int, token: str, method: str, paths: list[str]) -> Load:
    """Every connection asks as fast as it is answered; with several paths, each its own."""
    times: list[list[float]] = [[] for _ in range(CONNECTIONS)]
    until = time.perf_counter() + SECONDS

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        path = paths[number % len(paths)]
        while (begun := time.perf_counter()) < until:
            connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{method} {path}: {answer.status}")
            times[number].append(time.perf_counter() - begun)
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    flat = sorted(moment for some in times for moment in some)
    return Load(rate=len(flat) / SECONDS, p95=flat[int(len(flat) * 0.95)] * 1000)


class _Registry:
    """A registry that answers at once, in a process of its own: tests of one registry wait for each other."""

    def __enter__(self) -> "_Registry":
        command = [sys.executable, "-m", "tests.bench.slow_registry", "0", "basic"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(5)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="console-bench-") as place:
        run(Path(place))
