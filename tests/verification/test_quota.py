"""Tests are limited per person and namespace, since each makes the server dial out."""

from typing import Any

import pytest

from registries import wiring
from registries.models import ApiBucket
from tests.cast import Cast, typed
from tests.limits.test_limits import Still, standing

TRY = "/registries/-/try/"
DOWN = {"domain": "127.0.0.1:9"}


@pytest.fixture(autouse=True)
def two_a_minute(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes while a test runs."""
    monkeypatch.setattr(wiring, "StoredBuckets", Still)
    monkeypatch.setattr(wiring, "Rates", standing)
    settings.TESTS_PER_MINUTE = 2
    wiring.reset()


def test_the_next_test_of_a_person_in_a_namespace_has_to_wait(cast: Cast) -> None:
    cast.add(**DOWN)
    client = cast.client("omar", hx_request="true")
    path = "/registries/team-a/harbor-prod/verify/"

    assert [client.post(path).status_code for _ in range(3)] == [200, 200, 429]
    answer = client.post(TRY, typed(**DOWN))
    assert answer.status_code == 429
    assert "秒后再试" in answer.content.decode()
    assert cast.client("nina", hx_request="true").post(path).status_code == 200, "another person"
    assert (
        cast.client("olive", hx_request="true").post(TRY, typed(namespace="team-b", **DOWN)).status_code
        == 200
    )


def test_saving_is_not_held_up_by_the_limit(cast: Cast) -> None:
    client = cast.client("nina", hx_request="true")
    for number in range(3):
        assert client.post("/registries/-/add/", typed(f"r-{number}", **DOWN)).status_code == 204

    assert cast.find("r-1").verification.reason == "blocked_address"
    assert cast.find("r-2").verification.reason == "", "it was saved, and not tested"


def test_after_a_minute_there_are_as_many_again(cast: Cast) -> None:
    client = cast.client("nina", hx_request="true")
    for _ in range(3):
        answer = client.post(TRY, typed(**DOWN))
    assert answer.status_code == 429
    assert "30 秒后再试" in answer.content.decode(), "two a minute: one every 30 seconds"
    ApiBucket.objects.update(full_at=0)
    wiring.reset()  # what a process of its own would know

    assert [client.post(TRY, typed(**DOWN)).status_code for _ in range(3)] == [200, 200, 429]


def test_a_run_is_not_counted(cast: Cast) -> None:
    for number in range(4):
        cast.add(f"r-{number}", domain=f"127.0.0.{number + 2}:9")

    cast.client("olive", hx_request="true").post("/registries/-/verify/", {"query": ""})

    assert {cast.find(f"r-{number}").verification.reason for number in range(4)} == {"blocked_address"}
