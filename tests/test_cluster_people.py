"""People who log in with a credential of the cluster: what they see and do in the console is the cluster's word.

Against a real API server with RBAC; every token and key that is typed is a canary.
"""

import base64
import importlib
import re
import sys
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.test import Client
from django.urls import clear_url_caches
from django.utils import timezone
from django.views.debug import ExceptionReporter

from console import urls as console_urls
from registries import grants, urls, wiring
from registries.access import Access, Permission, Role
from registries.domain import Key
from registries.errors import Forbidden, Unavailable
from registries.models import AuditEntry, ClusterSession, RunItem
from registries.runs import RunState
from registries.stores.kubernetes.paths import EVERYWHERE
from registries.stores.kubernetes.reviews import REVIEW
from registries.stores.kubernetes.store import KubernetesStore
from tests import canary
from tests.conftest import typed
from tests.peers.api_server import ApiServer, GivenServer, canary_token
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.kubeconfigs import client_certificate, kubeconfig
from tests.peers.scripted import wait_for
from tests.test_every_view import VIEWS

LIST = "/registries/"
ROLES = {
    "olive": ("image-admin", ""),
    "team-a-admin": ("image-admin", "team-a"),
    "omar": ("image-operator", "team-a"),
    "vic": ("image-viewer", "team-a"),
}
CAST = {"olive": "olive", "nina": "team-a-admin", "omar": "omar", "vic": "vic", "sam": "stranger"}
"""The names of the cast on this cluster."""
READER = {
    "metadata": {"name": "reader-of-registries"},
    "rules": [
        {
            "apiGroups": ["image.theriseunion.io"],
            "resources": ["registrysecrets"],
            "verbs": ["get", "list", "watch"],
        },
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {"nonResourceURLs": ["/apis/image.theriseunion.io/v1alpha1"], "verbs": ["get"]},
    ],
}


@pytest.fixture(scope="module")
def server(api_server: ApiServer | GivenServer) -> ApiServer:
    if not isinstance(api_server, ApiServer):
        pytest.skip("the given cluster is not ours")
    return api_server


@pytest.fixture(scope="module")
def bound(server: ApiServer, cluster: Cluster) -> Iterator[Cluster]:
    """The cast has its roles; the console itself may only read, so that whatever is written is by somebody."""
    cluster.empty("team-a", "team-b")
    server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", READER)
    cluster.unbind("console", "registry-console")
    cluster.bind("console", "reader-of-registries")
    for user, (role, namespace) in ROLES.items():
        cluster.bind(user, role, namespace)
    yield cluster
    cluster.unbind("console", "reader-of-registries")
    cluster.bind("console", "registry-console")
    for user, (role, namespace) in ROLES.items():
        cluster.unbind(user, role, namespace)


@pytest.fixture
def cable(server: ApiServer) -> Iterator[Cable]:
    cable = Cable(server.port)
    yield cable
    cable.close()


@pytest.fixture
def people(bound: Cluster, server: ApiServer, cable: Cable, settings: Any, db: None) -> Iterator[Cluster]:
    """The console of a cluster whose people log in with its credentials, and whose word is never old."""
    bound.empty("team-a", "team-b")
    settings.STORE = settings.AUTH = "kubernetes"
    settings.KUBECONFIG = str(server.kubeconfig("console", port=cable.port))
    settings.ACCESS_SECONDS = 0.0
    settings.AUTHENTICATION_BACKENDS = [
        "axes.backends.AxesStandaloneBackend",
        "registries.cluster_backend.ClusterBackend",
    ]
    wiring.reset()
    _reload_urls()
    store = wiring.store()
    yield bound
    assert isinstance(store, KubernetesStore)
    store.stop()
    settings.AUTH, settings.STORE = "local", "embedded"
    wiring.reset()
    _reload_urls()


def _reload_urls() -> None:
    """Which pages there are is decided when the process starts."""
    with warnings.catch_warnings(action="ignore"):
        importlib.reload(urls)
        importlib.reload(console_urls)
    clear_url_caches()


def log_in(user: str, **headers: str) -> Client:
    client = Client(headers=headers)
    response = client.post("/login/", {"token": canary_token(user)})
    assert response.status_code in (302, 204), response.content.decode()
    return client


def of_the_cluster(server: ApiServer) -> dict[str, str]:
    """The CA in people's kubeconfigs, by which the console knows its own server under another address: it goes
    through a cable here."""
    return {"certificate-authority-data": base64.b64encode(server.ca_file.read_bytes()).decode()}


def text(client: Client, path: str = LIST) -> str:
    return client.get(path).content.decode()


def access_of(user: str) -> Access:
    """As a request has it that outlives itself."""
    log_in(user)
    session = wiring.people().find(ClusterSession.objects.latest("pk").pk)
    assert session
    return wiring.people().access_of(session, "127.0.0.1")


def said(response: Any) -> str:
    found = re.search(r'id="error-summary".*?<p>(.*?)</p>', response.content.decode(), re.DOTALL)
    return found[1] if found else ""


class TestLoggingIn:
    def test_a_token_opens_the_door_as_whom_the_cluster_knows(self, people: Cluster) -> None:
        client = Client()

        response = client.post("/login/?next=/journal/", {"token": canary_token("vic"), "next": "/journal/"})

        assert (response.status_code, response["Location"]) == (302, "/journal/")
        assert "账号: vic" in text(client)
        assert AuditEntry.objects.filter(action="login", outcome="ok", person="vic").count() == 1
        assert not User.objects.exists(), "nobody becomes an account"

    @pytest.mark.parametrize("how", ["kubeconfig", "kubeconfig_text"])
    def test_a_kubeconfig_does_as_a_file_and_pasted(
        self, people: Cluster, server: ApiServer, how: str
    ) -> None:
        content = kubeconfig(server.url, {"token": canary_token("vic")}, **of_the_cluster(server))
        file = SimpleUploadedFile("config", content.encode())
        client = Client()

        response = client.post("/login/", {how: file if how == "kubeconfig" else content})

        assert response.status_code == 302
        assert "账号: vic" in text(client)

    def test_a_client_certificate_does(self, people: Cluster, server: ApiServer) -> None:
        pair = server.client_authority.issue(common_name="team-a-admin")
        client = Client()

        response = client.post(
            "/login/",
            {"kubeconfig_text": kubeconfig(server.url, client_certificate(pair), **of_the_cluster(server))},
        )

        assert response.status_code == 302
        assert client.post("/registries/-/add/", typed()).status_code == 302, "and writes with it"
        assert "harbor-prod" in text(client)

    @pytest.mark.parametrize(
        ("language", "message"),
        [
            ("zh-hans", "集群不接受该凭证：它有误、已过期或已被吊销。"),
            ("en", "The cluster does not accept this"),
        ],
    )
    def test_a_wrong_token_is_refused_and_noted(self, people: Cluster, language: str, message: str) -> None:
        client = Client()
        client.cookies["django_language"] = language

        response = client.post("/login/", {"token": f"{canary.TOKEN}-nobody"})

        assert response.status_code == 422
        assert message in said(response)
        assert client.get(LIST).status_code == 302
        assert AuditEntry.objects.filter(action="login", outcome="failed", person="?").count() == 1
        assert not ClusterSession.objects.exists()

    @pytest.mark.parametrize(
        ("server_name", "user", "message"),
        [
            (
                "https://evil.example.com",
                {"token": canary_token("vic")},
                "另一个 API Server（evil.example.com）",
            ),
            ("", {"exec": {"command": "/bin/sh"}}, "控制台不会运行任何程序"),
            ("", {"tokenFile": "/etc/hostname"}, "控制台不会读取任何文件"),
            ("", {"token": canary_token("vic"), "as": "olive"}, "以他人身份操作"),
        ],
    )
    def test_what_a_kubeconfig_could_make_the_console_do_is_refused_with_a_way_out(
        self, people: Cluster, server: ApiServer, server_name: str, user: dict[str, Any], message: str
    ) -> None:
        known = {} if server_name else of_the_cluster(server)
        content = kubeconfig(server_name or server.url, user, **known)

        response = Client().post("/login/", {"kubeconfig_text": content})

        assert response.status_code == 422
        assert message in said(response)
        assert not AuditEntry.objects.exists(), "nobody was asked, so it is no failed log-in"

    @pytest.mark.parametrize(
        ("given", "message"),
        [({}, "粘贴令牌，或选择"), ({"token": "a", "kubeconfig_text": "b"}, "只提供一种凭证")],
    )
    def test_one_credential_is_asked_for(self, people: Cluster, given: dict[str, str], message: str) -> None:
        assert message in said(Client().post("/login/", given))

    def test_many_failures_from_one_address_are_locked_out_whatever_else_is_sent(
        self, people: Cluster
    ) -> None:
        client = Client()
        statuses = [
            client.post("/login/", {"token": f"wrong-{n}", "username": f"name-{n}"}).status_code
            for n in range(6)
        ]

        locked = client.post("/login/", {"token": canary_token("vic")})

        assert statuses[:4] == [422] * 4
        assert locked.status_code == 429
        assert "15 分钟后再试" in said(locked)
        assert (
            Client(REMOTE_ADDR="10.9.9.9").post("/login/", {"token": canary_token("vic")}).status_code == 302
        )

    def test_a_cluster_that_is_away_is_not_a_wrong_token(self, people: Cluster, cable: Cable) -> None:
        cable.pull()

        response = Client().post("/login/", {"token": canary_token("vic")})

        assert "集群的 API Server" in said(response)
        assert not AuditEntry.objects.exists()

    def test_from_a_dialog_it_answers_with_who_it_is(self, people: Cluster) -> None:
        client = Client(headers={"hx_request": "true"})

        wrong = client.post("/login/", {"token": "wrong"})
        right = client.post("/login/", {"token": canary_token("vic")})

        assert (wrong.status_code, right.status_code) == (422, 204)
        assert "<html" not in wrong.content.decode()
        assert right["HX-Trigger"] == '{"signed-in": {"person": "vic"}}'

    def test_another_name_of_the_server_is_the_operators_to_say(self, people: Cluster, settings: Any) -> None:
        content = kubeconfig("https://outside.example.com", {"token": canary_token("vic")})
        refused = Client().post("/login/", {"kubeconfig_text": content})
        settings.CLUSTER_ADDRESSES = ["https://outside.example.com"]
        wiring.gate.cache_clear()

        response = Client().post("/login/", {"kubeconfig_text": content})

        assert (refused.status_code, response.status_code) == (422, 302)

    def test_it_takes_the_clusters_store(self, settings: Any) -> None:
        settings.AUTH = "kubernetes"
        with pytest.raises(ImproperlyConfigured, match="CONSOLE_STORE=kubernetes"):
            wiring.by_cluster()
        settings.AUTH = "ldap"
        with pytest.raises(ImproperlyConfigured, match="local or kubernetes"):
            wiring.by_cluster()

    def test_the_page_says_what_is_taken_and_nothing_of_accounts(self, people: Cluster) -> None:
        page = text(Client(), "/login/")

        assert "其中写明的服务器、文件和程序一律不用" in page
        assert 'name="username"' not in page
        assert log_in("vic").get("/password/").status_code == 404

    def test_a_session_of_an_account_is_nobodys(self, people: Cluster, settings: Any) -> None:
        user = User.objects.create_superuser("olive")
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

        assert client.get(LIST).status_code == 302


class TestWhatTheySeeAndDo:
    @pytest.mark.parametrize("person", CAST)
    def test_every_view_gives_each_what_the_role_allows(self, people: Cluster, person: str) -> None:
        people.apply("team-a", "harbor-prod", password=canary.CANARY)
        people.apply("team-b", "harbor-secret", password=canary.CANARY)
        client = log_in(CAST[person])
        assert wait_for(lambda: len(wiring.index().fresh().keys_by_uid) == 2, 5)
        known = {pattern.name for pattern in urls.urlpatterns}

        for name, view in VIEWS.items():
            if name not in known:
                continue
            assert view.ask(client, name) == view.expected[person], name

    def test_another_namespace_does_not_exist(self, people: Cluster) -> None:
        people.apply("team-a", "harbor-prod", password=canary.CANARY)
        people.apply("team-b", "harbor-secret", password=canary.CANARY)
        assert wait_for(lambda: len(wiring.index().fresh().keys_by_uid) == 2, 5)
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
        assert log_in("team-a-admin").get("/namespaces/").status_code == 403

    def test_the_api_is_the_same_persons_and_no_tokens_of_accounts(self, people: Cluster) -> None:
        """An account of before, whose token would act as the console."""
        access = grants.access_of(User.objects.create_superuser("olive"))
        ends = timezone.now() + timedelta(days=1)
        _, token = wiring.tokens().create(
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
        registry = wiring.service().find(access=access_of("olive"), key=Key("team-a", "harbor-prod"))
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
            wiring.service().find(access=access_of("olive"), key=registry.key).resource_version
        )
        edited = client.post("/registries/team-a/harbor-prod/edit/", form)
        gone = client.post(
            "/registries/team-a/harbor-prod/delete/", {"confirm": "harbor-prod", "uid": registry.uid}
        )

        assert [it.status_code for it in (added, tested, edited, gone)] == [302] * 4
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
        assert wait_for(lambda: wiring.index().fresh().keys_by_uid, 5)
        assert wait_for(lambda: access_of("stranger").may(Permission.EDIT, "team-b"), 5)
        access = access_of("stranger")
        check, _ = wiring.service().begin_test(access=access, key=Key("team-b", "harbor"))

        with pytest.raises(Forbidden, match="image-operator"):
            wiring.service().attempt(access=access, check=check)

        people.unbind("stranger", "blind-operator", "team-b")


class TestRevoking:
    def test_a_role_that_is_taken_away_is_gone_after_the_cache_time(
        self, people: Cluster, settings: Any
    ) -> None:
        settings.ACCESS_SECONDS = 1.0
        wiring.people.cache_clear()
        people.bind("stranger", "image-viewer", "team-b")
        client = log_in("stranger")
        assert wait_for(lambda: client.get(LIST, {"namespace": "team-b"}).status_code == 200, 5)

        people.unbind("stranger", "image-viewer", "team-b")

        begun = time.monotonic()
        assert wait_for(lambda: client.get(LIST, {"namespace": "team-b"}).status_code == 404, 5)
        assert time.monotonic() - begun < 3

    def test_the_cluster_has_the_last_word_on_a_write(self, people: Cluster, settings: Any) -> None:
        settings.ACCESS_SECONDS = 3600.0
        wiring.people.cache_clear()
        people.bind("stranger", "image-admin", "team-b")
        client = log_in("stranger")
        assert wait_for(lambda: client.get(LIST, {"namespace": "team-b"}).status_code == 200, 5)
        people.unbind("stranger", "image-admin", "team-b")
        assert wait_for(lambda: _may(people, "stranger", "team-b") is False, 5)

        response = client.post("/registries/-/add/", typed(namespace="team-b"))

        assert response.status_code == 422
        assert "需要 image-admin" in response.content.decode()
        assert people.server.call("GET", EVERYWHERE).body["items"] == []
        refused = AuditEntry.objects.get(action="create")
        assert (refused.person, refused.outcome) == ("stranger", "Forbidden")
        assert client.get(LIST, {"namespace": "team-b"}).status_code == 404, "and it is asked again at once"

    def test_a_role_that_is_lost_while_a_test_runs_leaves_no_verdict(self, people: Cluster) -> None:
        people.apply("team-b", "harbor", password=canary.CANARY)
        people.bind("stranger", "image-operator", "team-b")
        assert wait_for(lambda: _may(people, "stranger", "team-b"), 5)
        access = access_of("stranger")
        assert wait_for(lambda: wiring.index().fresh().keys_by_uid, 5)
        check, _ = wiring.service().begin_test(access=access, key=Key("team-b", "harbor"))
        people.unbind("stranger", "image-operator", "team-b")
        assert wait_for(lambda: _may(people, "stranger", "team-b") is False, 5)

        outcome = wiring.service().finish_test(access=access, check=check)

        assert outcome.problem == "Forbidden"
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

        assert wait_for(lambda: client.get(LIST).status_code == 302, 15)
        response = client.get(LIST, headers={"HX-Request": "true"})
        assert (response.status_code, "session-ended" in response["HX-Trigger"]) == (401, True)
        assert not ClusterSession.objects.exists()
        assert AuditEntry.objects.filter(action="logout", outcome="revoked").count() == 1


class TestWhileTheClusterIsAway:
    def test_who_was_there_sees_what_is_known_and_goes_on_afterwards(
        self, people: Cluster, cable: Cable
    ) -> None:
        people.apply("team-a", "harbor", password=canary.CANARY)
        client = log_in("team-a-admin")
        assert wait_for(lambda: "harbor" in text(client), 5)

        cable.pull()

        assert wait_for(lambda: 'id="away"' in text(client), 15)
        assert "harbor" in text(client)
        refused = client.post("/registries/-/add/", typed())
        assert "无法连接集群" in refused.content.decode()
        cable.plug()
        assert wait_for(lambda: 'id="away"' not in text(client), 15)
        assert client.post("/registries/-/add/", typed()).status_code == 302

    def test_who_is_not_known_yet_is_told_so(self, people: Cluster, cable: Cable) -> None:
        """As after a restart of the console."""
        client = log_in("team-a-admin")
        client.get(LIST)
        wiring.people.cache_clear()

        cable.pull()

        page = client.get(LIST)
        assert page.status_code == 503
        assert "集群的 API Server" in page.content.decode()
        cable.plug()
        assert wait_for(lambda: client.get(LIST).status_code == 200, 15), "and is still logged in"

    def test_a_server_that_knows_no_roles_yet_is_not_believed_at_once(self, people: Cluster) -> None:
        """It refuses the question itself, as an API server does just after it has started."""
        client = log_in("team-a-admin")
        assert client.get(LIST, {"namespace": "team-a"}).status_code == 200
        basic = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:basic-user"
        found = people.server.call("GET", basic).body
        people.server.call("PUT", basic, {**found, "subjects": []})
        try:
            assert wait_for(lambda: not _is_answered(people), 5)
            assert client.get(LIST, {"namespace": "team-a"}).status_code == 200
            wiring.people.cache_clear()
            told = client.get(LIST)
            assert (told.status_code, "重新登录" in told.content.decode()) == (503, True)
        finally:
            now = people.server.call("GET", basic).body
            people.server.call("PUT", basic, {**now, "subjects": found["subjects"]})
        assert wait_for(lambda: client.get(LIST, {"namespace": "team-a"}).status_code == 200, 15)


class TestTheCredential:
    def test_is_forgotten_at_logout_and_nobody_acts_with_it_any_more(self, people: Cluster) -> None:
        access = access_of("team-a-admin")
        client = log_in("team-a-admin")
        ClusterSession.objects.exclude(pk=ClusterSession.objects.latest("pk").pk).delete()

        client.post("/logout/")

        assert not ClusterSession.objects.exists()
        assert client.get(LIST).status_code == 302
        with pytest.raises(Unavailable, match="session_ended"):
            wiring.service().delete(access=access, key=Key("team-a", "x"), uid="x")
        with pytest.raises(Unavailable, match="session_ended"):
            wiring.access_by_now(access)

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
            wiring.service().delete(access=access, key=Key("team-a", "x"), uid="x")
        ClusterSession.objects.update(last_login=timezone.now() - timedelta(hours=1))
        wiring.people().tidy()
        assert not ClusterSession.objects.exists()

    def test_does_not_open_in_another_session(self, people: Cluster) -> None:
        """Whoever can write to the database cannot make somebody else's credential their own."""
        log_in("olive")
        thief = log_in("vic")
        olives, theirs = ClusterSession.objects.order_by("pk")
        assert wiring.people().find(olives.pk)

        ClusterSession.objects.filter(pk=theirs.pk).update(sealed=olives.sealed)

        assert thief.get(LIST).status_code == 302

    def test_is_not_in_the_cookie_and_another_log_in_is_another_session(self, people: Cluster) -> None:
        client = log_in("vic")
        first = client.cookies["sessionid"].value
        ClusterSession.objects.all().delete()

        client.post("/login/", {"token": canary_token("omar")})

        assert canary.TOKEN not in str(client.cookies)
        assert client.cookies["sessionid"].value != first
        assert not Session.objects.filter(session_key=first).exists()
        assert "账号: omar" in text(client)

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
            monkeypatch.setattr(type(wiring.people()), "recognise", fails)
        else:
            monkeypatch.setattr(type(wiring.gate()), "home", property(fails))
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
        assert wait_for(lambda: len(wiring.index().fresh().keys_by_uid) == 3, 5)
        runs, found = wiring.delete_runs(), wiring.index().fresh().buckets["team-a"].items
        run = runs.propose(access=access, registries=found)
        wiring.people().forget(ClusterSession.objects.get())

        runs.start(access=access, run_id=run)

        view = runs.view(access=access, run_id=run)
        assert (view.state, view.done, view.failed) == (RunState.CANCELLED, 0, ())
        assert RunItem.objects.filter(state="waiting").count() == 3
        again = access_of("team-a-admin")
        runs.start(access=again, run_id=run)
        assert runs.view(access=again, run_id=run).state is RunState.DONE
        assert people.server.call("GET", EVERYWHERE).body["items"] == []

    def test_tests_stop_likewise(self, people: Cluster) -> None:
        people.apply("team-a", "harbor", password=canary.CANARY, domain="127.0.0.1:9")
        access = access_of("omar")
        assert wait_for(lambda: wiring.index().fresh().keys_by_uid, 5)
        runs, found = wiring.verify_runs(), wiring.index().fresh().buckets["team-a"].items
        run = runs.make(access=access, registries=found)
        wiring.people().forget(ClusterSession.objects.get())

        runs.start(access=access, run_id=run)

        assert runs.progress(access=access, run_id=run).state is RunState.CANCELLED
        assert RunItem.objects.get().state == "waiting"
        again = access_of("omar")
        runs.start(access=again, run_id=run)
        assert runs.progress(access=again, run_id=run).state is RunState.DONE


def _is_answered(people: Cluster) -> bool:
    body = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    return people.server.call("POST", REVIEW, body, user="team-a-admin").status == 201


def _may(people: Cluster, user: str, namespace: str) -> bool:
    return people.server.call("GET", people.path(namespace), user=user).status == 200
