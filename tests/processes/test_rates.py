"""Two real processes and one database: a token's rate and the throttle of log-ins are one budget for both."""

import http.client
import threading
import time
import urllib.error
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.peers.command import Serving, manage
from tests.peers.postgresql import postgresql
from tests.peers.prepared import ready_folder
from tests.processes.serving import log_in

RATE = 40
PATH = "/oapis/image.theriseunion.io/v1alpha1/namespaces"
MAKE = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from registries import wiring
from registries.wiring import services
from registries.domain.access import EVERYWHERE, Role
from registries.people.grants import access_of, set_grant
set_grant(User.objects.create_user("olive", password="demo"), EVERYWHERE, Role.ADMIN)
access = access_of(User.objects.get(username="olive"))
until = timezone.now() + timedelta(days=1)
print(services().tokens.create(access=access, name="t", namespaces=(), role=Role.ADMIN, expires_at=until)[1])
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def settings_of_both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        sqlite = f"sqlite:///{tmp_path / 'shared.sqlite3'}"
        yield {
            "DATABASE_URL": stack.enter_context(postgresql()) if request.param == "postgresql" else sqlite,
            "CONSOLE_SECRET_KEY": "two replicas and one key",
            "CONSOLE_PASSWORD_KEYS": Fernet.generate_key().decode(),
            "CONSOLE_API_RATE": str(RATE),
        }


def asked(port: int, token: str, times: int, answers: list[tuple[int, int]]) -> None:
    """The status and the Retry-After of so many requests, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(times):
        connection.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        answers.append((answer.status, int(answer.headers.get("Retry-After", 0))))
    connection.close()


def at_once(ports: list[int], token: str, times: int) -> tuple[int, list[int]]:
    """How many were answered when all ports are asked by two threads each, and when the others may come back."""
    answers: list[tuple[int, int]] = []
    threads = [
        threading.Thread(target=asked, args=(port, token, times, answers)) for port in ports for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} <= {200, 429}
    return sum(status == 200 for status, _ in answers), [wait for status, wait in answers if status == 429]


def failed_log_in(console: Serving) -> int:
    try:
        log_in(console, "olive", "wrong")
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def test_two_processes_have_one_budget(settings_of_both: dict[str, str], tmp_path: Path) -> None:
    with (
        Serving(ready_folder(tmp_path / "one"), "serve", **settings_of_both) as one,
        Serving(ready_folder(tmp_path / "two"), "serve", **settings_of_both) as two,
    ):
        token = manage(tmp_path / "one", "shell", "-c", MAKE, **settings_of_both).stdout.split()[-1]

        begun = time.monotonic()
        allowed, waits = at_once([one.port, two.port], token, RATE)
        passed = time.monotonic() - begun
        assert RATE - RATE // 10 <= allowed <= RATE + passed * RATE / 60
        assert set(waits) <= {1, 2}, "one flows in every second and a half"

        time.sleep(max(waits))
        again, _ = at_once([one.port, two.port], token, 1)
        passed = time.monotonic() - begun
        assert 1 <= again <= RATE - allowed + passed * RATE / 60

        answers = [failed_log_in(console) for console in (one, two, one, two, one, two)]
        assert answers == [422] * 4 + [429] * 2
