"""Copies through the API: each item into each namespace, and why one is not made."""

from typing import Any

import pytest
from django.test import Client

from registries.domain.access import Role
from registries.wiring import services
from tests.api.runs import RUNS, left
from tests.api.runs import stage as stage
from tests.canary import CANARY
from tests.cast import Cast


def copies(client: Client, *names: str, into: Any) -> Any:
    items = [dict(zip(("namespace", "name"), name.split("/"), strict=True)) for name in names]
    body = {"type": "copy", "items": items, "namespaces": into}
    return client.post(RUNS, body, content_type="application/json")


def test_copies_each_item_into_each_namespace(stage: Cast) -> None:
    services().registries.create_namespace(access=stage.access("olive"), name="team-c")
    client = stage.api("olive")

    begun = copies(client, "team-a/a", "team-a/b", into=["team-a", "team-b", "team-c"])

    run = client.get(f"{RUNS}/{begun.json()['id']}").json()
    assert (run["type"], run["total"], run["succeeded"], run["items"]) == ("copy", 4, 4, [])
    made = {"team-b/a", "team-b/b", "team-c/a", "team-c/b"}
    assert set(left(stage)) == made | {"team-a/a", "team-a/b", "team-b/c"}
    assert CANARY not in begun.content.decode()


def test_a_copy_that_is_not_made_says_why(stage: Cast) -> None:
    services().registries.create_namespace(access=stage.access("olive"), name="team-c")
    stage.add("a", "team-b", domain="127.0.0.1:9")
    stage.add("a", "team-c", domain="127.0.0.1:9", password="another-1")
    client = stage.api("olive")

    begun = copies(client, "team-a/a", into=["team-b", "team-c"]).json()

    run = client.get(f"{RUNS}/{begun['id']}").json()
    told = {it["namespace"]: (it["state"], it["problem"]) for it in run["items"]}
    assert told == {"team-b": ("left_alone", "copy_present"), "team-c": ("failed", "name_taken")}


@pytest.mark.parametrize(
    ("into", "code"),
    [
        (["team-b"], 201),
        (["team-b", "team-b"], 422),
        (["team-a"], 422),
        ([], 422),
        (None, 422),
        ("team-b", 422),
        ([7], 422),
        (["team b"], 422),
        (["team-z"], 404),
        ([{}], 422),
        (["team-b"] * 1001, 422),
    ],
)
def test_namespaces_of_a_copy_are_checked_before_anything_is_done(stage: Cast, into: Any, code: int) -> None:
    before = left(stage)

    response = copies(stage.api("olive"), "team-a/a", into=into)

    assert response.status_code == code
    assert len(left(stage)) == len(before) + (code == 201)


@pytest.mark.parametrize(
    ("person", "names", "role", "code"),
    [
        ("nina", (), Role.ADMIN, 404),
        ("olive", ("team-a",), Role.ADMIN, 404),
        ("olive", (), Role.OPERATOR, 403),
        ("omar", (), Role.ADMIN, 403),
        ("sam", (), Role.ADMIN, 422),
    ],
)
def test_a_copy_takes_image_admin_on_both_sides(
    stage: Cast, person: str, names: tuple[str, ...], role: Role, code: int
) -> None:
    before = left(stage)

    response = copies(stage.api(person, *names, role=role), "team-a/a", into=["team-b"])

    assert response.status_code == code
    assert left(stage) == before
