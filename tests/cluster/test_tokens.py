"""The API and /metrics for who shows a bearer token of the cluster: whose it is and what they may do is the cluster's
word, every write is theirs. Against a real API server with RBAC; the console itself may only read there.
"""

import base64
import json
import time
from typing import Any

import pytest

from registries.api import watch
from registries.models import AuditEntry, ClusterSession
from registries.people import cluster_bearers
from registries.wiring import services
from tests import canary
from tests.api.test_api import ALL, BASE, TEAM_A, body, notes, patch, post
from tests.clock import Clock
from tests.cluster.bearers import (
    ACCOUNTS,
    TEAM_B,
    account,
    another,
    bearing,
    believed_for,
    name_of,
    of,
    takes,
)
from tests.peers.api_server import ApiServer
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.people", "tests.cluster.bearers")


class TestTheOperations:
    def test_a_service_account_does_them_all_in_its_namespace(
        self, people: Cluster, robot: str, probing: Any, settings: Any
    ) -> None:
        settings.PROBE_TIMEOUT = 1.5
        client, good = bearing(robot), probing("harbor")

        made = post(client, TEAM_A, body(**good))
        assert (made.status_code, "password" in made.json()["spec"]) == (201, False)
        one = f"{TEAM_A}/harbor-prod"
        assert [it["metadata"]["name"] for it in client.get(ALL).json()["items"]] == ["harbor-prod"]
        assert patch(client, one, notes(display_name="生产")).status_code == 200
        assert post(client, f"{one}/verify").json()["success"] is True
        anew = {"password": good["password"], "test": True}
        assert client.put(f"{one}/password", anew, content_type="application/json").status_code == 200
        assert post(client, f"{one}/verify").json()["success"] is True
        shown = client.get(one).json()["metadata"]["annotations"]
        assert shown["theriseunion.io/verify-status"] == "success"
        assert "password" not in client.get(one).json()["spec"]
        assert client.delete(one).status_code == 204
        assert client.get(one).status_code == 404

        entries = AuditEntry.objects.exclude(action="see").values_list("person", "action", "outcome")
        assert {it[0] for it in entries} == {name_of("robot")}
        assert {"create", "edit", "password", "test", "delete"} <= {it[1] for it in entries}
        assert not ClusterSession.objects.exists(), "a program has no session"

    def test_other_namespaces_do_not_exist_for_it(self, people: Cluster, robot: str) -> None:
        people.apply("team-b", "hidden", password=canary.CANARY)
        assert wait_for(lambda: of("olive").get(ALL).json()["totalItems"] == 1)
        client = bearing(robot)

        assert client.get(TEAM_B).status_code == client.get(f"{TEAM_B}/hidden").status_code == 404
        assert post(client, TEAM_B, body()).status_code == 404
        assert client.delete(f"{TEAM_B}/hidden").status_code == 404
        assert post(client, f"{TEAM_B}/hidden/verify").status_code == 404
        assert client.get(ALL).json()["totalItems"] == 0
        assert [it["name"] for it in client.get(f"{BASE}/namespaces").json()["items"]] == ["team-a"]

    @pytest.mark.parametrize(
        ("user", "expected"),
        [
            ("stranger", [404, 404, 404, 404, 404]),
            ("vic", [200, 403, 403, 403, 403]),
            ("omar", [200, 200, 403, 403, 403]),
            ("team-a-admin", [200, 200, 201, 200, 204]),
            ("olive", [200, 200, 201, 200, 204]),
        ],
    )
    def test_each_does_what_the_role_allows(self, people: Cluster, user: str, expected: list[int]) -> None:
        people.apply("team-a", "there", password=canary.CANARY, domain="127.0.0.1:9")
        assert wait_for(lambda: of("olive").get(ALL).json()["totalItems"] == 1)
        client, one = of(user), f"{TEAM_A}/there"

        statuses = [
            client.get(one).status_code,
            patch(client, one, notes(display_name="x")).status_code,
            post(client, TEAM_A, body()).status_code,
            client.put(f"{one}/password", {"password": "new"}, content_type="application/json").status_code,
            client.delete(one).status_code,
        ]

        assert statuses == expected

    def test_a_run_is_theirs_and_goes_on_with_what_they_may_by_then(
        self, people: Cluster, robot: str
    ) -> None:
        for name in ("one", "two"):
            people.apply("team-a", name, password=canary.CANARY)
        client = bearing(robot)
        assert wait_for(lambda: client.get(TEAM_A).json()["totalItems"] == 2)
        items = [{"namespace": "team-a", "name": name} for name in ("one", "two")]

        run = post(client, f"{BASE}/runs", {"type": "delete", "items": items})

        assert run.status_code == 201
        shown = client.get(f"{BASE}/runs/{run.json()['id']}").json()
        assert (shown["state"], shown["succeeded"]) == ("done", 2)
        assert of("olive").get(f"{BASE}/runs/{run.json()['id']}").status_code == 404

    def test_a_password_is_read_for_a_test_by_who_may_read_it_only(
        self, people: Cluster, server: ApiServer
    ) -> None:
        rule = {"apiGroups": ["image.theriseunion.io"], "resources": ["registrysecrets"]}
        role = {"metadata": {"name": "blind"}, "rules": [{**rule, "verbs": ["list", "patch"]}]}
        server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
        people.apply("team-a", "there", password=canary.CANARY, domain="127.0.0.1:9")
        people.bind("stranger", "blind", "team-a")
        try:
            assert wait_for(lambda: of("stranger").get(TEAM_A).json().get("totalItems") == 1)
            answer = post(of("stranger"), f"{TEAM_A}/there/verify")
        finally:
            people.unbind("stranger", "blind", "team-a")

        assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")

    def test_a_dry_run_is_made_as_the_person(self, people: Cluster, robot: str, settings: Any) -> None:
        """The console itself could delete nothing, and what the console still believes is not the last word."""
        believed_for(settings, 3600.0)
        people.apply("team-a", "there", password=canary.CANARY)
        client, one = bearing(robot), f"{TEAM_A}/there"
        assert wait_for(lambda: client.get(TEAM_A).json().get("totalItems") == 1)
        asked = [
            lambda: post(client, f"{TEAM_A}?dryRun=All", body()).status_code,
            lambda: client.delete(f"{one}?dryRun=All").status_code,
        ]
        assert [ask() for ask in asked] == [201, 204]

        people.unbind(name_of("robot"), "image-admin", "team-a")
        raw = people.path("team-a")
        assert wait_for(lambda: people.server.call("GET", raw, token=robot).status == 403)

        assert asked[1]() == 403
        vars(services()).pop("cluster_tokens", None)
        people.bind(name_of("robot"), "image-admin", "team-a")
        assert wait_for(lambda: bearing(robot).get(TEAM_A).json().get("totalItems") == 1)


class TestRefusing:
    def test_garbage_is_a_401_with_a_status(self, people: Cluster) -> None:
        for text in (f"{canary.TOKEN}-nobody", "x" * 20_000, "a b", "é", "Bearer"):
            answer = bearing(text).get(TEAM_A)

            assert answer.status_code == 401, text[:20]
            assert (answer.json()["kind"], answer.json()["reason"]) == ("Status", "Unauthorized")
            assert answer["WWW-Authenticate"].startswith("Bearer")
        assert post(bearing("garbage"), TEAM_A, body()).status_code == 401
        noted = AuditEntry.objects.get(action="token")
        assert (noted.person, noted.outcome, noted.note) == ("?", "Unauthorized", "unknown")

    @pytest.mark.parametrize("kind", ["the console's", "expired"])
    def test_some_are_shown_to_nobody(self, people: Cluster, cable: Cable, kind: str) -> None:
        """The answer comes without the API server: it is cut off."""
        claims = base64.urlsafe_b64encode(json.dumps({"exp": 1}).encode()).decode().rstrip("=")
        text = "rct_abcdefghijklmnop" if kind == "the console's" else f"e30.{claims}.x"
        of("vic").get(TEAM_A)
        cable.pull()

        assert bearing(text).get(TEAM_A).status_code == 401

    def test_one_that_is_revoked_is_refused_within_seconds(
        self, server: ApiServer, robot: str, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The API server itself believes it for ten seconds more. A watch ends with it."""
        monkeypatch.setattr(watch, "LOOK", 0.05)
        monkeypatch.setattr(watch, "RIGHTS", 0.2)
        believed_for(settings, 1.0)
        client = bearing(robot)
        watched = client.get(f"{TEAM_A}?watch=true&timeoutSeconds=120")
        assert watched.status_code == 200
        server.call("DELETE", f"{ACCOUNTS}/robot")

        assert wait_for(lambda: client.get(TEAM_A).status_code == 401)
        begun = time.monotonic()
        b"".join(watched.streaming_content)

        assert time.monotonic() - begun < 60, "before its time"
        assert client.get("/metrics").status_code == 401

    def test_one_that_is_revoked_but_still_believed_here_writes_nothing(
        self, people: Cluster, server: ApiServer, robot: str, settings: Any
    ) -> None:
        believed_for(settings, 3600.0)
        people.apply("team-a", "there", password=canary.CANARY, domain="127.0.0.1:9")
        item = {"namespace": "team-a", "name": "there"}
        tokens = [another(server, "robot") for _ in range(4)]
        clients = [bearing(token) for token in tokens]
        for client in clients:
            assert wait_for(lambda: client.get(ALL).json().get("totalItems") == 1)  # noqa: B023
        server.call("DELETE", f"{ACCOUNTS}/robot")
        assert wait_for(lambda: not takes(server, tokens[-1]))

        run = post(clients[0], f"{BASE}/runs", {"type": "delete", "items": [item]})
        writes = [
            post(clients[1], TEAM_A, body()),
            clients[2].delete(f"{TEAM_A}/there"),
            post(clients[3], f"{TEAM_A}/there/verify"),
        ]

        assert (run.status_code, run.json()["state"]) == (201, "cancelled")
        assert [it.status_code for it in writes] == [401] * 3
        assert [it.get(TEAM_A).status_code for it in clients] == [401] * 4, (
            "each is asked about again at once"
        )
        assert server.call("GET", people.path("team-a", "there")).status == 200
        assert server.call("GET", people.path("team-a", "harbor-prod")).status == 404

    def test_a_role_that_is_taken_away_is_gone_after_the_cache_time(
        self, people: Cluster, server: ApiServer, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        believed_for(settings, 10.0)
        clock = Clock(monkeypatch, cluster_bearers)
        token = account(server, "guest")
        client = bearing(token)
        assert client.get(TEAM_B).status_code == 404
        people.bind(name_of("guest"), "image-viewer", "team-b")
        assert client.get(TEAM_B).status_code == 404
        clock.advance(11.0)
        assert client.get(TEAM_B).status_code == 200

        people.unbind(name_of("guest"), "image-viewer", "team-b")
        raw = people.path("team-b")
        assert wait_for(lambda: server.call("GET", raw, token=token).status == 403)

        clock.advance(9.0)
        assert client.get(TEAM_B).status_code == 200
        clock.advance(2.0)
        assert client.get(TEAM_B).status_code == 404
