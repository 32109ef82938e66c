"""Free memory of the process goes back to the system."""

import subprocess
import sys

import pytest

from tests.peers.command import ROOT

PROGRAM = """
import os, time
from pathlib import Path
from console import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20

memory.GIVING_BACK = 0.05
pieces = [bytes(50_000) for _ in range(2000)]
del pieces[:-1]  # the last one is above the free ones
before = resident()
memory.give_back()
end = time.monotonic() + 20
while resident() > before - 60 and time.monotonic() < end:
    time.sleep(0.05)
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc is that of glibc")
def test_free_memory_goes_back_to_the_system() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert int(done.stdout) > 60
