"""`python -m registries.demo --state DIR`: runs all registries of the demo until standard input ends, so they never
outlive the process that started them. One line of JSON on standard output reports that they are ready."""

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
    parser.add_argument("--base-port", type=int, default=BASE_PORT, help="first port to try")
    arguments = parser.parse_args()
    signalled = _listen_to_signals()
    arguments.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    taken = ports.take(arguments.state / "ports.json", arguments.base_port, OFFSETS, CLOSED)
    files = certificates.issue(arguments.state / "certificates", list(OFFSETS))
    # This frame keeps the sockets open for as long as the process lives.
    services = catalogue(taken.by_host, arguments.state / "robots.json")
    Server(taken.sockets, services, files).start()
    ready = {"ready": True, "ports": taken.by_host, "skipped": taken.skipped, "ca_file": str(files.ca)}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    _wait_for_end_of_input(signalled)


def _listen_to_signals() -> int:
    """Exits on SIGTERM and SIGINT. Returns a descriptor that becomes readable as soon as a signal arrives: Python
    runs its handler in the main thread, which may be about to block."""
    readable, writable = os.pipe()
    if 0 in (readable, writable):
        os._exit(0)  # standard input was closed
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    return readable


def _leave(_number: int, _frame: FrameType | None) -> None:
    # Does not wait for threads with hanging connections. There is nothing to save.
    os._exit(0)


def _wait_for_end_of_input(signalled: int) -> None:
    try:
        while signalled not in (ready := select.select([0, signalled], [], [])[0]):
            if ready and not os.read(0, 4096):
                break
    except (OSError, ValueError):
        # No standard input counts as one that has ended.
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
