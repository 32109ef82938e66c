"""The rows of the list in the browser: selecting them, testing them, their menus and cards."""

import re
import statistics
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.peers.console_page import (
    add_registry,
    choose,
    count_of,
    names,
    open_menu,
    row,
    status,
    tile,
)
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People, Person
from tests.peers.words import ZH


def selected(page: Page) -> Locator:
    return page.get_by_role("region", name="已选项").get_by_role("status")


class TestTheSelection:
    def test_spans_pages(self, page: Page) -> None:
        page.goto("/registries/?size=10")
        first = names(page)[0]
        page.locator("tbody").get_by_role("checkbox").nth(0).check()
        page.locator("tbody").get_by_role("checkbox").nth(1).check()
        page.get_by_role("link", name="下一页").click()
        expect(page.get_by_text("第 11–20 项，共")).to_be_visible()
        page.locator("tbody").get_by_role("checkbox").nth(0).check()
        expect(selected(page)).to_have_text("已选 3 项")

        page.get_by_role("link", name="上一页").click()
        expect(page.get_by_text("第 1–10 项，共")).to_be_visible()

        expect(row(page, first).get_by_role("checkbox").first).to_be_checked()
        expect(selected(page)).to_have_text("已选 3 项")

    def test_takes_the_page_then_everything_that_matches(self, page: Page) -> None:
        page.goto("/registries/?size=10&status=failed")
        total = count_of(page, ZH.failed)
        page.get_by_role("checkbox", name="选择本页").check()
        expect(selected(page)).to_have_text("已选 10 项")

        page.get_by_role("button", name=f"选择全部 {total} 个匹配项").click()
        expect(selected(page)).to_have_text(f"已选 {total} 项")

        page.get_by_role("region", name="已选项").get_by_role("button", name="清除").click()
        expect(page.get_by_role("region", name="已选项")).to_be_hidden()
        expect(page.locator("tbody").get_by_role("checkbox", checked=True)).to_have_count(0)

    @pytest.mark.parametrize(("item", "text"), [("选择全部匹配项", "全部"), ("选择连接失败的", ZH.failed)])
    def test_takes_everything_or_one_status_from_its_menu(self, page: Page, item: str, text: str) -> None:
        page.get_by_role("button", name="更多选择方式").click()

        page.get_by_role("menuitem", name=item, exact=True).click()

        expect(selected(page)).to_have_text(f"已选 {count_of(page, text)} 项")

    def test_takes_a_range_with_shift(self, page: Page) -> None:
        boxes = page.locator("tbody").get_by_role("checkbox")
        boxes.nth(1).check()
        boxes.nth(4).click(modifiers=["Shift"])

        expect(selected(page)).to_have_text("已选 4 项")


class TestARow:
    def test_shows_its_card_on_keyboard_focus_until_esc(self, page: Page) -> None:
        page.goto("/registries/?namespace=team-a")
        pill = status(page, "dockerhub-team-a")
        pill.focus()
        card = page.get_by_role("tooltip")
        expect(card).to_contain_text("需使用访问令牌代替密码")
        expect(pill).to_have_accessible_description(re.compile("需使用访问令牌代替密码"))

        page.keyboard.press("Escape")

        expect(card).to_be_hidden()
        expect(pill).to_be_focused()

    def test_stands_beside_a_card_that_fits_neither_below_nor_above(self, page: Page) -> None:
        page.set_viewport_size({"width": 1280, "height": 560})
        page.goto("/registries/?status=failed&size=50")
        pill = page.locator("#registries .pill-bad").nth(5)
        pill.evaluate("it => it.scrollIntoView({ block: 'center' })")
        pill.hover()
        card = page.get_by_role("tooltip")
        expect(card).to_contain_text("olive")
        expect(card).to_be_visible()

        over, under = card.bounding_box(), pill.bounding_box()
        assert over
        assert under
        assert over["height"] > 280, "more than half of the window"
        assert over["x"] >= under["x"] + under["width"]
        assert over["y"] >= 8
        assert over["y"] + over["height"] <= 560

    def test_keeps_its_card_while_the_pointer_is_on_it(self, page: Page) -> None:
        page.goto("/registries/?namespace=team-a")
        status(page, "dockerhub-team-a").hover()
        card = page.get_by_role("tooltip")
        expect(card).to_be_visible()
        card.hover()
        page.wait_for_function("() => document.querySelector('#card').matches(':hover')")
        page.evaluate("() => new Promise((done) => setTimeout(done, 300))")  # longer than it takes to hide
        expect(card).to_be_visible()

        page.mouse.move(5, 5)
        expect(card).to_be_hidden()

    def test_is_redrawn_alone_when_it_was_tested_and_the_counts_follow(self, page: Page) -> None:
        page.goto("/registries/?namespace=team-a")
        # News come by and by; what they draw anew is not what is looked at here.
        page.route("**/registries/-/pulse/*", lambda route: route.fulfill(status=204))
        untested, fine = count_of(page, ZH.untested), count_of(page, ZH.success)
        row(page, "registry-team-a").evaluate("it => { it.untouched = true }")

        choose(page, "quay-team-a", ZH.test)

        expect(status(page, "quay-team-a")).to_have_text(ZH.success)
        expect(tile(page, ZH.untested)).to_contain_text(str(untested - 1))
        expect(tile(page, ZH.success)).to_contain_text(str(fine + 1))
        assert row(page, "registry-team-a").evaluate("it => it.untouched")

    def test_shows_that_a_test_runs_while_one_goes_on_working(
        self, people: People, page: Page, console: RunningConsole, held: HeldRegistry
    ) -> None:
        add_registry(people("olive"), console, "registry-held", namespace="team-b", **held.credential)
        page.goto("/registries/?namespace=team-b")
        expect(status(page, "registry-held")).to_have_text(ZH.failed)
        held.hold()
        choose(page, "registry-held", ZH.test)
        expect(row(page, "registry-held")).to_contain_text("测试中…")

        tile(page, ZH.failed).click()
        page.wait_for_url("**status=failed**")
        expect(row(page, "registry-held")).to_contain_text("测试中…")

        held.let_go()
        expect(status(page, "registry-held")).to_have_text(ZH.failed)

    @pytest.mark.parametrize(
        ("person", "offered"),
        [
            ("vic", [ZH.details]),
            ("omar", [ZH.test, ZH.details, ZH.edit]),
            ("nina", [ZH.test, ZH.details, ZH.edit, ZH.change_password, ZH.correct, "复制到…", ZH.delete]),
        ],
    )
    def test_offers_what_the_role_allows(self, people: People, person: str, offered: list[str]) -> None:
        page = people(person).open()

        items = open_menu(page, "harbor-team-a").get_by_role("menuitem")

        expect(items).to_have_text([re.compile(rf"^\s*{it}\s*$") for it in offered])
        expect(page.get_by_role("link", name=ZH.add)).to_have_count(1 if person == "nina" else 0)


def test_the_bar_of_a_selection_leaves_the_pages_in_sight(people: People) -> None:
    page = people("olive").open("/registries/?size=10", width=390, height=844)
    page.locator("#pick-page").check()
    expect(page.locator("#selection-all")).to_be_visible()

    page.evaluate("() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))")
    page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")

    pages, bar = page.locator(".pages").bounding_box(), page.locator("#selection-bar").bounding_box()
    assert pages
    assert bar
    assert pages["y"] + pages["height"] <= bar["y"]


def test_the_list_answers_as_fast_while_ten_tests_hang(
    people: People, console: RunningConsole, held: HeldRegistry
) -> None:
    olive = people("olive")
    before = answering_time(olive)
    held.hold()
    for number in range(10):
        name = f"registry-hang-{number}"
        add_registry(olive, console, name, namespace="team-b", **held.credential)

    under_way = "SELECT count(*) FROM registries_verificationrecord WHERE finished_at IS NULL"
    assert console.query(under_way) == [(10,)]
    meanwhile = answering_time(olive)
    assert console.query(under_way) == [(10,)]

    # Who waited for one of them would wait for 40 seconds; a busy machine may take a few times as long.
    assert meanwhile < 5 * before + 10


def answering_time(person: Person) -> float:
    """Seconds: the median of a few."""
    times = []
    for _ in range(9):
        begun = time.monotonic()
        assert person.context.request.get("/registries/").ok
        times.append(time.monotonic() - begun)
    return statistics.median(times)
