"""The number of queries does not grow with what there is, and is small."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registries import wiring
from registries.domain.query import Criteria
from registries.wiring import admitting, services
from tests.api.test_api import ALL, BASE, TEAM_A
from tests.cast import Cast
from tests.limits.test_limits import Still, standing

PAGES = [
    "/overview/",
    "/registries/",
    "/registries/?q=r&status=untested&sort=-tested",
    "/registries/-/namespaces/",
    "/registries/-/pulse/?version=x",
    "/registries/-/selection/",
    "/registries/team-a/r0/",
    "/registries/team-a/r0/row/",
    "/registries/team-a/r0/status/",
    "/registries/-/add/",
    "/journal/",
    "/journal/?person=olive&outcome=done",
    "/accounts/",
    "/namespaces/",
    "/tokens/",
    ALL,
    f"{ALL}?limit=500&search=r",
    f"{TEAM_A}/r0",
    f"{TEAM_A}/r0/tests",
    f"{BASE}/namespaces",
]


def queries(cast: Cast, path: str) -> int:
    client = cast.client("olive")
    client.get(path)  # the index is read once
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code in (200, 204)
    return len(captured)


@pytest.fixture(autouse=True)
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process holds of a caller's rate fades in six seconds: the next request would fetch some more."""
    for module in (wiring, admitting):
        monkeypatch.setattr(module, "StoredBuckets", Still)
        monkeypatch.setattr(module, "Rates", standing)


@pytest.fixture
def one(cast: Cast) -> Cast:
    cast.add("r0")
    return cast


@pytest.mark.parametrize("path", PAGES)
def test_the_number_of_queries_does_not_grow(one: Cast, cast: Cast, path: str) -> None:
    before = queries(cast, path)
    for number in range(1, 40):
        cast.add(f"r{number}", ("team-a", "team-b")[number % 2])
    for number in range(10):
        services().registries.create_namespace(access=cast.access("olive"), name=f"n{number}")
    for registry in services().index.matching(access=cast.access("olive"), criteria=Criteria())[1:6]:
        services().tests.begin_test(access=cast.access("olive"), key=registry.key)

    assert queries(cast, path) == before


def test_the_list_takes_seven_queries(one: Cast) -> None:
    # the session, the person, the grants, the version of the store, the tests under way, the silences, the newest run
    assert queries(one, "/registries/") == 7


def test_a_list_of_the_api_asks_who_and_what_is_new(one: Cast) -> None:
    """Two queries, also after a write."""
    client = one.api("olive")
    client.get(ALL)
    one.add("r1")

    with CaptureQueriesContext(connection) as captured:
        assert len(client.get(ALL).json()["items"]) == 2

    assert len(captured) == 2
