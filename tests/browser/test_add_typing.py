"""添加镜像源 in the browser while one types: presets, suggestions, rules and hints; and leaving the dialog."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.peers.console_page import add_registry, choose, credential, dialog, fill, input_, open_add, row
from tests.peers.held import kept_back
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import ZH

MOTION = True

TO_THE_NEXT_FIELD = """name => document.querySelector("dialog[open] [name=display_name]").getBoundingClientRect().top
  - name.getBoundingClientRect().bottom"""


def rule(form: Locator, text: str) -> Locator:
    return form.get_by_role("list", name="命名规则").get_by_role("listitem").filter(has_text=text)


class TestTheForm:
    def test_the_provider_fills_in_the_address_of_docker_hub(self, form: Locator) -> None:
        fill(form, provider="Docker Hub")
        expect(input_(form, ZH.domain)).to_have_value("docker.io")
        expect(form.get_by_text("Docker ID，小写")).to_be_visible()

        fill(form, provider="Harbor")
        expect(input_(form, ZH.domain)).to_have_value("")

    def test_the_provider_makes_aliyuns_address_of_region_and_network(self, form: Locator) -> None:
        fill(form, provider="阿里云")
        expect(input_(form, ZH.domain)).to_have_value("registry.cn-hangzhou.aliyuncs.com")

        form.get_by_label("地域").select_option(label="上海 · cn-shanghai")
        expect(input_(form, ZH.domain)).to_have_value("registry.cn-shanghai.aliyuncs.com")

        form.get_by_label("网络").select_option(label="VPC")
        expect(input_(form, ZH.domain)).to_have_value("registry-vpc.cn-shanghai.aliyuncs.com")

        instance = form.get_by_label("实例")
        for typed, host in (
            ("team", "team-registry-vpc.cn-shanghai.cr.aliyuncs.com"),
            ("crpi-0z9y8x7w", "crpi-0z9y8x7w-vpc.cn-shanghai.personal.cr.aliyuncs.com"),
            (
                "https://team-registry.cn-beijing.cr.aliyuncs.com/",
                "team-registry-vpc.cn-shanghai.cr.aliyuncs.com",
            ),
            (
                "crpi-1-vpc.cn-beijing.personal.cr.aliyuncs.com",
                "crpi-1-vpc.cn-shanghai.personal.cr.aliyuncs.com",
            ),
            ("CRPI-a1b2c3d4 ", "crpi-a1b2c3d4-vpc.cn-shanghai.personal.cr.aliyuncs.com"),
        ):
            instance.fill(typed)
            expect(input_(form, ZH.domain)).to_have_value(host)
        form.get_by_label("网络").select_option(label="公网")
        expect(input_(form, ZH.domain)).to_have_value("crpi-a1b2c3d4.cn-shanghai.personal.cr.aliyuncs.com")

    def test_the_provider_leaves_an_address_that_was_typed(self, form: Locator) -> None:
        fill(form, domain="my.example.com", provider="Docker Hub")

        expect(input_(form, ZH.domain)).to_have_value("my.example.com")

    def test_a_name_is_suggested_until_one_is_typed(self, form: Locator) -> None:
        name = input_(form, ZH.name)
        before = name.evaluate(TO_THE_NEXT_FIELD)
        fill(form, provider="Docker Hub", namespace="team-b")
        expect(name).to_have_value("dockerhub-team-b")
        assert name.evaluate(TO_THE_NEXT_FIELD) == before, "a free name says nothing and moves nothing"
        fill(form, provider="阿里云")
        expect(name).to_have_value("aliyun-team-b")
        fill(form, namespace="dev-namespace")
        expect(name).to_have_value("aliyun-dev-2")

        fill(form, name="mine-prod")
        with form.page.expect_response("**/add/name/**namespace=team-a**"):
            fill(form, namespace="team-a")
        fill(form, provider="Harbor")
        expect(name).to_have_value("mine-prod")

    def test_a_suggestion_changes_nothing_under_somebodys_fingers(self, form: Locator) -> None:
        name, page = input_(form, ZH.name), form.page
        before = name.input_value()
        with (
            page.expect_response("**/add/name/**provider=dockerhub**"),
            kept_back(page, "**/registries/-/add/name/**"),
        ):
            fill(form, provider="Docker Hub")
            name.focus()
        expect(form.get_by_text("Docker ID，小写")).to_be_visible()
        page.evaluate("() => new Promise(requestAnimationFrame)")
        expect(name).to_have_value(before)

        name.blur()
        expect(name).to_have_value(re.compile("^dockerhub-"))

    def test_an_account_is_suggested_by_provider_and_an_administrator_pointed_out(
        self, form: Locator
    ) -> None:
        username = input_(form, ZH.username)
        examples = set()
        for provider in ("Harbor", "Docker Hub", "阿里云", "其他"):
            fill(form, provider=provider)
            examples.add(username.get_attribute("placeholder"))
        assert len(examples) == 4
        assert not any("admin" in (it or "admin") for it in examples)

        warning = form.get_by_text("这像是管理员账号")
        for name in ("admin", "robot$ci", "ROOT", "administrator2", " Admin "):
            username.fill(name)
            expect(warning).to_be_visible(visible=name.strip().lower() in ("admin", "root"))
        username.fill("")
        form.page.set_viewport_size({"width": 390, "height": 500})
        username.evaluate(
            "it => { const box = it.closest('.dialog-content'); const end = box.getBoundingClientRect().bottom;"
            " box.scrollTop += it.getBoundingClientRect().bottom - end; }"
        )
        username.fill("root")
        expect(warning).to_be_in_viewport(ratio=1)

    def test_docker_hub_needs_no_choice_of_certificate(self, form: Locator) -> None:
        choice = form.get_by_role("radio", name="自定义 CA")
        fill(form, provider="Docker Hub")
        for domain in ("docker.io", "index.docker.io", " Docker.IO ", "https://registry-1.docker.io/"):
            fill(form, domain=domain)
            expect(choice).to_be_hidden()
        for domain in ("docker.io.example.com", "mirror-docker.io", "docker.io:5000", "harbor.example.com"):
            fill(form, domain=domain)
            expect(choice).to_be_visible()

        choice.check()
        fill(form, domain="docker.io")
        expect(choice).to_be_visible()

    def test_the_rules_for_names_answer_every_letter(self, form: Locator) -> None:
        rules = form.locator("#name-rules")
        expect(rules).to_be_hidden()
        fill(form, name="Harbor_Prod")
        expect(rule(form, "小写字母")).to_have_class(re.compile("broken"))
        expect(input_(form, ZH.name)).to_have_attribute("aria-invalid", "true")
        expect(rules.locator(".rule-broken:visible")).to_have_count(1)
        for advice in (rule(form, "prod、dev"), rule(form, "harbor、dockerhub")):
            expect(advice).to_have_class(re.compile("met"))
        expect(rules.get_by_role("listitem")).to_have_count(4)
        input_(form, ZH.display_name).focus()
        expect(rules.get_by_role("listitem")).to_have_count(1)
        expect(rules.get_by_role("listitem")).to_have_class(re.compile("broken"))

        fill(form, name="harbor-")
        expect(rule(form, "小写字母")).to_have_class(re.compile("met"))
        expect(rule(form, "开头和结尾")).to_have_class(re.compile("broken"))

        fill(form, name="harbor-prod-9")
        for text in ("小写字母", "开头和结尾", "建议：包含环境", "建议：包含仓库类型"):
            expect(rule(form, text)).to_have_class(re.compile("met"))

    def test_a_name_that_is_taken_is_said_before_saving(self, form: Locator) -> None:
        fill(form, name="harbor-prod")
        expect(form.get_by_text("default 中已有 harbor-prod")).to_be_visible()

        fill(form, namespace="team-b")
        expect(form.get_by_text("中已有 harbor-prod")).to_have_count(0)

    def test_the_sample_shows_how_images_will_be_called(self, form: Locator) -> None:
        fill(form, domain="harbor.example.com")
        expect(form.get_by_text("harbor.example.com/project/app:tag")).to_be_visible()

        fill(form, domain="not an address")
        expect(form.get_by_text("/project/app:tag")).to_have_count(0)

    def test_a_second_credential_for_the_same_account_is_pointed_out_and_may_be_saved(
        self, people: People, page: Page, console: RunningConsole
    ) -> None:
        add_registry(people("olive"), console, "harbor-first", username="twin")
        form = open_add(page)
        fill(form, **{**credential(console, "harbor"), "username": "twin"}, name="harbor-second")

        expect(form.get_by_text("该命名空间的 harbor-first 使用相同的域名和用户名。")).to_be_visible()
        form.get_by_role("button", name=ZH.ok, exact=True).click()

        expect(row(page, "harbor-second")).to_be_visible()


class TestOtherNamespaces:
    def test_offers_every_namespace_but_that_of_the_registry(self, form: Locator) -> None:
        form.get_by_text("同时添加到其他命名空间").click()
        offered = form.locator("#also .choice:visible")
        count = offered.count()
        for namespace in ("team-b", "default"):
            fill(form, namespace=namespace)
            expect(offered.filter(has_text=namespace)).to_have_count(0)
            expect(offered).to_have_count(count)


class TestTheProvider:
    def test_follows_the_address_until_one_is_chosen(self, form: Locator) -> None:
        chosen = form.locator("[name=provider]:checked")
        for domain, provider, name in (
            ("hub.docker.com", "dockerhub", "dockerhub-prod"),
            ("registry.cn-hangzhou.aliyuncs.com", "aliyun", "aliyun-prod"),
            ("registry.example.com", "harbor", "harbor-prod-2"),
            ("ghcr.io", "other", "registry-prod"),
        ):
            fill(form, domain=domain)
            expect(chosen).to_have_value(provider)
            expect(input_(form, ZH.name)).to_have_value(name)
        expect(form.get_by_label("地域")).to_be_hidden()

        fill(form, provider="阿里云")
        with form.page.expect_response("**/add/address/**"):
            fill(form, domain="hub.docker.com")
        expect(form.get_by_role("button", name="改用「Docker Hub」")).to_be_visible()
        expect(chosen).to_have_value("aliyun")


class TestSaving:
    @pytest.mark.parametrize("field", ["domain", "username", "namespace", "name", "provider"])
    def test_stays_possible_while_a_value_is_looked_at(self, form: Locator, field: str) -> None:
        value = {"namespace": "team-b", "provider": "Docker Hub"}.get(field, "harbor.example.com")
        lookups = "**/registries/-/add/*/**"
        with kept_back(form.page, lookups):
            with form.page.expect_request(lookups):
                fill(form, **{field: value})
            assert form.get_by_role("button", name=ZH.ok, exact=True).is_enabled()


class TestAStaleForm:
    """A form whose CSRF token is of another session. The refused request brings a new token."""

    def test_keeps_what_was_typed_and_can_be_sent_again(
        self, people: People, page: Page, form: Locator, console: RunningConsole
    ) -> None:
        people.watch.expected.add(403)
        fill(form, **credential(console, "down"), name="harbor-stale")
        page.context.clear_cookies(name="csrftoken")
        save = form.get_by_role("button", name=ZH.ok, exact=True)

        save.click()
        expect(form.locator(".dialog-content > #error-summary")).to_contain_text("表单已过期")
        expect(form.locator("#error-summary")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_text(ZH.discard)).to_be_visible()
        page.keyboard.press("Escape")
        save.click()

        expect(row(page, "harbor-stale")).to_be_visible()

    def test_of_an_edit_can_be_saved_again(self, people: People, page: Page, console: RunningConsole) -> None:
        people.watch.expected.add(403)
        add_registry(people("olive"), console, "harbor-stale-edit")
        page.reload()
        choose(page, "harbor-stale-edit", ZH.edit)
        form = dialog(page)
        input_(form, ZH.description).fill("一个字也没有丢")
        page.context.clear_cookies(name="csrftoken")
        save = form.get_by_role("button", name=ZH.save, exact=True)

        save.click()
        expect(form.locator(".dialog-content > #error-summary")).to_contain_text("表单已过期")
        expect(save).to_be_enabled()
        save.click()

        expect(dialog(page)).to_have_count(0)


class TestLeaving:
    def test_esc_asks_when_something_was_typed_and_goes_back_to_the_button(self, page: Page) -> None:
        opener = page.get_by_role("link", name=ZH.add)
        opener.focus()
        opener.press("Enter")
        form = dialog(page).first
        fill(form, description="还没写完")

        page.keyboard.press("Escape")
        expect(page.get_by_text(ZH.discard)).to_be_visible()
        expect(page.get_by_role("button", name=ZH.discard_no)).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_text(ZH.discard)).to_be_hidden()
        expect(input_(form, ZH.description)).to_have_value("还没写完")

        page.keyboard.press("Escape")
        page.get_by_role("button", name=ZH.discard_yes, exact=True).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(opener).to_be_focused()

    def test_esc_closes_at_once_when_nothing_was_typed(self, page: Page, form: Locator) -> None:
        page.keyboard.press("Escape")

        expect(dialog(page)).to_have_count(0)
        expect(page.get_by_role("link", name=ZH.add)).to_be_focused()

    def test_a_click_outside_does_nothing(self, page: Page, form: Locator) -> None:
        fill(form, description="还没写完")

        page.mouse.click(10, 10)

        expect(form).to_be_visible()
        expect(page.get_by_text(ZH.discard)).to_be_hidden()
        expect(input_(form, ZH.description)).to_have_value("还没写完")
