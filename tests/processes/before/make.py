"""Makes console.sql and passwords.keys: a data folder as the version of commit c0353db left it.

In the tree of that version: `CONSOLE_DATA_DIR=FOLDER CONSOLE_PROBE_ALLOW_LOOPBACK=1 python make.py TARGET`,
where FOLDER does not exist. Everything is done through commands and the API, as people and programs do it.
"""

import contextlib
import os
import sqlite3
import sys
import time
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from registries.access import EVERYWHERE, Access, Role  # noqa: E402
from registries.grants import set_grant  # noqa: E402

from registries import wiring  # noqa: E402
from registries.models import ApiToken  # noqa: E402

ALL = "/oapis/image.theriseunion.io/v1alpha1"
LEFT_OUT = ("auth_permission", "django_content_type", "django_session", "axes_")
"""Rows that Django makes anew, or that belong to an hour."""


def main(target: Path) -> None:
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
    olive = User.objects.create_user("olive", password="quiet river 42")
    vic = User.objects.create_user("vic", password="quiet river 43")
    set_grant(olive, EVERYWHERE, Role.ADMIN)
    set_grant(vic, "team-a", Role.VIEWER)
    access = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
    for name in ("team-a", "team-b"):
        wiring.service().create_namespace(access=access, name=name)
    until = timezone.now() + timedelta(days=1)
    values = {"name": "pipeline", "namespaces": ("team-a",), "role": Role.ADMIN, "expires_at": until}
    token = wiring.tokens().create(access=access, **values)[1]
    ApiToken.objects.update(expires_at=until + timedelta(days=36500))  # the fixture grows old
    program = Client(headers={"authorization": f"Bearer {token}"})
    for name in ("harbor-prod", "harbor-dev", "harbor-old", "harbor-gone"):
        called(program.post(f"{ALL}/namespaces/team-a/registry-secrets", body(name), "application/json"))
    one = f"{ALL}/namespaces/team-a/registry-secrets"
    texts = {"metadata": {"annotations": {"theriseunion.io/display-name": "生产环境 Harbor"}}}
    called(program.patch(f"{one}/harbor-prod", texts, "application/merge-patch+json"))
    called(program.post(f"{one}/harbor-prod/verify", {}, "application/json"))
    called(program.delete(f"{one}/harbor-gone"))
    gone = {"type": "delete", "items": [{"namespace": "team-a", "name": "harbor-old"}]}
    run = called(program.post(f"{ALL}/runs", gone, "application/json")).json()["id"]
    while called(program.get(f"{ALL}/runs/{run}")).json()["state"] != "done":
        time.sleep(0.1)
    with contextlib.suppress(SystemExit):  # some tests fail
        call_command("verify")
    connections.close_all()
    database = sqlite3.connect(settings.DATA_DIR / "console.sqlite3")
    lines = [
        it
        for it in database.iterdump()
        if not it.startswith(tuple(f'INSERT INTO "{name}' for name in LEFT_OUT))
    ]
    (target / "console.sql").write_text("\n".join(lines) + "\n")
    (target / "passwords.keys").write_text((settings.DATA_DIR / "keys" / "passwords.keys").read_text())
    sys.stdout.write(f"token: {token}\n")


def body(name):
    spec = {
        "domain": "127.0.0.1:9",
        "username": "robot$ci",
        "password": f"only-for-tests-{name}",
        "provider": "harbor",
    }
    return {"metadata": {"name": name}, "spec": spec}


def called(answer):
    assert answer.status_code < 300, answer.content
    return answer


if __name__ == "__main__":
    main(Path(sys.argv[1]))
