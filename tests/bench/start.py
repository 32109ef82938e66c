"""`make run` for the second time: seconds until the console answers, and processor seconds of all its processes."""

import statistics
from pathlib import Path

from tests.bench.pages import say
from tests.bench.targets import note
from tests.peers.command import Serving
from tests.peers.ports import demo_base

ROUNDS = 5


def run(folder: Path) -> None:
    seconds: list[float] = []
    spent: list[float] = []
    for number in range(ROUNDS + 1):
        with Serving(folder, "demo", "--base-port", str(demo_base()), CONSOLE_DEMO="1") as console:
            if number:  # the first start makes everything
                seconds.append(console.seconds)
                spent.append(_processor_seconds(console.process.pid))
    say(
        f"A second start of the demo: {statistics.median(seconds):.2f} s, processor {statistics.median(spent):.2f} s"
    )
    note("second start of the demo, s", statistics.median(seconds), 2)


def _processor_seconds(process: int) -> float:
    """What a process and its children have used so far. Linux only."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return sum(map(int, fields[11:15])) / 100 + sum(map(_processor_seconds, map(int, children)))
