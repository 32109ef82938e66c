"""What people of the cluster see and do in the console is the cluster's word, and stays so when it changes."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from registries import urls
from registries.cluster.paths import EVERYWHERE
from registries.domain.access import Permission, Role
from registries.domain.errors import Forbidden, Problem
from registries.domain.registry import Key
from registries.domain.resource import encode_password
from registries.models import AuditEntry, ClusterSession
from registries.people import cluster_sessions, grants
from registries.verification.history import NotTested
from registries.web.registry.rotation import version_of
from registries.wiring import services
from tests import canary
from tests.api.test_api import TEAM_A, body
from tests.cast import typed
from tests.clock import Clock
from tests.cluster.bearers import believed_for, of
from tests.cluster.people import CAST, LIST, access_of, log_in, may, text
from tests.peers.admission import denied, used_up
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for
from tests.web.test_every_view import VIEWS

pytest_plugins = ("tests.cluster.people", "tests.cluster.bearers")


ON_CLUSTER = {
    "pull_failures": dict.fromkeys(CAST, 200),
    "secret_scan": dict.fromkeys(CAST, 200),
    "restart_pod": dict.fromkeys(("olive", "nina", "omar", "vic"), 200),
    "node_test": dict.fromkeys(("olive", "nina", "omar"), 200),
    "node_verdict": {"olive": 200, "nina": 200, "omar": 403},
    **dict.fromkeys(("rules", "sync_edit", "sync_off", "sync_solve"), dict.fromkeys(CAST, 404)),
}
"""The views that other people have than without a cluster, where they are a 404. What is done there the cluster allows
or refuses."""


class TestWhatTheySeeAndDo:
    @pytest.mark.parametrize("person", CAST)
    def test_every_view_gives_each_what_the_role_allows(
        self, people: Cluster, settings: Any, person: str
    ) -> None:
        people.apply("team-a", "harbor-prod", password=canary.CANARY)
        people.apply("team-b", "harbor-secret", password=canary.CANARY)
        client = log_in(CAST[person])
        believed_for(settings, 3600.0)  # nobody's rights change here, and each request would ask for them all
        assert wait_for(lambda: len(services().index.fresh().keys_by_uid) == 2)
        local = {pattern.name for pattern in urls.local_administration}
        assert local < VIEWS.keys()

        for name, view in VIEWS.items():
            expected = 404 if name in local else view.expected[person]
            expected = ON_CLUSTER.get(name, {}).get(person, expected)
            assert view.ask(client, name) == expected, name

    def test_another_namespace_does_not_exist(self, people: Cluster) -> None:
        people.apply("team-a", "harbor-prod", password=canary.CANARY)
        people.apply("team-b", "harbor-secret", password=canary.CANARY)
        assert wait_for(lambda: len(services().index.fresh().keys_by_uid) == 2)
        client = log_in("team-a-admin")

        page = text(client)

        assert "harbor-prod" in page
        assert 'data-total="1"' in page
        for path in (LIST, "/journal/", "/registries/-/namespaces/"):
            assert "harbor-secret" not in text(client, path)
            assert "team-b" not in text(client, path)
        assert client.get(LIST, {"namespace": "team-b"}).status_code == 404
        assert client.get("/registries/team-b/harbor-secret/").status_code == 404
        assert 'data-total="2"' in text(log_in("olive"))
        assert 'data-total="0"' in text(log_in("stranger"))

    def test_accounts_and_roles_are_the_clusters_own_matter(self, people: Cluster) -> None:
        client = log_in("olive")

        assert client.get("/accounts/").status_code == 404
        assert client.get("/namespaces/-/add/").status_code == 404
        assert client.get("/namespaces/").status_code == 200
        assert "/accounts/" not in text(client)
        page = text(log_in("team-a-admin"), "/namespaces/")
        assert "/namespaces/team-a/interval/" in page, "they choose how often it is checked"
        assert "team-b" not in page
        assert log_in("stranger").get("/namespaces/").status_code == 403

    def test_the_api_is_the_same_persons_and_no_tokens_of_accounts(self, people: Cluster) -> None:
        """An account of before, whose token would act as the console."""
        access = grants.access_of(User.objects.create_superuser("olive"))
        ends = timezone.now() + timedelta(days=1)
        _, token = services().tokens.create(
            access=access, name="t", namespaces=[], role=Role.ADMIN, expires_at=ends
        )
        url = "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets"
        spec = {
            "domain": "h.example.com",
            "username": "u",
            "password": canary.CANARY,
            "provider": "harbor",
        }

        def create(client: Client, **headers: str) -> int:
            body = {"metadata": {"name": "by-api"}, "spec": spec}
            return client.post(url, body, content_type="application/json", headers=headers).status_code

        assert create(Client(), authorization=f"Bearer {token}") == 401
        assert [create(log_in(user)) for user in ("stranger", "vic", "team-a-admin")] == [404, 403, 201]
        assert log_in("olive").get("/tokens/").status_code == 404
        assert Client().get("/metrics", headers={"authorization": f"Bearer {token}"}).status_code == 401
        assert log_in("vic").get("/oapis/docs").status_code == 200

    def test_who_administers_sees_the_log_ins_of_others(self, people: Cluster) -> None:
        log_in("vic")

        assert re.search(r"\bvic\b", text(log_in("olive"), "/journal/"))
        assert not re.search(r"\bvic\b", text(log_in("omar"), "/journal/"))

    def test_everything_is_written_as_the_person(
        self, people: Cluster, settings: Any, demo_registries: Any, probing: Any
    ) -> None:
        """The console itself may only read here."""
        settings.PROBE_TIMEOUT = 1.5
        client = log_in("team-a-admin")

        added = client.post("/registries/-/add/", typed(**probing("harbor")))
        registry = services().registries.find(access=access_of("olive"), key=Key("team-a", "harbor-prod"))
        form = {
            "display_name": "新名",
            "description": "",
            "seen_display_name": "",
            "seen_description": "",
            "uid": registry.uid,
            "resource_version": registry.resource_version,
        }
        tested = client.post("/registries/team-a/harbor-prod/verify/")
        assert (
            "theriseunion.io/verify-status"
            in people.server.call("GET", people.path("team-a", "harbor-prod")).body["metadata"]["annotations"]
        )
        form["resource_version"] = (
            services().registries.find(access=access_of("olive"), key=registry.key).resource_version
        )
        edited = client.post("/registries/team-a/harbor-prod/edit/", form)
        anew = {"uid": registry.uid, "version": version_of(registry), "password": "new", "anyway": "1"}
        changed = client.post("/registries/team-a/harbor-prod/password/", anew)
        spec = people.server.call("GET", people.path("team-a", "harbor-prod")).body["spec"]
        assert (spec["password"], spec["domain"]) == (encode_password("new"), registry.domain)
        gone = client.post(
            "/registries/team-a/harbor-prod/delete/", {"confirm": "harbor-prod", "uid": registry.uid}
        )

        assert [it.status_code for it in (added, tested, edited, changed, gone)] == [302] * 5
        assert people.server.call("GET", EVERYWHERE).body["items"] == []

    def test_a_password_is_read_for_a_test_by_who_may_read_it_only(
        self, people: Cluster, server: ApiServer
    ) -> None:
        """The console itself could."""
        rules = [{"apiGroups": ["image.theriseunion.io"], "resources": ["registrysecrets"]}]
        role = {"metadata": {"name": "blind-operator"}, "rules": [{**rules[0], "verbs": ["list", "patch"]}]}
        server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
        people.bind("stranger", "blind-operator", "team-b")
        people.apply("team-b", "harbor", password=canary.CANARY)
        assert wait_for(lambda: services().index.fresh().keys_by_uid)
        assert wait_for(lambda: access_of("stranger").may(Permission.EDIT, "team-b"))
        access, key = access_of("stranger"), Key("team-b", "harbor")
        client = log_in("stranger")
        page, details = text(client), text(client, "/registries/team-b/harbor/")
        refused = client.post("/registries/team-b/harbor/verify/").status_code
        check, _ = services().tests.begin_test(access=access_of("olive"), key=key)

        with pytest.raises(Forbidden, match="image-operator"):
            services().tests.attempt(access=access, check=check)

        people.unbind("stranger", "blind-operator", "team-b")
        assert 'data-can="edit"' in page
        assert "测试全部" not in page
        assert "测试选中" not in page
        assert '/registries/team-b/harbor/verify/"' not in details
        assert "/registries/team-b/harbor/edit/" in details
        assert refused == 403


class TestRevoking:
    def test_a_role_that_is_taken_away_is_gone_after_the_cache_time(
        self, people: Cluster, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ACCESS_SECONDS = 10.0
        vars(services()).pop("cluster_sessions", None)
        clock = Clock(monkeypatch, cluster_sessions)
        people.bind("stranger", "image-viewer", "team-b")
        client = log_in("stranger")
        assert client.get(LIST, {"namespace": "team-b"}).status_code == 200

        people.unbind("stranger", "image-viewer", "team-b")
        assert wait_for(lambda: may(people, "stranger", "team-b") is False)

        clock.advance(9.0)
        assert client.get(LIST, {"namespace": "team-b"}).status_code == 200
        clock.advance(2.0)
        assert client.get(LIST, {"namespace": "team-b"}).status_code == 404

    def test_the_cluster_has_the_last_word_on_a_write(self, people: Cluster, settings: Any) -> None:
        settings.ACCESS_SECONDS = 3600.0
        vars(services()).pop("cluster_sessions", None)
        people.bind("stranger", "image-admin", "team-b")
        client = log_in("stranger")
        assert wait_for(lambda: client.get(LIST, {"namespace": "team-b"}).status_code == 200)
        people.unbind("stranger", "image-admin", "team-b")
        assert wait_for(lambda: may(people, "stranger", "team-b") is False)

        response = client.post("/registries/-/add/", typed(namespace="team-b"))

        assert response.status_code == 403
        assert "需要 image-admin" in response.content.decode()
        assert people.server.call("GET", EVERYWHERE).body["items"] == []
        refused = AuditEntry.objects.get(action="create")
        assert (refused.person, refused.outcome) == ("stranger", "Forbidden")
        assert client.get(LIST, {"namespace": "team-b"}).status_code == 404, "and it is asked again at once"

    @pytest.mark.parametrize(
        ("refused_by", "reason", "words"),
        [
            ("quota", "QuotaExceeded", "配额已用完"),
            ("webhook", "ClusterRefused", "集群拒绝了这一操作"),
        ],
    )
    def test_what_a_rule_of_the_cluster_refuses_takes_no_role_that_they_hold(
        self, people: Cluster, server: ApiServer, tmp_path: Path, refused_by: str, reason: str, words: str
    ) -> None:
        client, program = log_in("team-a-admin"), of("team-a-admin")
        in_force = (
            used_up(server, "team-a") if refused_by == "quota" else denied(server, "team-a", tmp_path, 400)
        )
        with in_force:
            page = client.post("/registries/-/add/", typed())
            told = program.post(TEAM_A, body(), content_type="application/json")

        assert page.status_code == 422
        assert words in page.content.decode()
        assert "需要 image-admin" not in page.content.decode()
        [cause] = told.json()["details"]["causes"]
        assert (told.status_code, cause["reason"]) == (403, reason)
        assert words in cause["message"]
        assert "image-admin" not in told.json()["message"]

    def test_a_role_that_is_lost_while_a_test_runs_leaves_no_verdict(self, people: Cluster) -> None:
        people.apply("team-b", "harbor", password=canary.CANARY)
        people.bind("stranger", "image-operator", "team-b")
        assert wait_for(lambda: may(people, "stranger", "team-b"))
        access = access_of("stranger")
        assert wait_for(lambda: services().index.fresh().keys_by_uid)
        check, _ = services().tests.begin_test(access=access, key=Key("team-b", "harbor"))
        people.unbind("stranger", "image-operator", "team-b")
        assert wait_for(lambda: may(people, "stranger", "team-b") is False)

        outcome = services().tests.finish_test(access=access, check=check)

        assert outcome == NotTested(Problem.FORBIDDEN)
        assert "verify-status" not in str(people.server.call("GET", people.path("team-b", "harbor")).body)

    def test_a_token_that_is_revoked_ends_the_session_and_is_forgotten(
        self, people: Cluster, server: ApiServer
    ) -> None:
        """One of a service account; an API server believes a token for ten seconds."""
        accounts = "/api/v1/namespaces/team-a/serviceaccounts"
        server.call("POST", accounts, {"metadata": {"name": "robot"}})
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = server.call("POST", f"{accounts}/robot/token", body).body["status"]["token"]
        client = Client()
        assert client.post("/login/", {"token": token}).status_code == 302
        assert "system:serviceaccount:team-a:robot" in text(client)
        kept = ClusterSession.objects.get()
        assert kept.expires_at < timezone.now() + timedelta(hours=1, minutes=1), "no longer than the token"

        server.call("DELETE", f"{accounts}/robot")

        assert wait_for(lambda: client.get(LIST).status_code == 302)
        response = client.get(LIST, headers={"HX-Request": "true"})
        assert (response.status_code, "session-ended" in response["HX-Trigger"]) == (401, True)
        assert not ClusterSession.objects.exists()
        assert AuditEntry.objects.filter(action="logout", outcome="revoked").count() == 1
