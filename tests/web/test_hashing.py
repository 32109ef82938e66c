"""Few passwords are hashed at once: log-ins do not take the processors from other requests."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password
from django.contrib.auth.models import User
from django.test import Client

from console import hashing
from console.hashing import AT_ONCE, NICENESS, WAITING, SeatedHasher
from registries.domain.errors import Problem, TooManyRequests
from registries.models import AuditEntry
from tests.cast import Cast
from tests.peers.scripted import wait_for
from tests.stores.test_concurrency import together

ITERATIONS = 150_000
"""A twentieth of a second."""
PASSWORD = "a long and good password 7"


@pytest.fixture
def hashers(settings: object) -> None:
    settings.PASSWORD_HASHERS = ["console.hashing.SeatedHasher"]  # type: ignore[attr-defined]


@pytest.fixture
def taken() -> Iterator[None]:
    """All seats and places in the queue are taken."""
    with ExitStack() as stack:
        for _ in range(AT_ONCE + WAITING):
            stack.enter_context(SeatedHasher._queue)
        yield


def test_a_hash_is_that_of_django(hashers: None) -> None:
    encoded = make_password(PASSWORD)

    assert PBKDF2PasswordHasher().verify(PASSWORD, encoded)
    assert check_password(PASSWORD, PBKDF2PasswordHasher().encode(PASSWORD, "salt"))
    assert not check_password("another", encoded)


def test_of_24_at_once_as_many_are_hashed_as_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "PATIENCE", 120.0)  # a hash gives way to all that a busy machine does
    hashed, refused = [], []
    lock = threading.Lock()

    def hash_one() -> None:
        try:
            result = SeatedHasher().encode(PASSWORD, "salt", ITERATIONS)
        except TooManyRequests as error:
            with lock:
                refused.append((error.problem, error.retry_after))
        else:
            with lock:
                hashed.append(result)

    together(*[hash_one] * 24)

    assert len(hashed) >= AT_ONCE + WAITING
    assert len(hashed) + len(refused) == 24
    assert set(refused) == {(Problem.HASHING, 120)}
    assert SeatedHasher().encode(PASSWORD, "salt", 10), "the seats are free again"


def test_those_who_wait_are_hashed_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "PATIENCE", 120.0)
    lock, under_way, most = threading.Lock(), [0], [0]

    def slow(*_values: object) -> str:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        with lock:
            under_way[0] -= 1
        return "a hash"

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", slow)

    together(*[lambda: SeatedHasher().encode(PASSWORD, "salt")] * (AT_ONCE + WAITING))

    assert most == [AT_ONCE]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has a priority for each thread")
def test_a_hash_gives_way_to_other_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash is held until it was seen: it takes a few moments only."""
    usual, go, encode = os.getpriority(os.PRIO_PROCESS, 0), threading.Event(), PBKDF2PasswordHasher.encode
    held = lambda *values: encode(*values) if go.wait(120) else ""  # noqa: E731
    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", held)
    request = threading.Thread(target=SeatedHasher().encode, args=(PASSWORD, "salt", ITERATIONS))

    def lowered() -> list[int]:
        """The priorities of the threads that give way. A thread that has just ended may still be listed."""
        threads = (int(it.name) for it in Path("/proc/self/task").iterdir())
        return [found for it in threads if (found := priority(it)) != usual]

    def priority(thread: int) -> int:
        try:
            return os.getpriority(os.PRIO_PROCESS, thread)
        except ProcessLookupError:
            return usual

    assert wait_for(lambda: lowered() == []), "the threads of earlier hashes have ended"
    request.start()
    assert wait_for(lambda: lowered() == [min(usual + NICENESS, 19)]), "only the thread that hashes"
    go.set()
    request.join()
    assert wait_for(lambda: lowered() == []), "no other work is done in that thread"


def test_the_log_in_page_says_to_try_again_and_keeps_the_name(cast: Cast, hashers: None, taken: None) -> None:
    User.objects.filter(username="nina").update(password=PBKDF2PasswordHasher().encode(PASSWORD, "s", 10))
    before = AuditEntry.objects.count()

    response = Client().post("/login/", {"username": "nina", "password": PASSWORD})

    assert (response.status_code, response["Retry-After"]) == (429, "5")
    page = response.content.decode()
    assert "几秒后再试" in page
    assert 'value="nina"' in page
    assert PASSWORD not in page
    assert AuditEntry.objects.count() == before, "it is no failed log-in"


def test_a_change_of_a_password_changes_nothing_then(cast: Cast, hashers: None, taken: None) -> None:
    olive = cast.client("olive", hx_request="true")
    before = User.objects.get(username="nina").password

    response = olive.post("/accounts/nina/password/", {"password": PASSWORD})

    assert response.status_code == 429
    assert User.objects.get(username="nina").password == before
