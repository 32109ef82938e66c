"""Rules through the API: list, read, create, change and switch off, with the rights that a rule takes."""

from typing import Any

import pytest
from django.test import Client

from registries.domain.access import Role
from registries.models import AuditEntry, SyncRule
from registries.sync.rows import Selection
from registries.wiring import services
from tests.api.test_api import BASE, TEAM_A
from tests.api.test_document import problems
from tests.canary import CANARY
from tests.cast import Cast
from tests.sync.following import change, create_namespace, in_b, keep, password, states, turn
from tests.web.copies import stored

RULE = f"{TEAM_A}/harbor-prod/sync-rule"
RULES = f"{BASE}/sync-rules"


def put(client: Client, body: Any, query: str = "") -> Any:
    return client.put(f"{RULE}{query}", body, content_type="application/json")


def test_a_rule_is_created_read_changed_and_switched_off(cast: Cast) -> None:
    create_namespace(cast, "team-c")
    cast.add()
    client = cast.api("olive")
    assert client.get(RULE).status_code == 404

    created = put(client, {"all": True})
    assert created.status_code == 200
    assert (created.json()["all"], created.json()["state"], created.json()["person"]) == (
        True,
        "new",
        "olive",
    )
    assert turn() == {"team-b": "in_step", "team-c": "in_step"}

    read = client.get(RULE).json()
    assert (read["state"], read["inStep"]) == ("active", 2)
    assert read["copies"][0] == {"namespace": "team-b", "state": "in_step", "problem": ""}

    changed = put(client, {"namespaces": ["team-c", "team-c"]})
    assert (changed.status_code, changed.json()["namespaces"]) == (200, ["team-c"])
    assert turn() == {"team-b": "left", "team-c": "in_step"}

    ended = client.delete(f"{RULE}?copies=keep")
    assert (ended.status_code, ended.json()["namespaces"]) == (200, ["team-c"])
    assert client.get(RULE).status_code == 404
    assert len(stored(cast)) == 3
    for answer in (created, changed, ended):
        assert not problems("SyncRule", answer.json())
        assert CANARY not in answer.content.decode()
    notes = AuditEntry.objects.filter(action="sync").order_by("pk").values_list("person", "note")
    assert list(notes) == [("olive", "on"), ("olive", "on"), ("olive", "off")]


def test_a_dry_run_shows_what_it_would_find(cast: Cast) -> None:
    create_namespace(cast, "team-c")
    cast.add(namespace="team-c", username="robot")
    cast.add()
    before = stored(cast)

    answer = put(cast.api("olive"), {"all": True}, "?dryRun=All")

    assert answer.status_code == 200
    assert not problems("SyncRule", answer.json())
    states = {it["namespace"]: it["state"] for it in answer.json()["copies"]}
    assert states == {"team-b": "waiting", "team-c": "name_taken"}
    assert not SyncRule.objects.exists()
    assert stored(cast) == before


WRONG: dict[str, tuple[Any, int]] = {
    "nothing": ({}, 400),
    "no namespace": ({"namespaces": []}, 400),
    "not all": ({"all": False}, 400),
    "only spaces": ({"labelSelector": "  "}, 400),
    "all and some": ({"all": True, "namespaces": ["team-b"]}, 400),
    "labels and some": ({"labelSelector": "a=b", "namespaces": ["team-b"]}, 400),
    "no labels here": ({"labelSelector": "a=b"}, 409),
    "no selector": ({"labelSelector": "a in (b"}, 400),
    "labels of another type": ({"labelSelector": 1}, 422),
    "too long labels": ({"labelSelector": "a" * 501}, 422),
    "all of another type": ({"all": "true"}, 422),
    "bind of another type": ({"all": True, "bind": 1}, 422),
    "a name": ({"namespaces": "team-b"}, 422),
    "a number": ({"namespaces": [1]}, 422),
    "no name": ({"namespaces": ["Team B"]}, 422),
    "too many": ({"namespaces": [f"n-{it}" for it in range(1001)]}, 422),
    "another uid": ({"all": True, "uid": "another"}, 409),
    "a list": ([], 400),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("query", ["", "?dryRun=All"])
def test_a_wrong_body_changes_nothing(cast: Cast, wrong: str, query: str) -> None:
    cast.add()
    body, code = WRONG[wrong]

    assert put(cast.api("olive"), body, query).status_code == code
    assert not SyncRule.objects.exists()


WHO: dict[str, tuple[str, tuple[str, ...], Role, int]] = {
    "everywhere": ("olive", (), Role.ADMIN, 200),
    "a token for some namespaces": ("olive", ("team-a", "team-b"), Role.ADMIN, 403),
    "a token of an operator": ("olive", (), Role.OPERATOR, 403),
    "a token for another namespace": ("olive", ("team-b",), Role.ADMIN, 404),
    "a namespace admin": ("nina", (), Role.ADMIN, 403),
    "an operator": ("omar", (), Role.ADMIN, 403),
    "a viewer": ("vic", (), Role.ADMIN, 403),
    "nobody": ("sam", (), Role.ADMIN, 404),
}


@pytest.mark.parametrize("who", WHO)
def test_a_rule_takes_image_admin_in_all_namespaces(cast: Cast, who: str) -> None:
    person, namespaces, role, code = WHO[who]
    source, client = cast.add(), cast.api(person, *namespaces, role=role)

    assert put(client, {"all": True}, "?dryRun=All").status_code == code
    assert put(client, {"all": True}).status_code == code
    assert SyncRule.objects.exists() is (code == 200)

    keep(cast, source)
    turn()
    assert client.delete(f"{RULE}?copies=delete").status_code == code
    assert SyncRule.objects.exists() is (code != 200)
    assert ("team-b/harbor-prod" in stored(cast)) is (code != 200)


def test_a_session_needs_its_csrf_token(cast: Cast) -> None:
    cast.add()
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users["olive"], backend="registries.log_in.backend.AccountBackend")

    assert put(client, {"all": True}).status_code == 403
    assert client.get(RULES).status_code == 200


@pytest.mark.parametrize("copies", ["", "?copies=all", "?copies=keep", "?copies=delete"])
def test_switching_off_asks_about_unchanged_copies(cast: Cast, copies: str) -> None:
    create_namespace(cast, "team-c")
    keep(cast, cast.add())
    turn()
    change(cast, in_b(cast), "by-hand-1")
    turn()

    answer = cast.api("olive").delete(f"{RULE}{copies}")

    code = {"": 409, "?copies=all": 400}.get(copies, 200)
    assert answer.status_code == code
    assert SyncRule.objects.exists() is (code != 200)
    assert ("team-c/harbor-prod" in stored(cast)) is (copies != "?copies=delete")
    assert "team-b/harbor-prod" in stored(cast), "somebody changed it"
    if copies == "?copies=delete":
        assert not problems("Run", answer.json())
        assert answer.json()["total"] == 1


def test_without_copies_it_just_ends(cast: Cast) -> None:
    keep(cast, cast.add())

    assert cast.api("olive").delete(RULE).status_code == 200
    assert not SyncRule.objects.exists()
    assert cast.api("olive").delete(RULE).status_code == 404


@pytest.fixture
def several(cast: Cast) -> Cast:
    """Rules of sources in two namespaces."""
    keep(cast, cast.add())
    other = cast.add("another", "team-b")
    keep(cast, other, Selection(names=("team-a", "elsewhere")))
    turn()
    return cast


SEEN = {"olive": ["harbor-prod", "another"], "nina": ["harbor-prod"], "vic": ["harbor-prod"], "sam": []}


@pytest.mark.parametrize("person", SEEN)
def test_the_list_has_the_rules_whose_sources_one_sees(several: Cast, person: str) -> None:
    answer = several.api(person).get(RULES)

    assert not problems("SyncRuleList", answer.json())
    assert [it["name"] for it in answer.json()["items"]] == SEEN[person]
    assert answer.json()["totalItems"] == len(SEEN[person])
    if person != "olive":
        assert "team-b" not in answer.content.decode()


def test_a_token_sees_the_rules_of_its_namespaces(several: Cast) -> None:
    answer = several.api("olive", "team-b").get(RULES)

    assert [it["name"] for it in answer.json()["items"]] == ["another"]
    assert answer.json()["items"][0]["namespaces"] == []
    assert answer.json()["items"][0]["unseenNamespaces"] == 2
    assert "team-a" not in answer.content.decode()


def test_the_list_costs_the_same_for_many_rules(several: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(8):
        keep(several, several.add(f"more-{number}"))
    client = several.api("olive")
    client.get(RULES)
    with django_assert_max_num_queries(12):
        assert client.get(RULES).json()["totalItems"] == 10


def test_a_rule_made_with_a_token_acts_with_the_rights_of_its_person(cast: Cast) -> None:
    cast.add()
    put(cast.api("olive"), {"all": True})
    assert turn() == {"team-b": "in_step"}
    assert password(in_b(cast).key) == CANARY
    cast.users["olive"].delete()
    turn()
    assert SyncRule.objects.get().state == "no_right"
    assert states() == {"team-b": "in_step"}


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_people_of_a_cluster_have_no_rules(cast: Cast, method: str) -> None:
    cast.add()
    client = cast.api("olive")
    services().sync_rules.available = False

    assert client.get(RULES).status_code == 404
    assert getattr(client, method)(RULE).status_code == 404
