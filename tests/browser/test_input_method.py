"""Keys that belong to an input method while it composes: Escape cancels what it composes, Enter takes it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.peers.console_page import choose, dialog, open_add, row
from tests.peers.visitors import People
from tests.peers.words import ZH

HERE = "/registries/?namespace=team-a"
LONGEST_DELAY = 300
"""Milliseconds after which a page asks the console about what was typed."""
CODES = {"Escape": 27, "Enter": 13, "c": 67, "j": 74, "x": 88, "t": 84, "e": 69, "/": 191, "?": 191, "k": 75}


def press(session: CDPSession, key: str, code: int = 0) -> None:
    """A key as the browser sends it: with its own code, or with 229 for a key that an input method has taken."""
    values = {"key": key, "code": key, "windowsVirtualKeyCode": code or CODES[key]}
    session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **values})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **values})


def select_all(page: Page, button: str) -> Locator:
    page.get_by_role("checkbox", name="选择本页").check()
    page.get_by_role("button", name=button).click()
    return dialog(page).get_by_role("textbox")


def edit(page: Page) -> Locator:
    choose(page, "quay-team-a", ZH.edit)
    return dialog(page).locator("#id_description")


def delete(page: Page) -> Locator:
    choose(page, "quay-team-a", ZH.delete)
    return dialog(page).get_by_role("textbox")


def namespaces(page: Page) -> Locator:
    page.locator("#namespace-button").click()
    return page.locator("#namespace-find")


def palette(page: Page) -> Locator:
    page.keyboard.press("Control+k")
    return page.locator("#palette-find")


FIELDS: dict[str, Callable[[Page], Locator]] = {
    "add": lambda page: open_add(page).locator("#id_display_name"),
    "edit": edit,
    "delete": delete,
    "delete_many": lambda page: select_all(page, ZH.delete_selected),
    "namespaces": namespaces,
    "palette": palette,
}


def test_do_nothing_else_in_any_dialog_and_menu(people: People) -> None:
    page = people("olive").open(HERE)
    session = page.context.new_cdp_session(page)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    for name, opened in FIELDS.items():
        page.goto(HERE)
        field = opened(page)
        field.focus()
        focus = field.get_attribute("id")
        posts.clear()
        for key in ("Escape", "Enter"):
            for code in (0, 229):
                session.send(
                    "Input.imeSetComposition", {"text": "shou", "selectionStart": 4, "selectionEnd": 4}
                )
                press(session, key, code)
                expect(field, f"{name}: {key}").to_be_focused()
                expect(page.get_by_text(ZH.discard)).to_be_hidden()
        session.send("Input.imeSetComposition", {"text": "", "selectionStart": 0, "selectionEnd": 0})
        # Safari ends the composition first, and then sends the key.
        press(session, "Escape", 229)
        expect(field, f"{name}: Escape of Safari").to_be_focused()
        assert not posts, name
        page.keyboard.press("Escape")
        focused = page.locator(f"#{focus}:focus")
        expect(focused, f"{name}: a key without an input method").to_have_count(0)


@pytest.mark.parametrize(("field", "asks"), [("search", "q="), ("address", "domain=")])
def test_nothing_looks_at_a_value_before_it_is_composed(people: People, field: str, asks: str) -> None:
    page = people("olive").open(HERE)
    session = page.context.new_cdp_session(page)
    (page.locator("#q") if field == "search" else open_add(page).locator("#id_domain")).focus()
    with page.expect_request(lambda request: asks in request.url) as first:
        for text in ("s", "sh", "shou"):
            session.send("Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1})
            page.wait_for_timeout(LONGEST_DELAY)
        session.send("Input.insertText", {"text": "harbor"})

    assert f"{asks}harbor" in first.value.url


@pytest.mark.parametrize("code", [0, 229])
def test_are_no_keys_of_the_list(people: People, code: int) -> None:
    page = people("olive").open(HERE)
    row(page, "quay-team-a").locator(".c-name a").focus()
    session = page.context.new_cdp_session(page)
    for key in set(CODES) - {"Enter"}:  # which follows the link, without a script
        if code:
            press(session, key, code)
        else:
            event = "key => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
            page.evaluate(event + "{key, isComposing: true, bubbles: true, cancelable: true}))", key)

    expect(row(page, "quay-team-a").locator(".c-name a")).to_be_focused()
    assert page.get_by_role("checkbox", checked=True).count() == 0
    expect(dialog(page)).to_have_count(0)
