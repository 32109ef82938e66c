"""测试选中 and 测试全部 in the browser: live progress, leaving and coming back, cancel, failures selected."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.peers.console_page import add_registry, credential, dialog, row, status
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole
from tests.peers.scripted import wait_for
from tests.peers.visitors import People
from tests.peers.words import ZH


@pytest.fixture
def page(people: People, console: RunningConsole) -> Page:
    olive = people("olive")
    for name, behaviour in (("runs-good", "aliyun"), ("runs-bad", "down")):
        listed = olive.open(f"/registries/?q={name}")
        if not row(listed, name).count():
            add_registry(olive, console, name, **credential(console, behaviour))
    return olive.open("/registries/?q=runs-")


def test_all_that_match_are_tested_and_the_failures_become_the_selection(page: Page) -> None:
    page.locator("#test-all").click()

    expect(dialog(page).get_by_role("heading", name="测试完成")).to_be_visible()
    expect(dialog(page).get_by_role("status")).to_contain_text(re.compile(r"已测试 2 / 2"))
    summary = dialog(page).get_by_role("group").filter(has_text="连接被拒绝")
    expect(summary.get_by_text("default/runs-bad")).to_be_visible()
    dialog(page).get_by_role("button", name="选中失败的 1 个").click()

    expect(dialog(page)).to_have_count(0)
    expect(page.get_by_text("已选 1 项")).to_be_visible()
    expect(row(page, "runs-bad").get_by_role("checkbox")).to_be_checked()
    expect(status(page, "runs-bad")).to_have_text(ZH.failed)


def test_leaving_the_page_does_not_stop_it_and_coming_back_shows_it(
    people: People, page: Page, console: RunningConsole, held: HeldRegistry
) -> None:
    add_registry(people("olive"), console, "slow-one", **held.credential)
    row(page, "runs-good").get_by_role("checkbox").check()
    page.goto("/registries/?q=slow-one")
    expect(status(page, "slow-one")).to_have_text(ZH.failed)
    held.hold()
    row(page, "slow-one").get_by_role("checkbox").check()
    page.get_by_role("button", name="测试选中").click()
    expect(dialog(page).get_by_role("heading", name="测试中")).to_be_visible()
    page.goto("/journal/")
    page.goto("/registries/?q=runs-")

    notice = page.locator("#run-notices")
    expect(notice).to_contain_text("正在测试")
    held.let_go()
    expect(notice).to_contain_text("已测试 2 / 2")
    notice.get_by_role("link", name="查看").click()

    expect(dialog(page).get_by_role("heading", name="测试完成")).to_be_visible()
    page.keyboard.press("Escape")
    expect(notice.get_by_role("link", name="查看")).to_be_focused()


@pytest.mark.parametrize("status", [502, 401])
def test_its_progress_goes_on_after_an_answer_that_failed(people: People, page: Page, status: int) -> None:
    people.watch.expected.add(status)
    page.route("**/registries/-/verify/*/", lambda route: route.fulfill(status=status), times=1)

    page.locator("#test-all").click()

    expect(dialog(page).get_by_role("heading", name="测试完成")).to_be_visible()
    expect(page.locator("#offline")).to_be_hidden()


def test_a_run_is_cancelled_and_taken_up_again(
    people: People, console: RunningConsole, held: HeldRegistry
) -> None:
    for number in (1, 2):  # one after the other, since they are at the same address
        values = {**held.credential, "username": f"held-{number}"}
        add_registry(people("olive"), console, f"cancelled-{number}", **values)
    page = people("olive").open("/registries/?q=cancelled-")
    for number in (1, 2):
        expect(status(page, f"cancelled-{number}")).to_have_text(ZH.failed)
    held.hold()
    page.locator("#test-all").click()
    dialog(page).get_by_role("button", name="停止").click()

    expect(dialog(page).get_by_role("heading", name="测试已停止")).to_be_visible()
    resume = dialog(page).get_by_role("button", name="继续")
    held.let_go()
    under_way = "SELECT count(*) FROM registries_verificationrecord WHERE finished_at IS NULL"
    assert wait_for(lambda: console.query(under_way) == [(0,)]), "else it is skipped as under way"
    resume.click()
    expect(dialog(page).get_by_role("heading", name="测试完成")).to_be_visible()
    expect(dialog(page).get_by_role("status")).to_contain_text("已测试 2 / 2")


def test_a_viewer_is_not_offered_it(people: People) -> None:
    page = people("vic").open("/registries/")

    expect(page.get_by_role("button", name="测试全部")).to_have_count(0)
    expect(page.locator("tbody tr").first).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)  # nothing to select for


def test_the_audit_log_has_a_line_of_the_run_that_opens_with_the_keyboard(page: Page) -> None:
    page.locator("#test-all").click()
    expect(dialog(page).get_by_role("heading", name="测试完成")).to_be_visible()
    page.goto("/journal/")

    action = page.get_by_label("操作", exact=True)
    action.focus()
    action.select_option("test")
    expect(page).to_have_url("/journal/?action=test")
    expect(action).to_be_focused()
    opens = page.locator(".opens", has_text="测试 2 个镜像源").first
    opens.press("Enter")
    expect(opens).to_have_attribute("aria-expanded", "true")
    expect(opens).to_be_focused()
    expect(page.locator(".run-line", has=opens).get_by_role("link", name="default/runs-bad")).to_be_visible()
    opens.press("Enter")
    expect(opens).to_have_attribute("aria-expanded", "false")

    page.locator("#id_since").fill("2026-05-05")
    page.locator("#id_name").fill("nothing")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="没有匹配项")).to_be_visible()
    expect(page).to_have_url("/journal/?since=2026-05-05&name=nothing&action=test")
    page.go_back()
    expect(page.locator("#id_name")).to_have_value("")
    expect(opens).to_be_visible()
