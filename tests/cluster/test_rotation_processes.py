"""A console that is killed after each of the four writes of a new password: another one completes it, and the pull
secret is there all the time."""

import os
import re
import signal
import sqlite3
import urllib.error
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from registries.cluster.paths import registry, secret
from registries.domain.registry import Key
from registries.domain.resource import encode_password
from tests.cluster.test_batch_processes import a_while_later
from tests.cluster.test_rotation import FOUR, LEASE, passwords
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.command import Serving
from tests.peers.older_rule import OlderRule, kubelet, older_rule
from tests.peers.prepared import ready_folder
from tests.peers.scripted import wait_for
from tests.processes.test_runs import Visit, fill, until

NEW = "new-password"


def test_it_survives_a_kill_after_each_write(cluster: Cluster, tmp_path: Path) -> None:
    """Five starts of a server, since a kill needs a process."""
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    cluster.empty("team-a")
    folder = ready_folder(tmp_path / "data")
    fill(folder, 0, [])
    with older_rule(cluster.server, tmp_path) as front:
        kubeconfig = cluster.server.kubeconfig("console", port=front.port, ca_file=front.ca_file)
        settings = {
            "CONSOLE_STORE": "kubernetes",
            "KUBECONFIG": str(kubeconfig),
            "CONSOLE_NAMESPACE": "registry-console",
        }
        waiting = ""
        for writes in range(1, len(FOUR) + 2):
            cluster.server.call("DELETE", LEASE)  # of the process that was killed
            with Serving(folder, "serve", **settings) as console:
                assert wait_for(lambda: console.status("/readyz") == 200)
                visit = Visit(console)
                if waiting:
                    completed(cluster, visit, f"r-{writes - 1}")
                if writes <= len(FOUR):
                    waiting = killed(cluster, front, visit, console, f"r-{writes}", writes)
            a_while_later(folder)
    with sqlite3.connect(folder / "console.sqlite3") as database:
        for table in ("registries_rotation", "registries_rotationtarget"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608
    database.close()


def killed(cluster: Cluster, front: OlderRule, visit: Visit, console: Serving, name: str, writes: int) -> str:
    """The address of a run whose process was killed after so many writes."""
    key = Key("team-a", name)
    given = {"domain": "h.example.com", "username": "admin", "password": "old-password", "provider": "harbor"}
    visit.post("/registries/-/add/", namespace="team-a", name=name, tls="system", **given)
    assert wait_for(lambda: cluster.server.call("GET", secret(key)).status == 200), console.log.read_text()[
        -2000:
    ]
    page = until(lambda: visit.get(f"/registries/team-a/{name}/password/"), "id_password")
    hidden = dict(re.findall(r'<input type="hidden" name="(uid|generation)" value="([^"]*)"', page))
    front.writes.clear()

    def kill() -> None:
        if [it for it in front.writes if it in FOUR] == FOUR[:writes] and console.process.poll() is None:
            os.killpg(console.process.pid, signal.SIGKILL)

    with kubelet(cluster.server, "team-a", name) as seen:
        front.written = kill
        with suppress(OSError, urllib.error.URLError, AssertionError):
            visit.post(f"/registries/team-a/{name}/password/", password=NEW, anyway="1", **hidden)
            console.process.wait(30)
        console.process.wait(30)
        front.written = lambda: None
        assert wait_for(lambda: len(seen) > 10)
    assert len(set(seen)) == 1, f"the Secret was away after {writes} writes"
    present = cluster.server.call("GET", registry(key)).status
    assert present == (404 if writes == 2 else 200), "it was killed at another place"
    return run_in(folder_of(console))


def completed(cluster: Cluster, visit: Visit, name: str) -> None:
    key = Key("team-a", name)
    """Without any click: the new process goes on by itself."""
    with kubelet(cluster.server, "team-a", name) as seen:
        until(lambda: visit.get("/registries/-/notices/"), "已更换")
        assert wait_for(lambda: len(seen) > 10)
    resource = cluster.server.call("GET", registry(key)).body
    found = cluster.server.call("GET", secret(key)).body
    assert resource["spec"]["password"] == encode_password(NEW)
    assert passwords(found) == {NEW}
    assert [it["uid"] for it in found["metadata"]["ownerReferences"]] == [resource["metadata"]["uid"]]
    assert set(seen) == {found["metadata"]["uid"]}


def folder_of(console: Serving) -> Path:
    return console.log.with_suffix("")


def run_in(folder: Path) -> str:
    """The address of the newest run."""
    with sqlite3.connect(folder / "console.sqlite3") as database:
        (run,) = database.execute("SELECT id FROM registries_run ORDER BY created_at DESC").fetchone()
    database.close()
    return f"/registries/-/rotations/{UUID(run)}/"
