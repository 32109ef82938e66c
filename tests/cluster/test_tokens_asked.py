"""How the console asks the cluster whose a bearer token is: a server that is away, what is believed and kept, how often
it is asked, and what a report of an error shows of it.
"""

import json
import sys
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.views.debug import ExceptionReporter
from urllib3 import HTTPSConnectionPool

from registries.cluster import personal
from registries.cluster.personal import Person
from registries.cluster.reviews import REVIEW
from registries.models import AuditEntry
from registries.people import cluster_bearers
from registries.wiring import services
from tests import canary
from tests.api.test_api import TEAM_A, body
from tests.clock import Clock
from tests.cluster.bearers import another, bearing, believed_for, limited_to, of
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.people", "tests.cluster.bearers")


class TestAsking:
    def test_a_server_that_is_away_is_a_503_and_no_401(self, people: Cluster, cable: Cable) -> None:
        client = of("vic")
        assert client.get(TEAM_A).status_code == 200
        cable.pull()

        for token in (canary_token("vic"), "garbage"):
            answer = bearing(token).get(TEAM_A)
            assert answer.status_code == 503
            assert answer.json()["reason"] == "ServiceUnavailable"
            assert answer["Retry-After"] == "5"
            assert bearing(token).get("/metrics").status_code == 503
        assert not AuditEntry.objects.filter(action="token").exists()
        cable.plug()
        assert wait_for(lambda: client.get(TEAM_A).status_code == 200)

    def test_one_that_could_not_be_reached_is_not_tried_by_everybody(
        self, people: Cluster, cable: Cable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert of("vic").get(TEAM_A).status_code == 200
        monkeypatch.setattr(cluster_bearers, "PAUSE", 600.0)
        cable.pull()
        # A connection that was open and broke is a late answer at first; a new one is not made.
        assert wait_for(
            lambda: of("vic").get(TEAM_A).status_code == 503 and bool(services().cluster_tokens._silence)
        )
        cable.plug()

        told = of("omar").get(TEAM_A)
        monkeypatch.setattr(cluster_bearers, "PAUSE", 0.0)

        assert told.status_code == 503
        assert told.json()["details"] == {"name": "team-a", "kind": "namespaces"}, "of nobody's token"
        assert wait_for(lambda: of("omar").get(TEAM_A).status_code == 200)

    def test_what_was_heard_is_believed_for_seconds_and_holds_no_token(
        self, people: Cluster, cable: Cable, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        believed_for(settings, 10.0)
        clock = Clock(monkeypatch, cluster_bearers)
        client = of("vic")
        assert client.get(TEAM_A).status_code == 200
        cable.pull()

        clock.advance(9.0)
        assert client.get(TEAM_A).status_code == 200
        assert of("omar").get(TEAM_A).status_code == 503
        clock.advance(2.0)
        assert client.get(TEAM_A).status_code == 503
        kept = services().cluster_tokens._known
        assert canary.TOKEN not in repr(kept)
        assert kept
        assert all(it.access.acting is None for answers in kept.values() for it in answers.values())

    @pytest.mark.parametrize(
        ("method", "path", "given", "expected"),
        [
            ("GET", "", None, 200),
            ("GET", "/there", None, 200),
            ("POST", "", body(), 201),
            ("PATCH", "/there", {"metadata": {"annotations": {"theriseunion.io/display-name": "x"}}}, 200),
            ("DELETE", "/there", None, 204),
            ("POST", "/there/verify", {}, 200),
            ("GET", "/there/tests", None, 200),
        ],
    )
    def test_a_call_for_one_namespace_takes_two_access_reviews_at_most(
        self,
        people: Cluster,
        caplog: pytest.LogCaptureFixture,
        method: str,
        path: str,
        given: Any,
        expected: int,
    ) -> None:
        people.apply("team-a", "there", password=canary.CANARY, domain="127.0.0.1:9")
        assert wait_for(lambda: of("team-a-admin").get(f"{TEAM_A}/there").status_code == 200)
        caplog.clear()

        answer = of("team-a-admin").generic(
            method, f"{TEAM_A}{path}", json.dumps(given) if given is not None else "", "application/json"
        )

        assert answer.status_code == expected, answer.content
        reviews = [it for it in caplog.messages if REVIEW in it and '"POST ' in it]
        assert len(reviews) == (1 if method == "GET" else 2), reviews

    def test_what_is_kept_is_bounded(
        self, people: Cluster, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        believed_for(settings, 60.0)
        monkeypatch.setattr(cluster_bearers, "KEPT", 2)
        for user in ("vic", "omar", "team-a-admin", "olive"):
            assert of(user).get(TEAM_A).status_code == 200

        assert len(services().cluster_tokens._known) == 2

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
            ("get", TEAM_A, (personal.ApiServer, "identify")),
            ("get", "/metrics", (personal.ApiServer, "identify")),
            ("post", TEAM_A, (Person, "call")),
            ("post", TEAM_A, (HTTPSConnectionPool, "urlopen")),
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
