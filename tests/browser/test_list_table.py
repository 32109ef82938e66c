"""The table of the list in the browser: sorting, paging, and what an empty one says."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from tests.peers.console_page import names, row, search
from tests.peers.visitors import People
from tests.peers.words import ZH


class TestTheTable:
    def test_sorts_by_name_both_ways(self, page: Page) -> None:
        page.goto("/registries/?size=50")
        head = page.get_by_role("columnheader").filter(has_text=ZH.name)
        link = page.get_by_role("link", name=ZH.name, exact=True)

        link.click()
        expect(head).to_have_attribute("aria-sort", "ascending")
        up = names(page)
        link.click()
        expect(head).to_have_attribute("aria-sort", "descending")
        down = names(page)

        assert up == sorted(up)
        assert down == sorted(down, reverse=True)

    @pytest.mark.parametrize(("column", "cells"), [(ZH.namespace, ".c-namespace"), (ZH.domain, ".c-domain")])
    def test_sorts_by_what_stands_in_the_column(self, page: Page, column: str, cells: str) -> None:
        page.goto("/registries/?size=50&sort=name")
        link = page.get_by_role("columnheader").get_by_role("link", name=column, exact=True)

        link.click()
        expect(link).to_have_attribute("data-order", "ascending")
        up = page.locator(f"tbody {cells}").evaluate_all("all => all.map(it => it.title)")
        link.click()
        expect(link).to_have_attribute("data-order", "descending")
        down = page.locator(f"tbody {cells}").evaluate_all("all => all.map(it => it.title)")

        assert up == sorted(up)
        assert down == sorted(down, reverse=True)

    def test_sorts_by_status(self, page: Page) -> None:
        page.goto("/registries/?size=50")

        page.get_by_role("columnheader").get_by_role("link", name=ZH.status, exact=True).click()

        page.wait_for_url("**sort=status**")
        kinds = page.locator("tbody .pill").evaluate_all("all => all.map(it => it.textContent.trim())")
        runs = [kind for kind, _ in itertools.groupby(kinds)]
        assert sorted(runs) == sorted({ZH.success, ZH.failed, ZH.untested})

    def test_sorts_by_the_time_of_the_last_test(self, page: Page) -> None:
        page.goto("/registries/?size=50")
        link = page.get_by_role("columnheader").get_by_role("link", name="上次测试", exact=True)

        link.click()
        expect(link).to_have_attribute("data-order", "ascending")
        oldest_first = names(page)
        link.click()
        expect(link).to_have_attribute("data-order", "descending")

        assert oldest_first.index("harbor-old") < oldest_first.index("harbor-staging")
        assert names(page).index("harbor-staging") < names(page).index("harbor-old")

    def test_remembers_how_many_rows_a_page_has(self, page: Page) -> None:
        page.get_by_role("group", name="每页行数").get_by_role("link", name="10", exact=True).click()
        expect(page.locator("tbody tr")).to_have_count(10)
        expect(page.get_by_text("第 1–10 项，共")).to_be_visible()

        page.goto("/journal/")
        page.goto("/registries/")

        expect(page.locator("tbody tr")).to_have_count(10)

    def test_remembers_how_dense_it_is(self, page: Page) -> None:
        button = page.get_by_role("button", name="紧凑行高")
        height = row(page, "harbor-dev").bounding_box()
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")

        page.reload()

        expect(button).to_have_attribute("aria-pressed", "true")
        compact = row(page, "harbor-dev").bounding_box()
        assert height
        assert compact
        assert compact["height"] < height["height"]

    def test_says_what_to_do_when_nothing_matches(self, page: Page) -> None:
        search(page).fill("no-such-thing")
        main = page.get_by_role("main")
        expect(main.get_by_role("heading", name="没有匹配项")).to_be_visible()

        main.get_by_role("link", name="清除筛选").last.click()

        expect(row(page, "harbor-dev")).to_be_visible()
        expect(search(page)).to_have_value("")

    def test_says_what_to_do_without_a_namespace(self, people: People) -> None:
        page = people("sam").open()

        expect(page.get_by_role("heading", name="尚无角色")).to_be_visible()
        expect(page.get_by_text("向管理员申请")).to_be_visible()
        expect(page.get_by_role("link", name=ZH.add)).to_have_count(0)
