"""Reviews of one person with many sessions or requests leave room for those of others."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connections
from django.test import Client

from registries.cluster.credential import LoginCredential
from registries.cluster.personal import ApiServer, Identity
from registries.models import ClusterSession
from registries.people import fair_threads
from registries.people.cluster_bearers import _Asking
from registries.people.fair_threads import ASKING, ASKING_EACH
from registries.wiring import services
from tests.api.test_api import TEAM_A
from tests.cluster.bearers import of
from tests.cluster.people import LIST, log_in
from tests.peers.api_server import canary_token
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.command import LONG
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.people", "tests.cluster.bearers")


def test_many_sessions_of_one_person_ask_four_at_a_time(people: Cluster) -> None:
    vic, olive = log_in("vic"), log_in("olive")
    assert vic.get(LIST).status_code == 200
    seats, owner = services().askers._seats, "uid:vic-uid"
    taken = 0
    while seats.take(owner):
        taken += 1

    busy, other = vic.get(LIST), olive.get(LIST)
    for _ in range(taken):
        seats.give_back(owner)

    assert taken == ASKING_EACH
    assert busy.status_code == 503, "nor is the access of before used"
    assert other.status_code == 200
    assert vic.get(LIST).status_code == 200


def test_access_that_is_valid_while_the_cluster_is_away_needs_no_seat(people: Cluster, cable: Cable) -> None:
    vic, seats = log_in("vic"), services().askers._seats
    assert vic.get(LIST).status_code == 200
    cable.pull()
    assert vic.get(LIST).status_code == 200, "the access of before"
    (known,) = services().cluster_sessions._known.values()
    known.failed_at = float("-inf")
    others = [f"other-{number}" for number in range(ASKING)]
    assert [seats.take(other) for other in others] == [True] * ASKING

    while_others_ask = vic.get(LIST)
    known.at = float("-inf")
    too_old = vic.get(LIST)
    for other in others:
        seats.give_back(other)

    assert while_others_ask.status_code == 200
    assert too_old.status_code == 503


def test_questions_with_other_tokens_are_waited_for_by_nobody(people: Cluster) -> None:
    tokens = services().cluster_tokens
    others = {f"digest-{number}": _Asking() for number in range(200)}
    for name, it in others.items():
        it.lock.acquire()
        tokens._asking[name] = it

    assert of("vic").get(TEAM_A).status_code == 200
    assert set(tokens._asking) == set(others), "and what nobody asks with is forgotten"


@pytest.mark.django_db(transaction=True)
def test_a_question_with_one_token_is_waited_for_by_no_other_token(
    people: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the API server does not answer about it."""
    asked, go, identify = threading.Event(), threading.Event(), ApiServer.identify

    def held(self: ApiServer, credential: LoginCredential) -> Identity:
        if credential.token == canary_token("vic"):
            asked.set()
            go.wait(60)
        return identify(self, credential)

    monkeypatch.setattr(ApiServer, "identify", held)
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(_status_of, "vic")
        try:
            assert asked.wait(30)
            assert pool.submit(_status_of, "olive").result(30) == 200
            assert not waiting.done()
        finally:
            go.set()
        assert waiting.result(30) == 200


def _status_of(user: str) -> int:
    try:
        return of(user).get(TEAM_A).status_code
    finally:
        connections.close_all()


REQUESTS = 24
"""As many as the server has threads."""


def parallel(pool: ThreadPoolExecutor, ask: Callable[[], int]) -> list[Future[int]]:
    def one() -> int:
        try:
            return ask()
        finally:
            connections.close_all()

    return [pool.submit(one) for _ in range(REQUESTS)]


def judge(requests: list[Future[int]], lock: threading.Lock, other: Client) -> None:
    """Four of them wait while nobody answers, the others end, and then these four are answered."""
    try:
        waiting = REQUESTS - ASKING_EACH
        assert wait_for(lambda: sum(it.done() for it in requests) >= waiting)
        assert [it.result() for it in requests if it.done()] == [503] * waiting
        assert other.get(LIST).status_code == 200
    finally:
        lock.release()
    assert sorted(it.result(30) for it in requests) == [200] * ASKING_EACH + [503] * waiting


@pytest.mark.django_db(transaction=True)
def test_many_requests_of_one_session_leave_threads_for_others(people: Cluster) -> None:
    olive, vic = log_in("olive"), log_in("vic")
    assert vic.get(LIST).status_code == 200
    lock = services().cluster_sessions._known[ClusterSession.objects.latest("pk").pk].lock
    lock.acquire()

    def ask() -> int:
        client = Client()
        client.cookies = vic.cookies
        return client.get(LIST).status_code

    with ThreadPoolExecutor(REQUESTS) as pool:
        judge(parallel(pool, ask), lock, olive)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", [True, False])
def test_many_requests_with_one_token_leave_threads_for_others(people: Cluster, known: bool) -> None:
    olive, tokens = log_in("olive"), services().cluster_tokens
    if known:
        assert of("vic").get(TEAM_A).status_code == 200
    digest = LoginCredential(token=canary_token("vic")).fingerprint
    asking = tokens._asking.setdefault(digest, _Asking())
    asking.lock.acquire()

    with ThreadPoolExecutor(REQUESTS) as pool:
        judge(parallel(pool, lambda: of("vic").get(TEAM_A).status_code), asking.lock, olive)


@contextmanager
def filled(caller: str) -> Iterator[None]:
    """The caller has four requests that wait, and no seat for a fifth one."""
    seats = services().askers._seats
    assert [seats.take(caller) for _ in range(5)] == [True] * 4 + [False]
    try:
        yield
    finally:
        for _ in range(4):
            seats.give_back(caller)


def test_log_ins_from_one_address_wait_for_a_slow_cluster_four_at_a_time(people: Cluster) -> None:
    with filled("address 127.0.0.1"):
        refused = Client().post("/login/", {"token": canary_token("vic")})
    with filled("address 10.9.9.9"):
        assert log_in("vic").get(LIST).status_code == 200, "of another address"

    assert refused.status_code == 422
    assert ClusterSession.objects.count() == 1


def test_a_request_waits_for_a_seat_while_the_cluster_answers_soon(
    people: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    vic, owner = log_in("vic"), "uid:vic-uid"
    with filled(owner):
        assert vic.get(LIST).status_code == 503, "without a seat there is no answer"
        monkeypatch.setattr(fair_threads, "BRIEFLY", float(LONG))
        begun = time.monotonic()
        assert vic.get(LIST).status_code == 503
        assert time.monotonic() - begun < LONG / 2, "the next ones do not wait"
    assert vic.get(LIST).status_code == 200
    assert services().askers._slow == set()

    with ExitStack() as held:
        held.enter_context(filled(owner))
        later = threading.Timer(0.05, held.close)
        later.start()
        assert vic.get(LIST).status_code == 200
        later.join()
