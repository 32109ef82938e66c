"""Fair turns: the threads and the processor are for everybody, however many requests one person sends at once."""

import json
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from console.turns import (
    COMPUTING,
    CREDENTIALS,
    MOST_BYTES,
    MOST_WAITING,
    PATIENCE,
    RESERVE,
    People,
    Turn,
)
from registries.domain.problem import Problem
from registries.log_in.sender import LATE, sender_address
from registries.words.problems import problem_text
from tests.cast import Cast
from tests.peers.command import LONG, Serving, manage
from tests.peers.prepared import ready_folder
from tests.peers.scripted import wait_for
from tests.processes.turns import COOKIE, THREADS, Threads, head


@pytest.fixture
def threads() -> Threads:
    return Threads()


def test_one_person_computes_little_at_once_whatever_session_it_is(threads: Threads) -> None:
    for session in ("one", "two", "three"):
        threads.know(session, "mallory")

    for session in ("one", "two", "three") * 20:
        threads.ask(session)

    assert threads.count() == {"mallory": COMPUTING}


def test_another_person_is_next_however_many_wait(threads: Threads) -> None:
    threads.know("one", "mallory")
    threads.know("two", "olive")
    threads.ask("one", 60)

    threads.ask("two")

    assert threads.count() == {"mallory": COMPUTING, "olive": 1}


def test_requests_that_wait_for_others_take_half_of_the_threads(threads: Threads) -> None:
    threads.know("one", "mallory")
    threads.know("two", "malory")
    threads.know("three", "olive")
    for session in ("one", "two"):
        for _ in range(THREADS):
            threads.ask(session)
            threads.wait()

    assert threads.count() == {"mallory": THREADS // 2, "malory": THREADS // 2 - RESERVE}
    threads.ask("three")
    assert threads.count()["olive"] == 1


def test_the_next_of_a_person_follows_when_one_ends(threads: Threads) -> None:
    threads.know("one", "mallory")
    threads.ask("one", 5)

    for left in (4, 3, 2, 1, 0):
        threads.end(threads.at_work[0], "mallory")
        assert len(threads.at_work) == min(left, COMPUTING)


def test_the_sender_with_the_fewest_is_next() -> None:
    threads = Threads(4)
    for person in ("mallory", "nina", "olive", "paul"):
        threads.know(person, person)
    threads.turns._reserve = 0
    for person in ("mallory", "nina", "nina"):
        threads.ask(person)
    last = threads.ask("olive")
    threads.ask("mallory")
    threads.ask("paul")

    threads.end(*last, "olive")

    assert threads.count() == {"mallory": 1, "nina": 2, "paul": 1}


def test_what_nobody_has_shown_to_be_valid_counts_for_the_address(threads: Threads) -> None:
    for number in range(60):
        threads.ask(f"made up {number}")

    assert threads.count() == {"credentials at 10.0.0.1": COMPUTING}
    threads.ask("made up", address="10.0.0.2")
    assert threads.count()["credentials at 10.0.0.2"] == 1
    threads.turns.add(b"", "10.0.0.1", threads._start)
    assert threads.count()["nobody at 10.0.0.1"] == 1


def test_a_credential_that_ended_is_nobodys(threads: Threads) -> None:
    threads.know("one", "olive")
    threads.end(*threads.ask("one"), None)
    assert threads.ask("one")[0].sender == "olive", "the answer told nothing about the session"

    threads.end(threads.at_work[0], "")

    assert threads.ask("one")[0].sender == "credentials at 10.0.0.1"


def test_of_one_person_few_credentials_are_remembered() -> None:
    people = People()
    other, mine = people.credential(head("olive"), COOKIE), []
    people.note(other, "olive")
    for number in range(CREDENTIALS + 1):
        mine.append(people.credential(head("one", f"token {number}"), COOKIE))
        people.note(mine[-1], "mallory")

    assert len(set(mine)) == len(mine)
    assert people.person(mine[0]) is None
    assert {people.person(it) for it in mine[1:]} == {"mallory"}
    assert people.person(other) == "olive"


def test_a_credential_is_read_from_each_spelling_and_kept_as_a_digest() -> None:
    people = People()
    known = people.credential(head("secret"), COOKIE)

    assert known
    assert b"secret" not in known
    assert people.credential(b"GET / HTTP/1.1\r\ncOOKIE:sessionid=secret ;a=b\r\n\r\n", COOKIE) == known
    assert people.credential(b"GET / HTTP/1.1\r\nCookie: xsessionid=secret\r\n\r\n", COOKIE) == b""
    assert People().credential(head("secret"), COOKIE) != known


def test_too_many_that_wait_are_refused_at_once(threads: Threads) -> None:
    threads.ask("one", COMPUTING + MOST_WAITING + 3)

    assert (len(threads.at_work), len(threads.refused)) == (COMPUTING, 3)
    for turn in threads.refused:
        threads.turns.end(turn)
    assert len(threads.at_work) == COMPUTING


def test_what_waits_keeps_few_bytes(threads: Threads) -> None:
    threads.ask("one", COMPUTING)
    threads.ask("one", 3, size=MOST_BYTES // 2)
    threads.ask("one", size=1)
    threads.ask("one", COMPUTING + 1, address="10.0.0.2", size=MOST_BYTES * 2)

    assert len(threads.refused) == 2, "the third half, and one byte more"
    assert threads.count() == {"credentials at 10.0.0.1": COMPUTING, "credentials at 10.0.0.2": COMPUTING}


def test_what_waits_for_too_long_is_refused(threads: Threads) -> None:
    waiting = threads.ask("one", COMPUTING + 2)[COMPUTING:]
    threads.turns.look()
    assert not threads.refused

    for turn in waiting:
        turn.since -= PATIENCE
    threads.turns.look()

    assert threads.refused == waiting
    assert not threads.turns.anyone_waits


@pytest.mark.parametrize("computes", [True, False])
def test_a_thread_is_seen_to_compute_or_to_wait(computes: bool) -> None:
    turn, begun, over = Turn(lambda _: None, b"", ""), threading.Event(), threading.Event()

    def work() -> None:
        turn.begin()
        begun.set()
        while not over.wait(0 if computes else LONG):
            pass

    def seen() -> bool:
        turn.look(time.monotonic())
        return turn.waits is not computes

    turn.waits = computes
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work)
        assert begun.wait(LONG)
        try:
            assert wait_for(seen), "though at times a busy machine has no processor for the thread"
        finally:
            over.set()


HEADERS = b"GET / HTTP/1.1\r\nX-Forwarded-For: 10.9.9.9\r\nx-forwarded-for: 10.8.8.8, 10.7.7.7\r\n\r\n"


@pytest.mark.parametrize(("proxy", "sender"), [(True, "10.7.7.7"), (False, "2001:db8::/64")])
def test_behind_a_proxy_the_address_is_the_one_that_it_reports(
    monkeypatch: pytest.MonkeyPatch, proxy: bool, sender: str
) -> None:
    monkeypatch.setattr(settings, "BEHIND_PROXY", proxy)

    assert sender_address(HEADERS, ("2001:db8::7", 1, 0, 0)) == sender
    assert sender_address(HEADERS, "") == (sender if proxy else "")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_refusal_says_what_to_do(cast: Cast, language: str) -> None:
    client: Client = cast.client("olive", accept_language=language)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    with translation.override(language):
        text = problem_text(Problem.TOO_MANY_AT_ONCE)

    page = client.get("/registries/", **{LATE: True})
    toast = client.get("/registries/", **{LATE: True}, headers={"HX-Request": "true"})
    status = client.get("/oapis/image.theriseunion.io/v1alpha1/namespaces", **{LATE: True})

    assert [it.status_code for it in (page, toast, status)] == [429] * 3
    assert {it["Retry-After"] for it in (page, toast, status)} == {"5"}
    assert text in page.content.decode()
    assert text in json.loads(toast["HX-Trigger"])["toast"]["text"]
    assert (
        status.json()["message"] == "too many requests at the same time: try again in 5 s, with fewer at once"
    )
    assert status.json()["details"]["retryAfterSeconds"] == 5


NAMESPACES = "/oapis/image.theriseunion.io/v1alpha1/namespaces"
MAKE = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from registries.domain.access import EVERYWHERE, Role
from registries.people.grants import access_of, set_grant
from registries.wiring import services
until = timezone.now() + timedelta(days=1)
for name in ("mallory", "mallory", "olive"):
    user, _ = User.objects.get_or_create(username=name)
    set_grant(user, EVERYWHERE, Role.ADMIN)
    print(services().tokens.create(
        access=access_of(user), name="t", namespaces=(), role=Role.ADMIN, expires_at=until)[1])
"""


def request(token: str) -> bytes:
    return f"GET {NAMESPACES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def test_one_person_with_two_tokens_has_one_share_and_others_are_answered(tmp_path: Path) -> None:
    """Each token alone stays below the limit."""
    folder = ready_folder(tmp_path / "data")
    made = manage(folder, "shell", "-v", "0", "-c", MAKE)
    *greedy, olive = made.stdout.split()
    with Serving(folder, "serve", CONSOLE_API_RATE="0") as console, ExitStack() as stack:

        def connect() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", console.port), timeout=LONG))

        def status(client: socket.socket) -> str:
            answer = client.recv(64 * 1024)
            return answer.split()[1].decode() + (" later" if b"\r\nRetry-After: 5\r\n" in answer else "")

        for token in (*greedy, olive):
            client = connect()
            client.sendall(request(token))
            assert status(client) == "200"
        clients = [(connect(), request(token)) for token in greedy for _ in range(MOST_WAITING)]
        for client, data in clients:
            client.sendall(data[:-1])
        for client, data in clients:
            client.sendall(data[-1:])
        mine = connect()
        mine.sendall(request(olive))

        assert status(mine) == "200"
        found = Counter(status(client) for client, _ in clients)

    assert found.keys() == {"200", "429 later"}
    assert found["200"] >= MOST_WAITING
