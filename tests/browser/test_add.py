"""添加镜像源 in the browser: what the form says while one types, the test before saving, and saving."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.canary import CANARY
from tests.peers.console_page import (
    credential,
    dialog,
    fill,
    input_,
    row,
    status,
)
from tests.peers.held import HeldRegistry, kept_back
from tests.peers.running_console import RunningConsole
from tests.peers.words import ZH
from tests.web.test_trust import certificate

TYPED = {
    "provider": "Harbor",
    "namespace": "dev-namespace",
    "name": "harbor-typed",
    "display_name": "键入的名称",
    "description": "键入的描述",
    "domain": "harbor.example.com",
    "username": "robot$dev+typed",
    "password": CANARY,
}


def verdict(form: Locator) -> Locator:
    return form.get_by_text(re.compile(f"^({ZH.success}|{ZH.failed})$"))


class TestTheVerdict:
    def test_names_the_reason_and_the_next_step(self, form: Locator, console: RunningConsole) -> None:
        fill(form, **credential(console, "wrong-password"))

        form.get_by_role("button", name=ZH.test).click()

        expect(verdict(form)).to_have_text(ZH.failed)
        expect(form.get_by_text(ZH.bad_credentials)).to_be_visible()
        expect(form.get_by_text("在 Harbor 中查看该机器人账号")).to_be_visible()
        expect(verdict(form)).to_be_in_viewport()

    @pytest.mark.parametrize("field", ["domain", "username", "password", "namespace"])
    def test_goes_away_when_what_it_was_about_changes(
        self, form: Locator, console: RunningConsole, field: str
    ) -> None:
        fill(form, **credential(console, "harbor"))
        form.get_by_role("button", name=ZH.test).click()
        expect(verdict(form)).to_have_text(ZH.success)
        fill(form, description="不影响测试结果")
        expect(verdict(form)).to_have_count(1)

        fill(form, **{field: "team-b" if field == "namespace" else "changed"})

        expect(verdict(form)).to_have_count(0)

    def test_of_older_values_is_not_shown_when_it_comes_late(
        self, page: Page, form: Locator, console: RunningConsole
    ) -> None:
        fill(form, **credential(console, "harbor"))
        with page.expect_response("**/registries/-/try/**"), kept_back(page, "**/registries/-/try/") as held:
            form.get_by_role("button", name=ZH.test).click()
            while not held:
                page.wait_for_timeout(10)
            fill(form, password="another")

        # The button is let go once the answer has been dealt with.
        expect(form.get_by_role("button", name=ZH.test)).to_be_enabled()
        expect(form.locator("#verdict")).to_be_empty()

    def test_marks_the_fields_that_a_test_still_needs(self, form: Locator) -> None:
        fill(form, domain="harbor.example.com")

        form.get_by_role("button", name=ZH.test).click()

        expect(input_(form, ZH.username)).to_have_attribute("aria-invalid", "true")
        expect(input_(form, ZH.password)).to_have_attribute("aria-invalid", "true")
        expect(input_(form, ZH.domain)).not_to_have_attribute("aria-invalid", "true")


class TestSaving:
    def test_is_not_kept_back_by_a_registry_that_is_down(
        self, page: Page, form: Locator, console: RunningConsole
    ) -> None:
        fill(form, **{**credential(console, "down"), "password": CANARY}, name="registry-asleep")

        form.get_by_role("button", name=ZH.ok, exact=True).click()

        expect(dialog(page)).to_have_count(0)
        expect(page.get_by_role("status").filter(has_text="已添加「registry-asleep」")).to_be_visible()
        expect(status(page, "registry-asleep")).to_have_text(ZH.failed)

    def test_does_not_wait_for_a_test_that_hangs(self, page: Page, form: Locator, held: HeldRegistry) -> None:
        held.hold()
        fill(form, **held.credential, name="registry-patient")
        form.get_by_role("button", name=ZH.test).click()
        expect(form.get_by_text("测试中…")).to_be_visible()

        form.get_by_role("button", name=ZH.ok, exact=True).click()

        expect(row(page, "registry-patient")).to_contain_text("测试中…")

    def test_twice_by_a_double_click_adds_one(
        self, page: Page, form: Locator, console: RunningConsole
    ) -> None:
        fill(form, **credential(console, "harbor"), name="harbor-once")

        with kept_back(page, "**/registries/-/add/"):
            form.get_by_role("button", name=ZH.ok, exact=True).dblclick()

        expect(dialog(page)).to_have_count(0)
        expect(row(page, "harbor-once")).to_have_count(1)

    def test_shows_markup_in_a_display_name_as_it_was_typed(
        self, page: Page, form: Locator, console: RunningConsole
    ) -> None:
        fill(form, **credential(console, "harbor"), name="harbor-markup", display_name="<b onclick=x>🐳</b>")

        form.get_by_role("button", name=ZH.ok, exact=True).click()

        expect(row(page, "harbor-markup").get_by_text("<b onclick=x>🐳</b>", exact=True)).to_be_visible()


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("name", "harbor-dev", "该命名空间中已有同名镜像源，换一个名称。"),
            ("name", "Harbor_Dev", "只用小写字母、数字和连字符。"),
            ("domain", "harbor .example.com", re.compile("空格")),
            ("username", "", "此项必填。"),
            ("password", "", "此项必填。"),
        ],
        ids=["name taken", "name against the rules", "bad address", "no user name", "no password"],
    )
    def test_is_said_at_the_field_and_nothing_typed_is_lost(
        self, page: Page, form: Locator, field: str, value: str, said: str | re.Pattern[str]
    ) -> None:
        typed = {**TYPED, field: value}
        fill(form, **typed)

        form.get_by_role("button", name=ZH.ok, exact=True).click()

        summary = form.get_by_role("alert")
        expect(summary).to_be_focused()
        expect(summary).to_contain_text(said)
        wrong = input_(form, getattr(ZH, field))
        expect(wrong).to_have_attribute("aria-invalid", "true")
        expect(wrong).to_have_accessible_description(
            said if isinstance(said, re.Pattern) else re.compile(said)
        )
        for name in ("name", "display_name", "description", "domain", "username", "password"):
            expect(input_(form, getattr(ZH, name))).to_have_value(typed[name])
        expect(form.get_by_role("radio", name="Harbor")).to_be_checked()
        expect(form.get_by_label(ZH.namespace)).to_have_value("dev-namespace")
        expect(row(page, "harbor-typed")).to_have_count(0)

    def test_can_be_put_right_and_saved(self, page: Page, form: Locator, console: RunningConsole) -> None:
        fill(form, **{**credential(console, "down"), "password": CANARY}, name="harbor-prod")
        form.get_by_role("button", name=ZH.ok, exact=True).click()
        expect(form.get_by_role("alert")).to_be_focused()

        form.get_by_role("alert").get_by_role("link", name=ZH.name).click()
        expect(input_(form, ZH.name)).to_be_focused()
        fill(form, name="harbor-corrected")
        expect(input_(form, ZH.name)).not_to_have_attribute("aria-invalid", "true")
        form.get_by_role("button", name=ZH.ok, exact=True).click()

        expect(status(page, "harbor-corrected")).to_have_text(ZH.failed)

    def test_leaves_a_password_hidden_that_was_shown_before(self, form: Locator) -> None:
        fill(form, **{**TYPED, "username": ""})
        reveal = form.get_by_role("button", name="显示输入的内容")
        reveal.click()
        expect(input_(form, ZH.password)).to_have_attribute("type", "text")

        form.get_by_role("button", name=ZH.ok, exact=True).click()

        expect(form.get_by_role("alert")).to_be_focused()
        shown = reveal.get_attribute("aria-pressed") == "true"
        expect(input_(form, ZH.password)).to_have_attribute("type", "text" if shown else "password")


class TestAddingAnother:
    def test_keeps_namespace_and_provider_and_empties_the_rest(
        self, page: Page, form: Locator, console: RunningConsole
    ) -> None:
        form.get_by_label("再添加一个").check()
        fill(form, provider="其他", namespace="team-b", **credential(console, "down"), name="another-1")
        form.get_by_role("button", name=ZH.ok, exact=True).click()

        expect(form.get_by_text("已添加「another-1」")).to_be_visible()
        domain = input_(form, ZH.domain)
        expect(domain).to_be_focused()
        for field in (domain, input_(form, ZH.username), input_(form, ZH.password)):
            expect(field).to_have_value("")
        expect(form.get_by_role("radio", name="其他")).to_be_checked()
        expect(form.get_by_label(ZH.namespace)).to_have_value("team-b")

        fill(form, **credential(console, "down"), name="another-2")
        form.get_by_role("button", name=ZH.ok, exact=True).click()
        expect(form.get_by_text("已添加「another-2」")).to_be_visible()
        expect(domain).to_have_value("")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.goto("/registries/?q=another-")
        expect(page.locator("tbody tr")).to_have_count(2)


class TestTheCertificate:
    def test_a_ca_that_the_registry_shows_can_be_trusted_and_the_test_is_made_again(
        self, form: Locator, console: RunningConsole, page: Page
    ) -> None:
        fill(form, **credential(console, "self-signed"), name="harbor-own-ca")
        form.get_by_role("button", name=ZH.test).click()
        expect(form.get_by_text("SHA-256").first).to_be_visible()
        prints = re.findall("(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", form.inner_text())
        assert sorted(prints) == sorted(set(prints)), "each fingerprint stands once"

        form.get_by_role("button", name="仅信任此 CA 并重新测试").click()

        expect(verdict(form)).to_have_text(ZH.success)
        expect(form.get_by_role("radio", name="自定义 CA")).to_be_checked()
        form.get_by_role("button", name=ZH.ok, exact=True).click()
        expect(status(page, "harbor-own-ca")).to_have_text(ZH.success)

    def test_a_change_of_trust_takes_the_verdict_away(self, form: Locator, console: RunningConsole) -> None:
        fill(form, **credential(console, "self-signed"))
        form.get_by_role("button", name=ZH.test).click()
        expect(verdict(form)).to_be_visible()

        form.get_by_role("radio", name="跳过校验").check()

        expect(verdict(form)).to_have_count(0)
        expect(form.get_by_text("链路上的任何人都可以冒充该仓库")).to_be_visible()

    def test_a_ca_is_read_from_a_file_and_described(self, form: Locator, tmp_path: Path) -> None:
        pem, _ = certificate("Edge Root CA")
        (tmp_path / "ca.crt").write_text(pem)

        form.get_by_role("radio", name="自定义 CA").check()
        form.get_by_label("选择文件").set_input_files(tmp_path / "ca.crt")

        expect(form.get_by_text("CN=Edge Root CA")).to_be_visible()
