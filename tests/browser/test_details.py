"""The details page, and dialogs as pages of their own for somebody who followed a plain link."""

import itertools
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.peers.axe import complaints
from tests.peers.console_page import add_registry, credential, dialog, fill
from tests.peers.held import HeldRegistry, kept_back
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import ZH

numbers = itertools.count(1)


@pytest.fixture
def one(people: People, console: RunningConsole) -> str:
    """A registry of team-a, with a name of this test only."""
    name = f"harbor-one-{next(numbers)}"
    add_registry(people("olive"), console, name, namespace="team-a")
    return name


def delete(people: People, name: str) -> None:
    """By somebody else, in another browser."""
    form = people("nina").open(f"/registries/team-a/{name}/delete/").get_by_role("main")
    form.get_by_role("textbox").fill(name)
    confirm_button(form).click()
    expect(form.get_by_role("heading", level=1)).to_have_text(ZH.registries)


def confirm_button(form: Page | Locator) -> Locator:
    return form.get_by_role("button", name=re.compile(f"^{ZH.confirm_deletion}"))


class TestTheDetailsPage:
    def test_shows_what_was_edited_on_it(self, people: People, one: str) -> None:
        page = people("olive").open(f"/registries/team-a/{one}/")
        page.get_by_role("link", name=ZH.edit).click()
        fill(dialog(page), display_name="详情页上的名称")

        dialog(page).get_by_role("button", name=ZH.save).click()

        expect(dialog(page)).to_have_count(0)
        expect(page.get_by_role("heading", level=1)).to_have_text("详情页上的名称")
        expect(page.get_by_role("status").filter(has_text="已保存")).to_be_visible()

    def test_leads_back_to_the_list_when_its_registry_was_deleted(self, people: People, one: str) -> None:
        page = people("olive").open(f"/registries/team-a/{one}/")
        page.get_by_role("link", name=ZH.delete).click()
        dialog(page).get_by_role("textbox").fill(one)

        confirm_button(dialog(page)).click()

        expect(page.get_by_role("heading", level=1)).to_have_text(ZH.registries)
        expect(page.get_by_role("status").filter(has_text="已删除")).to_be_visible()

    def test_keeps_the_filter_of_the_list_until_it_leads_back(
        self, people: People, console: RunningConsole, one: str
    ) -> None:
        page = people("olive").open(f"/registries/?namespace=team-a&q={one}")
        page.get_by_role("row").get_by_role("link", name=one).click()
        expect(page).to_have_url(re.compile(rf"/{one}/\?namespace=team-a&q={one}$"))
        page.reload()
        page.get_by_role("link", name=ZH.delete).click()
        dialog(page).get_by_role("textbox").fill(one)

        confirm_button(dialog(page)).click()

        expect(page).to_have_url(re.compile(rf"/registries/\?namespace=team-a&q={one}$"))

    def test_leads_from_one_failing_registry_to_the_next(self, people: People) -> None:
        page = people("olive").open("/registries/?namespace=team-a&provider=other&status=failed")
        names = [text.strip() for text in page.locator("tbody tr .c-name .mono").all_inner_texts()]
        assert len(names) > 1
        page.locator("tbody tr .c-name a").first.click()

        for name in names[1:]:
            page.locator("#failing-after").press("Enter")
            expect(page).to_have_url(re.compile(rf"/{name}/\?namespace=team-a&status=failed&provider=other$"))

        expect(page.locator("#failing-after")).to_have_count(0)
        page.get_by_role("navigation", name="位置").get_by_role("link").first.click()
        expect(page.locator("tbody tr")).to_have_count(len(names))

    def test_runs_a_test_and_shows_its_verdict(self, people: People) -> None:
        page = people("olive").open("/registries/prod-namespace/aliyun-prod/")
        panel = page.get_by_role("region", name="连接")
        expect(panel).to_contain_text("该结果已超过一周")

        page.get_by_role("button", name=ZH.test).click()

        expect(panel).to_contain_text(ZH.just_now)
        expect(panel).not_to_contain_text("该结果已超过一周")

    def test_shows_every_field_but_the_password(self, people: People) -> None:
        page = people("vic").open("/registries/team-a/harbor-team-a/")
        main = page.get_by_role("main")
        for text in (
            "A 组 Harbor",
            "机器人账号，密码已更换",
            "robot$team-a+deploy",
            "harbor.localhost",
        ):
            expect(main.get_by_text(text).first).to_be_visible()
        yaml = main.get_by_text("password: (hidden)")
        expect(yaml).to_be_hidden()
        main.locator("#yaml summary").click()
        expect(yaml).to_be_visible()
        expect(main).to_contain_text("password: (hidden)")
        expect(main.get_by_role("button", name=ZH.test)).to_have_count(0)


class TestAnOpenDetailsPage:
    def test_shows_what_somebody_else_edits_and_leaves_the_reader_alone(
        self, people: People, one: str
    ) -> None:
        page = people("olive").open(f"/registries/team-a/{one}/")
        copies = page.get_by_role("region", name="配置").get_by_role("button", name="复制")
        copies.nth(1).focus()
        page.get_by_text("已设置，不显示").evaluate("it => getSelection().selectAllChildren(it)")
        events = page.get_by_role("region", name="事件").get_by_role("listitem")
        expect(events.filter(has_text="编辑")).to_have_count(0)
        page.locator("#yaml").evaluate("it => { it.open = true }")
        same = copies.nth(1).element_handle()

        other = people("nina").open(f"/registries/team-a/{one}/edit/")
        fill(other.get_by_role("main"), display_name="别处改的名称")
        other.get_by_role("main").get_by_role("button", name=ZH.save).click()

        expect(page.get_by_role("heading", level=1)).to_have_text("别处改的名称")
        expect(page).to_have_title(re.compile("^别处改的名称 · "))
        expect(events.filter(has_text="编辑")).to_have_count(1)
        # Not to_be_focused(): with two browsers open, the window of this page need not be the active one.
        assert same.evaluate("it => it === document.activeElement")
        assert "已设置，不显示" in page.evaluate("getSelection().toString()")
        expect(page.locator("#yaml")).to_have_attribute("open", "")

    def test_shows_the_verdict_of_a_test_elsewhere(
        self, people: People, console: RunningConsole, held: HeldRegistry
    ) -> None:
        add_registry(people("olive"), console, "held-elsewhere", namespace="team-a", **held.credential)
        page = people("olive").open("/registries/team-a/held-elsewhere/")
        events = page.get_by_role("region", name="事件").get_by_role("listitem").filter(has_text="测试")
        expect(events).to_have_count(1)
        held.hold()
        assert people("nina").post("/registries/team-a/held-elsewhere/verify/").ok
        page.reload()
        panel = page.get_by_role("region", name="连接")
        expect(panel).to_contain_text("测试中…")
        button = page.get_by_role("button", name=ZH.test)
        expect(button).to_have_attribute("aria-disabled", "true")

        held.let_go()

        expect(panel).to_contain_text(ZH.failed)
        expect(button).not_to_have_attribute("aria-disabled", "true")
        expect(events).to_have_count(2)
        assert people("nina").post("/registries/team-a/held-elsewhere/verify/").ok
        expect(events).to_have_count(3)
        expect(panel).to_contain_text("nina")

    def test_waits_with_another_test_until_its_own_has_ended(
        self, people: People, console: RunningConsole, held: HeldRegistry
    ) -> None:
        add_registry(people("olive"), console, "held-again", namespace="team-a", **held.credential)
        page = people("olive").open("/registries/team-a/held-again/")
        button, posted = page.get_by_role("button", name=ZH.test), list[str]()
        page.on("request", lambda it: posted.append(it.url) if it.method == "POST" else None)
        held.hold()
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_attribute("aria-disabled", "true")

        page.keyboard.press("Enter")
        page.keyboard.press("Space")

        held.let_go()
        expect(button).not_to_have_attribute("aria-disabled", "true")
        assert button.evaluate("it => it === document.activeElement")
        assert len(posted) == 1

    def test_says_so_when_its_registry_is_deleted(self, people: People, one: str) -> None:
        page = people("olive").open(f"/registries/team-a/{one}/", theme="system")
        page.get_by_role("link", name=ZH.delete).focus()
        people.watch.expected.add(404)  # the page may ask for the panel first

        delete(people, one)

        expect(page.get_by_role("alert")).to_have_text(re.compile("nina 于 .* 删除。"))
        expect(page.get_by_role("main").get_by_role("button")).to_have_text("撤销")
        expect(page.get_by_role("link", name=ZH.delete)).to_have_count(0)
        expect(page.get_by_role("main")).to_be_focused()
        expect(page.locator(".toast-bad")).to_have_count(0)
        assert complaints(page) == []
        page.get_by_role("link", name="返回列表").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(ZH.registries)

    def test_leads_to_the_one_that_has_its_name_now(
        self, people: People, console: RunningConsole, one: str
    ) -> None:
        page = people("olive").open(f"/registries/team-a/{one}/")
        with kept_back(page, "**/*version=*"):
            delete(people, one)
            add_registry(people("olive"), console, one, namespace="team-a", display_name="新的")

        expect(page.get_by_role("alert")).to_contain_text("已被删除并重新创建")
        expect(page.get_by_role("link", name=ZH.delete)).to_have_count(0)
        page.get_by_role("link", name="查看新的镜像源").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("新的")

    def test_asks_nothing_while_nobody_sees_it_or_a_dialog_is_open(self, people: People, one: str) -> None:
        page = people("olive").open()
        asked: list[str] = []
        page.on("request", lambda request: "version=" in request.url and asked.append(request.url))
        page.clock.install()
        page.goto(f"/registries/team-a/{one}/")
        page.evaluate(
            "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true})"
        )

        page.evaluate("window.away = true")
        page.clock.run_for(60_000)
        page.get_by_role("link", name=ZH.edit).click()
        expect(dialog(page)).to_be_visible()
        page.evaluate("window.away = false")
        page.clock.run_for(60_000)
        assert asked == []

        page.keyboard.press("Escape")
        with page.expect_request("**/*version=*"):
            page.clock.run_for(6_000)
        page.close()


class TestADialogAsAPage:
    def test_says_what_is_wrong_and_leads_to_the_list_when_it_worked(
        self, people: People, console: RunningConsole
    ) -> None:
        page = people("olive").open("/registries/-/add/?namespace=team-a")
        form = page.get_by_role("main")
        fill(form, **{**credential(console, "down"), "username": ""}, name="harbor-page")
        form.get_by_role("button", name=ZH.ok, exact=True).click()
        expect(form.get_by_role("alert")).to_be_focused()
        expect(page.get_by_role("dialog")).to_have_count(0)

        fill(form, username="somebody")
        form.get_by_role("button", name=ZH.ok, exact=True).click()

        expect(page.get_by_role("heading", level=1)).to_have_text(ZH.registries)
        expect(page.get_by_role("status").filter(has_text="已添加「harbor-page」")).to_be_visible()

    def test_waits_for_the_name_as_well(self, people: People, one: str) -> None:
        page = people("olive").open(f"/registries/team-a/{one}/delete/")
        form = page.get_by_role("main")
        expect(confirm_button(form)).to_be_disabled()

        form.get_by_role("textbox").fill(one)
        confirm_button(form).click()

        expect(page.get_by_role("heading", level=1)).to_have_text(ZH.registries)
        expect(page.get_by_role("status").filter(has_text=f"已删除「{one}」")).to_be_visible()

    def test_can_be_left(self, people: People, one: str) -> None:
        page = people("olive").open(f"/registries/team-a/{one}/edit/")

        page.get_by_role("main").get_by_role("button", name=ZH.cancel).click()

        expect(page.get_by_role("heading", level=1)).to_have_text(ZH.registries)
