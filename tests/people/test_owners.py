"""What belongs to an account belongs to its id: a later account of the same name inherits nothing."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from registries.audit.search import visible
from registries.domain.access import Access, Role
from registries.domain.errors import Forbidden, NotFound
from registries.domain.registry import Credential, Key
from registries.models import ApiToken, AuditEntry, Grant, Run
from registries.people.grants import access_of
from registries.service.tests import Typed
from registries.wiring import services
from tests.cast import BACKEND, ROLES, Cast

PASSWORD = "a long and good password 7"


def again(cast: Cast, name: str) -> Access:
    """Deletes an account, and creates another one with its name and role."""
    services().accounts.delete(access=cast.access("olive"), name=name)
    user = User.objects.create(username=name, password="!")
    namespace, role = ROLES[name] or ("", Role.VIEWER)
    Grant.objects.create(user=user, namespace=namespace, role=role.value)
    cast.users[name] = user
    return access_of(user)


def test_a_later_account_inherits_no_run(cast: Cast) -> None:
    runs = services().runs["verify"]
    run = runs.propose(access=access_of(cast.users["nina"]), registries=[cast.add()])

    later = again(cast, "nina")

    with pytest.raises(NotFound):
        runs.view(access=later, run_id=run)
    Run.objects.update(state="done", finished_at=timezone.now())
    assert runs.newest(access=later, most=10) == []
    assert cast.client("nina").get(f"/registries/-/verify/{run}/").status_code == 404


def test_a_later_account_inherits_no_test_of_typed_values(cast: Cast) -> None:
    before = access_of(cast.users["nina"])
    typed = Typed(Key("team-a", ""), Credential("127.0.0.1:9", "u", "p"))
    test = services().single_tests.start_typed(access=before, typed=typed)

    later = again(cast, "nina")

    assert services().single_tests.outcome(access=before, test_id=test) is not None
    with pytest.raises(NotFound):
        services().single_tests.outcome(access=later, test_id=test)


def test_a_later_account_inherits_no_token(cast: Cast) -> None:
    client = cast.api("nina")
    url = "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets"
    assert client.get(url).status_code == 200

    later = again(cast, "nina")

    assert client.get(url).status_code == 401
    assert services().tokens.all(access=later) == []


def test_a_later_account_reads_no_entry_of_the_one_before(cast: Cast) -> None:
    cast.client("nina").post("/logout/")
    assert visible(access_of(cast.users["nina"])).filter(action="logout").exists()

    later = again(cast, "nina")

    assert not visible(later).filter(action="logout").exists()


def test_a_later_account_has_its_own_limits(cast: Cast) -> None:
    before = access_of(cast.users["nina"])

    assert again(cast, "nina").owner != before.owner


def test_a_session_of_the_account_before_ends(cast: Cast) -> None:
    client = cast.client("nina")
    assert client.get("/registries/").status_code == 200

    again(cast, "nina")

    assert client.get("/registries/").status_code == 302


def test_an_item_of_a_namespace_that_is_no_longer_seen_is_not_in_the_run(cast: Cast) -> None:
    user = cast.users["nina"]
    Grant.objects.create(user=user, namespace="team-b", role=Role.ADMIN.value)
    runs = services().runs["verify"]
    registries = [cast.add(), cast.add("secret-one", "team-b")]
    run = runs.propose(access=access_of(user), registries=registries)
    Grant.objects.filter(user=user, namespace="team-b").delete()

    now = access_of(user)

    assert runs.view(access=now, run_id=run).total == 1
    assert runs.namespaces(access=now, run_id=run) == {"team-a": 1}
    assert [it.key.namespace for it in runs.items(access=now, run_id=run)] == ["team-a"]
    Run.objects.get().items.update(state="failed", problem="gone", ended_at=timezone.now())
    for found in (
        runs.failed(access=now, run_id=run),
        runs.newest_failures(access=now, run_id=run),
        runs.newest_items(access=now, run_id=run, most=9),
        runs.ended(access=now, run_id=run, reason="", problem="gone"),
    ):
        assert [it.key.name for it in found] == ["harbor-prod"]
    page = cast.client("nina").get(f"/registries/-/verify/{run}/").content.decode()
    assert "secret-one" not in page
    assert "team-b" not in page


class TestEnds:
    """What ends the sessions and tokens of an account."""

    def session(self, cast: Cast) -> Client:
        client = Client()
        client.force_login(cast.users["nina"], backend=BACKEND)
        return client

    def test_a_reset_of_the_password(self, cast: Cast) -> None:
        session, api = self.session(cast), cast.token("nina")

        cast.client("olive").post("/accounts/nina/password/", {"password": PASSWORD, "again": PASSWORD})

        assert session.get("/registries/").status_code == 302
        assert services().tokens.caller(api, "127.0.0.1") is None

    def test_a_deactivation_also_for_a_later_activation(self, cast: Cast) -> None:
        session, api = self.session(cast), cast.token("nina")
        olive = cast.client("olive")

        olive.post("/accounts/nina/active/", {"active": "0"})
        olive.post("/accounts/nina/active/", {"active": "1"})

        assert User.objects.get(username="nina").is_active
        assert session.get("/registries/").status_code == 302
        assert services().tokens.caller(api, "127.0.0.1") is None
        assert olive.get("/registries/").status_code == 200, "sessions of others go on"

    @pytest.mark.parametrize("arguments", [["nina"], []], ids=["named", "of the user of the system"])
    def test_the_command_that_changes_a_password(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
    ) -> None:
        session, api = self.session(cast), cast.token("nina")
        monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
        monkeypatch.setenv("LOGNAME", "nina")

        call_command("changepassword", *arguments)

        assert session.get("/registries/").status_code == 302
        assert services().tokens.caller(api, "127.0.0.1") is None
        assert AuditEntry.objects.filter(action="account", note="password nina").count() == 1

    def test_not_a_command_that_changed_nothing(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        session, api = self.session(cast), cast.token("nina")
        monkeypatch.setattr("getpass.getpass", lambda prompt: "short")

        with pytest.raises(CommandError):
            call_command("changepassword", "nina")

        assert session.get("/registries/").status_code == 200
        assert services().tokens.caller(api, "127.0.0.1") is not None


class TestTokensOfOthers:
    def test_an_administrator_sees_and_revokes_them(self, cast: Cast) -> None:
        text = cast.token("nina", "team-a", role=Role.OPERATOR)
        olive = cast.client("olive")

        page = olive.get("/tokens/").content.decode()
        assert all(shown in page for shown in ("其他人的令牌", "nina", text[:12], "image-operator"))
        assert text not in page
        assert olive.post(f"/tokens/{ApiToken.objects.get().pk}/revoke/").status_code in (204, 302)

        assert services().tokens.caller(text, "127.0.0.1") is None
        assert AuditEntry.objects.filter(person="olive", action="token", note__endswith="of nina").exists()

    @pytest.mark.parametrize("person", ["omar", "vic", "sam"])
    def test_nobody_else_does(self, cast: Cast, person: str) -> None:
        cast.token("nina")
        token = ApiToken.objects.get().pk

        assert "nina" not in cast.client(person).get("/tokens/").content.decode()
        assert cast.client(person).post(f"/tokens/{token}/revoke/").status_code == 404
        with pytest.raises(Forbidden):
            services().tokens.of_others(access=access_of(cast.users[person]))
        assert ApiToken.objects.get().revoked_at is None


def test_a_token_that_ran_out_is_still_told_to_administrators(cast: Cast) -> None:
    cast.token("nina")
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(days=1))

    assert "已过期" in cast.client("olive").get("/tokens/").content.decode()
