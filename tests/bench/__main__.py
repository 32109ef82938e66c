"""`make bench`: figures as ratios, all measured in this one run. Nothing here passes or fails."""

import os
import sys
import tempfile
from pathlib import Path

from tests.bench import api, cluster, cost, pages, probes, pull_failures, runs, start, sweep, targets


def main() -> None:
    sys.stdout.write(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}; ratios of one run\n")
    with tempfile.TemporaryDirectory(prefix="console-bench-") as folder:
        pages.run(Path(folder))
        cost.run(Path(folder))
        api.run(Path(folder))
        runs.run(Path(folder) / "hanging")
        sweep.run(Path(folder) / "sweep")
        probes.run(Path(folder))
        start.run(Path(folder) / "start")
        cluster.run(Path(folder) / "cluster")
        pull_failures.run(Path(folder) / "pull-failures")
    targets.report()


if __name__ == "__main__":
    main()
