"""The schedule without a web server, as a process: `python -m tests.processes.sweeping` works for ever. With ports, it
stores six registries on each of them first, and ends."""

import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from registries.domain.access import EVERYWHERE, Access, Role  # noqa: E402
from registries.domain.registry import Draft, Key, Provider  # noqa: E402
from registries.wiring import services  # noqa: E402

NAMESPACE = "swept"
EACH = 6


def fill(ports: list[int]) -> None:
    call_command("migrate", verbosity=0)
    access = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
    services().registries.create_namespace(access=access, name=NAMESPACE)
    for number in range(EACH * len(ports)):
        address, key = f"127.0.0.1:{ports[number // EACH]}", Key(NAMESPACE, f"registry-{number}")
        services().store.create(Draft(key, address, f"robot-{number}", Provider.OTHER, "p"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fill([int(it) for it in sys.argv[1:]])
    else:
        services().schedule.sweep.run()
