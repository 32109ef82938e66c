"""Everybody sees their own role, and what is missing for an action."""

import re

import pytest

from registries.domain.access import EVERYWHERE, Role
from registries.people import grants
from registries.words import labels
from tests.cast import ROLES, Cast

TAG = re.compile(r"<[^>]*>")
PAGES = ("/registries/", "/journal/", "/tokens/", "/password/", "/no-such-page/")


def account_menu(page: str) -> str:
    return page.partition('id="own-roles"')[2].partition("</div>")[0]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("person", ROLES)
def test_the_account_menu_names_the_role(cast: Cast, person: str, path: str) -> None:
    said = account_menu(cast.client(person).get(path).content.decode())

    held = ROLES[person]
    assert person in said
    if held is None:
        assert "由管理员授予" in said
    else:
        assert f'<span class="role">{held[1]}</span>' in said
        assert labels.role_scope(held[0]) in said


@pytest.mark.parametrize("number", [1, 4, 5, 12])
def test_the_account_menu_names_four_roles_and_counts_the_others(cast: Cast, number: int) -> None:
    for index in range(number):
        grants.set_grant(cast.users["sam"], f"n{index:02}", Role.VIEWER)

    said = account_menu(cast.client("sam").get("/registries/").content.decode())

    assert said.count("image-viewer") == min(number, 4)
    assert (f"另有 {number - 4} 个" in said) is (number > 4)


def test_a_role_is_never_shown_to_another_person(cast: Cast) -> None:
    for person in (*ROLES, *ROLES):
        grants.set_grant(cast.users[person], f"only-{person}", Role.OPERATOR)
        said = account_menu(cast.client(person).get("/registries/").content.decode())
        assert not [other for other in ROLES if other != person and f"only-{other}" in said]


OPTION = re.compile(r'class="option-name"[^>]*>([^<]+)</span>\s*(?:<span class="role">([^<]+)</span>)?')


@pytest.mark.parametrize(
    ("roles", "shown"),
    [
        ({"team-a": Role.VIEWER}, [("全部项目", ""), ("team-a", "image-viewer")]),
        (
            {"team-a": Role.ADMIN, "team-b": Role.OPERATOR},
            [("全部项目", ""), ("team-a", "image-admin"), ("team-b", "image-operator")],
        ),
        (
            {EVERYWHERE: Role.VIEWER, "team-b": Role.ADMIN},
            [("全部项目", "image-viewer"), ("team-a", ""), ("team-b", "image-admin")],
        ),
        ({EVERYWHERE: Role.ADMIN}, [("全部项目", "image-admin"), ("team-a", ""), ("team-b", "")]),
    ],
)
def test_the_namespace_selector_shows_the_role_beside_the_name(
    cast: Cast, roles: dict[str, Role], shown: list[tuple[str, str]]
) -> None:
    for namespace, role in roles.items():
        grants.set_grant(cast.users["sam"], namespace, role)

    options = cast.client("sam").get("/registries/-/namespaces/").content.decode()

    assert OPTION.findall(options) == shown


@pytest.mark.parametrize(
    ("person", "path", "role"),
    [
        ("vic", "edit/", "image-operator"),
        ("vic", "delete/", "image-admin"),
        ("omar", "delete/", "image-admin"),
    ],
)
def test_a_refusal_names_the_role_and_who_assigns_it(cast: Cast, person: str, path: str, role: str) -> None:
    cast.add()

    response = cast.client(person).get(f"/registries/team-a/harbor-prod/{path}")

    assert response.status_code == 403
    assert f"此操作需要 {role} 角色，由管理员授予。" in TAG.sub("", response.content.decode())


@pytest.mark.parametrize("person", ["nina", "omar", "vic", "sam"])
@pytest.mark.parametrize("path", ["/accounts/", "/accounts/-/add/", "/namespaces/-/add/"])
def test_administration_takes_image_admin_in_all_namespaces(cast: Cast, person: str, path: str) -> None:
    response = cast.client(person).get(path)

    assert response.status_code == 403
    assert "全部命名空间的 image-admin 角色，由管理员授予" in TAG.sub("", response.content.decode())


@pytest.mark.parametrize(("person", "status"), [("nina", 200), ("omar", 200), ("vic", 403), ("sam", 403)])
def test_the_page_of_namespaces_is_for_people_who_may_choose_intervals(
    cast: Cast, person: str, status: int
) -> None:
    assert cast.client(person).get("/namespaces/").status_code == status


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ("olive", ""),
        ("nina", ""),
        ("omar", "image-operator"),
        ("vic", "image-viewer"),
    ],
)
def test_the_page_of_a_registry_says_what_the_role_lacks(cast: Cast, person: str, says: str) -> None:
    cast.add()

    page = cast.client(person).get("/registries/team-a/harbor-prod/").content.decode()

    note = page.partition('id="role-note"')[2].partition("</p>")[0]
    assert bool(note) is bool(says)
    assert says in note
    assert not note or "由管理员授予" in note
    assert not note or "复制、修正并重建" in note, "each action that the role lacks"
    assert not note or '<span class="unbroken">image-admin</span>' in note, "in one line"
    assert "&lt;" not in note


@pytest.mark.parametrize(
    ("text", "path"), [("访问令牌", "/tokens/"), ("修改密码", "/password/"), ("API", "/oapis/docs")]
)
def test_the_palette_finds_the_pages_of_the_account_menu(cast: Cast, text: str, path: str) -> None:
    found = cast.client("sam").get("/registries/-/palette/", {"find": text}).content.decode()

    assert f'href="{path}"' in found
