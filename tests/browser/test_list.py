"""镜像源管理 in the browser: filters and the address bar, sorting, paging, and what an empty list says."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.peers.console_page import count_of, names, row, search, tile
from tests.peers.visitors import PATIENCE, People
from tests.peers.words import ZH


def asked(page: Page) -> dict[str, str]:
    """What the address bar asks for."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def hold(page: Page, which: str | re.Pattern[str]) -> list[Route]:
    """Requests that are answered later."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(which, keep)
    return held


def arrived(page: Page, held: list[Route]) -> None:
    """Returns when a request is held."""
    until = time.monotonic() + PATIENCE / 1000
    while not held:
        assert time.monotonic() < until
        page.wait_for_timeout(10)


class TestGroups:
    def test_are_chosen_selected_and_tested_as_a_whole(self, page: Page) -> None:
        tile(page, ZH.failed).click()
        page.wait_for_url("**status=failed**")
        page.locator("#group-by").select_option("host")
        page.wait_for_url("**group=host**")
        page.locator(".pick-group").first.wait_for()
        heads = page.locator("tr.group")
        counted = page.locator("tbody tr").evaluate_all(
            "rows => rows.reduce((sizes, it) => it.matches('.group') ? [...sizes, 0]"
            " : [...sizes.slice(0, -1), sizes.at(-1) + 1], [])"
        )
        assert len(counted) == heads.count() > 1

        heads.first.locator(".pick-group").click()
        assert page.locator("tr.selected").count() == counted[0]
        assert page.locator("tbody .c-pick input:checked").count() == counted[0]
        page.locator("tr.selected .c-pick input").first.click()
        box = heads.first.locator(".pick-group")
        expect(box).not_to_be_checked()
        assert box.evaluate("it => it.indeterminate") is (counted[0] > 1)

        page.keyboard.press("j")
        expect(page.locator("tr[data-url]:focus-within")).to_have_count(1)
        heads.first.locator("a.group-name").click()
        page.wait_for_url("**in=host**")
        expect(heads).to_have_count(1)
        assert page.locator("tbody tr[data-url]").count() == counted[0] > 1
        page.locator(".group-test").click()
        expect(page.get_by_role("dialog").filter(visible=True)).to_be_visible()


class TestFilters:
    def test_stand_in_the_address_bar_and_outlive_a_reload(self, page: Page) -> None:
        page.get_by_role("combobox", name=ZH.provider).select_option(label="Harbor")
        page.wait_for_url("**provider=harbor**")
        page.get_by_role("combobox", name=ZH.status).select_option(label=ZH.failed)
        page.wait_for_url("**status=failed**")
        expect(row(page, "harbor-prod")).to_have_count(0)  # the address changes a moment before the page
        search(page).fill("team")
        page.wait_for_url("**q=team**")
        assert asked(page) == {"provider": "harbor", "status": "failed", "q": "team"}

        page.reload()

        assert asked(page) == {"provider": "harbor", "status": "failed", "q": "team"}
        expect(page.get_by_role("combobox", name=ZH.provider)).to_have_value("harbor")
        expect(page.get_by_role("combobox", name=ZH.status)).to_have_value("failed")
        expect(search(page)).to_have_value("team")
        assert names(page) == ["harbor-team-a", "harbor-team-b"]

    def test_come_back_with_the_browsers_back_and_forward(self, page: Page) -> None:
        tile(page, ZH.success).click()
        expect(row(page, "registry-down")).to_have_count(0)
        page.wait_for_url("**status=success")
        page.get_by_role("combobox", name=ZH.provider).select_option(label="Docker Hub")
        page.wait_for_url("**provider=dockerhub**")

        page.go_back()
        expect(page.get_by_role("combobox", name=ZH.provider)).to_have_value("")
        expect(row(page, "harbor-dev")).to_be_visible()
        page.wait_for_load_state()
        assert asked(page) == {"status": "success"}

        page.go_back()
        expect(tile(page, ZH.success)).not_to_have_attribute("aria-current", "true")
        page.wait_for_load_state()
        assert asked(page) == {}

        page.go_forward()
        assert asked(page) == {"status": "success"}
        expect(tile(page, ZH.success)).to_have_attribute("aria-current", "true")

    def test_search_as_one_types_and_leave_the_caret_alone(self, page: Page) -> None:
        page.goto("/registries/?size=50")
        box = search(page)
        box.press_sequentially("harbor-", delay=40)
        expect(row(page, "registry-down")).to_have_count(0)
        expect(box).to_be_focused()
        box.press_sequentially("dev", delay=40)

        expect(row(page, "harbor-test")).to_have_count(0)
        assert names(page) == ["harbor-dev"]
        expect(box).to_be_focused()
        expect(box).to_have_value("harbor-dev")

    def test_add_one_step_back_for_a_search_not_one_per_letter(self, page: Page) -> None:
        tile(page, ZH.failed).click()
        page.wait_for_url("**status=failed")
        for letters in ("h", "ha", "har"):
            search(page).press("End")
            search(page).press_sequentially(letters[-1])
            page.wait_for_url(f"**q={letters}&**")

        page.go_back()

        expect(search(page)).to_have_value("")
        assert asked(page) == {"status": "failed"}

    def test_are_chips_that_can_be_removed(self, people: People) -> None:
        page = people("olive").open("/registries/?status=failed&provider=harbor&q=team")
        chips = page.get_by_role("list", name="当前筛选").get_by_role("link")
        expect(chips).to_have_count(4)

        chips.filter(has_text="Harbor").click()
        page.wait_for_url(lambda url: "provider" not in url)
        expect(chips.filter(has_text="Harbor")).to_have_count(0)
        expect(row(page, "ecr-team-a")).to_be_visible()

        chips.filter(has_text="team").click()
        page.wait_for_url(lambda url: "q=" not in url)
        expect(search(page)).to_have_value("")

        chips.filter(has_text="清除筛选").click()
        page.wait_for_url("**/registries/")
        expect(chips).to_have_count(0)

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (ZH.success, ZH.success),
            (ZH.failed, ZH.failed),
            (ZH.untested, ZH.untested),
            ("密码未校验", "密码未校验"),
            ("结果过旧", "结果过旧"),
        ],
    )
    def test_are_counts_that_one_clicks(self, page: Page, text: str, shown: str) -> None:
        page.goto("/registries/?size=50")
        total, number = count_of(page, "全部"), count_of(page, text)
        expect(page.locator("tbody tr")).to_have_count(total)

        tile(page, text).click()

        expect(tile(page, text)).to_have_attribute("aria-current", "true")
        expect(page.locator("tbody tr")).to_have_count(number)
        expect(page.locator("tbody tr").filter(has_text=shown)).to_have_count(number)
        assert count_of(page, "全部") == total
        if text in (ZH.success, ZH.failed, ZH.untested):
            assert sum(count_of(page, it) for it in (ZH.success, ZH.failed, ZH.untested)) == total


class TestARefresh:
    """Of the list as it was, while a person asks for another one."""

    @pytest.fixture
    def held(self, page: Page) -> list[Route]:
        return hold(page, re.compile("/registries/$"))

    @staticmethod
    def refresh(page: Page) -> None:
        page.evaluate("document.dispatchEvent(new Event('registries-changed'))")

    def test_that_is_overtaken_by_a_filter_is_dropped(self, page: Page, held: list[Route]) -> None:
        number = count_of(page, ZH.failed)
        self.refresh(page)
        arrived(page, held)
        tile(page, ZH.failed).click()
        expect(page.get_by_text(f"{number} 个镜像源")).to_be_visible()
        with page.expect_response(lambda answer: answer.url.endswith("/registries/")) as late:
            held.pop().continue_()
        late.value.finished()

        page.wait_for_timeout(100)
        expect(page.get_by_text(f"{number} 个镜像源")).to_be_visible()
        expect(page).to_have_url(re.compile(r"status=failed"))

    def test_never_drops_the_filter_that_was_sent_before(self, page: Page) -> None:
        number = count_of(page, ZH.failed)
        filters = hold(page, re.compile("/registries/.status=failed$"))
        tile(page, ZH.failed).click()
        arrived(page, filters)
        with page.expect_response(lambda answer: answer.url.endswith("/registries/")) as answer:
            self.refresh(page)
        answer.value.finished()
        filters.pop().continue_()

        expect(page.get_by_text(f"{number} 个镜像源")).to_be_visible()
        expect(page).to_have_url(re.compile(r"status=failed"))

    def test_waits_while_a_search_is_typed(self, page: Page, held: list[Route]) -> None:
        searches = hold(page, re.compile("q=team-a"))
        page.locator("#q").fill("team-a")
        page.locator("#list").evaluate(
            "list => list.insertAdjacentHTML('beforeend', '<p id=unused-note data-more></p>')"
        )
        arrived(page, searches)
        page.wait_for_timeout(1_500)  # the list comes again every second
        assert held == []
        searches.pop().continue_()

        expect(page.locator("tbody tr td.c-namespace").first).to_have_text("team-a")
        expect(page.locator("#q")).to_have_value("team-a")
