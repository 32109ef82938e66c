"""删除选中 in a real server on a cluster: killed in the middle, it goes on after, and every deletion is told once."""

import os
import re
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from registries.cluster.paths import EVERYWHERE
from tests.peers.api_server import ApiServer
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.command import Serving
from tests.peers.prepared import ready_folder
from tests.peers.scripted import wait_for
from tests.processes.test_runs import Visit, fill, until

COUNT = 150
PATH = "/registries/-/batch-delete/"


def test_a_server_that_is_killed_in_the_middle_goes_on_after(cluster: Cluster, tmp_path: Path) -> None:
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    cluster.empty("team-a")
    for number in range(COUNT):
        cluster.apply("team-a", f"r-{number:03}", password="p")
    cable = Cable(cluster.server.port)
    kubeconfig = str(cluster.server.kubeconfig("console", port=cable.port))
    settings = {"CONSOLE_STORE": "kubernetes", "KUBECONFIG": kubeconfig}
    folder = ready_folder(tmp_path / "data")
    fill(folder, 0, [])

    with Serving(folder, "serve", **settings) as console:
        assert wait_for(lambda: console.status("/readyz") == 200)
        visit = Visit(console)
        uids = [it["metadata"]["uid"] for it in items(cluster)]
        run = proposed(visit, uids)
        cable.delay = 0.03  # so that it is not over before it is killed
        visit.post(f"{run}start/", count=str(COUNT))
        assert wait_for(lambda: len(items(cluster)) < COUNT - 20)
        os.killpg(console.process.pid, signal.SIGKILL)
        console.process.wait(10)
    assert items(cluster), "it was in the middle"
    cable.delay = 0.0
    a_while_later(folder)

    with Serving(folder, "serve", **settings) as console:
        assert wait_for(lambda: console.status("/readyz") == 200)
        visit = Visit(console)
        until(lambda: visit.get(run), "删除已中断")
        visit.post(f"{run}start/")
        until(lambda: visit.get(run), "删除完成")
        assert f"已删除 {COUNT} / {COUNT}" in visit.get(run)
    cable.close()

    assert items(cluster) == []
    assert told(folder) == sorted(uids)


def items(cluster: Cluster) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cluster.server.call("GET", EVERYWHERE).body["items"]
    return found


def proposed(visit: Visit, uids: list[str]) -> str:
    """The address of a run that would delete these."""
    found = re.search(r'action="(/registries/-/runs/[^"]+/)start/"', visit.post(PATH, uids=" ".join(uids)))
    assert found is not None
    return found[1]


def a_while_later(folder: Path) -> None:
    """A run seems lost after some seconds without a sign of life."""
    with sqlite3.connect(folder / "console.sqlite3") as database:
        database.execute("UPDATE registries_run SET beat_at = '2020-01-01 00:00:00'")
    database.close()


def told(folder: Path) -> list[str]:
    """The uids of all deletions that the journal tells of."""
    database = sqlite3.connect(f"file:{folder / 'console.sqlite3'}?mode=ro", uri=True)
    try:
        rows = database.execute(
            "SELECT uid FROM registries_auditentry WHERE action = 'delete' AND outcome = 'ok' ORDER BY uid"
        )
        return [uid for (uid,) in rows]
    finally:
        database.close()
