"""The server is tuned for many threads. The effects on time and memory are figures of `make soak`."""

import subprocess
import sys

import pytest

from console.memory import ARENAS
from console.server import CONNECTIONS, FEWEST, FILES, SWITCH
from tests.peers.command import ROOT

PROGRAM = """
import ctypes, sys, threading
from console.server import suit_many_threads

suit_many_threads()
libc, together = ctypes.CDLL(None), threading.Barrier(12)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]

def take():
    together.wait()
    libc.malloc(100_000)
    together.wait()

threads = [threading.Thread(target=take) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_stats()
print(sys.getswitchinterval())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the arenas are those of glibc")
def test_threads_share_few_arenas_and_soon_give_the_interpreter_up() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert float(done.stdout) == pytest.approx(SWITCH)
    assert 1 <= done.stderr.count("Arena ") <= ARENAS


LIMITS = {
    (256, 9000): (CONNECTIONS + FILES, CONNECTIONS),
    (1024, 2048): (2048, 2048 - FILES),
    (1024, 1024): (1024, 1024 - FILES),
    (100, 100): (100, FEWEST),
    (6000, 9000): (6000, CONNECTIONS),
}


@pytest.mark.parametrize("limits", LIMITS)
def test_the_connections_fit_into_the_files_that_the_process_may_open(limits: tuple[int, int]) -> None:
    program = f"""
import resource
from console.server import room_for_connections
resource.setrlimit(resource.RLIMIT_NOFILE, {limits})
print(room_for_connections(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    files, connections = LIMITS[limits]
    assert [int(it) for it in done.stdout.split()] == [connections, files, limits[1]]
