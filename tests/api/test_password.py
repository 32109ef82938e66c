"""A new password through the API: what stays, what is refused, and that the test comes first where it is asked for."""

from typing import Any

import pytest
from django.test import Client

from registries.domain.registry import Key, VerifyStatus
from registries.wiring import services
from tests.api.test_api import TEAM_A
from tests.canary import CANARY
from tests.cast import Cast, Probing
from tests.web.password_pages import tried

PATH = f"{TEAM_A}/harbor-prod/password"
KEY = Key("team-a", "harbor-prod")


def put(client: Client, body: Any, query: str = "") -> Any:
    return client.put(PATH + query, body, content_type="application/json", headers={"accept-language": "en"})


def stored() -> str:
    return services().store.credential(KEY, uid=services().store.get(KEY).uid).password


def test_stores_it_and_answers_with_the_resource(cast: Cast) -> None:
    before = cast.add(password="old-password", display_name="Production")

    response = put(cast.api("nina"), {"password": CANARY})

    found = response.json()
    assert (response.status_code, found["metadata"]["uid"]) == (200, before.uid)
    assert found["metadata"]["annotations"]["theriseunion.io/display-name"] == "Production"
    assert found["metadata"]["annotations"]["theriseunion.io/verify-status"] == "untested"
    assert response["ETag"] == f'"{found["metadata"]["resourceVersion"]}"'
    assert stored() == CANARY


def test_a_dry_run_changes_nothing(cast: Cast) -> None:
    cast.add(password="old-password")

    assert put(cast.api("nina"), {"password": CANARY}, "?dryRun=All").status_code == 200
    assert stored() == "old-password"


@pytest.mark.parametrize(("right", "status"), [(True, 200), (False, 422)])
def test_with_a_test_only_what_connects_is_stored(
    cast: Cast, probing: Probing, *, right: bool, status: int
) -> None:
    values = probing("harbor")
    cast.add(**{**values, "password": "old-password"})
    typed = values["password"] if right else CANARY

    response = put(cast.api("nina"), {"password": typed, "test": True})

    assert response.status_code == status
    assert stored() == (typed if right else "old-password")
    assert tried() == [("team-a", "harbor-prod", cast.find().uid)]
    assert cast.find().verification.status is VerifyStatus.UNTESTED
    if not right:
        [cause] = response.json()["details"]["causes"]
        assert cause["field"] == "password"
        assert "nothing was changed" in cause["message"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "password"),
        ({"password": ""}, 422, "password"),
        ({"password": 3}, 422, "password"),
        ({"password": "x", "test": "yes"}, 422, "test"),
        ({"password": "x", "uid": 7}, 422, "uid"),
        ({"password": "a\x00b"}, 422, "spec.password"),
        ({"password": "x" * 17_000}, 422, "spec.password"),
        ({"password": "x", "uid": "another"}, 409, ""),
        ({"password": "x", "resourceVersion": "0"}, 409, ""),
        ([], 400, ""),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(cast: Cast, body: Any, status: int, field: str) -> None:
    cast.add(password="old-password")

    response = put(cast.api("nina"), body)

    assert response.status_code == status
    if field:
        assert [it["field"] for it in response.json()["details"]["causes"]] == [field]
    assert stored() == "old-password"


def test_no_other_address_can_be_named(cast: Cast, probing: Probing) -> None:
    values = probing("harbor")
    cast.add(**{**values, "password": "old-password"})
    elsewhere = {"domain": "127.0.0.1:9", "username": "someone"}

    response = put(cast.api("nina"), {"password": values["password"], "test": True, **elsewhere})

    assert (response.status_code, cast.find().domain) == (200, values["domain"])
