"""POST …/rotations: a new password for a registry secret and its copies, as a run with a result for each."""

from typing import Any

import pytest
from django.utils import timezone

from registries.domain.access import Role
from registries.models import Rotation, Run
from registries.people.grants import set_grant
from registries.runs.run import LOST_AFTER
from registries.wiring import services
from tests.api.test_api import TEAM_A
from tests.canary import CANARY
from tests.cast import Cast, Probing

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


WAYS = ("retry", "roll-back", "leave")


def decide(cast: Cast, run: str, way: str, person: str = "nina", *namespaces: str, **token: Any) -> Any:
    path = f"/oapis/image.theriseunion.io/v1alpha1/runs/{run}/{way}"
    return cast.api(person, *namespaces, **token).post(path, "", content_type="application/json")


@pytest.fixture
def stopped(two: Cast) -> str:
    """The first has a new password that does not connect, and the copy waits."""
    run = post(two, {"password": "new-password", "copies": [COPY], "anyway": True}).json()
    assert (run["state"], stored(two, "harbor-prod", "copy")) == (
        "cancelled",
        ["new-password", "old-password"],
    )
    return str(run["id"])


ENDS = {
    "retry": (["new-password", "new-password"], "done"),
    "roll-back": (["old-password", "old-password"], "left_alone"),
    "leave": (["new-password", "old-password"], "done"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_stopped_one_is_decided_about(two: Cast, stopped: str, way: str) -> None:
    """Each way, and that a second decision is a conflict."""
    answer = decide(two, stopped, way)

    run = answer.json()
    assert (answer.status_code, run["id"], run["state"]) == (200, stopped, "done")
    assert stored(two, "harbor-prod", "copy") == ENDS[way][0]
    assert run["items"][0]["state"] == ENDS[way][1]
    assert Rotation.objects.count() == 0
    for again in WAYS:
        refused = decide(two, stopped, again)
        assert (refused.status_code, refused.json()["reason"]) == (409, "Conflict")
    assert stored(two, "harbor-prod", "copy") == ENDS[way][0]
    assert CANARY not in answer.content.decode()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("person", "token", "status"),
    [
        ("olive", {}, 404),
        ("omar", {}, 404),
        ("nina", {"role": Role.OPERATOR}, 403),
        ("nina", {"role": Role.VIEWER}, 403),
    ],
)
def test_it_takes_its_own_person_and_the_right_to_change(
    two: Cast, stopped: str, way: str, person: str, token: Any, status: int
) -> None:
    set_grant(two.users["nina"], "team-b", Role.ADMIN)
    elsewhere = decide(two, stopped, way, "nina", "team-b")

    answer = decide(two, stopped, way, person, **token)

    assert (answer.status_code, elsewhere.status_code) == (status, 404)
    assert stored(two, "harbor-prod", "copy") == ["new-password", "old-password"]
    assert Rotation.objects.count() == 1


@pytest.mark.parametrize("way", WAYS)
def test_it_is_for_changes_of_passwords_alone(two: Cast, way: str) -> None:
    runs, access = services().runs["verify"], two.access("nina")
    other = runs.propose(access=access, registries=[two.find()])
    runs.start(access=access, run_id=other)

    for run in (str(other), "nothing", "0" * 32):
        assert decide(two, run, way).status_code == 404


def test_without_its_process_it_waits_for_its_caller(two: Cast, stopped: str) -> None:
    """The console keeps no token: what it allows now is not known."""
    assert Run.objects.get(pk=stopped).state != "done"
    Run.objects.filter(pk=stopped).update(state="running", beat_at=timezone.now() - LOST_AFTER)
    before = stored(two, "harbor-prod", "copy")

    services().rotations.resume_lost(services().people.access_now)

    assert stored(two, "harbor-prod", "copy") == before
    assert Rotation.objects.count() == 1


@pytest.mark.parametrize("way", ["retry", "roll-back"])
def test_a_role_that_was_lost_ends_it(two: Cast, stopped: str, way: str) -> None:
    set_grant(two.users["nina"], "team-a", Role.OPERATOR)

    assert decide(two, stopped, way).status_code == 403
    assert stored(two, "harbor-prod", "copy") == ["new-password", "old-password"]
