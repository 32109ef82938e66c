"""The parts of a page as a person finds them: rows by name, menus by items, fields by labels."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.peers.running_console import RunningConsole, behaviour
from tests.peers.visitors import Person
from tests.peers.words import ZH, Words


def row(page: Page, name: str, namespace: str = "") -> Locator:
    found = page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))
    return found.filter(has=page.get_by_role("cell", name=namespace, exact=True)) if namespace else found


def names(page: Page) -> list[str]:
    """The names of the visible rows from top to bottom, without display names."""
    return page.locator("tbody tr .c-name .mono").all_inner_texts()


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog").filter(visible=True)


def open_menu(page: Page, name: str, words: Words = ZH, namespace: str = "") -> Locator:
    """Opens the menu ⋯ of a row."""
    row(page, name, namespace).get_by_role("button", name=words.actions).click()
    menu = page.get_by_role("menu", name=words.actions)
    expect(menu).to_be_visible()
    return menu


def choose(page: Page, name: str, item: str, words: Words = ZH, namespace: str = "") -> None:
    """Opens the menu of a row and clicks one item."""
    open_menu(page, name, words, namespace).get_by_role("menuitem", name=item).click()


def open_add(page: Page, words: Words = ZH) -> Locator:
    page.get_by_role("link", name=words.add).first.click()
    form = dialog(page)
    expect(form.get_by_role("heading", name=words.add)).to_be_visible()
    return form


def fill(form: Locator, words: Words = ZH, **values: str) -> None:
    """Fills in fields by their labels. `provider` is the text of a card, `namespace` an option."""
    for field, value in values.items():
        label = getattr(words, field)
        if field == "provider":
            form.get_by_role("radio", name=value).check()
        elif field == "namespace":
            form.get_by_label(label, exact=True).select_option(value)
        else:
            input_(form, label).fill(value)


def input_(form: Locator, label: str) -> Locator:
    """A field by its label; 选填 may follow the label."""
    return form.get_by_label(re.compile(rf"^\s*{re.escape(label)}(\s+(选填|optional))?\s*$"))


def credential(console: RunningConsole, name: str) -> dict[str, str]:
    """Address, user name and password of a demo registry, as a person would type them."""
    it = behaviour(name)
    return {"domain": console.address(name), "username": it.username, "password": it.password}


def status(page: Page, name: str, words: Words = ZH) -> Locator:
    """The badge in the row's status column."""
    return row(page, name).get_by_role(
        "button", name=re.compile(f"{words.success}|{words.failed}|{words.untested}")
    )


def tile(page: Page, text: str) -> Locator:
    """One of the counts above the list."""
    return page.get_by_role("navigation", name="各状态数量").get_by_role("link").filter(has_text=text)


def count_of(page: Page, text: str) -> int:
    """The number in one of the counts above the list."""
    return int(re.sub(r"\D", "", tile(page, text).inner_text()))


def add_registry(person: Person, console: RunningConsole, name: str, **values: str) -> None:
    """Adds a registry without the page: a Harbor in `default` unless given."""
    defaults = {"namespace": "default", "provider": "harbor", **credential(console, "harbor")}
    answer = person.post("/registries/-/add/", name=name, **{**defaults, **values})
    assert answer.url.endswith("/registries/"), "it was not added"


def search(page: Page) -> Locator:
    return page.get_by_role("searchbox", name=ZH.search)
