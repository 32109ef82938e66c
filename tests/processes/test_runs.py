"""A run of tests in a real server: pages answer while everything hangs; killed in the middle, it goes on after."""

import copy
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.bench.fill import PASSWORD
from tests.peers.command import LONG, ROOT, Serving, environment, manage
from tests.peers.prepared import ready_folder
from tests.peers.scripted import wait_for
from tests.peers.silent import SilentServers
from tests.processes.serving import log_in

PATH = "/registries/-/verify/"
LOOPBACK = {"CONSOLE_PROBE_ALLOW_LOOPBACK": "1", "CONSOLE_PROBE_CONNECT_TIMEOUT": "30"}
PATIENT = {f"CONSOLE_PROBE_{name}": "300" for name in ("CONNECT_TIMEOUT", "READ_TIMEOUT", "TIMEOUT")}


def fill(folder: Path, count: int, ports: list[int], **values: str) -> None:
    command = [sys.executable, "-m", "tests.bench.fill", str(count), "4", *map(str, ports)]
    settings = environment(folder, DJANGO_SETTINGS_MODULE="console.settings", **values)
    subprocess.run(command, cwd=ROOT, env=settings, check=True, timeout=LONG)


class Visit:
    """olive, logged in."""

    def __init__(self, console: Serving) -> None:
        self._base = f"http://127.0.0.1:{console.port}"
        self._opener = log_in(console, "olive", PASSWORD)

    def at(self, console: Serving) -> "Visit":
        """The same browser at another replica: cookies know no port."""
        other = copy.copy(self)
        other._base = f"http://127.0.0.1:{console.port}"
        return other

    def try_connection(self, **values: str) -> int:
        """The status that a test before saving is answered with."""
        try:
            self.post("/registries/-/try/", **values)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def get(self, path: str) -> str:
        return str(self._opener.open(self._base + path, timeout=LONG).read().decode())

    def post(self, path: str, **values: str | list[str]) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get("/registries/-/add/"))
        assert token is not None
        form = urllib.parse.urlencode({**values, "csrfmiddlewaretoken": token[1]}, doseq=True).encode()
        request = urllib.request.Request(self._base + path, form, {"Referer": self._base + "/"})
        return str(self._opener.open(request, timeout=LONG).read().decode())


def until(said: Callable[[], str], expected: str, seconds: float = LONG) -> str:
    deadline = time.monotonic() + seconds
    while expected not in (page := said()):
        assert time.monotonic() < deadline, page
        time.sleep(0.2)
    return page


def test_a_run_hangs_alone_and_goes_on_after_its_server_was_killed(
    tmp_path: Path, silent_servers: SilentServers
) -> None:
    folder = ready_folder(tmp_path / "data")
    silent_servers(20)
    fill(folder, 40, silent_servers.ports)
    with Serving(folder, "serve", **{**LOOPBACK, **PATIENT}) as console:
        olive = Visit(console)
        run = re.search(
            rf'href="({PATH}[0-9a-f-]{{36}}/)"', olive.post(PATH, query="") and olive.get("/registries/")
        )
        assert run is not None
        until(lambda: olive.get("/registries/"), "pill-busy")

        assert "正在测试：0 / 40" in olive.get("/registries/")
        assert "registry-00001" in olive.get("/registries/?q=registry-00001"), (
            "pages answer while 16 tests hang"
        )
        console.process.send_signal(signal.SIGKILL)
        subprocess.run(["pkill", "-9", "-s", str(console.process.pid)], check=False)
        console.process.wait()
    silent_servers.hang_up()

    with Serving(folder, "serve", **LOOPBACK) as console:
        olive = Visit(console)
        until(lambda: olive.get(run[1]), "测试已中断")
        olive.post(f"{run[1]}start/")
        page = until(lambda: olive.get(run[1]), "测试完成")

    # 20 ports, one user name each after the other: all are refused connections, none is left out.
    assert "已测试 40 / 40" in re.sub(r"\s+", " ", page)
    assert "连接被拒绝" in page
    assert "跳过" not in page.split("dialog-foot")[0]


def test_the_command_stops_when_told_and_keeps_what_it_has(
    tmp_path: Path, silent_servers: SilentServers
) -> None:
    """16 at a time, three seconds each: a run of 100 goes on for twenty seconds when it is not told."""
    folder = ready_folder(tmp_path / "data")
    silent_servers(20)
    fill(folder, 100, silent_servers.ports)
    settings = environment(folder, **LOOPBACK, CONSOLE_PROBE_TIMEOUT="3")
    command = [sys.executable, "manage.py", "verify", "--interval", "1h"]
    process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, text=True)
    assert wait_for(lambda: silent_servers.connected() > 0, LONG), "its tests have begun"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=LONG)
    silent_servers.hang_up()

    assert process.returncode == 0
    said = re.search(
        r"100 registries: 0 connected, (\d+) failed, 0 left alone, stopped with (\d+) to go", out
    )
    assert said, out
    assert int(said[1]) + int(said[2]) == 100
    assert min(int(said[1]), int(said[2])) > 0
    again = manage(folder, "verify", **LOOPBACK)
    assert again.returncode == 1
    assert "connection_refused" in again.stdout
