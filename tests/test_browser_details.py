"""The details page, and dialogs as pages of their own for somebody who followed a plain link."""

import itertools
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.peers.console_page import add_registry, credential, dialog, fill
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import ZH

pytest_plugins = ("tests.peers.browser",)

numbers = itertools.count(1)


@pytest.fixture
def one(people: People, console: RunningConsole) -> str:
    """A registry of team-a, with a name of this test only."""
    name = f"harbor-one-{next(numbers)}"
    add_registry(people("olive"), console, name, namespace="team-a")
    return name


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
            "kubectl get",
        ):
            expect(main.get_by_text(text).first).to_be_visible()
        expect(main).to_contain_text("password: (hidden)")
        expect(main.get_by_role("button", name=ZH.test)).to_have_count(0)


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
        expect(page.get_by_role("status").filter(has_text="已添加 harbor-page")).to_be_visible()

    def test_waits_for_the_name_as_well(self, people: People, one: str) -> None:
        page = people("olive").open(f"/registries/team-a/{one}/delete/")
        form = page.get_by_role("main")
        expect(confirm_button(form)).to_be_disabled()

        form.get_by_role("textbox").fill(one)
        confirm_button(form).click()

        expect(page.get_by_role("heading", level=1)).to_have_text(ZH.registries)
        expect(page.get_by_role("status").filter(has_text=f"已删除 {one}")).to_be_visible()

    def test_can_be_left(self, people: People, one: str) -> None:
        page = people("olive").open(f"/registries/team-a/{one}/edit/")

        page.get_by_role("main").get_by_role("button", name=ZH.cancel).click()

        expect(page.get_by_role("heading", level=1)).to_have_text(ZH.registries)
