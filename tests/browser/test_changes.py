"""Editing, deleting and batch deletion in the browser while somebody else works on the same registries."""

import itertools
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.peers.console_page import add_registry, choose, dialog, fill, input_, names, row
from tests.peers.held import kept_back
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People, Person
from tests.peers.words import ZH

HERE = "/registries/?namespace=team-a&size=100"


def uid_of(person: Person, name: str) -> str:
    found = person.context.request.get(f"/registries/-/selection/?namespace=team-a&q={name}").json()["uids"]
    assert len(found) == 1
    return str(found[0])


def delete(person: Person, name: str) -> None:
    """In another browser."""
    path = f"/registries/team-a/{name}/delete/"
    assert person.post(path, uid=uid_of(person, name), confirm=name).ok


def give(people: People, name: str, namespace: str, role: str) -> None:
    assert people("olive").post(f"/accounts/{name}/roles/", namespace=namespace, role=role).ok


def confirm_button(form: Locator) -> Locator:
    return form.get_by_role("button", name=re.compile(f"^{ZH.confirm_deletion}"))


def doomed(form: Locator) -> list[str]:
    """What the dialog says will be deleted."""
    return form.get_by_role("group", name="将要删除的内容").get_by_role("listitem").all_inner_texts()


def selection(page: Page) -> Locator:
    return page.get_by_role("region", name="已选项").get_by_role("status")


numbers = itertools.count(1)


@pytest.fixture
def added(people: People, console: RunningConsole) -> list[str]:
    """Three registries of team-a, with names of this test only."""
    stem = f"harbor-no{next(numbers)}"
    found = [f"{stem}-{number}" for number in (1, 2, 3)]
    for name in found:
        add_registry(people("olive"), console, name, namespace="team-a")
    return found


class TestEditing:
    def test_second_sees_the_newer_values_keeps_the_typed_ones_and_may_save(
        self, people: People, added: list[str]
    ) -> None:
        page, other = people("olive").open(HERE), people("omar").open(HERE)
        choose(page, added[0], ZH.edit)
        fill(dialog(page), display_name="我的名称", description="我的描述")
        choose(other, added[0], ZH.edit)
        fill(dialog(other), display_name="别人的名称", description="别人的描述")
        dialog(other).get_by_role("button", name=ZH.save).click()
        expect(row(other, added[0])).to_contain_text("别人的名称")

        dialog(page).get_by_role("button", name=ZH.save).click()

        told = dialog(page).get_by_role("alert")
        expect(told).to_be_focused()
        expect(told).to_contain_text("编辑期间，下方标出的内容已被更改")
        theirs = dialog(page).locator(".clash")
        expect(theirs.nth(0)).to_contain_text("由 omar 保存 · 刚刚")
        expect(theirs.nth(0)).to_contain_text("别人的名称")
        expect(theirs.nth(1)).to_contain_text("别人的描述")
        expect(input_(dialog(page), ZH.display_name)).to_have_value("我的名称")
        expect(input_(dialog(page), ZH.description)).to_have_value("我的描述")

        theirs.nth(1).get_by_role("button", name="使用此内容").click()
        expect(input_(dialog(page), ZH.description)).to_have_value("别人的描述")
        expect(theirs.nth(1)).to_contain_text("你填写的内容")
        expect(theirs.nth(1)).to_contain_text("我的描述")

        dialog(page).get_by_role("button", name=ZH.save).click()
        expect(dialog(page)).to_have_count(0)
        expect(row(page, added[0])).to_contain_text("我的名称")

    def test_needs_a_change_before_it_can_be_saved(self, people: People, added: list[str]) -> None:
        page = people("olive").open(HERE)
        choose(page, added[0], ZH.edit)
        save = dialog(page).get_by_role("button", name=ZH.save)
        expect(save).to_be_disabled()

        fill(dialog(page), display_name="新")

        expect(save).to_be_enabled()

    def test_of_one_that_was_deleted_meanwhile_says_so(self, people: People, added: list[str]) -> None:
        page = people("olive").open(HERE)
        choose(page, added[0], ZH.edit)
        fill(dialog(page), display_name="我的名称")
        delete(people("nina"), added[0])

        dialog(page).get_by_role("button", name=ZH.save).click()

        expect(dialog(page).get_by_role("alert")).to_contain_text("已被删除。")
        dialog(page).get_by_role("link", name="返回列表").click()
        expect(dialog(page)).to_have_count(0)
        expect(row(page, added[0])).to_have_count(0)


class TestDeleting:
    @pytest.mark.parametrize("again", [False, True], ids=["deleted", "deleted and added again"])
    def test_touches_nothing_that_was_meanwhile(
        self, people: People, console: RunningConsole, added: list[str], again: bool
    ) -> None:
        page = people("olive").open(HERE)
        choose(page, added[0], ZH.delete)
        delete(people("nina"), added[0])
        if again:
            add_registry(people("nina"), console, added[0], namespace="team-a")

        dialog(page).get_by_role("textbox").fill(added[0])
        confirm_button(dialog(page)).click()

        said = "已被删除并重新创建，新的镜像源未被改动。" if again else "已被删除。"
        expect(dialog(page).get_by_role("alert")).to_contain_text(said)
        dialog(page).get_by_role("link", name="返回列表").click()
        expect(dialog(page)).to_have_count(0)
        page.reload()
        expect(row(page, added[0])).to_have_count(1 if again else 0)
        if again:
            delete(people("nina"), added[0])

    def test_takes_it_out_of_the_selection(self, people: People, added: list[str]) -> None:
        page = people("olive").open(HERE)
        for name in added:
            row(page, name).get_by_role("checkbox").check()
        choose(page, added[0], ZH.delete)
        dialog(page).get_by_role("textbox").fill(added[0])

        confirm_button(dialog(page)).click()

        expect(row(page, added[0])).to_have_count(0)
        expect(selection(page)).to_have_text("已选 2 项")


class TestBatchDeletion:
    def test_deletes_nothing_that_was_not_shown(
        self, people: People, console: RunningConsole, added: list[str]
    ) -> None:
        stem = added[0][:-2]
        page = people("olive").open(f"{HERE}&q={stem}")
        page.get_by_role("button", name="更多选择方式").click()
        page.get_by_role("menuitem", name="全部匹配项").click()
        page.get_by_role("button", name=ZH.delete_selected).click()
        expect(confirm_button(dialog(page))).to_have_text("确定删除 3 个")
        assert doomed(dialog(page)) == added
        add_registry(people("nina"), console, f"{stem}-4", namespace="team-a")

        dialog(page).get_by_role("textbox").fill("3")
        confirm_button(dialog(page)).click()

        expect(dialog(page)).to_contain_text("已删除 3 / 3")
        dialog(page).get_by_role("link", name=ZH.close).click()
        expect(row(page, added[0])).to_have_count(0)
        assert names(page) == [f"{stem}-4"]
        expect(page.get_by_role("region", name="已选项")).to_be_hidden()

    def test_waits_for_the_right_number(self, people: People, added: list[str]) -> None:
        page = people("olive").open(HERE)
        for name in added:
            row(page, name).get_by_role("checkbox").check()
        page.get_by_role("button", name=ZH.delete_selected).click()
        for typed in ("", "2", "33", "三"):
            dialog(page).get_by_role("textbox").fill(typed)
            expect(confirm_button(dialog(page))).to_be_disabled()

        dialog(page).get_by_role("textbox").fill("3")

        expect(confirm_button(dialog(page))).to_be_enabled()

    def test_says_what_was_deleted_by_somebody_else_meanwhile(self, people: People, added: list[str]) -> None:
        page = people("olive").open(HERE)
        for name in added:
            row(page, name).get_by_role("checkbox").check()
        page.get_by_role("button", name=ZH.delete_selected).click()
        dialog(page).get_by_role("textbox").fill("3")
        delete(people("nina"), added[1])

        confirm_button(dialog(page)).click()

        expect(dialog(page).get_by_role("heading", name=ZH.finished)).to_be_visible()
        expect(dialog(page)).to_contain_text("已删除 2 / 3")
        expect(dialog(page)).to_contain_text("此前已删除 1 个")
        failures = dialog(page).get_by_role("listitem").filter(has_text="已被删除")
        expect(failures.get_by_role("listitem")).to_have_text(f"team-a/{added[1]}")

    def test_keeps_selected_what_could_not_be_deleted(self, people: People, added: list[str]) -> None:
        page = people("nina").open(HERE)
        for name in added:
            row(page, name).get_by_role("checkbox").check()
        page.get_by_role("button", name=ZH.delete_selected).click()
        dialog(page).get_by_role("textbox").fill("3")
        give(people, "nina", "team-a", "image-operator")

        confirm_button(dialog(page)).click()

        expect(dialog(page).get_by_role("heading", name=ZH.finished)).to_be_visible()
        expect(dialog(page)).to_contain_text("已删除 0 / 3")
        failures = dialog(page).get_by_role("listitem").filter(has_text="缺少所需的角色，由管理员授予。")
        expect(failures.get_by_role("listitem")).to_have_count(3)
        dialog(page).get_by_role("link", name=ZH.close).click()
        expect(selection(page)).to_have_text("已选 3 项")
        for name in added:
            expect(row(page, name).get_by_role("checkbox")).to_be_checked()
        give(people, "nina", "team-a", "image-admin")

    def test_says_which_role_was_lost_since_the_page_was_made(self, people: People, added: list[str]) -> None:
        people.watch.expected.add(403)
        page = people("nina").open(HERE)
        row(page, added[0]).get_by_role("checkbox").check()
        give(people, "nina", "team-a", "image-operator")

        page.get_by_role("button", name=ZH.delete_selected).click()

        expect(dialog(page).get_by_role("alert")).to_contain_text("image-admin")
        give(people, "nina", "team-a", "image-admin")

    def test_leaves_out_what_the_role_does_not_allow(self, people: People, added: list[str]) -> None:
        give(people, "nina", "team-b", "image-viewer")
        page = people("nina").open("/registries/?size=100")
        for name in (*added, "registry-down", "token-down"):
            row(page, name).get_by_role("checkbox").check()

        page.get_by_role("button", name=ZH.delete_selected).click()

        expect(dialog(page)).to_contain_text(
            "已略过所选中的 2 个：删除需要所在命名空间的 image-admin 角色，由管理员授予。"
        )
        expect(confirm_button(dialog(page))).to_have_text("确定删除 3 个")
        assert doomed(dialog(page)) == added

    def test_of_many_shows_how_far_it_is(self, people: People, console: RunningConsole) -> None:
        page = people("olive").open("/registries/?namespace=team-b&size=100")
        total = len(names(page))
        page.get_by_role("checkbox", name="选择本页").check()
        page.get_by_role("button", name=ZH.delete_selected).click()
        dialog(page).get_by_role("textbox").fill(str(total))
        console.slow_down_deletion_of("registry-down")

        with kept_back(page, "**/registries/-/runs/*/"):  # what is shown stays until it was looked at
            confirm_button(dialog(page)).click()

            expect(dialog(page).get_by_role("heading", name="正在删除…")).to_be_visible()
            expect(dialog(page).get_by_text("关闭对话框或离开页面后，删除仍会继续。")).to_be_visible()
            bar = dialog(page).get_by_role("progressbar")
            expect(bar).to_have_attribute("aria-valuemax", str(total))
        expect(dialog(page).get_by_role("heading", name=ZH.finished)).to_be_visible()
        expect(bar).to_have_attribute("aria-valuenow", str(total))
        dialog(page).get_by_role("link", name=ZH.close).click()
        expect(page.get_by_role("heading", name="尚无镜像源")).to_be_visible()
        notice = page.locator("#run-notices")
        expect(notice).to_contain_text(f"已删除 {total} / {total}")
        notice.get_by_role("link", name="查看").click()
        expect(dialog(page).get_by_role("heading", name=ZH.finished)).to_be_visible()


def test_what_others_add_is_not_lost_when_a_row_was_tested_at_that_moment(
    people: People, console: RunningConsole
) -> None:
    page = people("olive").open("/registries/?namespace=team-a&size=100")
    uid = str(page.locator("tr[id^=r-]").first.get_attribute("id")).removeprefix("r-")
    add_registry(people("nina"), console, "harbor-at-that-moment", namespace="team-a")

    page.evaluate("uid => document.dispatchEvent(new CustomEvent('registry-tested', {detail: {uid}}))", uid)

    expect(row(page, "harbor-at-that-moment")).to_be_visible()


def test_an_open_list_shows_what_others_add(people: People, console: RunningConsole) -> None:
    page = people("vic").open(HERE)

    add_registry(people("olive"), console, "harbor-appears", namespace="team-a")

    expect(row(page, "harbor-appears")).to_be_visible()
