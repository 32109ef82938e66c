"""Syncing without a web server, as a process: `python -m tests.processes.following` works for ever. With a
number, it first makes a rule over so many namespaces, and ends."""

import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from registries.domain.access import EVERYWHERE, Role  # noqa: E402
from registries.domain.registry import Draft, Key, Provider  # noqa: E402
from registries.people.grants import access_of, set_grant  # noqa: E402
from registries.sync.rows import Selection  # noqa: E402
from registries.wiring import services  # noqa: E402

SOURCE = Key("source", "harbor-prod")


def fill(number: int) -> None:
    call_command("migrate", verbosity=0)
    olive = User.objects.create(username="olive")
    set_grant(olive, EVERYWHERE, Role.ADMIN)
    access = access_of(olive)
    for name in ("source", *(f"place-{it}" for it in range(number))):
        services().registries.create_namespace(access=access, name=name)
    draft = Draft(SOURCE, "harbor.example.com", "admin", Provider.HARBOR, "password-1")
    source = services().store.create(draft)
    services().sync_rules.set_up(access=access, source=source, selection=Selection())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fill(int(sys.argv[1]))
    else:
        services().follower.run()
