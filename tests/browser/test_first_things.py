"""The list answers before it is read: where it begins, what is in sight, what a person without rights is spared."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.peers.console_page import add_registry, choose, dialog, fill, names, row, status
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import BOTH, ZH, Words

MOTION = True

IN_SIGHT = """() => [...document.querySelectorAll("#list tbody tr")].map((row) => row.getBoundingClientRect())
  .map((box) => ({ top: box.top, height: box.height, whole: box.bottom <= innerHeight }))"""
FIXED = """() => Math.max(0, ...[...document.querySelectorAll("body *")]
  .filter((it) => /fixed|sticky/.test(getComputedStyle(it).position))
  .filter((it) => it.checkVisibility({ visibilityProperty: true }))
  .map((it) => it.getBoundingClientRect()).filter((box) => box.top < 200 && box.width > innerWidth / 2)
  .map((box) => box.bottom))"""
BAR = "#selection-count"


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_twelve_rows_are_in_sight(people: People, words: Words) -> None:
    page = people("olive").open(language=words.code, width=1280, height=800)

    rows = page.evaluate(IN_SIGHT)

    assert rows[0]["top"] < 260
    assert sum(it["whole"] for it in rows) >= 12


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_a_phone_shows_cards_with_the_status_first(people: People, words: Words) -> None:
    page = people("olive").open(language=words.code, width=390, height=844)

    rows = page.evaluate(IN_SIGHT)

    assert rows[0]["top"] < 330
    assert max(it["height"] for it in rows) <= 96
    tops = page.locator("tbody tr").first.locator("td.c-status, td.c-name, td.c-domain")
    found = tops.evaluate_all(
        "all => all.map(it => [it.className.split(' ')[0], it.getBoundingClientRect().top])"
    )
    assert [name for name, _ in sorted(found, key=lambda it: it[1])] == ["c-status", "c-name", "c-domain"]


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_at_twice_the_size_a_fifth_stays_at_most(people: People, words: Words) -> None:
    page = people("olive").open(language=words.code, width=640, height=400)

    assert page.evaluate(IN_SIGHT)[0]["top"] < 330
    page.evaluate("() => scrollTo(0, 600)")

    assert page.evaluate(FIXED) <= 80


@pytest.mark.parametrize("width", [390, 640])
def test_where_there_is_little_room_groups_are_chosen_and_results_counted(people: People, width: int) -> None:
    page = people("olive").open("/registries/?namespace=team-a", width=width, height=844)
    page.locator("#group-by").select_option("host")

    page.locator("tr.group").first.wait_for()
    assert page.evaluate(IN_SIGHT)[0]["top"] < 330
    expect(page.locator(".result-count")).to_be_hidden()
    page.goto("/registries/?status=failed")
    total = page.locator("#tile-failed .tile-count").inner_text()
    expect(page.locator(".result-count")).to_have_text(f"{total} 个镜像源")
    expect(page.locator(".result-count")).to_be_visible(visible=width > 575)  # its marked tile has the number
    page.goto("/registries/?status=failed&q=a")
    expect(page.locator(".result-count")).to_be_visible()


def test_on_a_phone_a_failure_says_since_when_and_one_namespace_is_not_said_again(people: People) -> None:
    page = people("olive").open("/registries/?namespace=team-a&status=failed", width=390, height=844)

    expect(page.locator("td.c-status .ago").first).to_be_in_viewport(ratio=1)
    expect(page.locator("td.c-namespace").first).to_be_hidden()
    page.goto("/registries/?status=failed")
    expect(page.locator("td.c-namespace").first).to_be_visible()


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_at_twice_the_size_an_empty_list_says_what_to_do(people: People, words: Words) -> None:
    page = people("olive").open("/registries/?q=no-such", language=words.code, width=640, height=400)

    expect(page.locator(".empty .btn").first).to_be_in_viewport(ratio=1)


def test_a_menu_is_out_of_sight_until_it_has_its_place(people: People) -> None:
    page = people("olive").open()

    rights = page.locator("#language-menu").evaluate("""async (menu) => {
      document.querySelector("[popovertarget=language-menu]").click();
      const before = menu.getBoundingClientRect().right;
      await new Promise((then) => setTimeout(() => requestAnimationFrame(then)));
      return [before, menu.getBoundingClientRect().right];
    }""")

    assert rights[0] <= 0 < rights[1]


def test_a_test_is_one_click_and_its_outcome_a_toast(people: People) -> None:
    page = people("olive").open("/registries/?namespace=team-a")
    row(page, "quay-team-a").hover()

    row(page, "quay-team-a").get_by_role("button", name=ZH.test).click()

    expect(status(page, "quay-team-a")).to_have_text(ZH.success)
    expect(page.locator(".toast-text").filter(has_text="quay-team-a")).to_contain_text(ZH.success)


def test_a_changed_row_is_in_sight_and_highlighted(people: People, console: RunningConsole) -> None:
    add_registry(people("olive"), console, "zz-last", namespace="team-a")
    page = people("olive").open("/registries/?namespace=team-a&size=100", height=500)
    choose(page, "zz-last", ZH.edit)
    fill(dialog(page), display_name="改过")
    page.evaluate("() => scrollTo(0, 0)")
    dialog(page).get_by_role("button", name=ZH.save).click()

    expect(row(page, "zz-last")).to_have_class(re.compile("fresh"))
    expect(row(page, "zz-last")).to_be_in_viewport(ratio=1)


def test_the_button_says_how_many_it_tests(people: People) -> None:
    page = people("olive").open("/registries/?status=failed")
    total = page.locator("#tile-failed .tile-count").inner_text()

    expect(page.locator("#test-all")).to_have_text(f"测试这 {total} 个")
    page.goto("/registries/")
    expect(page.locator("#test-all")).to_have_text("测试全部")


def test_the_times_of_other_rows_do_not_redraw_the_table(people: People) -> None:
    page = people("olive").open("/registries/?namespace=team-a")
    page.locator("tbody .ago").first.evaluate(
        "it => { it.textContent = '刚才'; it.closest('tr').untouched = true }"
    )
    page.evaluate("() => { document.getElementById('strip').dataset.old = '' }")

    page.evaluate("document.dispatchEvent(new CustomEvent('registry-tested', { detail: { uid: '' } }))")

    page.wait_for_function("() => document.querySelector('#strip:not([data-old])')")
    assert page.locator("tbody tr").evaluate_all("all => all.some(it => it.untouched)")


class TestTheSelection:
    def test_counts_what_the_view_does_not_show_and_drops_it(self, people: People) -> None:
        page = people("olive").open("/registries/?namespace=team-a")
        total = len(names(page))
        page.locator("#pick-page").check()
        expect(page.locator(BAR)).to_have_text(f"已选 {total} 项")

        page.locator("#q").fill("quay")
        expect(page.locator(BAR)).to_have_text(f"已选 {total} 项，其中 {total - 1} 项不在当前视图")
        page.get_by_role("button", name="取消选中这些项").click()

        expect(page.locator(BAR)).to_have_text("已选 1 项")

    def test_ends_at_log_out(self, people: People) -> None:
        visitor = people.stranger("olive")
        visitor.log_in()
        page = visitor.open("/registries/?namespace=team-a")
        page.locator("#pick-page").check()
        page.locator("[popovertarget=account-menu]").click()
        page.locator("#account-menu [type=submit]").click()
        page.wait_for_url("**/login/**")
        visitor.log_in()

        page.goto("/registries/?namespace=team-a")

        expect(page.locator("#selection-bar")).to_be_hidden()

    def test_ends_with_another_person(self, people: People) -> None:
        visitor = people.stranger("olive")
        visitor.log_in()
        page = visitor.open("/registries/?namespace=team-a")
        page.locator("#pick-page").check()
        visitor.context.clear_cookies(name="sessionid")
        visitor.name = "nina"
        visitor.log_in()

        page.goto("/registries/?namespace=team-a")

        expect(page.locator("#selection-bar")).to_be_hidden()


def test_a_server_that_is_away_is_said_until_it_answers(people: People) -> None:
    page = people("olive").open("/registries/?namespace=team-a")
    add, test = page.locator("#add-button"), page.locator("#test-all")
    people.watch.expected.add(502)
    page.route("**/registries/-/pulse/*", lambda route: route.fulfill(status=502))

    expect(page.locator("#offline")).to_have_text(re.compile(r"已断开，显示 \d\d:\d\d 的数据"))
    expect(test).to_be_disabled()
    expect(add).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".row-test").first).to_be_disabled()
    page.unroute("**/registries/-/pulse/*")

    expect(page.locator("#offline")).to_be_hidden()
    expect(test).to_be_enabled()
    expect(add).not_to_have_attribute("aria-disabled", "true")


def test_a_search_without_an_answer_is_said_to_wait_and_sent_again(people: People) -> None:
    page = people("olive").open("/registries/?namespace=team-a")
    every = names(page)
    people.watch.expected.add(502)
    page.route("**/registries/?*", lambda route: route.fulfill(status=502))
    page.locator("#q").fill("quay")

    expect(page.locator("#offline-search")).to_be_visible()
    expect(page.locator("#offline-search")).to_have_text("搜索或筛选尚未生效，恢复连接后会自动重新发送。")
    assert names(page) == every
    page.unroute("**/registries/?*")

    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("tbody .c-name")).to_have_count(1)
    expect(row(page, "quay-team-a")).to_be_visible()


def test_an_open_details_page_says_that_the_server_is_away(people: People) -> None:
    page = people("olive").open("/registries/team-a/harbor-team-a/")
    test, edit = page.locator("#details form button"), page.locator("#edit-link")
    change = page.locator("#interval-link")
    people.watch.expected.add(502)
    page.route("**/harbor-team-a/?*version=*", lambda route: route.fulfill(status=502))

    expect(page.locator("#offline")).to_have_text(re.compile(r"已断开，显示 \d\d:\d\d 的数据"))
    expect(test).to_be_disabled()
    expect(edit).to_have_attribute("aria-disabled", "true")
    expect(change).to_have_attribute("aria-disabled", "true")
    expect(change).to_have_css("opacity", "0.55")
    page.unroute("**/harbor-team-a/?*version=*")

    expect(page.locator("#offline")).to_be_hidden()
    expect(test).to_be_enabled()


class TestPeopleWithoutRights:
    def test_see_no_boxes(self, people: People) -> None:
        page = people("vic").open()

        expect(row(page, "harbor-team-a")).to_be_visible()
        expect(page.get_by_role("checkbox")).to_have_count(0)

    def test_read_which_role_is_missing(self, people: People) -> None:
        page = people("vic").open()
        row(page, "harbor-team-a").get_by_role("button", name=ZH.actions).click()

        expect(page.locator("#row-menu-note")).to_contain_text("image-operator")
        expect(page.locator("#row-menu-note")).to_contain_text("管理员")

    def test_have_no_dead_tools(self, people: People) -> None:
        page = people("sam").open()

        expect(page.locator("#strip, #toolbar, .pages")).to_have_count(0)


class TestKeys:
    def press(self, page: Page, *keys: str) -> None:
        for key in keys:
            page.keyboard.press(key)

    def test_move_select_edit_and_search(self, people: People) -> None:
        page = people("olive").open("/registries/?namespace=team-a")
        first, second = names(page)[:2]

        self.press(page, "j", "j")
        expect(row(page, second).locator(".c-name a")).to_be_focused()
        self.press(page, "k", "x")
        expect(row(page, first).get_by_role("checkbox")).to_be_checked()
        self.press(page, "e")
        expect(dialog(page)).to_be_visible()
        self.press(page, "Escape")
        expect(row(page, first).locator(".c-name a")).to_be_focused()
        self.press(page, "/")
        expect(page.locator("#q")).to_be_focused()
        self.press(page, "j", "c")
        expect(page.locator("#q")).to_have_value("jc")
        expect(dialog(page)).to_have_count(0)

    def test_mean_the_registry_on_its_page(self, people: People) -> None:
        page = people("olive").open("/registries/team-a/dockerhub-team-a/?status=failed")
        here = page.url
        self.press(page, "e")
        expect(dialog(page)).to_be_visible()
        self.press(page, "Escape")
        expect(dialog(page)).to_have_count(0)
        self.press(page, "j")
        expect(page).not_to_have_url(here)
        expect(page.locator("#failing-before")).to_be_visible()
        page.wait_for_load_state()
        self.press(page, "k")
        expect(page).to_have_url(here)
        page.wait_for_load_state()
        with page.expect_request("**/verify/?show=panel"):
            self.press(page, "t")

    def test_are_on_a_sheet(self, people: People) -> None:
        page = people("olive").open()
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()

    def test_enter_opens_what_was_typed_and_not_what_was_shown_before(self, people: People) -> None:
        page = people("vic").open()
        waiting: list[Route] = []

        def hold(route: Route) -> None:
            waiting.append(route)

        page.route("**/-/palette/?find=", hold)
        page.keyboard.press("Control+k")
        page.keyboard.insert_text("harbor")
        page.keyboard.press("Enter")

        page.wait_for_url("**/registries/team-a/**")
        assert len(waiting) == 1, "the answer for the empty text has not come yet"

    def test_find_pages_namespaces_and_registries(self, people: People) -> None:
        page = people("vic").open()
        page.keyboard.press("Control+k")
        expect(page.locator("#palette-find")).to_be_focused()
        page.keyboard.insert_text("harbor")
        expect(page.locator("#palette-found a").filter(has_text="team-a").first).to_be_visible()
        expect(page.locator("#palette-found a").filter(has_text="team-b")).to_have_count(0)

        page.keyboard.press("Enter")

        page.wait_for_url("**/registries/team-a/**")
