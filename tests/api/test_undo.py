"""Undo through the API: of one deletion, of a run of them, and what is kept of a forgotten one."""

from typing import Any

import pytest
from django.test import Client

from registries.domain.access import Role
from registries.models import DeletedRegistry
from tests.api.runs import RUNS, begin, left
from tests.api.test_api import TEAM_A
from tests.cast import EVERYBODY, Cast

ONE = f"{TEAM_A}/harbor-prod"
JSON = "application/json"


def undo(client: Client, body: Any = None, path: str = f"{ONE}/undo") -> Any:
    return client.post(path, body, content_type=JSON, headers={"accept-language": "en"})


def test_answers_with_the_resource_of_before(cast: Cast) -> None:
    cast.add(display_name="Production")
    client = cast.api("nina")
    before = client.get(ONE).json()
    client.delete(ONE)

    response = undo(client, {})

    after = client.get(ONE)
    assert (response.status_code, response.json(), response["ETag"]) == (201, after.json(), after["ETag"])
    assert after.json()["spec"] == before["spec"]
    assert after.json()["metadata"]["annotations"] == before["metadata"]["annotations"]


@pytest.mark.parametrize("person", EVERYBODY)
def test_takes_the_right_to_create(cast: Cast, person: str | None) -> None:
    cast.add()
    cast.api("olive").delete(ONE)
    client = cast.api(person) if person else Client()

    expected = {"olive": 201, "nina": 201, "omar": 403, "vic": 403, "sam": 404, None: 401}[person]
    assert undo(client, {}).status_code == expected
    assert DeletedRegistry.objects.exists() == (expected != 201)


def test_a_token_with_a_weaker_role_restores_nothing(cast: Cast) -> None:
    cast.add()
    cast.api("nina").delete(ONE)

    assert undo(cast.api("nina", role=Role.OPERATOR), {}).status_code == 403
    assert undo(cast.api("nina", "team-b"), {}).status_code == 404
    assert DeletedRegistry.objects.exists()


def test_what_cannot_be_undone_is_a_404_with_its_reason(cast: Cast) -> None:
    cast.add()
    client = cast.api("nina")
    assert client.delete(f"{ONE}?forget=true").status_code == 204

    forgotten = undo(client, {})

    assert forgotten.status_code == 404
    assert (
        'registrysecrets.image.theriseunion.io "harbor-prod" not found: no deletion'
        in forgotten.json()["message"]
    )
    assert not DeletedRegistry.objects.exists()


def test_a_taken_name_is_a_409_and_the_deleted_one_stays(cast: Cast) -> None:
    cast.add()
    client = cast.api("nina")
    client.delete(ONE)
    cast.add(domain="other.example.com")

    taken = undo(client, {})

    assert (taken.status_code, taken.json()["reason"]) == (409, "AlreadyExists")
    assert "the deleted one can still be restored" in taken.json()["message"]
    client.delete(f"{ONE}?forget=false")
    deleted = DeletedRegistry.objects.order_by("pk").first()
    assert deleted
    assert undo(client, {"uid": deleted.uid}).json()["spec"]["domain"] == "harbor.example.com"


@pytest.mark.parametrize(
    ("body", "status"), [({"uid": 7}, 422), ([], 400), ("no", 400), ({"uid": "another"}, 404), (None, 201)]
)
def test_a_body_is_judged(cast: Cast, body: Any, status: int) -> None:
    cast.add()
    client = cast.api("nina")
    client.delete(ONE)

    assert undo(client, body).status_code == status


@pytest.mark.parametrize("query", ["?forget=yes", "?forget=2"])
def test_a_flag_that_cannot_be_read_deletes_nothing(cast: Cast, query: str) -> None:
    cast.add()

    assert cast.api("nina").delete(ONE + query).status_code == 400
    assert cast.find()


def test_a_dry_run_keeps_nothing(cast: Cast) -> None:
    cast.add()

    assert cast.api("nina").delete(f"{ONE}?dryRun=All").status_code == 204
    assert not DeletedRegistry.objects.exists()


@pytest.fixture
def stage(cast: Cast) -> Cast:
    for name, namespace in (("a", "team-a"), ("b", "team-a"), ("c", "team-b")):
        cast.add(name, namespace)
    return cast


def test_a_run_restores_exactly_these_with_a_result_for_each(stage: Cast) -> None:
    client = stage.api("olive")
    begin(client, "delete", "team-a/a", "team-a/b", "team-b/c")
    stage.add("b", domain="other.example.com")

    begun = begin(client, "undo", "team-a/a", "team-a/b")

    run = client.get(f"{RUNS}/{begun.json()['id']}").json()
    assert (run["type"], run["state"], run["succeeded"], run["failed"]) == ("undo", "done", 1, 1)
    [failed] = run["items"]
    assert (failed["name"], failed["problem"]) == ("b", "undo_taken")
    assert left(stage) == ["team-a/a", "team-a/b"]
    assert set(DeletedRegistry.objects.values_list("name", flat=True)) == {"b", "c"}


@pytest.mark.parametrize(
    ("person", "names", "status"),
    [
        ("olive", ("team-a/a", "team-b/c"), 201),
        ("nina", ("team-a/a",), 201),
        ("nina", ("team-a/a", "team-b/c"), 422),
        ("omar", ("team-a/a",), 403),
        ("sam", ("team-a/a",), 422),
        ("olive", ("team-a/a", "team-a/never"), 422),
    ],
)
def test_a_run_of_what_one_may_not_restore_does_nothing(
    stage: Cast, person: str, names: tuple[str, ...], status: int
) -> None:
    begin(stage.api("olive"), "delete", "team-a/a", "team-a/b", "team-b/c")

    assert begin(stage.api(person), "undo", *names).status_code == status
    assert len(left(stage)) == (len(names) if status == 201 else 0)


@pytest.mark.parametrize(("forget", "status", "kept"), [(True, 201, 0), (False, 201, 2), ("yes", 422, 0)])
def test_a_run_of_deletions_can_forget(stage: Cast, forget: Any, status: int, kept: int) -> None:
    items = [{"namespace": "team-a", "name": name} for name in ("a", "b")]

    begun = stage.api("olive").post(
        RUNS, {"type": "delete", "items": items, "forget": forget}, content_type=JSON
    )

    assert begun.status_code == status
    assert len(left(stage)) == (1 if status == 201 else 3)
    assert DeletedRegistry.objects.count() == kept
