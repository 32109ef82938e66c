"""Logging in with a credential of the cluster: what is taken, what is refused, and what is said of it."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registries.models import AuditEntry, ClusterSession
from registries.wiring import services
from tests import canary
from tests.cast import typed
from tests.cluster.people import LIST, log_in, of_the_cluster, said, text
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.kubeconfigs import client_certificate, kubeconfig

pytest_plugins = ("tests.cluster.people",)


class TestLoggingIn:
    def test_a_token_opens_the_door_as_whom_the_cluster_knows(self, people: Cluster) -> None:
        client = Client()

        response = client.post("/login/?next=/journal/", {"token": canary_token("vic"), "next": "/journal/"})

        assert (response.status_code, response["Location"]) == (302, "/journal/")
        assert "账号 vic" in text(client)
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
        assert "账号 vic" in text(client)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
    @pytest.mark.parametrize(("end", "width"), [("\n", 64), ("\r\n", 76), ("\n", 100_000)])
    def test_a_kubeconfig_of_windows_or_with_wrapped_data_does(
        self, people: Cluster, server: ApiServer, encoding: str, end: str, width: int
    ) -> None:
        """What kubectl reads, sent by the forms: as a file in each encoding, and pasted."""
        pair = server.client_authority.issue(common_name="team-a-admin")
        content = kubeconfig(server.url, client_certificate(pair), **of_the_cluster(server))
        for data in client_certificate(pair).values():
            lines = "\n".join(f"      {data[at : at + width]}" for at in range(0, len(data), width))
            content = content.replace(f" {data}\n", f" |\n{lines}\n")
        content = content.replace("\n", end)
        mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
        file = SimpleUploadedFile("config", mark + content.encode(encoding))
        assert content.count(" |") == 2

        for given in ({"kubeconfig": file}, {"kubeconfig_text": content}):
            client = Client()
            response = client.post("/login/", given)
            assert response.status_code == 302, said(response)
            assert "账号 team-a-admin" in text(client)

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
        noted = AuditEntry.objects.values_list("person", "action", "outcome", "source")
        assert list(noted) == [("?", "login", "failed", "127.0.0.1")]

    @pytest.mark.parametrize(
        ("given", "message"),
        [({}, "粘贴令牌，或选择"), ({"token": "a", "kubeconfig_text": "b"}, "只提供一种凭证")],
    )
    def test_one_credential_is_asked_for(self, people: Cluster, given: dict[str, str], message: str) -> None:
        assert message in said(Client().post("/login/", given))

    @pytest.mark.parametrize(
        ("given", "marked"),
        [
            ({"token": "no-such-token"}, ["token"]),
            ({"kubeconfig": "kind: Pod"}, ["kubeconfig"]),
            ({"kubeconfig_text": "kind: Pod"}, ["kubeconfig_text"]),
            ({"token": "a", "kubeconfig_text": "b"}, ["token", "kubeconfig_text"]),
            ({}, ["token", "kubeconfig"]),
        ],
    )
    def test_the_wrong_field_is_marked_and_in_sight(
        self, people: Cluster, given: dict[str, Any], marked: list[str]
    ) -> None:
        if "kubeconfig" in given:
            given = {"kubeconfig": SimpleUploadedFile("config", given["kubeconfig"].encode())}

        shown = Client().post("/login/", given).content.decode()

        found = re.findall(r'name="(\w+)"[^>]*aria-invalid="true" aria-describedby="error-summary', shown)
        assert found == marked
        assert ('class="login-paste" open' in shown) is ("kubeconfig_text" in marked)

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
        assert "aria-invalid" not in response.content.decode()
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
        vars(services()).pop("api_server", None)

        response = Client().post("/login/", {"kubeconfig_text": content})

        assert (refused.status_code, response.status_code) == (422, 302)

    def test_it_takes_the_clusters_store(self, settings: Any) -> None:
        settings.AUTH = "kubernetes"
        with pytest.raises(ImproperlyConfigured, match="CONSOLE_STORE=kubernetes"):
            _ = services().by_cluster
        settings.AUTH = "ldap"
        with pytest.raises(ImproperlyConfigured, match="local or kubernetes"):
            _ = services().by_cluster

    def test_the_page_says_what_is_taken_and_nothing_of_accounts(self, people: Cluster) -> None:
        page = text(Client(), "/login/")

        assert "只使用当前上下文中的令牌或客户端证书" in page
        assert 'name="username"' not in page
        assert log_in("vic").get("/password/").status_code == 404

    @pytest.mark.parametrize(("language", "words"), [("zh-hans", "API 文档"), ("en", "API documentation")])
    def test_the_account_menu_leads_to_the_api_and_not_to_tokens_of_accounts(
        self, people: Cluster, language: str, words: str
    ) -> None:
        client = log_in("stranger")
        client.cookies["django_language"] = language

        menu = text(client).partition('id="account-menu"')[2].partition("</form>")[0]

        assert words in menu
        assert 'href="/oapis/docs"' in menu
        assert "/tokens/" not in menu
        assert client.get("/oapis/docs").status_code == 200

    def test_a_session_of_an_account_is_nobodys(self, people: Cluster, settings: Any) -> None:
        user = User.objects.create_superuser("olive")
        client = Client()
        client.force_login(user, backend="registries.log_in.backend.AccountBackend")

        assert client.get(LIST).status_code == 302
