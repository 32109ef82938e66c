"""What has to be seen, or heard, is: focus, rules that are met or not, field names on a phone, counts of nothing."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.peers.console_page import fill, input_, open_add, row, tile
from tests.peers.visitors import People
from tests.peers.words import BOTH, ZH, Words

RULES = ("小写字母、数字和连字符", "以字母或数字开头和结尾")


@pytest.fixture
def page(people: People) -> Page:
    return people("olive").open("/registries/?size=50")


def colour(page: Page, token: str) -> str:
    """What a colour of tokens.css is called in a computed style."""
    painted = """token => {
      const it = document.body.appendChild(document.createElement("i"));
      it.style.color = `var(${token})`;
      const found = getComputedStyle(it).color;
      it.remove();
      return found;
    }"""
    return str(page.evaluate(painted, token))


def focus_by_keyboard(page: Page, it: Locator) -> None:
    it.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(it).to_be_focused()


@pytest.mark.parametrize("selector", ["#test-all", "tbody input[type=checkbox]"])
def test_focus_is_an_outline_in_the_accent(page: Page, selector: str) -> None:
    it = page.locator(selector).first

    focus_by_keyboard(page, it)

    accent = colour(page, "--accent")
    expect(it).to_have_css("outline", f"{accent} solid 2px")
    expect(it).to_have_css("outline-offset", "1px")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_field_with_the_focus_keeps_its_ground(people: People, theme: str) -> None:
    page = people("olive").open("/tokens/-/add/", theme=theme)
    field = page.locator("#id_name")

    field.focus()

    expect(field).to_have_css("background-color", colour(page, "--surface"))
    expect(field).to_have_css("border-top-color", colour(page, "--accent"))


def test_the_namespaces_of_a_token_are_boxes_to_check(people: People) -> None:
    page = people("olive").open("/tokens/-/add/")
    box = page.get_by_role("group", name="命名空间").get_by_role("checkbox").first
    expect(box).to_be_hidden()

    page.get_by_label("指定命名空间").check()
    box.check()

    expect(box).to_have_css("width", "14px")
    expect(box).to_have_css("height", "14px")
    expect(box).to_have_css("background-color", colour(page, "--accent"))


def test_some_of_a_page_is_chosen_in_the_accent(page: Page) -> None:
    page.locator("tbody").get_by_role("checkbox").first.check()

    expect(page.get_by_role("checkbox", name="选择本页")).to_have_css(
        "background-color", colour(page, "--accent")
    )


def test_the_box_of_a_page_stands_apart_from_the_menu_beside_it(page: Page) -> None:
    """Twelve pixels from its middle, as WCAG 2.5.8 asks of what is smaller than 24."""
    box, menu = page.locator("#pick-page").bounding_box(), page.locator("#pick-more").bounding_box()
    assert box
    assert menu

    assert menu["x"] - (box["x"] + box["width"] / 2) >= 12


def test_no_failure_is_no_alarm(page: Page) -> None:
    failed = tile(page, ZH.failed).locator(".tile-count")
    assert failed.inner_text() != "0"
    expect(failed).to_have_css("color", colour(page, "--bad"))

    page.goto("/registries/?q=harbor-prod&namespace=default")

    expect(failed).to_have_text("0")
    expect(failed).to_have_css("color", colour(page, "--text"))


def test_a_rule_for_names_that_is_not_met_says_so(page: Page) -> None:
    form = open_add(page)
    rules = form.get_by_role("list", name="命名规则").get_by_role("listitem")

    fill(form, name="-A")
    for rule in RULES:
        it = rules.filter(has_text=rule)
        expect(it.locator("use:visible")).to_have_attribute("href", re.compile("#circle-x$"))
        expect(it.get_by_text("未满足", exact=True).filter(visible=True)).to_be_visible()

    fill(form, name="harbor-a")
    for rule in RULES:
        it = rules.filter(has_text=rule)
        expect(it.locator("use:visible")).to_have_attribute("href", re.compile("#check$"))
        expect(it.get_by_text("已满足", exact=True)).to_be_visible()


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_the_summary_of_errors_is_written_as_its_language_is(people: People, words: Words) -> None:
    form = open_add(people("olive").open(language=words.code), words)
    form.get_by_role("button", name=words.ok, exact=True).click()

    summary = form.locator("#error-summary")
    sign = {"zh": "：此项", "en": ": This"}[words.code]
    expect(summary.get_by_role("listitem").filter(has_text=words.username)).to_contain_text(
        f"{words.username}{sign}"
    )
    expect(input_(form, words.username)).to_be_visible()


def test_an_account_on_a_phone_names_its_fields(people: People) -> None:
    page = people("olive").open("/accounts/", width=360)
    cells = row(page, "omar").get_by_role("cell")

    shown = cells.evaluate_all("all => all.map(it => getComputedStyle(it, '::before').content)")

    assert shown == ["none", '"角色"', '"上次登录"', "none"]


TO_THE_LOWER_EDGE = """it => {
  const content = it.closest(".dialog-content");
  content.scrollTop += it.getBoundingClientRect().bottom - content.getBoundingClientRect().bottom;
}"""


def test_on_a_phone_the_rules_for_names_stand_above_the_foot(people: People) -> None:
    page = people("olive").open(width=390, height=844)
    form = open_add(page)
    input_(form, ZH.name).focus()
    input_(form, ZH.name).evaluate(TO_THE_LOWER_EDGE)

    page.keyboard.type("H")

    expect(form.locator("#name-rules li").last).to_be_in_viewport(ratio=1)
    assert form.locator("#name-rules").evaluate(
        "it => it.getBoundingClientRect().bottom <= document.querySelector('.dialog-foot').getBoundingClientRect().top"
    )


FREE_BESIDE_A_CUT_LINE = """(lists) => lists.flatMap((list) => {
  const lines = [...list.querySelectorAll(".line")];
  const cut = lines.flatMap((line) => [...line.querySelectorAll(":scope > *, .line-about > *, .head")])
    .filter((it) => it.scrollWidth > it.clientWidth + 1);
  const free = [0, 1, 2].map((column) => Math.min(...lines.map((line) => {
    const cell = line.querySelectorAll(":scope > a, .line-about > *, .line-at")[column];
    const text = document.createRange();
    text.selectNodeContents(cell);
    return cell.getBoundingClientRect().right - text.getBoundingClientRect().right;
  })));
  return Math.max(...free) > 12 ? cut.map((it) => `${it.textContent}: ${free.map(Math.round)} px free`) : [];
})"""


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_the_overview_cuts_nothing_beside_free_room(people: People, words: Words) -> None:
    page = people("olive").open("/overview/", language=words.code)
    for width in (768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})

        lists = page.locator(".lines:has(> .line)")
        expect(lists).not_to_have_count(0)
        assert lists.evaluate_all(FREE_BESIDE_A_CUT_LINE) == [], width
    for host in page.locator("#failing .line > a.mono:has(.head)").all():
        text = host.inner_text()
        assert text[-7:] == str(host.get_attribute("title"))[-7:], "the port is what differs"
