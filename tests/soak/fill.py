"""Fills the data folder of its environment for a soak: `python -m tests.soak.fill COUNT PORT`.

Makes COUNT registries nowhere, TESTS registries at 127.0.0.1:PORT, and the accounts of the person and of the load.
Prints the tokens of both as JSON.
"""

import json
import sys
from datetime import UTC, datetime, timedelta

from tests.bench import fill  # first: it sets Django up

from django.contrib.auth.models import User  # isort: skip

from registries.domain.access import EVERYWHERE, Role
from registries.intake import read_draft
from registries.people.grants import access_of, set_grant
from registries.wiring import services
from tests.soak.load import LOADER, NAMESPACE, TESTS


def main(count: int, port: int) -> None:
    fill.main(count, 1)
    set_grant(User.objects.create_user(LOADER, password=fill.PASSWORD), EVERYWHERE, Role.ADMIN)
    access = access_of(User.objects.get(username="olive"))
    values = {"namespace": NAMESPACE, "username": "u", "password": "soak-only-7", "provider": "other"}
    for number in range(TESTS):
        place = {"name": f"verify-{number}", "domain": f"http://127.0.0.1:{port}"}
        services().registries.create(access=access, draft=read_draft(values | place))
    sys.stdout.write(json.dumps([_token("olive"), _token(LOADER)]))


def _token(name: str) -> str:
    access = access_of(User.objects.get(username=name))
    until = datetime.now(UTC) + timedelta(days=1)
    created = services().tokens.create(
        access=access, name="soak", namespaces=(), role=Role.ADMIN, expires_at=until
    )
    return created[1]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
