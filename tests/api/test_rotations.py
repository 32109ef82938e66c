"""POST …/rotations: a new password for a registry secret and its copies, as a run with a result for each."""

from collections.abc import Callable
from typing import Any

import pytest

from registries.models import Rotation, Run
from registries.wiring import services
from tests.api.test_api import TEAM_A
from tests.canary import CANARY
from tests.cast import Cast

Probing = Callable[[str], dict[str, str]]
COPY = {"namespace": "team-a", "name": "copy"}
PATH = f"{TEAM_A}/harbor-prod/rotations"


@pytest.fixture
def two(cast: Cast, probing: Probing) -> Cast:
    values = {**probing("harbor"), "password": "old-password"}
    cast.add(**values)
    cast.add("copy", **values)
    cast.add("far", "team-b", **values)
    cast.add("other", **{**values, "username": "somebody"})
    return cast


def post(cast: Cast, body: Any, person: str = "nina", **token: Any) -> Any:
    return cast.api(person, **token).post(PATH, body, content_type="application/json")


def stored(cast: Cast, *names: str) -> list[str]:
    found = [cast.find(name) for name in names]
    return [services().store.credential(it.key, uid=it.uid).password for it in found]


def test_it_is_a_run_with_a_result_for_each(two: Cast, probing: Probing) -> None:
    right = probing("harbor")["password"]

    made = post(two, {"password": right, "copies": [{**COPY, "uid": two.find("copy").uid}]})

    run = made.json()
    assert (made.status_code, run["type"], run["state"], run["succeeded"]) == (201, "rotate", "done", 2)
    assert [(it["name"], it["state"], it["reason"]) for it in run["items"]] == [
        ("harbor-prod", "done", "ok"),
        ("copy", "done", ""),
    ]
    assert stored(two, "harbor-prod", "copy") == [right, right]
    again = two.api("nina").get(f"/oapis/image.theriseunion.io/v1alpha1/runs/{run['id']}")
    assert again.json() == run


def test_a_wrong_one_is_rolled_back_and_named(two: Cast) -> None:
    run = post(two, {"password": CANARY, "copies": [COPY]}).json()

    assert [(it["state"], it["reason"], it["problem"]) for it in run["items"]] == [
        ("failed", "bad_credentials", "rolled_back"),
        ("left_alone", "", "skipped"),
    ]
    assert (stored(two, "harbor-prod", "copy"), Rotation.objects.count()) == (["old-password"] * 2, 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "password"),
        ({"password": 7}, "password"),
        ({"password": ""}, "password"),
        ({"password": "x", "anyway": "yes"}, "anyway"),
        ({"password": "x", "test": "yes"}, "test"),
        ({"password": "x", "copies": "all"}, "copies"),
        ({"password": "x", "copies": [7]}, "copies[0]"),
        ({"password": "x", "copies": [COPY, COPY]}, "copies"),
        ({"password": "x", "copies": [COPY] * 1001}, "copies"),
        ({"password": "x", "copies": [{**COPY, "uid": "another"}]}, "copies[0].uid"),
        ({"password": "x", "copies": [{**COPY, "name": "nowhere"}]}, "copies[0]"),
        ({"password": "x", "copies": [{**COPY, "name": "other"}]}, "copies[0]"),
        ({"password": "x", "copies": [{**COPY, "name": "harbor-prod"}]}, "copies[0]"),
        ({"password": "x", "copies": [{"namespace": "team-b", "name": "far"}]}, "copies[0]"),
        ({"password": "wrong", "test": True}, "password"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(two: Cast, body: Any, field: str) -> None:
    """The one in team-b does not exist for nina."""
    answer = post(two, body)

    assert answer.status_code == 422
    assert [it["field"] for it in answer.json()["details"]["causes"]] == [field]
    assert stored(two, "harbor-prod", "copy") == ["old-password"] * 2
    assert Run.objects.count() == 0


def test_a_list_of_registries_does_not_begin_one(two: Cast) -> None:
    body = {"type": "rotate", "items": [COPY]}
    url = "/oapis/image.theriseunion.io/v1alpha1/runs"

    answer = two.api("nina").post(url, body, content_type="application/json")

    assert (answer.status_code, answer.json()["details"]["causes"][0]["field"]) == (422, "type")


def test_another_uid_is_a_conflict(two: Cast) -> None:
    assert post(two, {"password": "x", "uid": "another"}).status_code == 409
