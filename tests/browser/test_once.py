"""On a slow network people press again, and go back: nothing is done twice, and nothing that was typed is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Dialog, Page, expect

from tests.peers.console_page import dialog, input_, row
from tests.peers.held import kept_back
from tests.peers.running_console import RunningConsole
from tests.peers.scripted import wait_for
from tests.peers.visitors import People
from tests.peers.words import ZH

COUNT = """path => {
  window.asked = 0;
  document.addEventListener("htmx:beforeSend", ({ detail }) => {
    window.asked += detail.pathInfo.requestPath.endsWith(path);
  });
}"""
"""Counts how often a page asks for a path from now on. A second press is sent as soon as the first one is answered."""
SEND = "document.querySelector('dialog[open] form').requestSubmit()"
"""What a key does that was held down."""
AGAIN = f"""document.addEventListener("htmx:afterRequest", () => setTimeout(() => {{
  sessionStorage.pressed = document.querySelector("dialog[open] [type=submit]").disabled ? "disabled" : "ready";
  {SEND};
}}))"""
"""Presses once more when the answer is there and the page that it leads to is not. Playwright waits for that page."""


def becomes(page: Page, condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true. Events of the page arrive meanwhile."""

    def met() -> bool:
        page.wait_for_timeout(20)
        return condition()

    return wait_for(met)


@contextmanager
def staying(page: Page) -> Iterator[list[str]]:
    """Answers each question whether to leave the page with no. Gives the kinds of questions."""
    asked: list[str] = []

    def stay(question: Dialog) -> None:
        asked.append(question.type)
        question.dismiss()

    page.on("dialog", stay)
    yield asked
    page.remove_listener("dialog", stay)


def test_a_second_press_opens_no_second_form_over_the_first(people: People) -> None:
    page = people("olive").open("/registries/")
    page.evaluate(COUNT, "/registries/-/add/")

    with kept_back(page, "**/registries/-/add/"):
        page.get_by_role("link", name=ZH.add).dblclick(force=True)
        expect(page.get_by_role("link", name=ZH.add)).to_have_attribute("aria-busy", "true")
    expect(dialog(page).get_by_role("heading", name=ZH.add)).to_be_visible()

    assert page.evaluate("window.asked") == 1
    expect(page.locator("#add-button[aria-busy]")).to_have_count(0)


def test_a_second_press_begins_no_second_run(people: People, console: RunningConsole) -> None:
    page = people("olive").open("/registries/?q=harbor-prod")
    runs = "SELECT count(*) FROM registries_run"
    [(before,)] = console.query(runs)
    row(page, "harbor-prod", "default").get_by_role("checkbox").check()
    page.evaluate(COUNT, "/registries/-/verify/")

    with kept_back(page, "**/registries/-/verify/"):
        page.get_by_role("button", name="测试选中").dblclick(force=True)
    expect(dialog(page).get_by_role("heading", name="测试完成")).to_be_visible()

    assert page.evaluate("window.asked") == 1
    assert console.query(runs) == [(int(str(before)) + 1,)]


def test_a_key_that_is_held_down_tests_once(people: People) -> None:
    page = people("olive").open("/registries/?q=harbor-prod")
    row(page, "harbor-prod", "default").locator(".c-name a").focus()
    page.evaluate(COUNT, "/registries/default/harbor-prod/verify/")

    page.keyboard.down("t")
    expect(page.locator(".toast-text")).to_be_visible()
    page.keyboard.down("t")
    page.keyboard.up("t")

    assert page.evaluate("window.asked") == 1


def test_a_form_is_sent_once_until_its_next_page_is_there(people: People, console: RunningConsole) -> None:
    page = people("olive").open("/channels/")
    page.get_by_role("link", name="添加静默").click()
    dialog(page).locator("[name=reason]").fill("按了两次")
    until = timezone.localtime(timezone.now() + timedelta(hours=4))
    dialog(page).locator("[name=ends_at]").fill(f"{until:%Y-%m-%dT%H:%M}")
    save = dialog(page).get_by_role("button", name="添加静默")

    page.evaluate(AGAIN)
    with staying(page) as questions, kept_back(page, "**/channels/") as next_page:
        with kept_back(page, "**/silences/add/"):
            save.click()
            expect(save).to_be_disabled()
            page.evaluate(SEND)
        assert becomes(page, lambda: bool(next_page))
    expect(page.get_by_role("cell", name="按了两次")).to_be_visible()

    assert questions == []
    assert page.evaluate("sessionStorage.pressed") == "disabled"
    assert console.query("SELECT count(*) FROM registries_silence WHERE reason = '按了两次'") == [(1,)]


@pytest.mark.parametrize("way", ["location.reload()", "history.back()"])
def test_what_was_typed_is_not_left_unasked(people: People, way: str) -> None:
    page = people("olive").open("/overview/")
    page.goto("/registries/")
    page.get_by_role("link", name=ZH.add).click()
    name = input_(dialog(page), ZH.name)
    name.fill("harbor-typed")

    with staying(page) as questions:
        page.evaluate(f"() => {{ {way} }}")
        assert becomes(page, lambda: bool(questions))
        expect(name).to_have_value("harbor-typed")
        page.keyboard.press("Escape")
        dialog(page).get_by_role("button", name=ZH.discard_yes).click()
        page.reload()

    assert questions == ["beforeunload"], "asked once, and not again when nothing was typed"
