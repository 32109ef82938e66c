"""The page of pods that cannot pull, on a large cluster: one list of all pods, or one for each namespace."""

import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench.cluster import WORKERS, Api, memory
from tests.bench.pages import HTMX, logged_in, say
from tests.bench.targets import note
from tests.peers.api_server import running_server
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.command import ROOT, Serving, environment

PODS, FAILING, NAMESPACES = 5_000, 100, 200
ROUNDS = 15
PAGE = "/pull-failures/"
REFUSED = "pulling from host reg.example.com failed with status code [manifests 1]: 401 Unauthorized"


def run(folder: Path) -> None:
    say(f"Pull failures, {FAILING} of {PODS:,} pods in {NAMESPACES} namespaces, milliseconds:")
    names = [f"team-{number:03}" for number in range(NAMESPACES)]
    with running_server(folder / "server") as server:
        cluster = Cluster(server)
        for name in names:
            server.create_namespace(name)
        api = Api(server)
        for name in names:
            api.call("POST", f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})
            cluster.apply(name, "known", domain="reg.example.com", password="p")
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda number: _pod(api, number), range(PODS)))
        settings = {"CONSOLE_STORE": "kubernetes", "KUBECONFIG": str(server.kubeconfig("console"))}
        _measure(folder / "whole", "one list", settings)
        _measure(folder / "each", "200 lists", {**settings, "CONSOLE_CLUSTER_NAMESPACES": ",".join(names)})


def _pod(api: Api, number: int) -> None:
    """Every fiftieth pod fails, for a registry of its namespace; half of those name a Secret that does not exist."""
    fails = number % (PODS // FAILING) == 0
    place = f"/api/v1/namespaces/team-{number % NAMESPACES:03}/pods"
    image = "reg.example.com/shop/web:1"
    spec: dict[str, Any] = {"containers": [{"name": "c", "image": image, "env": _environment()}]}
    if fails and number // (PODS // FAILING) % 2:
        spec["imagePullSecrets"] = [{"name": f"secret-{number}"}]
    name = f"pod-{number:05}"
    api.call("POST", place, {"metadata": {"name": name}, "spec": spec})
    state: dict[str, Any] = {"running": {}}
    if fails:
        state = {"waiting": {"reason": "ImagePullBackOff", "message": REFUSED}}
    container = {"name": "c", "image": image, "imageID": "", "ready": not fails, "restartCount": 0}
    status = {
        "phase": "Pending" if fails else "Running",
        "containerStatuses": [{**container, "state": state}],
    }
    api.call("PATCH", f"{place}/{name}/status", {"status": status}, **{"Content-Type": MERGE_PATCH})


def _environment() -> list[dict[str, str]]:
    """Of the size that pods of real clusters have."""
    return [{"name": f"VARIABLE_{number}", "value": "x" * 60} for number in range(30)]


def _measure(folder: Path, how: str, settings: dict[str, str]) -> None:
    fill = [sys.executable, "-m", "tests.bench.fill", "0", "0"]
    own = environment(folder, DJANGO_SETTINGS_MODULE="console.settings")
    subprocess.run(fill, cwd=ROOT, env=own, check=True)
    with Serving(folder, "serve", **settings) as console:
        while console.status("/readyz") != 200:
            time.sleep(0.005)
        session, base = logged_in(console), f"http://127.0.0.1:{console.port}"
        session.get(base + "/registries/", timeout=60).raise_for_status()
        before, times = memory(console), []
        for number in range(ROUNDS):
            begun = time.perf_counter()
            answer = session.get(base + PAGE, headers=HTMX if number else {}, timeout=60)
            times.append((time.perf_counter() - begun) * 1000)
            answer.raise_for_status()
            if number == 0:
                first_memory = memory(console)
        if f"{FAILING} 个 Pod" not in answer.text:
            raise RuntimeError("the page does not have every failing pod")
        kept = memory(console) - first_memory
    note(f"pull failures of {PODS:,} pods, {how}: first page, s", times[0] / 1000, 1)
    note(f"pull failures, {how}: memory kept by {ROUNDS - 1} more pages, MiB", kept, 5)
    say(
        f"  {how:10} first page{times[0]:>8.0f} (target 1000), later{statistics.median(times[1:]):>8.0f};"
        f" memory {before:.0f} MiB, after one page {first_memory:.0f}, after {ROUNDS} {first_memory + kept:.0f}"
    )
