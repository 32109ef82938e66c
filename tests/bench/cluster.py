"""The cluster store: the list beside the raw API, the first index, freshness, deletion, copies, memory."""

import os
import re
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from tests.bench.api import new_token
from tests.bench.pages import HTMX, LIST, logged_in, quantile, say
from tests.bench.targets import note
from tests.peers.api_server import ApiServer, running_server
from tests.peers.cluster import Cluster
from tests.peers.command import ROOT, Serving, environment

SIZES = (100, 1_000, 10_000)
NAMESPACES = 200
ROUNDS = 60
DELETED = 1_000
WORKERS = 8
PAIRS = 3
"""Measurements of copies and of new passwords, each followed by the same writes: a busy machine delays both."""
SOURCES = 5
GROUP = "/apis/image.theriseunion.io/v1alpha1"
OAPIS = "/oapis/image.theriseunion.io/v1alpha1"
COLLECTION = f"{GROUP}/registrysecrets"


def run(folder: Path) -> None:
    say(
        "The list on a cluster, 50 rows, milliseconds; every figure : the raw API's first page of 50 beside it:"
    )
    with running_server(folder / "server") as server:
        Cluster(server)  # with the resource and the console's role on it
        for number in range(NAMESPACES):
            server.create_namespace(f"team-{number:03}")
        pages: dict[int, float] = {}
        for before, size in zip((0, *SIZES), SIZES, strict=False):
            _create(server, range(before, size))
            pages[size] = _at_size(folder / f"console-{size}", server, size)
        note("on a cluster, page of 10,000 : of 100", pages[SIZES[-1]] / pages[SIZES[0]], 1.2)
        say(f"  page, 10,000 : 100{pages[SIZES[-1]] / pages[SIZES[0]]:>20.2f} (target 1.2)")


class Api:
    """The API server as a client that keeps its connections sees it. The API server audits and authorizes the console's
    account; `admin` has neither: writes that are compared are made by one account."""

    def __init__(self, server: ApiServer, user: str = "admin") -> None:
        self._session = requests.Session()
        self._session.trust_env = False  # else REQUESTS_CA_BUNDLE wins over `verify`
        self._session.headers["Authorization"] = f"Bearer {user}-token"
        self._session.verify = str(server.ca_file)
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=WORKERS)
        self._session.mount("https://", adapter)
        self._url = server.url

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self._session.request(method, self._url + path, json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()


def _resource(number: int) -> dict[str, Any]:
    notes = {"display-name": f"仓库 {number}", "verify-status": "success", "verify-reason": "ok"}
    return {
        "apiVersion": "image.theriseunion.io/v1alpha1",
        "kind": "RegistrySecret",
        "metadata": {
            "name": f"registry-{number:05}",
            "namespace": f"team-{number % NAMESPACES:03}",
            "annotations": {f"theriseunion.io/{name}": value for name, value in notes.items()},
        },
        "spec": {
            "domain": f"registry-{number}.example.com:5000",
            "username": f"robot${number}",
            "password": "cA==",
            "provider": "harbor",
        },
    }


def _place(number: int) -> str:
    return f"/apis/image.theriseunion.io/v1alpha1/namespaces/team-{number % NAMESPACES:03}/registrysecrets"


def _create(server: ApiServer, numbers: range) -> None:
    api = Api(server)
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda number: api.call("POST", _place(number), _resource(number)), numbers))


def _at_size(folder: Path, server: ApiServer, size: int) -> float:
    """Everything that is measured at one size; the median of the page."""
    settings = {"CONSOLE_STORE": "kubernetes", "KUBECONFIG": str(server.kubeconfig("console"))}
    command = [sys.executable, "-m", "tests.bench.fill", "0", "0"]
    own = environment(folder, DJANGO_SETTINGS_MODULE="console.settings")
    subprocess.run(command, cwd=ROOT, env=own, check=True)
    with Serving(folder, "serve", **settings) as console:
        begun = time.perf_counter()
        while console.status("/readyz") != 200:
            time.sleep(0.005)
        ready = time.perf_counter() - begun
        session = logged_in(console)
        base, api = f"http://127.0.0.1:{console.port}", Api(server)
        begun = time.perf_counter()
        session.get(base + LIST, timeout=60).raise_for_status()
        first = time.perf_counter() - begun
        times = _side_by_side(session, base, api)
        if size == SIZES[-1]:
            note(f"on a cluster, memory at {size:,}, MiB", memory(console), 120)
        say(
            f"  {size:>6,}: ready {ready * 1000:.0f} ms after it answers, first page {first * 1000:.0f} ms, "
            f"memory {memory(console):.0f} MiB{' (target 120)' if size == SIZES[-1] else ''}"
        )
        for kind, target in (("page", "2.5"), ("fragment", "1.6")):
            figures = (_figure(share, times[kind], times["raw"]) for share in (0.5, 0.95))
            say(f"    {kind:10}" + "".join(figures) + f"(target {target})")
        if size == SIZES[-1]:
            _freshness(session, base, api)
            _deletion(session, base, api)
            same = Api(server, "console")
            _copying(session, base, same)
            _rotation(new_token(folder, **settings), base, same)
    return statistics.median(times["page"])


def _figure(share: float, ours: list[float], raw: list[float]) -> str:
    mine, theirs = quantile(ours, share), quantile(raw, share)
    return f"p{share * 100:<3.0f}{mine:>7.1f} :{theirs:>6.1f} ={mine / theirs:>6.2f}    "


def _side_by_side(session: requests.Session, base: str, api: Api) -> dict[str, list[float]]:
    """Milliseconds by kind, asked in turns, so that all meet the same weather."""
    asked: dict[str, Callable[[], Any]] = {
        "page": lambda: session.get(base + LIST, timeout=30).raise_for_status(),
        "fragment": lambda: session.get(base + LIST, headers=HTMX, timeout=30).raise_for_status(),
        "raw": lambda: api.call("GET", f"{COLLECTION}?limit=50"),
    }
    times: dict[str, list[float]] = {kind: [] for kind in asked}
    for number in range(ROUNDS + 10):
        for kind, ask in asked.items():
            begun = time.perf_counter()
            ask()
            if number >= 10:  # the first ones fill the template cache
                times[kind].append((time.perf_counter() - begun) * 1000)
    return times


def _freshness(session: requests.Session, base: str, api: Api) -> None:
    """From the answer to a client's change to the page that shows it."""
    patch = "application/merge-patch+json"
    times = []
    for number in range(20):
        name = f"fresh-{number}"
        notes = {"metadata": {"annotations": {"theriseunion.io/display-name": name}}}
        api.call("PATCH", f"{_place(number)}/registry-{number:05}", notes, **{"Content-Type": patch})
        begun = time.perf_counter()
        while (
            name
            not in session.get(f"{base}{LIST}&q={name}", headers=HTMX, timeout=10).text.split("<tbody")[-1]
        ):
            time.sleep(0.001)
        times.append((time.perf_counter() - begun) * 1000)
    say(
        f"  a client's change is on the page after{statistics.median(times):>8.1f} ms, at most{max(times):>7.1f}"
    )


def _deletion(session: requests.Session, base: str, api: Api) -> None:
    found = api.call("GET", f"{COLLECTION}?limit={DELETED}")["items"]
    headers = {**HTMX, "X-CSRFToken": session.cookies["csrftoken"], "Referer": base + "/"}
    uids = " ".join(it["metadata"]["uid"] for it in found)
    proposal = session.post(f"{base}/registries/-/batch-delete/", {"uids": uids}, headers=headers, timeout=30)
    start = re.search(r'hx-post="([^"]+/start/)"', proposal.text)
    assert start is not None, proposal.text[:500]
    begun = time.perf_counter()
    session.post(base + start[1], {"count": str(len(found))}, headers=headers, timeout=30).raise_for_status()
    while (
        "删除完成" not in session.get(base + start[1].removesuffix("start/"), headers=HTMX, timeout=30).text
    ):
        time.sleep(0.1)  # a page that shows it asks every half second
    ours = time.perf_counter() - begun
    rest = api.call("GET", f"{COLLECTION}?limit={DELETED}")["items"]
    paths = [f"{_place(int(it['metadata']['name'][-5:]))}/{it['metadata']['name']}" for it in rest]
    begun = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda path: api.call("DELETE", path), paths))
    raw = time.perf_counter() - begun
    note("on a cluster, deleting 1,000 : raw", ours / raw, 1.1)
    say(f"  deleting 1,000{ours:>8.2f} s, raw with 8 connections{raw:>7.2f} s{ours / raw:>9.2f} (target 1.1)")


def _copying(session: requests.Session, base: str, api: Api) -> None:
    """1,000 copies with their pull secrets, against the same writes: the best of some pairs."""
    headers = {**HTMX, "X-CSRFToken": session.cookies["csrftoken"], "Referer": base + "/"}
    found = api.call("GET", f"{COLLECTION}?limit={PAIRS * SOURCES}")["items"]
    own = {it["metadata"]["namespace"] for it in found}
    into = [name for number in range(NAMESPACES) if (name := f"team-{number:03}") not in own]
    made = len(into) * SOURCES
    pairs = []
    for pair in range(PAIRS):
        sources = found[pair * SOURCES : (pair + 1) * SOURCES]
        chosen = {"uids": " ".join(it["metadata"]["uid"] for it in sources), "namespaces": into}
        begun = time.perf_counter()
        preview = session.post(f"{base}/registries/-/copy/plan/", chosen, headers=headers, timeout=120)
        planned = time.perf_counter() - begun
        start = re.search(r'hx-post="([^"]+/start/)"', preview.text)
        assert start is not None, preview.text[:500]
        page = base + start[1].removesuffix("start/")
        begun = time.perf_counter()
        session.post(base + start[1], headers=headers, timeout=30).raise_for_status()
        while "复制完成" not in session.get(page, headers=HTMX, timeout=30).text:
            time.sleep(0.5)  # as the page does
        ours = time.perf_counter() - begun
        raw = [(api, into[number % len(into)], f"raw-{pair}-{number:05}") for number in range(made)]
        pairs.append((ours, _raw(_write, raw)))
        say(f"    preview{planned:>6.2f} s, copies{ours:>7.2f} s, raw{pairs[-1][1]:>7.2f} s")
    _best(f"{made:,} copies", pairs)


def _rotation(secret: str, base: str, api: Api) -> None:
    """A new password for registries with one credential and for their pull secrets, against the same patches: the best
    of some pairs.

    Nothing answers at their address, so the run stops after the first; the others are measured.
    """
    names = [f"same-{number}" for number in range(SOURCES)]
    places = [f"team-{number:03}" for number in range(NAMESPACES)]
    client, url = requests.Session(), f"{base}{OAPIS}"
    client.headers["Authorization"] = f"Bearer {secret}"
    spec = {"domain": "127.0.0.1:9", "username": "robot", "password": "p", "provider": "harbor"}
    for name in names:
        body = {"metadata": {"name": name}, "spec": spec}
        client.post(
            f"{url}/namespaces/{places[0]}/registry-secrets", json=body, timeout=60
        ).raise_for_status()
    items = [{"namespace": places[0], "name": name} for name in names]
    made = client.post(
        f"{url}/runs", json={"type": "copy", "items": items, "namespaces": places[1:]}, timeout=60
    )
    _ended(client, f"{url}/runs/{made.json()['id']}")
    keys = [(namespace, name) for name in names for namespace in places]
    resources = [f"{GROUP}/namespaces/{namespace}/registrysecrets" for namespace, _ in keys]
    secrets = [f"/api/v1/namespaces/{namespace}/secrets/{name}" for namespace, name in keys]
    first, *others = ({"namespace": namespace, "name": name} for namespace, name in keys)
    place = f"{url}/namespaces/{first['namespace']}/registry-secrets/{first['name']}/rotations"
    pairs = []
    for pair in range(PAIRS):
        asked = {"password": f"new-password-{pair}", "copies": others, "anyway": True}
        run = f"{url}/runs/{client.post(place, json=asked, timeout=300).json()['id']}"
        _ended(client, run)
        begun = time.perf_counter()
        client.post(f"{run}/retry", timeout=60).raise_for_status()
        shown = _ended(client, run)
        ours = time.perf_counter() - begun
        assert shown["ended"] == shown["total"], shown["state"]
        raw = [(api, *it) for it in zip(resources[1:], secrets[1:], keys[1:], strict=True)]
        pairs.append((ours, _raw(_change, raw)))
        say(f"    new passwords{ours:>7.2f} s, raw{pairs[-1][1]:>7.2f} s")
    _best(f"a new password for {len(others):,}", pairs)


def _raw(write: Callable[..., None], calls: list[Any]) -> float:
    """Seconds for so many calls with 8 connections."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda call: write(*call), calls))
    return time.perf_counter() - begun


def _best(name: str, pairs: list[tuple[float, float]]) -> None:
    """Notes the best ratio of pairs of seconds, ours and raw, that were measured one after the other."""
    ours, raw = min(pairs, key=lambda it: it[0] / it[1])
    note(f"on a cluster, {name} : raw", ours / raw, 1.3)
    say(
        f"  {name}{ours:>8.2f} s, raw with 8 connections{raw:>7.2f} s{ours / raw:>9.2f} (target 1.3); "
        f"the best of {len(pairs)}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    )


def _ended(client: requests.Session, run: str) -> Any:
    """The run once it has ended or stopped."""
    while (shown := client.get(run, timeout=60).json())["state"] == "running":
        time.sleep(0.2)
    return shown


def _change(api: Api, resources: str, secret: str, key: tuple[str, str]) -> None:
    """The password of a registry, and the content of its pull secret."""
    merge = {"Content-Type": "application/merge-patch+json"}
    api.call("PATCH", f"{resources}/{key[1]}", {"spec": {"password": "cQ=="}}, **merge)
    content = b64encode(b'{"auths": {"127.0.0.1:9": {}}}' + b" " * 200).decode()
    api.call("PATCH", secret, {"data": {".dockerconfigjson": content}}, **merge)


def _write(api: Api, namespace: str, name: str) -> None:
    """A registry and a Secret of its size."""
    resource = _resource(int(name[-5:]))
    resource["metadata"] |= {"name": name, "namespace": namespace}
    api.call("POST", f"/apis/image.theriseunion.io/v1alpha1/namespaces/{namespace}/registrysecrets", resource)
    data = {
        ".dockerconfigjson": b64encode(b'{"auths": {"registry.example.com:5000": {}}}' + b" " * 200).decode()
    }
    secret = {"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson", "data": data}
    api.call("POST", f"/api/v1/namespaces/{namespace}/secrets", secret)


def memory(console: Serving) -> float:
    """MiB resident, of the process that answers requests."""
    listing = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True
    )
    rows = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
    return max((rss for pid, parent, rss in rows if parent == console.process.pid), default=0) / 1024
