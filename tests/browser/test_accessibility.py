"""axe finds nothing on any page, dialog, menu and card, in the light and in the dark theme."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.canary import CANARY
from tests.peers.axe import OF_COLOURS, complaints
from tests.peers.console_page import (
    add_registry,
    choose,
    credential,
    dialog,
    fill,
    open_add,
    open_menu,
    row,
    status,
)
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import ZH

TEAM_A = "/registries/?namespace=team-a"
STILL = {"color_scheme": "light", "reduced_motion": "reduce"}
"""From the beginning: a change of the theme in the middle of a page makes all of its rows move."""


def violations(page: Page) -> list[str]:
    """What axe complains about: by all rules in the light theme, and in the dark one by those that look at colours."""
    found = []
    for theme, rules in (("light", ()), ("dark", OF_COLOURS)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
        found += [f"{theme}, {complaint}" for complaint in complaints(page, rules)]
    return found


@pytest.mark.parametrize(
    ("person", "path", "heading"),
    [
        ("olive", "/registries/", ZH.registries),
        ("vic", "/registries/", ZH.registries),
        ("olive", "/registries/?status=failed&provider=harbor&q=team&size=10", ZH.registries),
        ("olive", "/registries/?q=no-such-thing", "没有匹配项"),
        ("sam", "/registries/", "还没有角色"),
        ("olive", "/registries/team-a/harbor-team-a/", "A 组 Harbor"),
        ("olive", "/registries/team-a/quay-team-a/", "quay-team-a"),
        ("olive", "/journal/", ZH.journal),
        ("olive", "/journal/?person=nobody", "没有匹配项"),
        ("olive", "/accounts/", ZH.accounts),
        ("olive", "/namespaces/", ZH.namespaces),
        ("olive", "/tokens/", "还没有访问令牌"),
        ("olive", "/tokens/-/add/", "新建访问令牌"),
        ("olive", "/oapis/docs", "API"),
        ("olive", "/password/", "修改密码"),
        ("olive", "/no-such-page/", "页面不存在"),
        ("olive", "/registries/-/add/", ZH.add),
    ],
)
def test_page(people: People, person: str, path: str, heading: str) -> None:
    people.watch.expected.add(404)
    page = people(person).open(path, theme="system", media=STILL)
    expect(page.get_by_role("heading", name=heading).first).to_be_visible()

    assert violations(page) == []


def test_the_login_page_with_and_without_an_error(people: People) -> None:
    page = people.stranger().open("/login/", theme="system", media=STILL)
    assert violations(page) == []

    page.get_by_label(ZH.username).fill("olive")
    page.get_by_label(ZH.password).fill(CANARY)
    page.get_by_role("button", name=ZH.log_in, exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()

    assert violations(page) == []


def test_a_token_is_made_and_revoked_by_keyboard(people: People) -> None:
    page = people("olive").open("/tokens/", theme="system", media=STILL)
    page.get_by_role("link", name="新建访问令牌").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label(ZH.name).focus()
    page.keyboard.type("CI")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("rct_")
    assert violations(page) == []

    expect(page.get_by_role("link", name="我已复制")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("cell", name="CI rct_")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="吊销 CI").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="吊销令牌").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="还没有访问令牌")).to_be_visible()


class TestTheListWith:
    def show(self, people: People, path: str = TEAM_A, width: int = 1280) -> Page:
        return people("olive").open(path, theme="system", media=STILL, width=width)

    def test_a_selection(self, people: People) -> None:
        page = self.show(people, "/registries/?size=10")
        page.get_by_role("checkbox", name="选择本页").check()
        expect(page.get_by_role("region", name="已选项")).to_be_visible()
        assert violations(page) == []

    def test_a_row_menu(self, people: People) -> None:
        page = self.show(people)
        open_menu(page, "harbor-team-a")
        assert violations(page) == []

    def test_a_menu_of_ways_to_select(self, people: People) -> None:
        page = self.show(people)
        page.get_by_role("button", name="更多选择方式").click()
        expect(page.get_by_role("menu", name="更多选择方式")).to_be_visible()
        assert violations(page) == []

    def test_the_namespace_selector(self, people: People) -> None:
        page = self.show(people)
        page.get_by_role("banner").get_by_role("button", name=ZH.namespace).click()
        expect(page.get_by_role("link", name=re.compile("^team-b"))).to_be_visible()
        assert violations(page) == []

    @pytest.mark.parametrize("name", ["harbor-team-a", "registry-team-a", "quay-team-a"])
    def test_a_card(self, people: People, name: str) -> None:
        page = self.show(people)
        status(page, name).hover()
        expect(page.get_by_role("tooltip")).to_be_visible()
        assert violations(page) == []

    @pytest.mark.parametrize("menu", ["语言", "主题", "账号 olive"])
    def test_a_menu_of_the_top_bar(self, people: People, menu: str) -> None:
        page = self.show(people)
        page.get_by_role("button", name=menu).click()
        expect(page.get_by_role("menu").filter(visible=True)).to_be_visible()
        assert violations(page) == []

    def test_a_test_that_runs(self, people: People, console: RunningConsole, held: HeldRegistry) -> None:
        held.hold()
        add_registry(people("olive"), console, "registry-held", namespace="team-b", **held.credential)
        page = self.show(people, "/registries/?namespace=team-b")
        expect(row(page, "registry-held")).to_contain_text("测试中…")
        assert violations(page) == []
        expect(row(page, "registry-held")).to_contain_text("测试中…")

    def test_the_navigation_open_on_a_narrow_screen(self, people: People) -> None:
        page = self.show(people, width=360)
        page.get_by_role("button", name="导航").click()
        expect(page.get_by_role("link", name=ZH.journal)).to_be_visible()
        assert violations(page) == []


class TestTheDialog:
    def test_to_add(self, people: People, console: RunningConsole) -> None:
        page = people("olive").open(TEAM_A, theme="system", media=STILL)
        form = open_add(page)
        fill(form, **credential(console, "wrong-password"))
        expect(form.get_by_text("该命名空间的 harbor-team-a 使用相同的域名和用户名。")).to_be_visible()
        form.get_by_role("button", name=ZH.test).click()
        expect(form.get_by_text(ZH.bad_credentials)).to_be_visible()
        assert violations(page) == []

        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name=ZH.discard_no)).to_be_focused()
        assert violations(page) == []

    def test_to_add_with_errors(self, people: People) -> None:
        page = people("olive").open(TEAM_A, theme="system", media=STILL)
        form = open_add(page)
        fill(form, provider="阿里云", name="No Name")
        form.get_by_role("button", name=ZH.ok, exact=True).click()
        expect(form.get_by_role("alert")).to_be_focused()
        assert violations(page) == []

    def test_to_edit_one_that_somebody_else_changed(self, people: People, console: RunningConsole) -> None:
        add_registry(people("olive"), console, "harbor-conflict", namespace="team-a")
        page = people("olive").open(TEAM_A, theme="system", media=STILL)
        other = people("omar").open(TEAM_A)
        for place, text in ((page, "meins"), (other, "deins")):
            choose(place, "harbor-conflict", ZH.edit)
            fill(dialog(place), display_name=text)
        assert violations(page) == []

        dialog(other).get_by_role("button", name=ZH.save).click()
        expect(dialog(other)).to_have_count(0)
        dialog(page).get_by_role("button", name=ZH.save).click()
        expect(dialog(page).get_by_role("alert")).to_be_focused()
        assert violations(page) == []

    def test_to_delete(self, people: People) -> None:
        page = people("olive").open(TEAM_A, theme="system", media=STILL)
        choose(page, "harbor-team-a", ZH.delete)
        expect(dialog(page).get_by_role("textbox")).to_be_focused()
        assert violations(page) == []

    def test_to_delete_many_and_of_its_run(self, people: People, console: RunningConsole) -> None:
        add_registry(people("olive"), console, "harbor-doomed", namespace="team-a")
        page = people("olive").open(TEAM_A, theme="system", media=STILL)
        row(page, "harbor-doomed").get_by_role("checkbox").check()
        page.get_by_role("button", name=ZH.delete_selected).click()
        dialog(page).get_by_role("textbox").fill("1")
        assert violations(page) == []

        dialog(page).get_by_role("button", name=re.compile(ZH.confirm_deletion)).click()
        expect(dialog(page).get_by_role("heading", name=ZH.finished)).to_be_visible()
        assert violations(page) == []

    def test_to_add_with_a_certificate_to_trust(self, people: People, console: RunningConsole) -> None:
        page = people("olive").open(TEAM_A, theme="system", media=STILL)
        form = open_add(page)
        fill(form, **credential(console, "self-signed"))
        form.get_by_role("button", name=ZH.test).click()
        expect(form.get_by_role("button", name="仅信任此 CA 并重新测试")).to_be_visible()
        assert violations(page) == []

        form.get_by_role("button", name="仅信任此 CA 并重新测试").click()
        expect(form.get_by_text(ZH.success, exact=True)).to_be_visible()
        expect(form.locator("#check-ca dl")).to_be_visible()
        assert violations(page) == []
        form.get_by_role("radio", name="跳过校验").check()
        assert violations(page) == []

    def test_of_tests_under_way_and_ended(
        self, people: People, console: RunningConsole, held: HeldRegistry
    ) -> None:
        for name, values in (("axe-down", credential(console, "down")), ("axe-held", held.credential)):
            add_registry(people("olive"), console, name, namespace="team-b", **values)
        page = people("olive").open("/registries/?q=axe-", theme="system", media=STILL)
        for name in ("axe-down", "axe-held"):
            expect(status(page, name)).to_have_text(ZH.failed)
        held.hold()
        page.locator("#test-all").click()
        expect(dialog(page).get_by_text("刚刚完成").first).to_be_visible()
        assert violations(page) == []
        held.let_go()
        expect(dialog(page).get_by_role("heading", name="测试完成")).to_be_visible()
        expect(dialog(page).locator(".verify-lines li").first).to_be_visible()
        assert violations(page) == []

        page.keyboard.press("Escape")
        expect(page.locator("#run-notices")).to_contain_text("已测试")
        assert violations(page) == []

    @pytest.mark.parametrize(
        ("path", "opener"),
        [
            ("/accounts/", "添加账号"),
            ("/accounts/", "角色 nina"),
            ("/accounts/", "重置密码 nina"),
            ("/accounts/", "删除 nina"),
            ("/namespaces/", "添加命名空间"),
            ("/namespaces/", "删除 team-b"),
        ],
    )
    def test_of_the_administration(self, people: People, path: str, opener: str) -> None:
        page = people("olive").open(path, theme="system", media=STILL)
        page.get_by_role("link", name=opener).click()
        expect(dialog(page)).to_be_visible()
        assert violations(page) == []

    def test_of_a_session_that_has_ended(self, people: People) -> None:
        people.watch.expected.add(401)
        person = people.stranger("nina")
        person.log_in()
        page = person.open(TEAM_A, theme="system", media=STILL)
        person.context.clear_cookies(name="sessionid")
        page.get_by_role("searchbox", name=ZH.search).fill("harbor")
        expect(page.get_by_role("dialog", name=ZH.session_ended)).to_be_visible()
        assert violations(page) == []


def test_a_toast(people: People) -> None:
    page = people("olive").open("/registries/team-a/harbor-team-a/", theme="system", media=STILL)
    page.get_by_role("button", name="复制").first.click()
    expect(page.get_by_role("status").filter(has_text="已复制")).to_be_visible()
    assert violations(page) == []
