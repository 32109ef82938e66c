"""A console that is killed after each of the four writes of a new password, or while several are under way: another one
completes it, and the pull secret is there all the time."""

import os
import re
import signal
import sqlite3
import threading
import urllib.error
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from registries.cluster.paths import registry, secret
from registries.domain.registry import Key
from registries.domain.resource import encode_password
from tests import examples
from tests.cluster.test_batch_processes import a_while_later
from tests.cluster.test_rotation import FOUR, LEASE, passwords
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.command import Serving
from tests.peers.harbor import harbor
from tests.peers.older_rule import OlderRule, kubelet, older_rule
from tests.peers.prepared import ready_folder
from tests.peers.scripted import wait_for
from tests.processes import test_renewing
from tests.processes.test_runs import Visit, fill, until

NEW = "new-password"
MANY = 24
SILENT = {"domain": "127.0.0.1:9", "username": "admin", "password": "old-password", "provider": "harbor"}


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


@pytest.mark.parametrize(("refuses", "patches"), [(False, 4), (False, 11), (True, 5)])
def test_it_survives_a_kill_while_several_are_under_way(
    cluster: Cluster, tmp_path: Path, *, refuses: bool, patches: int
) -> None:
    """Two starts of a server, since a kill needs a process. Each registry is changed and recorded once."""
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    cluster.empty("team-a")
    cluster.server.call("DELETE", LEASE)
    folder = ready_folder(tmp_path / "data")
    fill(folder, 0, [])
    keys = [Key("team-a", f"r-{number:02}") for number in range(MANY)]
    for key in keys:
        cluster.apply(key.namespace, key.name, **SILENT)
    with older_rule(cluster.server, tmp_path) as front:
        front.refuses = refuses
        settings = {
            "CONSOLE_STORE": "kubernetes",
            "KUBECONFIG": str(cluster.server.kubeconfig("console", port=front.port, ca_file=front.ca_file)),
            "CONSOLE_NAMESPACE": "registry-console",
        }
        with Serving(folder, "serve", **settings) as console:
            assert wait_for(lambda: console.status("/readyz") == 200)
            assert wait_for(lambda: all(cluster.server.call("GET", secret(it)).status == 200 for it in keys))
            killed_among_many(cluster, front, Visit(console), console, keys, patches)
        uids = {it: cluster.server.call("GET", secret(it)).body["metadata"]["uid"] for it in keys}
        cluster.server.call("DELETE", LEASE)
        a_while_later(folder)
        with Serving(folder, "serve", **settings) as console:
            until(lambda: Visit(console).get("/registries/-/notices/"), "已更换")
            secrets = {it: cluster.server.call("GET", secret(it)).body for it in keys}
    resources = {it: cluster.server.call("GET", registry(it)).body for it in keys}
    assert {it["spec"]["password"] for it in resources.values()} == {encode_password(NEW)}
    assert all(passwords(it) == {NEW} for it in secrets.values()), "done: also the pull secrets are new"
    assert {key: it["metadata"]["uid"] for key, it in secrets.items()} == uids, "no pull secret was made anew"
    with sqlite3.connect(folder / "console.sqlite3") as database:
        entries = "SELECT name FROM registries_auditentry WHERE action = 'password' AND outcome = 'ok' ORDER BY name"
        told = [name for (name,) in database.execute(entries)]
        left = database.execute("SELECT count(*) FROM registries_rotationtarget").fetchone()
    database.close()
    assert (told, left) == ([it.name for it in keys], (0,))


@pytest.mark.parametrize("way", [None, *range(4 if examples.LONG else 1)])
def test_no_secret_from_harbor_is_lost_wherever_the_process_dies(
    cluster: Cluster, tmp_path: Path, way: int | None
) -> None:
    """A start of a process and five forks of it, since a kill needs a process. With a way, Harbor is away while another
    process goes on, at each place in another way."""
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    cluster.empty("team-a")
    cluster.server.call("DELETE", LEASE)
    settings = {
        "CONSOLE_STORE": "kubernetes",
        "KUBECONFIG": str(cluster.server.kubeconfig("console")),
        "CONSOLE_NAMESPACE": "registry-console",
    }
    with harbor() as peer:
        if way is None:
            said = test_renewing.killed(peer, tmp_path, **settings)
            test_renewing.compare(peer, said)
        else:
            said = test_renewing.killed_while_away(peer, tmp_path, way, **settings)
            test_renewing.compare_meanwhile(peer, said)
    for place, password in said["stored"].items():
        key = Key("team-a", place)
        assert cluster.server.call("GET", registry(key)).body["spec"]["password"] == encode_password(password)


def killed_among_many(
    cluster: Cluster, front: OlderRule, visit: Visit, console: Serving, keys: list[Key], patches: int
) -> None:
    """Nothing answers at the address, so the run stops after the first. Then it goes on, and is killed after so many
    further writes."""
    place = f"/registries/team-a/{keys[0].name}/password/"
    page = until(lambda: visit.get(place), "id_password")
    hidden = dict(re.findall(r'<input type="hidden" name="(uid|version)" value="([^"]*)"', page))
    uids = [cluster.server.call("GET", registry(it)).body["metadata"]["uid"] for it in keys[1:]]
    visit.post(place, password=NEW, anyway="1", copies=uids, **hidden)
    run = run_in(folder_of(console))
    until(lambda: visit.get(run), "rotation-retry")
    front.writes.clear()
    lock = threading.Lock()

    def kill() -> None:
        with lock:
            if len(front.writes) >= patches and console.process.poll() is None:
                os.killpg(console.process.pid, signal.SIGKILL)
                console.process.wait(30)

    front.written = kill
    with suppress(OSError, urllib.error.URLError, AssertionError):
        visit.post(f"{run}retry/")
    console.process.wait(60)
    front.written = lambda: None
    changed = [cluster.server.call("GET", registry(it)) for it in keys]
    old = [it for it in changed if it.status == 200 and it.body["spec"]["password"] != encode_password(NEW)]
    assert old, "it was killed in the middle"


def killed(cluster: Cluster, front: OlderRule, visit: Visit, console: Serving, name: str, writes: int) -> str:
    """The address of a run whose process was killed after so many writes."""
    key = Key("team-a", name)
    given = {"domain": "h.example.com", "username": "admin", "password": "old-password", "provider": "harbor"}
    visit.post("/registries/-/add/", namespace="team-a", name=name, tls="system", **given)
    assert wait_for(lambda: cluster.server.call("GET", secret(key)).status == 200), console.log.read_text()[
        -2000:
    ]
    page = until(lambda: visit.get(f"/registries/team-a/{name}/password/"), "id_password")
    hidden = dict(re.findall(r'<input type="hidden" name="(uid|version)" value="([^"]*)"', page))
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
