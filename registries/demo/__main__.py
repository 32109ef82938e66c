"""`python -m registries.demo --state DIR`: every registry of the demo, until standard input ends.

One line of JSON on standard output says that all of them answer. Nobody who started this can leave it behind.
"""

import argparse
import json
import os
import select
import signal
import sys
from pathlib import Path
from types import FrameType

from registries.demo import certificates, ports
from registries.demo.behaviours import BASE_PORT, OFFSETS
from registries.demo.catalogue import CLOSED, catalogue
from registries.demo.server import Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m registries.demo", description="The demo's registries.")
    parser.add_argument("--state", type=Path, required=True, help="folder for certificates and ports")
    parser.add_argument("--base-port", type=int, default=BASE_PORT, help="where new ports are looked for")
    arguments = parser.parse_args()
    told = _listen_to_signals()
    arguments.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    taken = ports.take(arguments.state / "ports.json", arguments.base_port, OFFSETS, CLOSED)
    files = certificates.issue(arguments.state / "certificates", list(OFFSETS))
    # The sockets live as long as this frame, which is as long as the process.
    Server(taken.sockets, catalogue(taken.by_host), files).start()
    ready = {"ready": True, "ports": taken.by_host, "skipped": taken.skipped, "ca_file": str(files.ca)}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    _wait_for_end_of_input(told)


def _listen_to_signals() -> int:
    """Leave on SIGTERM and SIGINT. Gives a descriptor that is readable from the moment in which one has come: what
    Python does about it would wait for the main thread, which may be about to wait for ever itself."""
    told, telling = os.pipe()
    if 0 in (told, telling):
        os._exit(0)  # there is no standard input
    os.set_blocking(telling, False)
    signal.set_wakeup_fd(telling)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    return told


def _leave(_number: int, _frame: FrameType | None) -> None:
    # At once: threads that hold hanging connections are not waited for, and there is nothing to save.
    os._exit(0)


def _wait_for_end_of_input(told: int) -> None:
    try:
        while told not in (ready := select.select([0, told], [], [])[0]):
            if ready and not os.read(0, 4096):
                break
    except (OSError, ValueError):
        # No standard input at all is as good as one that has ended.
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
