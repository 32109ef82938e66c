"""撤销 in the browser: by pointer and by key, from the toast and from the journal."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.peers.console_page import add_registry, choose, credential, dialog, row
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import ZH

WAYS: dict[str, Callable[[Page], object]] = {
    "pointer": lambda page: page.locator(".toast-undo").click(),
    "key": lambda page: page.keyboard.press("z"),
    "tab and Enter": lambda page: (page.locator(".toast-undo").focus(), page.keyboard.press("Enter")),
}


def deleted(people: People, console: RunningConsole, name: str) -> Page:
    """The list after the deletion of a new registry, with the toast."""
    add_registry(people("olive"), console, name, display_name="要撤销", **credential(console, "harbor"))
    page = people("olive").open(f"/registries/?q={name}")
    choose(page, name, ZH.delete)
    expect(dialog(page).get_by_text("立即清除密码")).to_be_visible()
    dialog(page).get_by_role("textbox").fill(name)
    dialog(page).get_by_role("button", name="确定删除").click()
    expect(page.get_by_text("已删除「要撤销」")).to_be_visible()
    expect(row(page, name)).to_have_count(0)
    return page


@pytest.mark.parametrize("way", WAYS)
def test_the_toast_brings_the_row_back_and_shows_which(
    people: People, console: RunningConsole, way: str
) -> None:
    name = f"undo-by-{way.split()[0]}"
    page = deleted(people, console, name)
    expect(page.locator(".toast-undo")).to_have_text("撤销")

    WAYS[way](page)

    expect(page.locator("tr.fresh")).to_have_count(1)
    expect(page.locator("tr.fresh")).to_contain_text(name)
    expect(page.get_by_text("已恢复「要撤销」")).to_be_visible()
    expect(page.locator(".toast-undo:visible")).to_have_count(0)


def test_the_button_stays_while_it_has_the_focus(people: People, console: RunningConsole) -> None:
    people("olive").open("/registries/").clock.install()
    page = deleted(people, console, "undo-stays")
    page.clock.run_for(25_000)
    page.locator(".toast-undo").focus()
    page.clock.run_for(60_000)
    expect(page.locator(".toast-undo")).to_be_visible()

    page.locator("#q").focus()
    page.clock.run_for(3_000)

    expect(page.locator(".toast-undo:visible")).to_have_count(0)


def test_the_journal_offers_it_after_the_toast_has_gone(people: People, console: RunningConsole) -> None:
    deleted(people, console, "undo-later")
    page = people("olive").open("/journal/?name=undo-later")

    page.get_by_role("button", name="撤销 default/undo-later").click()

    page.wait_for_url("**/registries/default/undo-later/")
    expect(page.get_by_text("已恢复「要撤销」")).to_be_visible()
    page.goto("/journal/?name=undo-later")
    expect(page.locator(".j-undo")).to_have_count(0)
    expect(page.locator(".j-action").filter(has_text="撤销删除")).to_have_count(1)
