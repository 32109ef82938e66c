"""A console as a process, with an API token: for clients that use the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.command import LONG, Serving, manage
from tests.peers.prepared import ready_folder
from tests.peers.scripted import wait_for

SEED = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from registries import wiring
from registries.wiring import services
from registries.domain.access import EVERYWHERE, Role
from registries.people.grants import access_of, set_grant
user = User.objects.create_user("olive", password="x")
set_grant(user, EVERYWHERE, Role.ADMIN)
access = access_of(User.objects.get(username="olive"))
for name in ("team-a", "team-b"):
    if services().registries.manages_namespaces:
        services().registries.create_namespace(access=access, name=name)
until = timezone.now() + timedelta(days=1)
print(services().tokens.create(access=access, name="t", namespaces=(), role=Role.ADMIN, expires_at=until)[1])
"""


@contextmanager
def serving(folder: Path, **values: str) -> Iterator[tuple[Serving, str]]:
    """The server with two empty namespaces, and a token that may do everything in them."""
    ready_folder(folder)
    made = manage(folder, "shell", "-c", SEED, **values)
    assert made.returncode == 0, made.stderr
    with Serving(folder, "serve", **values) as console:
        assert wait_for(lambda: console.status("/readyz") == 200, LONG), console.said()
        yield console, made.stdout.strip().splitlines()[-1]
