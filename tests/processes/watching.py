"""The schedule and the sender of messages without a web server, as a process that hurries.

`python -m tests.processes.watching` waits for a line, and works for ever. With JSON, it first fills the database: names
of registries by address, and the URLs of webhooks.
"""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from registries.domain.access import EVERYWHERE, Access, Role  # noqa: E402
from registries.domain.registry import Draft, Key, Provider  # noqa: E402
from registries.events import sender  # noqa: E402
from registries.schedule import sweep  # noqa: E402
from registries.wiring import services  # noqa: E402

NAMESPACE = "watched"
SECRET = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"


def fill(registries: dict[str, list[str]], webhooks: list[str]) -> None:
    call_command("migrate", verbosity=0)
    access = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
    services().registries.create_namespace(access=access, name=NAMESPACE)
    for address, names in registries.items():
        for name in names:
            services().store.create(Draft(Key(NAMESPACE, name), address, "robot", Provider.OTHER, "wrong"))
    for number, url in enumerate(webhooks):
        services().channels.create(
            access=access,
            namespace="",
            name=f"hook-{number}",
            service="webhook",
            language="en",
            config={"url": url, "secret": SECRET},
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fill(**json.loads(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    sweep.PAUSE = sender.EVERY = 0.05
    services().sender.start()
    services().schedule.sweep.run()
