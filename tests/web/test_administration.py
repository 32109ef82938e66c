"""账号 and 命名空间: what administrators change, and that they cannot lock everybody out."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from registries.domain.access import EVERYWHERE, Role
from registries.domain.registry import Key
from registries.models import AuditEntry, Grant
from registries.people import grants
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast


def olive(cast: Cast) -> Client:
    return cast.client("olive", hx_request="true")


def roles(name: str) -> list[tuple[str, str]]:
    return list(
        Grant.objects.filter(user__username=name).order_by("namespace").values_list("namespace", "role")
    )


def test_lists_who_holds_what(cast: Cast) -> None:
    page = cast.client("olive").get("/accounts/").content.decode()

    for name in ("olive", "nina", "omar", "vic", "sam"):
        assert f"<strong>{name}</strong>" in page
    assert "全部命名空间" in page
    assert "image-operator" in page


def test_adds_an_account_that_can_log_in_and_has_its_role(cast: Cast) -> None:
    typed = {"username": "ada", "password": "quiet river 42", "namespace": "team-b", "role": "image-operator"}

    response = olive(cast).post("/accounts/-/add/", typed)

    assert response["HX-Redirect"] == "/accounts/"
    assert roles("ada") == [("team-b", "image-operator")]
    assert Client().post("/login/", {"username": "ada", "password": "quiet river 42"}).status_code == 302


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"username": ""}, "此项必填"),
        ({"username": "a b"}, "只用字母、数字"),
        ({"username": "x" * 151}, "150"),
        ({"username": "vic"}, "该账号已存在"),
        ({"password": ""}, "此项必填"),
        ({"password": "short1"}, "至少 8 个字符"),
        ({"password": "password"}, "常见密码"),
        ({"username": "constance", "password": "constance"}, "过于相似"),
        ({"role": "root"}, "请选择一个角色"),
        ({"namespace": "nowhere", "role": "image-admin"}, "不存在"),
    ],
)
def test_a_bad_account_is_refused_with_words_and_without_its_password(
    cast: Cast, values: dict[str, str], says: str
) -> None:
    typed = {"username": "ada", "password": CANARY, "namespace": "", "role": "", **values}

    response = olive(cast).post("/accounts/-/add/", typed)

    assert response.status_code == 422
    assert says in response.content.decode()
    assert not User.objects.filter(username="ada").exists()


def test_a_second_role_in_a_namespace_replaces_the_first(cast: Cast) -> None:
    olive(cast).post("/accounts/vic/roles/", {"namespace": "team-a", "role": "image-admin"})
    olive(cast).post("/accounts/vic/roles/", {"namespace": "team-b", "role": "image-viewer"})

    assert roles("vic") == [("team-a", "image-admin"), ("team-b", "image-viewer")]


def test_a_long_namespace_of_a_role_is_cut_in_the_middle(cast: Cast) -> None:
    vic = User.objects.get(username="vic")
    Grant.objects.create(user=vic, namespace="long-namespace", role="image-viewer")

    page = olive(cast).get("/accounts/").content.decode()

    assert 'title="long-namespace"><span class="head">long-na</span>mespace</span>' in page


def test_a_role_that_is_taken_back_counts_at_once(cast: Cast) -> None:
    cast.add()
    vic = cast.client("vic")
    assert vic.get("/registries/team-a/harbor-prod/").status_code == 200

    olive(cast).post("/accounts/vic/roles/revoke/", {"namespace": "team-a"})

    assert vic.get("/registries/team-a/harbor-prod/").status_code == 404


def test_a_reset_password_ends_the_sessions(cast: Cast) -> None:
    vic = cast.client("vic")

    olive(cast).post("/accounts/vic/password/", {"password": "another 77 horse"})

    assert vic.get("/registries/").status_code == 302


def test_deactivating_ends_the_sessions_and_can_be_undone(cast: Cast) -> None:
    vic = cast.client("vic")

    olive(cast).post("/accounts/vic/active/", {"active": "0"})
    assert vic.get("/registries/").status_code == 302
    olive(cast).post("/accounts/vic/active/", {"active": "1"})

    assert User.objects.get(username="vic").is_active


@pytest.mark.parametrize("name", ["nina", "omar", "vic", "sam"])
def test_asks_before_it_deactivates(cast: Cast, name: str) -> None:
    page = olive(cast).get(f"/accounts/{name}/active/").content.decode()

    assert "会话和访问令牌" in page
    assert '<input type="hidden" name="active" value="0">' in page
    assert User.objects.get(username=name).is_active


@pytest.mark.parametrize("administrator", ["olive", "nina"])
def test_offers_no_deactivation_and_deletion_of_oneself(cast: Cast, administrator: str) -> None:
    grants.set_grant(cast.users["nina"], EVERYWHERE, Role.ADMIN)

    page = cast.client(administrator).get("/accounts/").content.decode()

    for name in ("olive", "nina", "omar", "vic", "sam"):
        for action in ("active", "delete"):
            assert (f'href="/accounts/{name}/{action}/"' in page) is (name != administrator)
        assert f'href="/accounts/{name}/roles/"' in page


@pytest.mark.parametrize("path", ["/accounts/vic/roles/", "/accounts/-/add/"])
def test_preselects_neither_namespace_nor_role(cast: Cast, path: str) -> None:
    page = olive(cast).get(path).content.decode()

    assert page.count('<option value="" selected>') == 2


@pytest.mark.parametrize(
    "values", [{}, {"namespace": "team-a"}, {"role": "image-viewer"}, {"namespace": "", "role": ""}]
)
def test_a_role_without_its_parts_is_not_assigned(cast: Cast, values: dict[str, str]) -> None:
    assert olive(cast).post("/accounts/sam/roles/", values).status_code == 422
    assert roles("sam") == []


def test_an_account_may_begin_without_a_role_but_not_with_half_of_one(cast: Cast) -> None:
    typed = {"username": "ada", "password": "quiet river 42"}

    assert (
        "不分配角色时，该账号可以登录，但看不到任何内容。"
        in olive(cast).get("/accounts/-/add/").content.decode()
    )
    for half in ({"role": "image-viewer"}, {"namespace": "team-a"}, {"namespace": EVERYWHERE}):
        assert olive(cast).post("/accounts/-/add/", typed | half).status_code == 422
    assert not User.objects.filter(username="ada").exists()
    assert olive(cast).post("/accounts/-/add/", typed).status_code == 200
    assert roles("ada") == []


@pytest.mark.parametrize("number", [1, 2, 5, 6, 8])
def test_a_namespace_with_registries_names_them_and_leads_to_them(cast: Cast, number: int) -> None:
    for index in range(number):
        cast.add(f"r{index}", "team-a")
    path = "/namespaces/team-a/delete/"

    asked, typed = olive(cast).get(path), olive(cast).post(path, {"confirm": "team-a"})
    empty = olive(cast).get("/namespaces/team-b/delete/").content.decode()

    assert (asked.status_code, typed.status_code) == (200, 409)
    for full in (asked.content.decode(), typed.content.decode()):
        assert f"还有 {number} 个镜像源" in full
        assert 'href="/registries/?namespace=team-a"' in full
        assert full.count('href="/registries/team-a/r') == min(number, 5)
        assert ("个</li>" in full) is (number > 5)
        assert "confirm-name" not in full
    assert "confirm-name" in empty
    field = empty.split('id="confirm-name"')[1].partition(">")[0]
    assert "placeholder" not in field, "it would look like the name that is typed"


def test_an_account_is_deleted_when_its_name_was_typed(cast: Cast) -> None:
    assert olive(cast).post("/accounts/vic/delete/", {"confirm": "vi"}).status_code == 422
    assert User.objects.filter(username="vic").exists()

    olive(cast).post("/accounts/vic/delete/", {"confirm": "vic"})

    assert not User.objects.filter(username="vic").exists()
    assert roles("vic") == []


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/accounts/olive/roles/", {"namespace": EVERYWHERE, "role": "image-viewer"}),
        ("/accounts/olive/roles/revoke/", {"namespace": EVERYWHERE}),
        ("/accounts/olive/active/", {"active": "0"}),
        ("/accounts/olive/delete/", {"confirm": "olive"}),
    ],
)
def test_the_last_administrator_stays(cast: Cast, path: str, data: dict[str, str]) -> None:
    response = olive(cast).post(path, data)

    said = response.content.decode()
    assert response.status_code in (409, 422)
    assert "分配给其他账号" in said
    assert 'id="dialog-title"' in said
    assert 'action="/accounts/olive/roles/revoke/"' not in said or 'hx-post="/accounts/olive/roles/"' in said
    assert [user.username for user in grants.administrators()] == ["olive"]


def test_with_a_second_administrator_the_first_may_go(cast: Cast) -> None:
    grants.set_grant(cast.users["nina"], EVERYWHERE, Role.ADMIN)

    assert olive(cast).post("/accounts/olive/delete/", {"confirm": "olive"}).status_code == 200


@pytest.mark.parametrize("name", ["nobody", "..", "%00", "<b>"])
def test_an_account_that_is_not_there_is_a_404(cast: Cast, name: str) -> None:
    assert olive(cast).get(f"/accounts/{name}/roles/").status_code == 404


def test_every_change_is_in_the_journal_without_a_password(cast: Cast) -> None:
    typed = {"username": "ada", "password": "quiet river 42", "namespace": "team-b", "role": "image-operator"}
    olive(cast).post("/accounts/-/add/", typed)
    olive(cast).post("/accounts/ada/password/", {"password": "another 77 horse"})
    olive(cast).post("/accounts/ada/active/", {"active": "0"})

    notes = list(
        AuditEntry.objects.exclude(action__in=["login", "namespace"])
        .order_by("pk")
        .values_list("note", flat=True)
    )

    assert notes == ["create ada", "ada image-operator", "password ada", "deactivate ada"]


def test_adds_and_deletes_namespaces(cast: Cast) -> None:
    olive(cast).post("/namespaces/-/add/", {"namespace": " team-c "})
    assert "team-c" in services().index.namespaces(access=cast.access("olive"))

    olive(cast).post("/namespaces/team-c/delete/", {"confirm": "team-c"})

    assert "team-c" not in services().index.namespaces(access=cast.access("olive"))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "此项必填"),
        ("Team", "只用小写字母"),
        ("a.b", "只用小写字母"),
        ("-a", "以字母或数字"),
        ("x" * 64, "63"),
        ("team-a", "已存在"),
    ],
)
def test_a_bad_namespace_is_refused_with_words(cast: Cast, name: str, says: str) -> None:
    response = olive(cast).post("/namespaces/-/add/", {"namespace": name})

    assert response.status_code == 422
    assert says in response.content.decode()


def test_a_namespace_with_registries_stays(cast: Cast) -> None:
    cast.add()

    response = olive(cast).post("/namespaces/team-a/delete/", {"confirm": "team-a"})

    assert response.status_code == 409
    assert "还有 1 个镜像源" in response.content.decode()
    assert cast.find()


def test_a_namespace_that_is_created_again_starts_without_roles(cast: Cast) -> None:
    olive(cast).post("/namespaces/team-a/delete/", {"confirm": "team-a"})
    olive(cast).post("/namespaces/-/add/", {"namespace": "team-a"})
    cast.add()

    assert cast.client("vic").get("/registries/team-a/harbor-prod/").status_code == 404
    assert services().store.get(Key("team-a", "harbor-prod"))


def test_the_page_counts_registries_per_namespace(cast: Cast) -> None:
    cast.add("a")
    cast.add("b")

    page = cast.client("olive").get("/namespaces/").content.decode()

    for name, number, words in (("team-a", 2, ["2 个未测试"]), ("team-b", 0, [])):
        row = page.partition(f'href="/registries/?namespace={name}" title="{name}">{name}</a>')[2]
        counts = re.findall(r"\d+ 个\w+", row.partition("</tr>")[0])
        assert counts == words
        assert f'data-label="镜像源">{number}</td>' in row.partition("</tr>")[0]
        empty = [it in row.partition("</tr>")[0] for it in ("没有镜像源", "btn-outline-danger")]
        assert empty == [number == 0] * 2, "no other can be deleted"
