"""Edit and delete through the API, as api.md has them: what is taken, what is refused, and what is left as it was."""

from typing import Any

import pytest

from registries.domain.resource import PREFIX
from tests.api.test_api import MERGE, TEAM_A, body, notes, patch, post
from tests.cast import Cast


class TestEdit:
    def test_changes_the_two_texts_and_nothing_else(self, cast: Cast) -> None:
        before = cast.add(display_name="alt", description="bleibt")

        response = patch(cast.api("omar"), f"{TEAM_A}/harbor-prod", notes(display_name="新名称"))

        assert response.status_code == 200
        after = cast.find()
        assert (after.display_name, after.description) == ("新名称", "bleibt")
        assert after.uid == before.uid
        assert response.json()["metadata"]["resourceVersion"] == after.resource_version

    def test_rehearses(self, cast: Cast) -> None:
        before, client = cast.add(display_name="alt"), cast.api("omar")

        response = client.patch(
            f"{TEAM_A}/harbor-prod?dryRun=All", {"metadata": notes(display_name="neu")}, content_type=MERGE
        )

        assert response.status_code == 200
        assert response.json()["metadata"]["annotations"][PREFIX + "display-name"] == "neu"
        assert cast.find() == before
        assert client.patch(f"{TEAM_A}/harbor-prod?dryRun=x", {}, content_type=MERGE).status_code == 400

    def test_null_removes(self, cast: Cast) -> None:
        cast.add(display_name="alt", description="alt")

        patch(cast.api("omar"), f"{TEAM_A}/harbor-prod", notes(display_name=None, description=None))

        assert (cast.find().display_name, cast.find().description) == ("", "")

    def test_takes_plain_json_as_well(self, cast: Cast) -> None:
        cast.add()
        data = {"metadata": notes(description="x")}

        response = cast.api("omar").patch(f"{TEAM_A}/harbor-prod", data, content_type="application/json")

        assert response.status_code == 200

    @pytest.mark.parametrize(
        ("change", "fields"),
        [
            ({"spec": {"domain": "evil.example.com"}}, {"spec.domain"}),
            ({"spec": {"password": "x", "username": None}}, {"spec.password", "spec.username"}),
            ({"spec": "x"}, {"spec"}),
            ({"spec": None}, {"spec"}),
            ({"metadata": None}, {"metadata"}),
            ({"metadata": {"labels": {"a": "b"}}}, {"metadata.labels.a"}),
            ({"metadata": {"annotations": None}}, {"metadata.annotations"}),
            (
                {"metadata": {"annotations": {PREFIX + "verify-status": "success"}}},
                {f"metadata.annotations[{PREFIX}verify-status]"},
            ),
            ({"status": {}}, {"status"}),
            ({"metadata": {"uid": 7}}, {"metadata.uid"}),
        ],
    )
    def test_refuses_as_a_whole_what_touches_anything_else(
        self, cast: Cast, change: dict[str, Any], fields: set[str]
    ) -> None:
        before = cast.add(display_name="alt")
        data = {**change}
        if isinstance(data.get("metadata", {}), dict):
            asked = {**notes(display_name="neu"), **data.get("metadata", {})}
            if isinstance(asked["annotations"], dict):
                asked["annotations"] = {PREFIX + "display-name": "neu", **asked["annotations"]}
            data["metadata"] = asked

        response = cast.api("omar").patch(f"{TEAM_A}/harbor-prod", data, content_type=MERGE)

        assert response.status_code == 422
        assert {cause["field"] for cause in response.json()["details"]["causes"]} == fields
        assert cast.find() == before

    @pytest.mark.parametrize(
        "precondition", [{"name": "x"}, {"namespace": "team-b"}, {"uid": "x"}, {"resourceVersion": "1"}]
    )
    def test_a_precondition_that_fails_is_a_conflict(self, cast: Cast, precondition: dict[str, str]) -> None:
        before = cast.add()

        response = patch(
            cast.api("omar"), f"{TEAM_A}/harbor-prod", {**notes(display_name="neu"), **precondition}
        )

        assert response.status_code == 409
        assert response.json()["reason"] == "Conflict"
        assert cast.find() == before

    def test_preconditions_that_hold_change_nothing_by_themselves(self, cast: Cast) -> None:
        it = cast.add()
        metadata = {"name": it.name, "namespace": it.namespace, "uid": it.uid}

        response = patch(
            cast.api("omar"), f"{TEAM_A}/harbor-prod", {**metadata, "resourceVersion": it.resource_version}
        )

        assert response.status_code == 200
        assert cast.find() == it

    def test_what_get_gave_may_be_sent_back(self, cast: Cast) -> None:
        post(
            cast.api("nina"),
            TEAM_A,
            {**body(), "metadata": {"name": "harbor-prod", "labels": {"a.b/c": "d"}}},
        )
        client = cast.api("omar")
        given = client.get(f"{TEAM_A}/harbor-prod").json()
        given["metadata"]["annotations"][PREFIX + "display-name"] = "neu"

        changed = client.patch(f"{TEAM_A}/harbor-prod", given, content_type=MERGE)
        stale = client.patch(f"{TEAM_A}/harbor-prod", given, content_type=MERGE)
        given["spec"]["domain"] = "evil.example.com"
        del given["metadata"]["resourceVersion"]
        refused = client.patch(f"{TEAM_A}/harbor-prod", given, content_type=MERGE)

        assert changed.status_code == 200
        assert cast.find().display_name == "neu"
        assert (stale.status_code, refused.status_code) == (409, 422)
        assert [it["field"] for it in refused.json()["details"]["causes"]] == ["spec.domain"]

    def test_a_precondition_that_is_null_is_none(self, cast: Cast) -> None:
        cast.add()
        metadata = {"uid": None, "resourceVersion": None, **notes(display_name="neu")}

        assert patch(cast.api("omar"), f"{TEAM_A}/harbor-prod", metadata).status_code == 200

    def test_a_text_that_is_too_long_is_named(self, cast: Cast) -> None:
        cast.add()

        response = patch(cast.api("omar"), f"{TEAM_A}/harbor-prod", notes(description="x" * 1025))

        assert response.status_code == 422
        place = response.json()["details"]["causes"][0]["field"]
        assert place == f"metadata.annotations[{PREFIX}description]"


class TestDelete:
    def test_is_a_204_without_a_body(self, cast: Cast) -> None:
        cast.add()
        client = cast.api("nina")

        response = client.delete(f"{TEAM_A}/harbor-prod")

        assert (response.status_code, response.content) == (204, b"")
        assert client.get(f"{TEAM_A}/harbor-prod").status_code == 404
        assert client.delete(f"{TEAM_A}/harbor-prod").status_code == 404

    @pytest.mark.parametrize(("query", "data"), [("?dryRun=All", ""), ("", {"dryRun": ["All"]})])
    def test_rehearses(self, cast: Cast, query: str, data: Any) -> None:
        cast.add()

        response = cast.api("nina").delete(
            f"{TEAM_A}/harbor-prod{query}", data, content_type="application/json"
        )

        assert response.status_code == 204
        assert cast.find()

    @pytest.mark.parametrize("precondition", [{"uid": "x"}, {"resourceVersion": "1"}])
    def test_preconditions_as_kubernetes_has_them(self, cast: Cast, precondition: dict[str, str]) -> None:
        cast.add()
        data = {"preconditions": precondition}

        response = cast.api("nina").delete(f"{TEAM_A}/harbor-prod", data, content_type="application/json")

        assert response.status_code == 409
        assert cast.find()


def test_a_deletion_with_preconditions_that_are_null(cast: Cast) -> None:
    cast.add()
    data = {"preconditions": {"uid": None, "resourceVersion": None}}

    answer = cast.api("nina").delete(f"{TEAM_A}/harbor-prod", data, content_type="application/json")

    assert answer.status_code == 204
