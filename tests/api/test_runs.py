"""Deleting and verifying many through the API: explicit items, progress, and never more than the token may."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registries.api import runs as api_runs
from registries.domain.access import Role
from registries.domain.registry import VerifyStatus
from registries.models import Run
from registries.runs.run import RunState
from registries.wiring import services
from tests.api.runs import RUNS, begin, left
from tests.api.runs import stage as stage
from tests.cast import Cast, Probing
from tests.peers.scripted import Reply, Request, scripted, unauthorized


def test_deletes_exactly_these(stage: Cast) -> None:
    client = stage.api("olive")

    begun = begin(client, "delete", "team-a/a", "team-b/c")

    assert begun.status_code == 201
    run = client.get(f"{RUNS}/{begun.json()['id']}").json()
    assert (run["type"], run["state"]) == ("delete", "done")
    assert (run["total"], run["ended"], run["succeeded"], run["failed"], run["items"]) == (2, 2, 2, 0, [])
    assert left(stage) == ["team-a/b"]


def test_verifies_these_and_says_which_failed(cast: Cast, probing: Probing) -> None:
    cast.add("good", **probing("harbor"))
    cast.add("wrong", **probing("wrong-password"))
    client = cast.api("omar")

    begun = begin(client, "verify", "team-a/good", "team-a/wrong")

    run = client.get(f"{RUNS}/{begun.json()['id']}").json()
    assert (run["state"], run["total"], run["succeeded"], run["failed"]) == ("done", 2, 1, 1)
    [failed] = run["items"]
    assert (failed["name"], failed["reason"]) == ("wrong", "bad_credentials")
    assert cast.find("good").verification.status is VerifyStatus.SUCCESS


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, b"authentication required"),
        (
            401,
            b'{"errors": [{"code": "UNAUTHORIZED", "message": "It is wrong, expired, or lacks a scope."}]}',
        ),
        (401, b"Your token has expired."),
        (401, b"please use a personal access token"),
        (403, b""),
    ],
)
def test_a_run_sends_a_refused_credential_once(cast: Cast, settings: Any, status: int, said: bytes) -> None:
    def script(request: Request) -> Reply:
        return Reply(status, [], said) if request.authorization else unauthorized("Basic")

    with scripted(script) as server:
        settings.PROBE_ALLOW_LOOPBACK = True
        for name in ("a", "b", "c"):
            cast.add(name, domain=server.address, username="dev", password="wrong")
        begun = begin(cast.api("omar"), "verify", "team-a/a", "team-a/b", "team-a/c")

    assert begun.status_code == 201
    assert len([it for it in server.authorizations() if it]) == 1


@pytest.mark.parametrize(
    ("names", "field"),
    [
        (["team-a/a", "team-a/nothing"], "items[1]"),
        (["team-a/a", "team-z/a"], "items[1]"),
        (["team-a/a", "team-a/a"], "items"),
        ([], "items"),
    ],
)
def test_does_nothing_unless_all_are_there(stage: Cast, names: list[str], field: str) -> None:
    response = begin(stage.api("olive"), "delete", *names)

    assert response.status_code == 422
    assert [cause["field"] for cause in response.json()["details"]["causes"]] == [field]
    assert len(left(stage)) == 3


def test_a_namesake_is_not_meant(stage: Cast) -> None:
    response = begin(stage.api("olive"), "delete", "team-a/a", uid="another")

    assert response.status_code == 422
    assert response.json()["details"]["causes"][0]["field"] == "items[0].uid"
    assert len(left(stage)) == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "copy", "items": [{"namespace": "team-a", "name": "a"}]},
        {"type": "delete"},
        {"type": "delete", "items": {}},
        {"type": "delete", "items": ["a"]},
        {"type": ["delete"], "items": []},
        {"type": "delete", "items": [{"namespace": "team-a", "name": 1}]},
        {"type": "delete", "items": [{"namespace": "n", "name": str(it)} for it in range(1001)]},
    ],
)
def test_a_body_that_is_wrong_is_a_422(stage: Cast, body: Any) -> None:
    response = stage.api("olive").post(RUNS, body, content_type="application/json")

    assert response.status_code == 422
    assert response.json()["details"]["causes"][0]["message"]


@pytest.mark.parametrize(
    ("kind", "person", "code"),
    [
        ("delete", "nina", 201),
        ("delete", "omar", 403),
        ("delete", "vic", 403),
        ("delete", "sam", 422),
        ("verify", "omar", 201),
        ("verify", "vic", 403),
        ("verify", "sam", 422),
    ],
)
def test_each_person_may_what_the_role_allows(stage: Cast, kind: str, person: str, code: int) -> None:
    assert begin(stage.api(person), kind, "team-a/a").status_code == code
    assert (len(left(stage)) == 2) == (kind == "delete" and code == 201)


def test_what_may_not_be_seen_answers_as_what_is_not_there(stage: Cast) -> None:
    there, nowhere = (begin(stage.api("nina"), "delete", name) for name in ("team-b/c", "team-z/c"))

    assert there.status_code == nowhere.status_code == 422
    assert there.content == nowhere.content


def test_a_token_may_no_more_than_its_role(stage: Cast) -> None:
    assert begin(stage.api("olive", "team-a", role=Role.OPERATOR), "delete", "team-a/a").status_code == 403
    assert begin(stage.api("olive", "team-b"), "delete", "team-a/a").status_code == 422
    assert len(left(stage)) == 3


def test_a_run_is_its_persons_and_of_a_token_that_sees_all_of_it(stage: Cast) -> None:
    run = begin(stage.api("olive"), "verify", "team-a/a", "team-b/c").json()["id"]
    path = f"{RUNS}/{run}"

    assert stage.api("olive").get(path).status_code == 200
    for other in (stage.api("nina"), stage.api("olive", "team-a"), stage.client("vic")):
        assert other.get(path).status_code == 404
        assert other.post(f"{path}/cancel", "", content_type="application/json").status_code == 404


@pytest.mark.parametrize("run", ["x", "00000000-0000-4000-8000-000000000000"])
def test_a_run_that_is_not_there_is_a_404(cast: Cast, run: str) -> None:
    response = cast.api("olive").get(f"{RUNS}/{run}")

    assert response.status_code == 404
    assert response.json()["message"] == f'runs "{run}" not found'


def test_cancels_a_run_of_any_kind(stage: Cast) -> None:
    client = stage.api("olive")
    verifying = begin(client, "verify", "team-a/a").json()["id"]
    deleting = begin(client, "delete", "team-a/a").json()["id"]

    for run in (verifying, deleting):
        assert client.post(f"{RUNS}/{run}/cancel", "", content_type="text/plain").status_code == 200


@pytest.mark.parametrize("kind", ["verify", "delete"])
@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.CANCELLED, RunState.DONE])
def test_a_token_cancels_only_what_it_could_do(stage: Cast, kind: str, state: RunState) -> None:
    run = begin(stage.api("olive"), kind, "team-a/a", "team-b/c").json()["id"]
    Run.objects.filter(pk=run).update(state=state, beat_at=timezone.now())
    weak = stage.api("olive", role=Role.VIEWER if kind == "verify" else Role.OPERATOR)

    refused = weak.post(f"{RUNS}/{run}/cancel", "", content_type="text/plain")

    assert weak.get(f"{RUNS}/{run}").status_code == 200
    assert (refused.status_code, Run.objects.get(pk=run).state) == (403, state)


class TestList:
    def test_has_ones_own_newest_first(self, stage: Cast) -> None:
        client = stage.api("olive")
        begun = [
            begin(client, kind, name).json()["id"]
            for kind, name in (("verify", "team-a/a"), ("delete", "team-b/c"), ("verify", "team-a/b"))
        ]
        begin(stage.api("nina"), "verify", "team-a/a")

        listed = client.get(RUNS).json()

        assert (listed["kind"], listed["totalItems"]) == ("RunList", 3)
        assert [it["id"] for it in listed["items"]] == begun[::-1]
        assert listed["items"] == [client.get(f"{RUNS}/{run}").json() for run in begun[::-1]]

    def test_has_none_that_the_token_may_not_see_and_no_mere_proposal(self, stage: Cast) -> None:
        begin(stage.api("olive"), "verify", "team-a/a", "team-b/c")
        seen = begin(stage.api("olive"), "verify", "team-a/a").json()["id"]
        services().runs["delete"].propose(access=stage.access("olive"), registries=[stage.find("a")])

        listed = stage.api("olive", "team-a").get(RUNS).json()

        assert [it["id"] for it in listed["items"]] == [seen]
        for nobody in ("vic", "sam"):
            assert stage.api(nobody).get(RUNS).json()["items"] == []
        assert Client().get(RUNS).status_code == 401

    def test_is_bounded(self, stage: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api_runs, "LISTED", 2)
        client = stage.api("olive")
        last = [begin(client, "verify", "team-a/a").json()["id"] for _ in range(3)][:0:-1]

        assert [it["id"] for it in client.get(RUNS).json()["items"]] == last


def test_a_409_names_the_run_that_is_under_way(stage: Cast) -> None:
    """It runs in another process, which gave a sign of life a moment ago."""
    client = stage.api("olive")
    run = begin(client, "verify", "team-a/a").json()["id"]
    Run.objects.filter(pk=run).update(
        state=RunState.RUNNING, finished_at=None, beat_at=timezone.now() + timedelta(days=1)
    )

    refused = begin(client, "verify", "team-a/b")

    assert refused.status_code == 409
    assert f'runs "{run}"' in refused.json()["message"]
    details = refused.json()["details"]
    assert (details["kind"], details["name"]) == ("runs", run)
    assert client.post(f"{RUNS}/{run}/cancel", "", content_type="text/plain").status_code == 200
    assert begin(client, "verify", "team-a/b").status_code == 201
