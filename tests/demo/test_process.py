"""The demo's registries as a process: saved ports and certificates, start and end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from registries.demo import process
from registries.demo.catalogue import CLOSED
from registries.demo.process import ROOT, DemoError, DemoRegistries
from tests.peers.demo_client import BY_NAME, PATIENCE, accepts, ask, child
from tests.peers.ports import demo_base
from tests.peers.scripted import wait_for


def listening(pid):
    """Addresses and ports that a process listens on, from /proc."""
    links = (os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink())
    inodes = {link[8:-1] for link in links if link.startswith("socket:")}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                yield address, int(port, 16)


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="needs Linux's /proc")
def test_only_loopback_is_listened_on(demo):
    expected = {port for host, port in demo.ports.items() if host not in CLOSED}
    assert set(listening(demo.pid)) == {("0100007F", port) for port in expected}


def test_ports_and_certificates_are_remembered_and_closed_afterwards(tmp_path):
    with DemoRegistries(tmp_path, base_port=demo_base()) as registries:
        ports, authority = registries.ports, registries.ca_file.read_bytes()
        assert registries.address(BY_NAME["harbor"]) == f"harbor.localhost:{ports['harbor.localhost']}"
        assert registries.address(BY_NAME["basic"]) == f"http://basic.localhost:{ports['basic.localhost']}"
        # A connection that outlives the server occupies its port for a while.
        lingering = socket.create_connection(("127.0.0.1", ports["basic.localhost"]), timeout=PATIENCE)
        lingering.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert lingering.recv(65536).startswith(b"HTTP/1.1 404")
    assert not any(accepts(port) for port in ports.values())
    began = time.monotonic()
    with DemoRegistries(tmp_path, base_port=demo_base(), timeout=120) as registries:
        assert time.monotonic() - began < 50, "the tables forget after a minute"
        assert (registries.ports, registries.skipped) == (ports, {})
        assert registries.ca_file.read_bytes() == authority
        assert ask(registries, "harbor.localhost").status == 401
    lingering.close()


def test_a_port_that_is_taken_is_passed_over_at_first_and_skipped_later(tmp_path):
    base = demo_base()
    other = socket.create_server(("127.0.0.1", base))
    with closing(other), DemoRegistries(tmp_path, base_port=base) as registries:
        moved = registries.ports["harbor.localhost"]
        assert moved > base
        assert registries.ports["dockerhub.localhost"] == base + 1
        assert registries.skipped == {}
    others = [socket.create_server(("127.0.0.1", moved)), socket.create_server(("", base + 11))]
    with DemoRegistries(tmp_path, base_port=base) as registries:
        assert registries.skipped == {"harbor.localhost": moved, "down.localhost": base + 11}
        assert registries.address(BY_NAME["harbor"]) == f"harbor.localhost:{moved}"
        assert ask(registries, "basic.localhost").status == 401
        with DemoRegistries(tmp_path, base_port=base) as second:
            assert second.skipped == second.ports == registries.ports
    for other in others:
        other.close()
    with DemoRegistries(tmp_path, base_port=base) as registries:
        assert registries.skipped == {}
        assert registries.ports["harbor.localhost"] == moved


def test_a_damaged_memory_of_ports_is_replaced(tmp_path):
    for damaged in ("{", "[1]", '{"harbor.localhost": "x", "basic.localhost": 0, "open.localhost": 99999}'):
        (tmp_path / "ports.json").write_text(damaged)
        with DemoRegistries(tmp_path, base_port=demo_base()) as registries:
            assert json.loads((tmp_path / "ports.json").read_text()).items() >= registries.ports.items()


def test_a_start_that_fails_says_why(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoError, match=r"(?s)did not start: the process ended.*FileExistsError"):
        DemoRegistries(tmp_path / "file").start()
    os.mkfifo(tmp_path / "ports.json")  # reading it blocks for ever
    monkeypatch.setattr(process, "STOP_SECONDS", 0.1)
    slow = DemoRegistries(tmp_path, base_port=demo_base(), timeout=0)
    with pytest.raises(DemoError, match="not ready after 0 s"):
        slow.start()
    assert slow.pid is None


@pytest.mark.parametrize("how", ["end of input", signal.SIGTERM, signal.SIGINT])
def test_the_child_ends_at_once_even_while_connections_hang(tmp_path, how):
    """Repeated, because a signal may arrive just when the child begins to wait."""
    for _ in range(1 if how == "end of input" else 8):
        started, ready = child(tmp_path, stdin=subprocess.PIPE)
        hanging = [
            socket.create_connection(("127.0.0.1", ready["ports"][host]), timeout=PATIENCE)
            for host in ("hanging.localhost", "harbor.localhost", "basic.localhost")
        ]
        if how == "end of input":
            started.stdin.close()
        else:
            started.send_signal(how)
        try:
            assert started.wait(20) == 0, "the connections hang for thirty seconds and more"
        finally:
            started.kill()
            for opened in (*hanging, started.stdin, started.stdout, started.stderr):
                opened.close()


def test_no_input_at_all_ends_the_child(tmp_path):
    started, ready = child(tmp_path, stdin=subprocess.DEVNULL)
    assert ready["ready"]
    assert started.communicate(timeout=PATIENCE) == (b"", b"")


PARENT = """
import os, sys, time
from registries.demo.process import DemoRegistries
with DemoRegistries(sys.argv[1], base_port=int(sys.argv[2])) as registries:
    worker = os.fork()
    if not worker:
        print(registries.ports["basic.localhost"], os.getpid(), flush=True)
        time.sleep(120)
    else:
        os.waitpid(worker, 0)
        print("left", flush=True)
        time.sleep(120)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("worker_leaves_first", [True, False])
def test_the_registries_end_with_a_killed_parent_and_not_with_its_forked_worker(
    tmp_path, worker_leaves_first
):
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(demo_base())]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
    port, worker = map(int, parent.stdout.readline().split())
    if worker_leaves_first:
        os.kill(worker, signal.SIGINT)  # leaves the block with an exception, like a gunicorn worker
        assert parent.stdout.readline() == b"left\n"
    parent.stdout.close()
    assert accepts(port)
    parent.kill()
    parent.wait()
    try:
        assert wait_for(lambda: not accepts(port))
    finally:
        if not worker_leaves_first:
            os.kill(worker, signal.SIGKILL)


def test_any_command_on_the_demos_data_tests_as_the_demo_does(tmp_path):
    """For example `manage.py verify` beside the demo."""
    harbor = BY_NAME["harbor"]
    script = (
        "import django, sys; django.setup();"
        "from registries.verification.prober import probe_policy; from registries.probe import probe;"
        "print(probe(*sys.argv[1:], probe_policy()).reason)"
    )
    environment = {**os.environ, "CONSOLE_DEMO": "1", "CONSOLE_DATA_DIR": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "console.settings"
    with DemoRegistries(tmp_path / "registries", base_port=demo_base()) as registries:
        typed = [registries.address(harbor), harbor.username, harbor.password]
        command = [sys.executable, "-c", script, *typed]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("ok", 0), done.stderr
