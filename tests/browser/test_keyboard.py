"""Everything by keyboard alone: the focus is always somewhere, always seen, and comes back to where it was."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DETAILS, INSIDE, UNSEEN, tab_to, type_into
from tests.peers.console_page import add_registry, credential, dialog, input_, names, row, status
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import EN, ZH, Words

LIST = "/registries/?size=10"


def more(page: Page, name: str, words: Words = ZH) -> Locator:
    return row(page, name).get_by_role("button", name=words.actions)


def choose_by_keyboard(page: Page, name: str, item: str, words: Words = ZH) -> None:
    """Open the menu of a row and walk down to an item."""
    tab_to(page, more(page, name, words))
    page.keyboard.press("Enter")
    target = page.get_by_role("menuitem", name=item)
    for _ in range(page.get_by_role("menuitem").count()):
        if target.evaluate("it => it === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    expect(target).to_be_focused()
    page.keyboard.press("Enter")


def test_a_registry_is_added_tested_edited_and_deleted(people: People, console: RunningConsole) -> None:
    page = people("olive").open("/registries/?namespace=team-a")
    opener = page.get_by_role("link", name=ZH.add)
    tab_to(page, opener)
    page.keyboard.press("Enter")
    form = dialog(page)
    expect(form).to_be_visible()
    assert page.evaluate(UNSEEN) == ""

    tab_to(page, form.get_by_role("radio", name="Harbor"))
    page.keyboard.press("ArrowRight")
    expect(input_(form, ZH.domain)).to_have_value("docker.io")
    page.keyboard.press("ArrowLeft")
    values = {**credential(console, "harbor"), "name": "harbor-keyboard"}
    for field in ("domain", "username", "password", "name"):
        type_into(page, input_(form, getattr(ZH, field)), values[field])
    tab_to(page, form.get_by_role("button", name=ZH.test))
    page.keyboard.press("Space")
    expect(form.get_by_text(ZH.success, exact=True)).to_be_visible()
    expect(form.get_by_role("button", name=ZH.test)).to_be_focused()
    tab_to(page, form.get_by_role("button", name=ZH.ok, exact=True))
    page.keyboard.press("Enter")

    expect(status(page, "harbor-keyboard")).to_have_text(ZH.success)
    expect(opener).to_be_focused()

    choose_by_keyboard(page, "harbor-keyboard", ZH.edit)
    expect(input_(dialog(page), ZH.display_name)).to_be_focused()
    page.keyboard.insert_text("只用键盘")
    page.keyboard.press("Enter")
    expect(row(page, "harbor-keyboard")).to_contain_text("只用键盘")
    expect(more(page, "harbor-keyboard")).to_be_focused()

    choose_by_keyboard(page, "harbor-keyboard", ZH.delete)
    expect(dialog(page).get_by_role("textbox")).to_be_focused()
    page.keyboard.insert_text("harbor-keyboard")
    tab_to(page, dialog(page).get_by_role("button", name=re.compile(ZH.confirm_deletion)))
    page.keyboard.press("Enter")
    expect(row(page, "harbor-keyboard")).to_have_count(0)
    page.wait_for_function("() => document.activeElement.matches('.more')")


@pytest.mark.parametrize("words", [ZH, EN], ids=lambda it: it.code)
def test_a_failing_one_is_repaired_and_a_deleted_one_brought_back(
    people: People, console: RunningConsole, words: Words
) -> None:
    name = f"harbor-repair-{words.code}"
    add_registry(people("olive"), console, name, password="no-such-password")
    page = people("olive").open(f"/registries/?namespace=default&q={name}", language=words.code)
    link = row(page, name).locator(".c-name a")
    tab_to(page, link)
    page.keyboard.press("t")
    expect(status(page, name, words)).to_have_text(words.failed)
    page.locator(".toast-item").first.wait_for()  # the answer is there, and the row is a new one
    expect(link).to_be_focused()

    choose_by_keyboard(page, name, words.change_password, words)
    expect(dialog(page).locator("#id_password")).to_be_focused()
    page.keyboard.insert_text(credential(console, "harbor")["password"])
    tab_to(page, dialog(page).get_by_role("button", name=words.test))
    page.keyboard.press("Space")
    expect(dialog(page).get_by_text(words.success, exact=True)).to_be_visible()
    tab_to(page, dialog(page).locator("#password-save"))
    page.keyboard.press("Enter")
    expect(status(page, name, words)).to_have_text(words.success)
    expect(more(page, name, words)).to_be_focused()

    choose_by_keyboard(page, name, words.delete, words)
    expect(dialog(page).get_by_role("textbox")).to_be_focused()
    page.keyboard.insert_text(name)
    page.keyboard.press("Enter")
    expect(row(page, name)).to_have_count(0)
    page.keyboard.press("z")
    expect(row(page, name)).to_have_count(1)
    expect(page.locator(f"tr.fresh[data-title={name}]")).to_have_count(1)


def test_several_are_selected_and_deleted(people: People, console: RunningConsole) -> None:
    for number in (1, 2):
        add_registry(people("olive"), console, f"harbor-keys-{number}", namespace="team-a")
    page = people("olive").open("/registries/?q=harbor-keys")
    for name in names(page):
        tab_to(page, row(page, name).get_by_role("checkbox"))
        page.keyboard.press("Space")
    remove = page.get_by_role("button", name=ZH.delete_selected)
    tab_to(page, remove)
    page.keyboard.press("Enter")
    expect(dialog(page).get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(remove).to_be_focused()

    page.keyboard.press("Enter")
    expect(dialog(page).get_by_role("textbox")).to_be_focused()
    page.keyboard.insert_text("2")
    page.keyboard.press("Enter")
    expect(dialog(page).get_by_role("heading", name=ZH.finished)).to_be_visible()
    page.wait_for_function("() => document.querySelector('dialog[open]').contains(document.activeElement)")
    tab_to(page, dialog(page).get_by_role("link", name=ZH.close))
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="没有匹配项")).to_be_visible()
    page.wait_for_function("() => document.activeElement !== document.body")


@pytest.mark.parametrize(
    ("path", "role", "name"),
    [
        (LIST, "link", re.compile(f"{ZH.failed}$")),
        (LIST, "link", ZH.name),
        (LIST, "link", "第 2 页"),
        ("/registries/?size=20", "link", "下一页"),
        (LIST, "link", "50"),
        (f"{LIST}&status=failed&provider=harbor", "link", "移除筛选 Harbor"),
        (f"{LIST}&status=failed", "link", "清除筛选"),
        ("/registries/?q=no-such-thing", "link", "清除筛选"),
    ],
)
def test_the_focus_stays_near_what_changed_the_list(
    people: People, path: str, role: str, name: str | re.Pattern[str]
) -> None:
    page = people("olive").open(path)
    target = page.get_by_role("main").get_by_role(role, name=name, exact=isinstance(name, str)).last  # type: ignore[arg-type]
    page.evaluate("() => { document.getElementById('list-state').old = true }")

    target.focus()
    page.keyboard.press("Enter")

    page.wait_for_function("() => !document.getElementById('list-state').old")
    page.wait_for_function("() => document.querySelector('#list').contains(document.activeElement)")


def test_the_focus_stays_on_a_row_that_is_tested(people: People) -> None:
    page = people("olive").open("/registries/?namespace=dev-namespace")

    choose_by_keyboard(page, "harbor-dev", ZH.test)

    expect(row(page, "harbor-dev")).to_contain_text(ZH.just_now)
    expect(more(page, "harbor-dev")).to_be_focused()


def test_a_menu_is_walked_with_arrows_and_left_with_esc(people: People) -> None:
    page = people("olive").open("/registries/?namespace=team-a")
    button = more(page, "harbor-team-a")
    tab_to(page, button)
    page.keyboard.press("Enter")
    items = page.get_by_role("menu", name=ZH.actions).get_by_role("menuitem")
    expect(items.first).to_be_focused()

    page.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(items.first).to_be_focused()
    page.keyboard.press("End")
    expect(items.last).to_be_focused()
    page.keyboard.press("Home")
    expect(items.first).to_be_focused()

    page.keyboard.press("Escape")
    expect(page.get_by_role("menu", name=ZH.actions)).to_be_hidden()
    expect(button).to_be_focused()


def test_the_namespace_is_found_and_chosen(people: People) -> None:
    page = people("olive").open()
    selector = page.get_by_role("banner").get_by_role("button", name=ZH.namespace)
    tab_to(page, selector)
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox", name=ZH.find_namespace)).to_be_focused()

    other = page.get_by_role("link", name=re.compile("^team-b"))
    expect(other).to_be_visible()  # the options have come
    page.keyboard.insert_text("prod")
    expect(other).to_have_count(0)
    tab_to(page, page.get_by_role("link", name=re.compile("^prod-namespace")))
    page.keyboard.press("Enter")

    expect(selector).to_have_text("prod-namespace")
    expect(selector).to_be_focused()


def test_on_a_phone_the_rarer_actions_are_in_a_menu(people: People) -> None:
    page = people("olive").open(DETAILS, width=390, height=844)
    more_actions, copy = page.locator("#actions-more"), page.locator("#copy-link")
    expect(copy).to_be_hidden()

    more_actions.focus()
    page.keyboard.press("Enter")
    expect(more_actions).to_have_attribute("aria-expanded", "true")
    tab_to(page, page.locator("#password-link"))
    page.keyboard.press("End")
    expect(page.locator("#delete-link")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(copy).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_visible()
    page.wait_for_function(INSIDE)

    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(copy).to_be_hidden()
    expect(more_actions).to_be_focused()


def test_the_first_tab_leads_past_the_navigation(people: People) -> None:
    page = people("olive").open()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到主要内容")).to_be_focused()
    expect(page.get_by_role("link", name="跳到主要内容")).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()


def test_the_focus_stays_on_a_count_that_is_drawn_anew(people: People) -> None:
    page = people("olive").open("/registries/")
    page.locator("#tile-failed").focus()
    page.evaluate(
        """() => {
          document.getElementById("strip").dataset.old = "";
          window.lost = false;
          const look = () => { window.lost ||= document.activeElement === document.body; };
          const watch = new MutationObserver(() => queueMicrotask(look));
          watch.observe(document.getElementById("list"), { childList: true });
          document.dispatchEvent(new CustomEvent("registry-tested", { detail: { uid: "" } }));
        }"""
    )
    page.wait_for_function("() => document.querySelector('#strip:not([data-old])')")

    assert page.evaluate("() => [document.activeElement.id, window.lost]") == ["tile-failed", False]


def test_a_token_is_made_and_revoked(people: People) -> None:
    page = people("olive").open("/tokens/")
    page.get_by_role("link", name="创建访问令牌").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label(ZH.name).focus()
    page.keyboard.type("CI")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("rct_")

    expect(page.locator("#token-text + .copy")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("rct_")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="我已复制")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("cell", name="CI rct_")).to_be_visible()
    page.get_by_role("link", name="吊销 CI").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="吊销令牌").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="尚无访问令牌")).to_be_visible()
