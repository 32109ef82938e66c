"""What a Status says: a sentence for people in `message`, codes in the causes, and in `details` what it is about."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from registries import wiring
from registries.domain.errors import Unavailable
from registries.domain.resource import API_GROUP, KIND
from registries.wiring import services
from tests.api.test_api import BASE, TEAM_A, body, patch, post
from tests.api.test_document import problems
from tests.cast import BACKEND, Cast

ONE = f"{TEAM_A}/harbor-prod"
RUNS = f"{BASE}/runs"
NO_RUN = f"{RUNS}/00000000-0000-4000-8000-000000000000"
SECRET = {"name": "harbor-prod", "group": API_GROUP, "kind": KIND}


def status(response: Any, code: int) -> dict[str, Any]:
    said: dict[str, Any] = response.json()
    assert (response.status_code, problems("Status", said)) == (code, [])
    return said


class TestMessage:
    """In English whatever is asked for, as Kubernetes has it."""

    @pytest.mark.parametrize(
        ("path", "data", "says"),
        [
            (
                RUNS,
                {"type": "verify", "items": []},
                "runs is invalid: items: must be a list of 1 to 1000 items",
            ),
            (
                RUNS,
                {"type": "verify", "items": [{"namespace": "team-a", "name": "q"}]},
                "runs is invalid: items[0]: not found, or not visible to you",
            ),
            (
                TEAM_A,
                body("q2", provider="quay", username=""),
                f'{KIND} "q2" is invalid: spec.username: This field is required; '
                "spec.provider: Choose one of the providers",
            ),
        ],
    )
    def test_has_a_sentence_for_every_cause(self, cast: Cast, path: str, data: Any, says: str) -> None:
        assert status(post(cast.api("nina"), path, data), 422)["message"] == says

    def test_of_a_patch_says_what_may_change(self, cast: Cast) -> None:
        cast.add()

        said = status(patch(cast.api("nina"), ONE, {}, spec={"domain": "x"}), 422)

        assert said["message"].endswith(
            "spec.domain: only display-name, description, owner, support-contact, expires-at and probe-image may change"
        )
        assert said["details"]["causes"][0]["reason"] == "FieldValueForbidden"

    @pytest.mark.parametrize(
        ("problem", "says"),
        [("cluster_away", "API server cannot be reached"), ("registry_busy", "Test again in a moment")],
    )
    def test_of_a_503_says_why(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch, problem: str, says: str
    ) -> None:
        def away(**asked: Any) -> None:
            raise Unavailable("team-a/harbor-prod", problem)

        monkeypatch.setattr(services().registries, "get", away)

        said = status(cast.api("nina").get(ONE), 503)

        assert says in said["message"]
        assert problem not in said["message"]
        assert said["details"] == SECRET

    def test_of_a_test_that_could_not_begin_says_why(
        self, cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast.add()
        settings.PASSWORD_KEYS = lambda: ["0" * 43 + "="]
        wiring.reset()

        said = status(post(cast.api("nina"), f"{ONE}/verify"), 503)

        assert "The key that sealed this password is missing." in said["message"]


class TestDetails:
    def test_name_the_namespace(self, cast: Cast) -> None:
        nowhere = TEAM_A.replace("team-a", "team-z")

        missing = status(cast.api("olive").get(nowhere), 404)
        refused = status(post(cast.api("omar"), TEAM_A, body()), 403)

        assert missing["details"] == {"name": "team-z", "kind": "namespaces"}
        assert refused["details"] == {"name": "team-a", "kind": "namespaces"}

    def test_name_the_run(self, cast: Cast) -> None:
        said = status(cast.api("olive").get(NO_RUN), 404)

        assert said["details"] == {"name": NO_RUN.rpartition("/")[2], "group": API_GROUP, "kind": "runs"}

    def test_name_the_registry_of_a_wrong_method(self, cast: Cast) -> None:
        assert status(cast.api("olive").put(ONE), 405)["details"] == SECRET
        assert "details" not in status(cast.api("olive").put(TEAM_A), 405)

    def test_are_there_when_nothing_was_named(self, cast: Cast) -> None:
        for path, kind in ((TEAM_A, KIND), (RUNS, "runs")):
            details = status(post(cast.api("nina"), path, {}), 422)["details"]
            assert (details["name"], details["group"], details["kind"]) == ("", API_GROUP, kind)

    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            ("team-a/q", {"name": "q", "group": API_GROUP, "kind": KIND}),
            ("/apis/x", {"name": "team-a", "kind": "namespaces"}),
            ("", {"name": "team-a", "kind": "namespaces"}),
        ],
    )
    def test_name_what_the_store_did_not_take(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch, subject: str, expected: Any
    ) -> None:
        def away(**asked: Any) -> None:
            raise Unavailable(subject, "cluster_away")

        monkeypatch.setattr(services().registries, "create", away)

        assert status(post(cast.api("nina"), TEAM_A, body()), 503)["details"] == expected

    def test_name_what_the_database_did_not_give(self, cast: Cast) -> None:
        client = cast.api("vic")

        def refuse(execute: Any, sql: str, *rest: Any) -> Any:
            if "storedresource" in sql:
                raise OperationalError
            return execute(sql, *rest)

        with connection.execute_wrapper(refuse):
            assert status(client.get(ONE), 503)["details"] == SECRET


def test_a_204_has_no_type_of_content(cast: Cast) -> None:
    cast.add()

    assert "Content-Type" not in cast.api("nina").delete(ONE).headers


@pytest.mark.parametrize("name", ["Not valid", "-x", "x" * 300])
def test_what_is_typed_is_tested_under_any_name(cast: Cast, name: str) -> None:
    """A form tests before it saves, and before there is a good name."""
    client, path = cast.api("omar"), f"{TEAM_A}/{name}/verify"

    typed = post(client, path, {"domain": "127.0.0.1:9", "username": "u", "password": "p"})

    assert (typed.status_code, typed.json()["success"]) == (200, False)
    assert status(post(client, path), 404)["reason"] == "NotFound"


class TestAuthorizationOfAProxy:
    """A browser sends the log-in of a proxy in front along."""

    def test_does_not_stand_in_the_way_of_a_session(self, cast: Cast) -> None:
        cast.add()
        client = cast.client("nina", authorization="Basic b2xpdmU6ZGVtbw==")

        assert client.get(ONE).status_code == 200

    def test_is_no_way_around_csrf(self, cast: Cast) -> None:
        client = Client(enforce_csrf_checks=True, headers={"authorization": "Basic b2xpdmU6ZGVtbw=="})
        client.force_login(cast.users["nina"], backend=BACKEND)

        assert status(post(client, TEAM_A, body()), 403)["reason"] == "Forbidden"
