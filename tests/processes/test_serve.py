"""`manage.py serve` and `manage.py demo` as a new user meets them: real processes, real data folders."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from console.management.commands.serve import is_loopback
from tests.peers.command import LONG, ROOT, Serving, environment, manage
from tests.peers.ports import demo_base, free_port
from tests.peers.prepared import ready_folder
from tests.peers.scripted import wait_for
from tests.processes.serving import children_of, is_running, log_in


def test_serve_begins_with_an_empty_private_folder_and_no_accounts(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with Serving(folder, "serve") as console:
        status, page = console.get("/login/")

        assert status == 200
        assert "olive" not in page
        assert "createsuperuser" in console.said()
        assert f"http://127.0.0.1:{console.port}/" in console.said()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert (folder / "keys" / "passwords.keys").is_file()


def test_without_a_cluster_the_package_for_clusters_is_not_loaded(tmp_path: Path) -> None:
    """It takes a third of a second and 17 MB of each process."""
    loaded = """
import sys
from django.urls import get_resolver
assert get_resolver().url_patterns
print(*[it for it in ("registries.web", "kubernetes") if it in sys.modules])
"""
    done = manage(ready_folder(tmp_path / "data"), "shell", "-v", "0", "-c", loaded)

    assert done.stdout.split() == ["registries.web"], done.stderr


def test_a_superuser_is_image_admin_everywhere(tmp_path: Path) -> None:
    ready_folder(tmp_path / "data")
    new = ("createsuperuser", "--no-input", "--username=root", "--email=root@example.com")
    made = manage(tmp_path / "data", *new, DJANGO_SUPERUSER_PASSWORD="quiet river 42")
    assert made.returncode == 0, made.stderr
    with Serving(tmp_path / "data", "serve") as console:
        assert "createsuperuser" not in console.said()
        page = log_in(console, "root", "quiet river 42").open(
            f"http://127.0.0.1:{console.port}/accounts/", timeout=LONG
        )

        assert b"image-admin" in page.read()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"CONSOLE_STORE": "kubernetes", "KUBECONFIG": "/nowhere"},
            "KUBECONFIG names /nowhere, which holds no",
        ),
        ({"CONSOLE_AUTH": "kubernetes"}, "CONSOLE_AUTH=kubernetes takes CONSOLE_STORE=kubernetes as well"),
        ({"CONSOLE_STORE": "etcd"}, "CONSOLE_STORE is etcd; use embedded or kubernetes"),
    ],
    ids=["no kubeconfig", "no cluster's store", "unknown store"],
)
def test_a_setting_that_makes_no_sense_is_one_line(tmp_path: Path, given: dict[str, str], said: str) -> None:
    done = manage(tmp_path / "data", "serve", "--bind", f"127.0.0.1:{free_port()}", **given)

    assert done.returncode == 1
    assert [line.partition(said)[:2] for line in done.stderr.splitlines()] == [("CommandError: ", said)]


def test_where_a_setting_is_found_wrong_is_told_to_whoever_asks(tmp_path: Path) -> None:
    done = manage(tmp_path / "data", "check", "--traceback", CONSOLE_AUTH="kubernetes")

    assert "Traceback" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_the_demo_stops_everything_it_started(tmp_path: Path, number: int) -> None:
    base = demo_base()
    folder = ready_folder(tmp_path / "demo", demo=True)
    with Serving(folder, "demo", "--base-port", str(base), CONSOLE_DEMO="1") as console:
        started = children_of(console.process.pid)
        assert len(started) >= 2, "the worker and the registries"

        seconds = console.stop(number)

        assert seconds < 25, "a connection that is kept open would hold it for half a minute"
        assert wait_for(lambda: not any(map(is_running, started)))
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{base}/v2/", timeout=1)


def test_the_demo_is_ready_in_seconds_keeps_what_was_changed_and_can_start_over(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with Serving(folder, "demo", "--base-port", str(demo_base()), CONSOLE_DEMO="1") as console:
        first = console.seconds
        assert "olive, nina, omar, vic, sam; password: demo" in console.said()
        assert "olive" in console.get("/login/")[1]
    with sqlite3.connect(folder / "console.sqlite3") as database:
        database.execute(
            "DELETE FROM registries_storedresource WHERE name = 'harbor-prod' AND namespace = 'default'"
        )
    kept = registries_in(folder)
    with Serving(folder, "demo", "--base-port", str(demo_base()), CONSOLE_DEMO="1"):
        pass

    assert registries_in(folder) == kept
    reset = manage(folder, "demo", "--reset", CONSOLE_DEMO="1")
    assert reset.returncode == 0
    assert not folder.exists()
    assert first < 60, "a bound against hanging; `make bench` measures"


def registries_in(folder: Path) -> int:
    with sqlite3.connect(folder / "console.sqlite3") as database:
        found = database.execute(
            "SELECT count(*) FROM registries_storedresource WHERE kind = 'RegistrySecret'"
        )
        return int(found.fetchone()[0])


def test_the_demo_runs_once_per_folder(tmp_path: Path) -> None:
    folder = ready_folder(tmp_path / "demo", demo=True)
    with Serving(folder, "demo", "--base-port", str(demo_base()), CONSOLE_DEMO="1"):
        again = manage(tmp_path / "demo", "demo", "--bind", f"127.0.0.1:{free_port()}", CONSOLE_DEMO="1")
        reset = manage(tmp_path / "demo", "demo", "--reset", CONSOLE_DEMO="1")

    for refused in (again, reset):
        assert refused.returncode == 1
        assert "already running" in refused.stderr


def test_known_passwords_are_never_served_for_real(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "demo.json").write_text("{}")

    refused = manage(folder, "serve", "--bind", f"127.0.0.1:{free_port()}")

    assert refused.returncode == 1
    assert "known passwords" in refused.stderr


def test_the_demo_needs_to_be_asked_for_and_does_not_touch_a_real_console(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    ready_folder(folder)
    plain = manage(folder, "demo")
    on_real_data = manage(folder, "demo", CONSOLE_DEMO="1")
    reset = manage(folder, "demo", "--reset", CONSOLE_DEMO="1")

    assert "CONSOLE_DEMO=1" in plain.stderr
    for refused in (on_real_data, reset):
        assert refused.returncode == 1
        assert "not the demo" in refused.stderr
    assert (folder / "console.sqlite3").exists()


def test_a_worker_that_dies_comes_back(tmp_path: Path) -> None:
    with Serving(ready_folder(tmp_path / "data"), "serve") as console:
        workers = children_of(console.process.pid)
        assert workers
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        assert wait_for(lambda: not any(map(is_running, workers)))

        assert wait_for(lambda: console.status("/readyz") == 200, LONG)


def test_killed_in_the_middle_of_writing_it_leaves_a_consistent_store(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    ready_folder(folder)
    writing = subprocess.Popen([sys.executable, "-c", WRITER], cwd=ROOT, env=_environment(folder))
    assert wait_for(lambda: _rows(folder) >= 20, LONG)
    writing.kill()
    writing.wait()

    checked = subprocess.run(
        [sys.executable, "-c", CHECKER],
        cwd=ROOT,
        env=_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
    assert int(checked.stdout) >= 20
    with sqlite3.connect(folder / "console.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _environment(folder: Path) -> dict[str, str]:
    return environment(folder, DJANGO_SETTINGS_MODULE="console.settings")


def _rows(folder: Path) -> int:
    try:
        return registries_in(folder)
    except sqlite3.Error:
        return 0


PREAMBLE = """
import django; django.setup()
from registries import wiring
import registries.intake as drafts
from registries.intake import read_draft
from registries.wiring import services
from registries.domain.access import Access, EVERYWHERE, Role
access = Access.from_grants("x", [(EVERYWHERE, Role.ADMIN)])
"""
WRITER = (
    PREAMBLE
    + """
services().registries.create_namespace(access=access, name="n")
for number in range(100000):
    values = dict(namespace="n", provider="other", domain="h.example.com", username="u", password="p")
    values["name"] = f"r{number}"
    it = services().registries.create(access=access, draft=read_draft(values))
    if number % 3 == 0:
        services().registries.delete(access=access, key=it.key, uid=it.uid)
"""
)
CHECKER = (
    PREAMBLE
    + """
from registries.domain.query import Criteria
from registries.models import AuditEntry, StoreChange, StoreVersion, StoredResource
found = services().index.matching(access=access, criteria=Criteria())
for it in found:
    assert services().store.credential(it.key, uid=it.uid).password == "p"
    assert AuditEntry.objects.filter(uid=it.uid, action="create").exists()
newest = StoreVersion.objects.get().value
versions = set(StoredResource.objects.values_list("resource_version", flat=True))
assert max(versions) <= newest, (max(versions), newest)
logged = list(StoreChange.objects.order_by("resource_version").values_list("resource_version", flat=True))
assert logged == list(range(logged[0], newest + 1)), (logged, newest)
print(len(found))
"""
)


@pytest.mark.parametrize(
    ("bind", "loopback"),
    [
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("localhost:8000", True),
        ("127.8.8.8:1", True),
        ("0.0.0.0:8000", False),
        ("[::]:8000", False),
        ("10.0.0.1:8000", False),
        ("console.example.com:80", False),
    ],
)
def test_cookies_are_lax_about_https_on_loopback_only(bind: str, loopback: bool) -> None:
    assert is_loopback(bind) is loopback


def test_requests_are_answered_side_by_side(tmp_path: Path) -> None:
    with Serving(ready_folder(tmp_path / "data"), "serve") as console:
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda: answers.append(console.status("/login/"))) for _ in range(24)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)

        assert answers == [200] * 24


def test_a_long_search_and_a_long_header_are_read(tmp_path: Path) -> None:
    """What the server itself refuses is no Status of the API."""
    path = "/oapis/image.theriseunion.io/v1alpha1/namespaces/_all_/registry-secrets"
    with Serving(ready_folder(tmp_path / "data"), "serve") as console:
        for query, token in ((f"?search={5000 * 'a'}", "wrong"), ("", 12_000 * "a")):
            headers = {"Authorization": f"Bearer {token}"}
            request = urllib.request.Request(f"http://127.0.0.1:{console.port}{path}{query}", headers=headers)
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request, timeout=LONG)
            assert (caught.value.code, caught.value.headers["Content-Type"]) == (401, "application/json")
