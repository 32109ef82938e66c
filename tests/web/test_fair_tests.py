"""Tests of a registry that answers byte by byte delay no other person, however they are started."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from registries import wiring
from registries.domain.registry import Key
from registries.probe import registry_of
from registries.runs.run import RunState
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.peers.scripted import Reply, ScriptedServer, scripted, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


SLOW = 60
OF_A_RUN = 5
API = "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets"


@pytest.fixture
def dripping() -> Iterator[ScriptedServer]:
    """A registry that sends a byte of its answer every 50 ms."""
    with scripted(lambda request: Reply(pieces=(b"x" for _ in range(10_000)), pause=0.05)) as server:
        yield server


@pytest.fixture
def threaded(
    transactional_db: None,
    settings: Any,
    probing: Probing,
    dripping: ScriptedServer,
    request: pytest.FixtureRequest,
) -> Cast:
    settings.TEST_THREADS, settings.RUN_TESTS, settings.TESTS_PER_MINUTE = 8, 4, 0
    settings.PROBE_CONNECT_TIMEOUT = settings.PROBE_READ_TIMEOUT = settings.PROBE_TIMEOUT = 300.0
    wiring.reset()
    cast: Cast = request.getfixturevalue("cast")
    for number in range(SLOW + OF_A_RUN):
        cast.add(f"r{number}", domain=dripping.address)
    cast.add("healthy", **probing("harbor"))
    return cast


def test_sixty_tests_of_a_dripping_registry_delay_nobody(threaded: Cast, dripping: ScriptedServer) -> None:
    cast = threaded
    pages, other, api = (
        cast.client("olive", hx_request="true"),
        cast.client("omar", hx_request="true"),
        cast.api("olive"),
    )
    codes: list[int] = []
    runs, nina = services().runs["verify"], cast.access("nina")
    run = runs.propose(access=nina, registries=[cast.find(f"r{SLOW + number}") for number in range(OF_A_RUN)])
    runs.start(access=nina, run_id=run)

    def through_the_api(number: int) -> None:
        try:
            codes.append(api.post(f"{API}/r{number}/verify", content_type="application/json").status_code)
        finally:
            connections.close_all()

    callers = [threading.Thread(target=through_the_api, args=(it,), daemon=True) for it in range(20)]
    for caller in callers:
        caller.start()
    for number in range(20, SLOW):
        assert pages.post(f"/registries/team-a/r{number}/verify/").status_code == 200

    assert other.post("/registries/team-a/healthy/verify/").status_code == 200
    assert wait_for(lambda: not services().history.under_way([cast.find("healthy").uid]))
    assert cast.find("healthy").verification.reason == "ok"
    assert other.get("/registries/", headers={"hx-request": ""}).status_code == 200
    assert dripping.connections == 1, "one test at a time of one registry, and the first one still goes on"

    dripping.stop()
    for caller in callers:
        caller.join(60)
    assert not any(caller.is_alive() for caller in callers)
    assert wait_for(lambda: runs.view(access=nina, run_id=run).state is RunState.DONE)
    assert set(codes) == {200, 429}, "beyond a person's seats: come back later"
    assert codes.count(429) == 20 - services().api_tests._each


def test_a_test_in_the_lane_of_a_run_holds_no_thread(threaded: Cast, dripping: ScriptedServer) -> None:
    runs, nina = services().runs["verify"], threaded.access("nina")
    run = runs.propose(access=nina, registries=[threaded.find("r0")])
    runs.start(access=nina, run_id=run)
    assert wait_for(lambda: dripping.connections == 1)
    singles = services().test_threads

    for number in range(1, 9):
        services().single_tests.start(access=threaded.access("olive"), key=Key("team-a", f"r{number}"))

    time.sleep(0.2)
    assert singles._running == 0
    assert dripping.connections == 1
    dripping.stop()
    assert wait_for(lambda: runs.view(access=nina, run_id=run).state is RunState.DONE)
    assert wait_for(lambda: not services().history.under_way([threaded.find("r8").uid]))


def test_a_run_whose_lane_stays_busy_ends_the_item_without_a_probe(
    threaded: Cast, dripping: ScriptedServer, settings: Any
) -> None:
    settings.PROBE_TIMEOUT = 0.05
    services().lanes.busy.add(registry_of(dripping.address))
    runs, nina = services().runs["verify"], threaded.access("nina")
    run = runs.propose(access=nina, registries=[threaded.find("r0"), threaded.find("r1")])

    runs.start(access=nina, run_id=run)

    assert wait_for(lambda: runs.view(access=nina, run_id=run).state is RunState.DONE)
    assert [item.problem for item in runs.items(access=nina, run_id=run)] == ["registry_busy"] * 2
    assert dripping.connections == 0
