"""A deletion through the API says what it means for rules, and asks for a decision about the copies of a source."""

from typing import Any

import pytest

from registries.domain.access import Role
from registries.models import SyncRule
from tests.api.runs import RUNS
from tests.api.test_api import TEAM_A
from tests.cast import Cast
from tests.sync.following import create_namespace, keep, turn
from tests.web.copies import stored

ONE = f"{TEAM_A}/harbor-prod"
IN_B = ONE.replace("team-a", "team-b")
TAKEN = ONE.replace("team-a", "taken")


@pytest.fixture
def ruled(cast: Cast) -> Cast:
    create_namespace(cast, "taken")
    cast.add(namespace="taken", username="robot")
    cast.add("another")
    keep(cast, cast.add())
    assert turn() == {"taken": "name_taken", "team-b": "in_step"}
    return cast


@pytest.mark.parametrize("query", ["", "?dryRun=All", "?forget=true"])
def test_a_source_is_deleted_only_after_a_decision(ruled: Cast, query: str) -> None:
    before = stored(ruled)

    response = ruled.api("olive").delete(ONE + query)

    assert response.status_code == 409
    assert response.json()["reason"] == "Conflict"
    assert "copies=keep" in response.json()["message"]
    assert stored(ruled) == before


@pytest.mark.parametrize("copies", ["delete", "Keep", "all"])
def test_another_decision_is_a_400(ruled: Cast, copies: str) -> None:
    before = stored(ruled)

    assert ruled.api("olive").delete(f"{ONE}?copies={copies}").status_code == 400
    assert stored(ruled) == before


@pytest.mark.parametrize("query", ["", "&dryRun=All"])
def test_copies_can_be_kept(ruled: Cast, query: str) -> None:
    response = ruled.api("olive").delete(f"{ONE}?copies=keep{query}")

    assert response.status_code == 204
    assert response["Warning"].startswith('299 - "This registry is the source of a sync rule.')
    assert ("team-a/harbor-prod" in stored(ruled)) is bool(query)
    assert "team-b/harbor-prod" in stored(ruled)


SAID = {
    IN_B: "A sync rule made this copy.",
    TAKEN: "A sync rule waits for this name",
    f"{TEAM_A}/another": "",
}


@pytest.mark.parametrize("address", SAID)
@pytest.mark.parametrize("query", ["", "?dryRun=All"])
def test_a_warning_says_what_a_rule_does(ruled: Cast, address: str, query: str) -> None:
    response = ruled.api("olive").delete(address + query)

    assert response.status_code == 204
    assert SAID[address] in response.get("Warning", "")
    assert ("Warning" in response) is bool(SAID[address])


WITHOUT_RIGHT: dict[str, tuple[str, tuple[str, ...], Role]] = {
    "a namespace admin": ("nina", (), Role.ADMIN),
    "a token for one namespace": ("olive", ("team-a",), Role.ADMIN),
    "a token for both namespaces": ("olive", ("team-a", "team-b"), Role.ADMIN),
}


@pytest.mark.parametrize("who", WITHOUT_RIGHT)
def test_who_may_set_up_no_rule_is_told_and_not_asked(ruled: Cast, who: str) -> None:
    person, namespaces, role = WITHOUT_RIGHT[who]

    response = ruled.api(person, *namespaces, role=role).delete(ONE)

    assert response.status_code == 204
    assert "source of a sync rule" in response["Warning"]
    assert "team-b" not in response["Warning"]
    assert "team-b/harbor-prod" in stored(ruled)


def begin(cast: Cast, *names: str, **more: Any) -> Any:
    items = [dict(zip(("namespace", "name"), it.split("/"), strict=True)) for it in names]
    data = {"type": "delete", "items": items, **more}
    return cast.api("olive").post(RUNS, data, content_type="application/json")


def test_a_run_is_begun_only_after_a_decision(ruled: Cast) -> None:
    before = stored(ruled)

    response = begin(ruled, "team-a/harbor-prod", "team-a/another")

    assert response.status_code == 409
    assert "copies=delete" in response.json()["message"]
    assert stored(ruled) == before


DECIDED = {"keep": ["taken/harbor-prod", "team-b/harbor-prod"], "delete": ["taken/harbor-prod"]}


@pytest.mark.parametrize("copies", DECIDED)
def test_a_run_keeps_or_deletes_the_copies(ruled: Cast, copies: str) -> None:
    response = begin(ruled, "team-a/harbor-prod", "team-a/another", copies=copies)

    assert response.status_code == 201
    assert response.json()["total"] == 2 + (copies == "delete")
    assert "team-a/harbor-prod" in response["Warning"]
    assert list(stored(ruled)) == DECIDED[copies]
    turn()
    assert list(stored(ruled)) == DECIDED[copies]


def test_a_run_over_source_and_copies_needs_no_decision(ruled: Cast) -> None:
    assert begin(ruled, "team-a/harbor-prod", "team-b/harbor-prod").status_code == 201
    assert list(stored(ruled)) == ["taken/harbor-prod", "team-a/another"]


@pytest.mark.parametrize("copies", ["", "all", True, 1, ["keep"], {}])
def test_another_decision_of_a_run_is_a_422(ruled: Cast, copies: Any) -> None:
    before = stored(ruled)

    response = begin(ruled, "team-a/harbor-prod", copies=copies)

    assert response.status_code == 422
    assert response.json()["details"]["causes"][0]["field"] == "copies"
    assert stored(ruled) == before


def test_a_source_without_copies_asks_nothing(cast: Cast) -> None:
    keep(cast, cast.add())

    response = cast.api("olive").delete(ONE)

    assert response.status_code == 204
    assert "source of a sync rule" in response["Warning"]
    turn()
    assert SyncRule.objects.get().state == "source_gone"
