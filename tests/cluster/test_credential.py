"""What becomes of a credential of the cluster: while the cluster is away, after a logout, and in work that goes on."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from django.views.debug import ExceptionReporter

from console import datadir
from registries.cluster.paths import EVERYWHERE
from registries.domain.errors import Unavailable
from registries.domain.registry import Key
from registries.models import ClusterSession, RunItem
from registries.people import cluster_access
from registries.runs.run import RunState
from registries.stores.sealing import Sealer
from registries.wiring import services
from tests import canary
from tests.cast import typed
from tests.cluster.people import LIST, access_of, is_answered, log_in, of_the_cluster, text
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.kubeconfigs import kubeconfig
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.people",)


class TestWhileTheClusterIsAway:
    def test_who_was_there_sees_what_is_known_and_goes_on_afterwards(
        self, people: Cluster, cable: Cable
    ) -> None:
        people.apply("team-a", "harbor", password=canary.CANARY)
        client = log_in("team-a-admin")
        assert wait_for(lambda: "harbor" in text(client))

        cable.pull()

        assert wait_for(lambda: 'id="away"' in text(client))
        assert "harbor" in text(client)
        refused = client.post("/registries/-/add/", typed())
        assert "无法连接集群" in refused.content.decode()
        cable.plug()
        assert wait_for(lambda: 'id="away"' not in text(client))
        assert client.post("/registries/-/add/", typed()).status_code == 302

    def test_who_is_not_known_yet_is_told_so(self, people: Cluster, cable: Cable) -> None:
        """As after a restart of the console."""
        client = log_in("team-a-admin")
        client.get(LIST)
        vars(services()).pop("cluster_sessions", None)

        cable.pull()

        page = client.get(LIST)
        assert page.status_code == 503
        assert "集群的 API Server" in page.content.decode()
        cable.plug()
        assert wait_for(lambda: client.get(LIST).status_code == 200), "and is still logged in"

    def test_a_server_that_knows_no_roles_yet_is_not_believed_at_once(
        self, people: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It refuses the question itself, as an API server does just after it has started."""
        monkeypatch.setattr(cluster_access, "SETTLING", 600.0)
        client = log_in("team-a-admin")
        assert client.get(LIST, {"namespace": "team-a"}).status_code == 200
        basic = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:basic-user"
        found = people.server.call("GET", basic).body
        people.server.call("PUT", basic, {**found, "subjects": []})
        try:
            assert wait_for(lambda: not is_answered(people))
            assert client.get(LIST, {"namespace": "team-a"}).status_code == 200
            vars(services()).pop("cluster_sessions", None)
            told = client.get(LIST)
            assert (told.status_code, "重新登录" in told.content.decode()) == (503, True)
        finally:
            now = people.server.call("GET", basic).body
            people.server.call("PUT", basic, {**now, "subjects": found["subjects"]})
        assert wait_for(lambda: client.get(LIST, {"namespace": "team-a"}).status_code == 200)


class TestTheCredential:
    def test_is_forgotten_at_logout_and_nobody_acts_with_it_any_more(self, people: Cluster) -> None:
        access = access_of("team-a-admin")
        client = log_in("team-a-admin")
        ClusterSession.objects.exclude(pk=ClusterSession.objects.latest("pk").pk).delete()

        client.post("/logout/")

        assert not ClusterSession.objects.exists()
        assert client.get(LIST).status_code == 302
        with pytest.raises(Unavailable, match="session_ended"):
            services().registries.delete(access=access, key=Key("team-a", "x"), uid="x")
        with pytest.raises(Unavailable, match="session_ended"):
            services().people.access_now(access)

    @pytest.mark.parametrize("how", ["expired", "session expired", "session gone"])
    def test_is_of_no_use_without_its_session(self, people: Cluster, how: str) -> None:
        access = access_of("team-a-admin")
        past = timezone.now() - timedelta(seconds=1)
        if how == "expired":
            ClusterSession.objects.update(expires_at=past)
        elif how == "session expired":
            Session.objects.update(expire_date=past)
        else:
            Session.objects.all().delete()

        with pytest.raises(Unavailable, match="session_ended"):
            services().registries.delete(access=access, key=Key("team-a", "x"), uid="x")
        ClusterSession.objects.update(last_login=timezone.now() - timedelta(hours=1))
        services().cluster_sessions.tidy()
        assert not ClusterSession.objects.exists()

    def test_does_not_open_in_another_session(self, people: Cluster) -> None:
        """Whoever can write to the database cannot make somebody else's credential their own."""
        log_in("olive")
        thief = log_in("vic")
        olives, theirs = ClusterSession.objects.order_by("pk")
        assert services().cluster_sessions.find(olives.pk)

        ClusterSession.objects.filter(pk=theirs.pk).update(sealed=olives.sealed)

        assert thief.get(LIST).status_code == 302

    def test_is_brought_under_a_new_key_and_nobody_is_logged_out(
        self, people: Cluster, tmp_path: Path, settings: Any
    ) -> None:
        datadir.prepare(tmp_path)
        settings.PASSWORD_KEYS = keys = datadir.password_keys(tmp_path)
        vars(services()).pop("cluster_sessions", None)
        client = log_in("vic")
        session, old = ClusterSession.objects.get(), list(keys())
        lost = Sealer(lambda: [Fernet.generate_key().decode()], lambda: None).seal("", uid="", binding="")
        ClusterSession.objects.create(person="x", sealed=lost, expires_at=session.expires_at)

        call_command("rotate_keys")

        assert list(keys()) != old
        with pytest.raises(Unavailable, match="key_missing"):
            Sealer(lambda: old).reseal(ClusterSession.objects.get().sealed)
        assert client.get(LIST).status_code == 200

    def test_is_not_in_the_cookie_and_another_log_in_is_another_session(self, people: Cluster) -> None:
        client = log_in("vic")
        first = client.cookies["sessionid"].value
        ClusterSession.objects.all().delete()

        client.post("/login/", {"token": canary_token("omar")})

        assert canary.TOKEN not in str(client.cookies)
        assert client.cookies["sessionid"].value != first
        assert not Session.objects.filter(session_key=first).exists()
        assert "账号 omar" in text(client)

    @pytest.mark.parametrize(
        ("how", "where"),
        [("token", "recognise"), ("kubeconfig_text", "recognise"), ("kubeconfig_text", "home")],
    )
    def test_stays_out_of_a_report_of_an_error(
        self, people: Cluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch, how: str, where: str
    ) -> None:
        """What Django would send to an administrator: every variable of every frame."""
        token = canary_token("vic")
        content = (
            token if how == "token" else kubeconfig(server.url, {"token": token}, **of_the_cluster(server))
        )
        reports: list[str] = []

        def report(sender: object, request: HttpRequest, **kwargs: Any) -> None:
            reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

        def fails(*args: object) -> None:
            raise RuntimeError("on purpose")

        if where == "recognise":
            monkeypatch.setattr(type(services().cluster_sessions), "recognise", fails)
        else:
            monkeypatch.setattr(type(services().api_server), "home", property(fails))
        got_request_exception.connect(report)
        try:
            Client(raise_request_exception=False).post("/login/", {how: content})
        finally:
            got_request_exception.disconnect(report)

        assert "on purpose" in reports[0]
        assert canary.find(reports[0]) is None


class TestRuns:
    def test_one_whose_session_is_over_stops_and_is_taken_up_after_the_next_log_in(
        self, people: Cluster
    ) -> None:
        for number in range(3):
            people.apply("team-a", f"harbor-{number}", password=canary.CANARY)
        access = access_of("team-a-admin")
        assert wait_for(lambda: len(services().index.fresh().keys_by_uid) == 3)
        runs, found = services().runs["delete"], services().index.fresh().buckets["team-a"].items
        run = runs.propose(access=access, registries=found)
        services().cluster_sessions.forget(ClusterSession.objects.get())

        runs.start(access=access, run_id=run)

        view = runs.view(access=access, run_id=run)
        assert (view.state, view.succeeded, view.failed) == (RunState.CANCELLED, 0, 0)
        assert RunItem.objects.filter(state="waiting").count() == 3
        again = access_of("team-a-admin")
        runs.start(access=again, run_id=run)
        assert runs.view(access=again, run_id=run).state is RunState.DONE
        assert people.server.call("GET", EVERYWHERE).body["items"] == []

    def test_tests_stop_likewise(self, people: Cluster) -> None:
        people.apply("team-a", "harbor", password=canary.CANARY, domain="127.0.0.1:9")
        access = access_of("omar")
        assert wait_for(lambda: services().index.fresh().keys_by_uid)
        runs, found = services().runs["verify"], services().index.fresh().buckets["team-a"].items
        run = runs.propose(access=access, registries=found)
        services().cluster_sessions.forget(ClusterSession.objects.get())

        runs.start(access=access, run_id=run)

        assert runs.view(access=access, run_id=run).state is RunState.CANCELLED
        assert RunItem.objects.get().state == "waiting"
        again = access_of("omar")
        runs.start(access=again, run_id=run)
        assert runs.view(access=again, run_id=run).state is RunState.DONE
