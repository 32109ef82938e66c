"""Logging in and out in the browser, and sessions that end in the middle of something."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from registries.demo.seed import PASSWORD
from tests.canary import CANARY
from tests.peers.console_page import credential, dialog, fill, input_, open_add, row, status
from tests.peers.running_console import RunningConsole
from tests.peers.scripted import wait_for
from tests.peers.visitors import People, Person
from tests.peers.words import BOTH, EN, ZH, Words

CHECKS = re.compile("/registries/-/add/(name|address)/")
"""What the add form asks for while one types."""


def log_in(place: Page | Locator, name: str, password: str = PASSWORD, words: Words = ZH) -> None:
    place.get_by_label(words.username).fill(name)
    place.get_by_label(words.password).fill(password)
    place.get_by_role("button", name=words.log_in, exact=True).click()


def session_dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name=ZH.session_ended)


@pytest.fixture
def nina(people: People) -> Person:
    """In a browser whose session may be ended."""
    person = people.stranger("nina")
    person.log_in()
    return person


class TestTheLoginPage:
    @pytest.mark.parametrize(
        ("words", "said"),
        [(ZH, "用户名或密码错误，注意区分大小写。"), (EN, "User name or password is wrong.")],
        ids=BOTH,
    )
    def test_says_that_name_or_password_is_wrong(self, people: People, words: Words, said: str) -> None:
        page = people.stranger().open("/login/", language=words.code)

        log_in(page, "olive", CANARY, words)

        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_label(words.username)).to_have_value("olive")
        expect(page.get_by_label(words.password)).to_have_value("")

    @pytest.mark.parametrize(
        ("words", "name", "said"),
        [
            (ZH, "sam", "登录失败次数过多，15 分钟后再试。"),
            (EN, "vic", "Too many failed login attempts. Try again in 15 minutes."),
        ],
        ids=BOTH,
    )
    def test_is_locked_after_five_failures(self, people: People, words: Words, name: str, said: str) -> None:
        page = people.stranger().open("/login/", language=words.code)
        for _ in range(5):
            with page.expect_navigation():
                log_in(page, name, CANARY, words)
        expect(page.get_by_role("alert")).to_contain_text(said)

        with page.expect_navigation() as locked:
            log_in(page, name, PASSWORD, words)

        assert locked.value
        assert locked.value.status == 429
        expect(page.get_by_role("alert")).to_contain_text(said)

    def test_fills_itself_in_with_a_demo_account(self, people: People) -> None:
        page = people.stranger().open("/login/")

        page.get_by_role("button", name=re.compile("^omar")).click()
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", level=1, name=ZH.registries)).to_be_visible()
        expect(page.get_by_role("button", name="账号 omar")).to_be_visible()

    def test_leads_to_the_page_that_was_asked_for(self, people: People) -> None:
        page = people.stranger().open("/registries/?status=failed&q=team")

        log_in(page, "olive")

        page.wait_for_url("**/registries/?status=failed&q=team")
        expect(row(page, "harbor-team-a")).to_be_visible()


class TestLoggingOut:
    def test_leaves_nothing_for_the_back_button(self, people: People, nina: Person) -> None:
        people.watch.expected.add(401)  # the list may ask for news before it is left
        page = nina.open()
        expect(row(page, "harbor-team-a")).to_be_visible()
        page.get_by_role("button", name="账号 nina").click()
        page.get_by_role("menuitem", name=ZH.log_out).click()
        expect(page.get_by_role("button", name=ZH.log_in, exact=True)).to_be_visible()

        page.go_back()

        expect(page.get_by_role("button", name=ZH.log_in, exact=True)).to_be_visible()
        assert "harbor-team-a" not in page.content()

    def test_ends_the_session_for_good(self, nina: Person) -> None:
        before = nina.cookie("sessionid")
        assert nina.post("/logout/").ok

        nina.choose("sessionid", before)

        assert nina.open().url.startswith(f"{nina.url}/login/")


class TestASessionThatEnds:
    typed = {
        "provider": "Harbor",
        "namespace": "team-a",
        "name": "harbor-kept",
        "display_name": "没有丢",
        "description": "一个字也没有丢",
        "username": "robot$kept",
        "password": CANARY,
    }

    @pytest.mark.parametrize("end", ["the cookie is gone", "logged out in another tab"])
    def test_in_the_add_dialog_loses_nothing(
        self, people: People, nina: Person, console: RunningConsole, end: str
    ) -> None:
        people.watch.expected.add(401)
        page = nina.open()
        page.route(CHECKS, lambda route: route.fulfill(status=204))  # must not be what notices it
        form = open_add(page).filter(has=page.get_by_role("heading", name=ZH.add))
        typed = {**self.typed, "domain": console.address("down"), "name": f"harbor-kept-{len(end)}"}
        fill(form, **typed)
        token = nina.cookie("csrftoken")
        if end == "the cookie is gone":
            nina.context.clear_cookies(name="sessionid")
        else:
            nina.post("/logout/")

        form.get_by_role("button", name=ZH.ok, exact=True).click()
        again = session_dialog(page)
        expect(again.get_by_label(ZH.username)).to_be_focused()
        log_in(again, "nina", "wrong")
        expect(again.get_by_role("alert")).to_contain_text("用户名或密码错误")
        log_in(again, "nina")

        expect(again).to_be_hidden()
        for name in ("name", "display_name", "description", "domain", "username", "password"):
            expect(input_(form, getattr(ZH, name))).to_have_value(typed[name])
        assert nina.cookie("csrftoken") != token
        form.get_by_role("button", name=ZH.ok, exact=True).click()
        expect(form).to_have_count(0)
        expect(status(page, typed["name"])).to_have_text(ZH.failed)

    def test_is_noticed_by_a_test_in_the_dialog_too(
        self, people: People, nina: Person, console: RunningConsole
    ) -> None:
        people.watch.expected.add(401)
        page = nina.open()
        page.route(CHECKS, lambda route: route.fulfill(status=204))  # must not be what notices it
        form = open_add(page).filter(has=page.get_by_role("heading", name=ZH.add))
        fill(form, **credential(console, "harbor"))
        nina.context.clear_cookies(name="sessionid")

        form.get_by_role("button", name=ZH.test).click()
        log_in(session_dialog(page), "nina")
        expect(session_dialog(page)).to_be_hidden()
        form.get_by_role("button", name=ZH.test).click()

        expect(form.get_by_text(ZH.success, exact=True)).to_be_visible()

    def test_is_noticed_by_an_open_list(self, people: People, nina: Person) -> None:
        people.watch.expected.add(401)
        page = nina.open()
        nina.context.clear_cookies(name="sessionid")

        page.get_by_role("combobox", name=ZH.status).select_option(label=ZH.failed)
        log_in(session_dialog(page), "nina")

        expect(session_dialog(page)).to_be_hidden()
        expect(row(page, "harbor-team-a")).to_be_visible()

    def test_shows_nothing_of_one_person_to_the_next(self, people: People, nina: Person) -> None:
        people.watch.expected.add(401)
        page = nina.open()
        page.on("dialog", lambda asked: asked.dismiss())  # omar is not asked whether to leave nina's form
        form = open_add(page)
        fill(form, description="von nina")
        nina.context.clear_cookies(name="sessionid")

        form.get_by_role("button", name=ZH.ok, exact=True).click()
        log_in(session_dialog(page), "omar")

        expect(page.get_by_role("button", name="账号 omar")).to_be_visible()
        expect(dialog(page)).to_have_count(0)


class TestTheTopBar:
    def test_changes_the_language_and_stays_where_one_is(self, nina: Person) -> None:
        page = nina.open()
        page.get_by_role("combobox", name=ZH.status).select_option(label=ZH.failed)
        page.wait_for_url("**status=failed")

        page.get_by_role("button", name="语言").click()
        page.get_by_role("menuitemradio", name="English").click()

        expect(page.get_by_role("heading", level=1, name=EN.registries)).to_be_visible()
        assert page.url.endswith("/registries/?status=failed")
        assert page.locator("html").get_attribute("lang") == "en"

    def test_changes_the_theme_for_good(self, nina: Person) -> None:
        page = nina.open()
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")

        page.get_by_role("button", name="主题").click()
        page.get_by_role("menuitemradio", name="深色").click()
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        page.reload()

        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background

    def test_follows_the_systems_theme_until_one_is_chosen(self, people: People) -> None:
        person = people.stranger("nina", color_scheme="dark")
        person.log_in()

        page = person.open(theme="system")

        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        ("location = '/no-such-page/'", "404"),
        ("fetch('/no-such-page/')", "404"),
        ("fetch('https://example.com/')", "CSP"),
        ("location = 'https://example.com/'", "another host"),
        ("setTimeout(() => { throw Error('broken') })", "script"),
    ],
)
def test_the_watch_of_these_tests_sees(people: People, act: str, problem: str) -> None:
    page = people("olive").open("/password/")

    page.evaluate(f"() => {{ {act} }}")

    def seen() -> bool:
        page.wait_for_timeout(20)  # events arrive meanwhile
        return any(problem in it for it in people.watch.problems)

    assert wait_for(seen)
    people.watch.problems.clear()
