"""The connection test: what a flow costs in requests, what one test costs beside others', and how close a
thousand come to the least that they could take."""

import http.client
import math
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from registries.probe import Policy, RealmMemory, Result, probe
from tests.bench.bare_login import USER, log_in
from tests.bench.targets import note
from tests.peers.certificates import Authority, Pair
from tests.peers.command import ROOT
from tests.peers.skopeo import skopeo_login

HERE = Policy(allow_loopback=True)
PASSWORD = "bench-only-7"
REGISTRIES, DELAY = 1_000, 0.05
WORKERS = 64
ROUNDS, PROCESS_ROUNDS, LOGINS = 60, 7, 20
Timed = dict[str, Callable[[], object]]


def run(folder: Path) -> None:
    pair, ca = _certificates(folder)
    _report_flows()
    _report_one(folder, pair, ca)
    _report_token(folder, pair, ca)
    _report_many(pair, ca)


def _certificates(folder: Path) -> tuple[Pair, str]:
    (folder / "certs").mkdir()
    authority = Authority(folder / "certs")
    return authority.issue("localhost", "*.bench.example"), str(authority.root.certificate_file)


@contextmanager
def slow_registry(challenge: str, pair: Pair | None = None, seconds: float = 0.0) -> Iterator[int]:
    """A registry in a process of its own; yields its port."""
    tls = [str(pair.chain_file), str(pair.key_file)] if pair else []
    command = [sys.executable, "-m", "tests.bench.slow_registry", str(seconds), challenge, *tls]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        yield int(process.stdout.readline())
        process.stdin.close()


def _report_flows() -> None:
    say("One test, requests and connections:")
    memory = replace(HERE, memory=RealmMemory())
    with slow_registry("basic") as basic, slow_registry("bearer") as bearer:
        flows = {
            "Basic": _test(f"http://localhost:{basic}"),
            "Bearer": _test(f"http://localhost:{bearer}", memory),
            "Bearer, a realm known since": _test(f"http://localhost:{bearer}", memory),
        }
    for name, result in flows.items():
        say(f"  {name:28}{result.requests:>3} requests{result.connections:>3} connections")


def _test(address: str, policy: Policy = HERE) -> Result:
    result = probe(address, USER, PASSWORD, policy)
    assert result.proven, result
    return result


def _report_one(folder: Path, pair: Pair, ca: str) -> None:
    say("One test, milliseconds, and as a ratio to bare `requests` that send the same:")
    skopeo = shutil.which("skopeo") is not None
    for challenge, tls in (("basic", False), ("bearer", False), ("basic", True), ("bearer", True)):
        with slow_registry(challenge, pair if tls else None) as port:
            address = f"localhost:{port}" if tls else f"http://localhost:{port}"
            url = f"{'https' if tls else 'http'}://localhost:{port}"
            name = f"{challenge} over {'https' if tls else 'http'}"
            policy = replace(HERE, ca_file=ca) if tls else HERE
            within: Timed = {
                "probe": lambda: _test(address, policy),  # noqa: B023 - used before the next turn
                "requests": lambda: log_in(url, challenge, PASSWORD, ca if tls else None),  # noqa: B023
            }
            _say_ratio(name, _times(within, ROUNDS))
            whole = _processes(address, url, challenge, ca if tls else None)
            if skopeo:
                whole["skopeo login"] = _skopeo(folder, f"localhost:{port}", pair if tls else None, ca)
            _say_ratio(f"{name}, whole process", _times(whole, PROCESS_ROUNDS))


def _processes(address: str, url: str, challenge: str, ca: str | None) -> Timed:
    own = [address, "--username", USER, "--password-stdin", "--allow-loopback"]
    own += ["--ca", ca] if ca else []
    bare = [url, challenge, *([ca] if ca else [])]
    return {
        "probe": lambda: _process("registries.probe", own),
        "requests": lambda: _process("tests.bench.bare_login", bare),
    }


def _process(module: str, arguments: list[str]) -> None:
    command = [sys.executable, "-m", module, *arguments]
    subprocess.run(command, cwd=ROOT, input=PASSWORD.encode(), stdout=subprocess.DEVNULL, check=True)


def _skopeo(folder: Path, registry: str, pair: Pair | None, ca: str) -> Callable[[], object]:
    home = folder / "skopeo"
    certificates = folder / "certs.d"
    certificates.mkdir(exist_ok=True)
    shutil.copy(ca, certificates / "ca.crt")
    trust = certificates if pair else None

    def log_in() -> None:
        assert skopeo_login(registry, USER, PASSWORD, home, tls_verify=pair is not None, cert_dir=trust)

    return log_in


def _report_token(folder: Path, pair: Pair, ca: str) -> None:
    """One token test in a process that has its trusted certificates, as the console does, beside `skopeo login`."""
    if shutil.which("skopeo") is None:
        return
    for tls in (False, True):
        with slow_registry("bearer", pair if tls else None) as port:
            address = f"localhost:{port}" if tls else f"http://localhost:{port}"
            policy = replace(HERE, ca_file=ca) if tls else HERE
            log_in = _skopeo(folder, f"localhost:{port}", pair if tls else None, ca)
            wall, spent = [], []
            for number in range(LOGINS + 2):
                own = _spent(lambda: _test(address, policy))  # noqa: B023 - used at once
                theirs = _spent(log_in)
                if number >= 2:
                    wall.append(own[0] / theirs[0])
                    spent.append(own[1] / theirs[1])
        name = f"token test over {'https' if tls else 'http'} : skopeo login"
        note(f"{name}, time", statistics.median(wall), 0.33)
        note(f"{name}, processor", statistics.median(spent), 0.25)
        say(f"  {name}: time {statistics.median(wall):.2f}, processor {statistics.median(spent):.2f}")


def _spent(task: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and processor seconds of this process and its finished children."""

    def processor() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    begun, before = time.perf_counter(), processor()
    task()
    return time.perf_counter() - begun, processor() - before


def _times(tasks: Timed, rounds: int) -> dict[str, float]:
    """Milliseconds, the median; the tasks take turns, so that all meet the same weather."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(rounds + 2):
        for name, task in tasks.items():
            begun = time.perf_counter()
            task()
            if number >= 2:
                times[name].append((time.perf_counter() - begun) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def _say_ratio(name: str, times: dict[str, float]) -> None:
    figures = "".join(
        f"  {task} {value:.1f} ({times['probe'] / value:.2f})" if task != "probe" else f"probe {value:.1f}"
        for task, value in times.items()
    )
    say(f"  {name:34}{figures}")


def _report_many(pair: Pair, ca: str) -> None:
    say(f"{REGISTRIES:,} registries that take {DELAY * 1000:.0f} ms an answer, seconds (target 2):")
    say(f"  {'':24}{'at once':>8}{'ideal':>8}{'took':>8}{'ratio':>8}{'processor':>11}")
    for challenge, tls, trips in (("basic", False, 2), ("basic", True, 2), ("bearer", True, 5)):
        with ExitStack() as stack:
            port = stack.enter_context(slow_registry(challenge, pair if tls else None, DELAY))
            policy = replace(HERE, ca_file=ca if tls else None, resolver=lambda host, port: ["127.0.0.1"])
            prefix = "" if tls else "http://"
            addresses = [f"{prefix}r{number}.bench.example:{port}" for number in range(REGISTRIES)]
            name = f"{challenge} over {'https' if tls else 'http'}"
            ratio, spent = _many(name, lambda: _probe_all(addresses, policy), trips)  # noqa: B023
            note(f"{REGISTRIES:,} tests, {name} : ideal", ratio, 2)
            url = f"{'https' if tls else 'http'}://localhost:{port}"
            bare = [(url, challenge, PASSWORD, ca if tls else None)] * REGISTRIES
            _, theirs = _many("  by bare requests", lambda: _log_in_all(bare), trips)  # noqa: B023
            note(f"{REGISTRIES:,} tests, {name} : requests, processor", spent / theirs, 1)
            if not tls:
                _many("  by http.client", lambda: _ask_all(port), trips)  # noqa: B023


def _probe_all(addresses: list[str], policy: Policy) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        assert len(list(pool.map(lambda address: _test(address, policy), addresses))) == len(addresses)


def _log_in_all(arguments: list[tuple[str, str, str, str | None]]) -> None:
    """What the machine has to give: no rule, no judgement, no deadline, the same requests."""
    with ThreadPoolExecutor(WORKERS) as pool:
        assert all(pool.map(lambda each: log_in(*each), arguments))


def _ask_all(port: int) -> None:
    """Two requests on one connection by the standard library alone."""

    def ask(_: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for headers in ({}, {"Authorization": "Basic eDp5"}):
            connection.request("GET", "/v2/", headers=headers)
            answer = connection.getresponse()
            answer.read()
        connection.close()
        return answer.status == 200

    with ThreadPoolExecutor(WORKERS) as pool:
        assert all(pool.map(ask, range(REGISTRIES)))


def _many(name: str, task: Callable[[], None], trips: int) -> tuple[float, float]:
    """Prints a row and returns the ratio to the ideal, and the processor seconds of this process."""
    begun, spent = time.perf_counter(), time.process_time()
    task()
    took, spent = time.perf_counter() - begun, time.process_time() - spent
    ideal = math.ceil(REGISTRIES / WORKERS) * trips * DELAY
    say(f"  {name:24}{WORKERS:>8}{ideal:>8.2f}{took:>8.2f}{took / ideal:>8.2f}{spent:>11.2f}")
    return took / ideal, spent


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="probe-bench-") as only:
        run(Path(only))
