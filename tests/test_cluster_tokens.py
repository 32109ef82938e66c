"""The API and /metrics for who shows a bearer token of the cluster: whose it is and what they may do is the cluster's
word, every write is theirs. Against a real API server with RBAC; the console itself may only read there.
"""

import base64
import itertools
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.test import Client
from django.views.debug import ExceptionReporter
from kubernetes.client import ApiClient

from registries import cluster_tokens, rates, wiring
from registries.api import watch
from registries.models import ApiBucket, AuditEntry, ClusterSession
from registries.stores.kubernetes.gate import Gate, Person
from tests import canary
from tests.cluster_people import Clock
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for
from tests.test_api import ALL, BASE, TEAM_A, body, notes, patch, post

pytest_plugins = ("tests.cluster_people",)

TEAM_B = TEAM_A.replace("team-a", "team-b")
ACCOUNTS = "/api/v1/namespaces/team-a/serviceaccounts"
durations = itertools.count(1000)


def bearing(token: str, **headers: str) -> Client:
    """A program: it holds no cookie, and CSRF is checked as it really is."""
    return Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {token}", **headers})


def of(user: str) -> Client:
    return bearing(canary_token(user))


def account(server: ApiServer, name: str) -> str:
    """A token of a new service account."""
    server.call("DELETE", f"{ACCOUNTS}/{name}")
    server.call("POST", ACCOUNTS, {"metadata": {"name": name}})
    return another(server, name)


def another(server: ApiServer, name: str) -> str:
    """One more token of a service account; those of the same second and duration would be the same."""
    spec = {"expirationSeconds": next(durations)}
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return str(server.call("POST", f"{ACCOUNTS}/{name}/token", asked).body["status"]["token"])


def name_of(account: str) -> str:
    return f"system:serviceaccount:team-a:{account}"


def takes(server: ApiServer, token: str) -> bool:
    """Whether the API server itself does; it believes a token for ten seconds."""
    return server.call("GET", "/version", token=token).status == 200


def believed_for(settings: Any, seconds: float) -> None:
    settings.ACCESS_SECONDS = seconds
    wiring.cluster_tokens.cache_clear()


def limited_to(settings: Any, monkeypatch: pytest.MonkeyPatch, rate: int) -> None:
    """Requests a minute, which lasts for hours here, and nobody has asked yet."""
    settings.API_RATE = rate
    monkeypatch.setattr(rates, "MINUTE", 600 * rates.MINUTE)
    wiring.api_rates.cache_clear()
    ApiBucket.objects.all().delete()


@pytest.fixture
def robot(people: Cluster, server: ApiServer) -> Iterator[str]:
    """A token of a service account that is image-admin in team-a."""
    token = account(server, "robot")
    people.bind(name_of("robot"), "image-admin", "team-a")
    assert wait_for(lambda: bearing(token).get(TEAM_A).status_code == 200)
    yield token
    people.unbind(name_of("robot"), "image-admin", "team-a")


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
        shown = client.get(one).json()["metadata"]["annotations"]
        assert shown["theriseunion.io/verify-status"] == "success"
        assert "password" not in client.get(one).json()["spec"]
        assert client.delete(one).status_code == 204
        assert client.get(one).status_code == 404

        entries = AuditEntry.objects.exclude(action="see").values_list("person", "action", "outcome")
        assert {it[0] for it in entries} == {name_of("robot")}
        assert {"create", "edit", "test", "delete"} <= {it[1] for it in entries}
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
            ("stranger", [404, 404, 404, 404]),
            ("vic", [200, 403, 403, 403]),
            ("omar", [200, 200, 403, 403]),
            ("team-a-admin", [200, 200, 201, 204]),
            ("olive", [200, 200, 201, 204]),
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
        wiring.cluster_tokens.cache_clear()
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
            assert wait_for(lambda: client.get(TEAM_A).json().get("totalItems") == 1)  # noqa: B023
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
        clock = Clock(monkeypatch, cluster_tokens)
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


class TestAsking:
    def test_a_server_that_is_away_is_a_503_and_no_401(self, people: Cluster, cable: Cable) -> None:
        client = of("vic")
        assert client.get(TEAM_A).status_code == 200
        cable.pull()

        for token in (canary_token("vic"), "garbage"):
            answer = bearing(token).get(TEAM_A)
            assert answer.status_code == 503
            assert answer.json()["reason"] == "ServiceUnavailable"
            assert bearing(token).get("/metrics").status_code == 503
        assert not AuditEntry.objects.filter(action="token").exists()
        cable.plug()
        assert wait_for(lambda: client.get(TEAM_A).status_code == 200)

    def test_one_that_could_not_be_reached_is_not_tried_by_everybody(
        self, people: Cluster, cable: Cable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert of("vic").get(TEAM_A).status_code == 200
        monkeypatch.setattr(cluster_tokens, "PAUSE", 600.0)
        cable.pull()
        # A connection that was open and broke is a late answer at first; a new one is not made.
        assert wait_for(
            lambda: of("vic").get(TEAM_A).status_code == 503 and bool(wiring.cluster_tokens()._silence)
        )
        cable.plug()

        told = of("omar").get(TEAM_A)
        monkeypatch.setattr(cluster_tokens, "PAUSE", 0.0)

        assert (told.status_code, told.json().get("details")) == (503, None)
        assert wait_for(lambda: of("omar").get(TEAM_A).status_code == 200)

    def test_what_was_heard_is_believed_for_seconds_and_holds_no_token(
        self, people: Cluster, cable: Cable, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        believed_for(settings, 10.0)
        clock = Clock(monkeypatch, cluster_tokens)
        client = of("vic")
        assert client.get(TEAM_A).status_code == 200
        cable.pull()

        clock.advance(9.0)
        assert client.get(TEAM_A).status_code == 200
        assert of("omar").get(TEAM_A).status_code == 503
        clock.advance(2.0)
        assert client.get(TEAM_A).status_code == 503
        kept = wiring.cluster_tokens()._known
        assert canary.TOKEN not in repr(kept)
        assert all(it.access.acting is None for it in kept.values())

    def test_what_is_kept_is_bounded(
        self, people: Cluster, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        believed_for(settings, 60.0)
        monkeypatch.setattr(cluster_tokens, "KEPT", 2)
        for user in ("vic", "omar", "team-a-admin", "olive"):
            assert of(user).get(TEAM_A).status_code == 200

        assert len(wiring.cluster_tokens()._known) == 2

    def test_all_tokens_of_a_person_are_counted_together(
        self, server: ApiServer, robot: str, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limited_to(settings, monkeypatch, 6)
        believed_for(settings, 60.0)
        second = another(server, "robot")

        statuses = [bearing(token).get(TEAM_A).status_code for token in (robot, second) * 4]

        assert statuses == [200] * 6 + [429] * 2

    def test_an_address_that_shows_many_unknown_ones_has_to_wait(
        self, people: Cluster, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limited_to(settings, monkeypatch, 5)
        believed_for(settings, 0.0)
        assert of("vic").get(TEAM_A).status_code == 200

        answers = [bearing(f"garbage-{number}").get(TEAM_A) for number in range(6)]

        assert [it.status_code for it in answers] == [401] * 4 + [429] * 2
        assert int(answers[-1]["Retry-After"]) >= 1
        assert of("vic").get(TEAM_A).status_code == 200, "one that was known is not kept waiting by them"

    @pytest.mark.parametrize(
        ("method", "path", "where"),
        [
            ("get", TEAM_A, (Gate, "identify")),
            ("get", "/metrics", (Gate, "identify")),
            ("post", TEAM_A, (Person, "call")),
            ("post", TEAM_A, (ApiClient, "call_api")),
        ],
    )
    def test_a_report_of_an_error_holds_no_token_and_no_password(
        self,
        people: Cluster,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
        method: str,
        path: str,
        where: tuple[type, str],
    ) -> None:
        """What Django would send to an administrator: every variable of every frame."""
        believed_for(settings, 60.0)
        reports: list[str] = []

        def report(sender: object, request: HttpRequest, **kwargs: Any) -> None:
            reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

        def fails(*args: object, **kwargs: object) -> str:
            raise RuntimeError("on purpose")

        client = of("team-a-admin")
        if method == "post":
            assert client.get(path).status_code == 200
        client.raise_request_exception = False
        monkeypatch.setattr(*where, fails)
        got_request_exception.connect(report)
        try:
            answer = client.generic(method.upper(), path, json.dumps(body()), content_type="application/json")
        finally:
            got_request_exception.disconnect(report)

        assert answer.status_code == 500
        assert "on purpose" in reports[0]
        assert canary.find(reports[0]) is None


class TestMetrics:
    @pytest.fixture
    def two(self, people: Cluster) -> Cluster:
        people.apply("team-a", "shown", password=canary.CANARY)
        people.apply("team-b", "other", password=canary.CANARY)
        assert wait_for(lambda: len(wiring.index().fresh().keys_by_uid) == 2)
        return people

    def test_a_scraper_reads_all_of_it_and_no_password(self, two: Cluster, server: ApiServer) -> None:
        token = account(server, "prometheus")
        assert bearing(token).get("/metrics").status_code == 403
        two.bind(name_of("prometheus"), "registry-console-metrics")
        try:
            assert wait_for(lambda: bearing(token).get("/metrics").status_code == 200)
            text = bearing(token).get("/metrics").content.decode()
            assert 'name="shown"' in text
            assert 'name="other"' in text
            assert "registry_console_requests_total" in text
            assert bearing(token).get(ALL).json()["totalItems"] == 0, "it is no role on registries"
            assert server.call("GET", two.path("team-a"), token=token).status == 403
        finally:
            two.unbind(name_of("prometheus"), "registry-console-metrics")

    def test_who_may_read_the_address_sees_the_registries_that_may_be_listed(
        self, two: Cluster, server: ApiServer
    ) -> None:
        role = {
            "metadata": {"name": "monitoring"},
            "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}],
        }
        server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
        two.bind("vic", "monitoring")
        two.bind("stranger", "monitoring")
        try:
            assert wait_for(lambda: of("vic").get("/metrics").status_code == 200)
            assert wait_for(lambda: of("stranger").get("/metrics").status_code == 200)
            seen = of("vic").get("/metrics").content.decode()
            assert 'name="shown"' in seen
            assert "team-b" not in seen
            assert "team-" not in of("stranger").get("/metrics").content.decode()
        finally:
            two.unbind("vic", "monitoring")
            two.unbind("stranger", "monitoring")

    @pytest.mark.parametrize(("user", "status"), [("olive", 403), ("nobody", 401)])
    def test_a_role_on_registries_is_none_on_the_address(self, two: Cluster, user: str, status: int) -> None:
        """image-admin everywhere is not the cluster's administrator."""
        assert of(user).get("/metrics").status_code == status
