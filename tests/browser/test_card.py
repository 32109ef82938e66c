"""The card of a status opens however one gets to it: by the pointer, the keyboard, a click, a tap."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.peers.console_page import add_registry, choose, row, status
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import ZH

TEAM_A = "/registries/?namespace=team-a"
NAME = "dockerhub-team-a"
REASON = re.compile("需使用访问令牌代替密码")


@pytest.fixture
def still(people: People) -> Page:
    """A page whose clock is moved by hand: a machine that stalls is no pause of the pointer."""
    olive = people.stranger("olive")
    olive.log_in()
    page = olive.open("/login/")
    page.clock.install()
    page.goto(TEAM_A)
    page.evaluate("() => document.fonts.ready")
    page.clock.pause_at(page.evaluate("Date.now() + 60000"))
    return page


def across(page: Page) -> None:
    """Over the pill from the left, icon and text, and at rest on its text."""
    box = status(page, NAME).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] - 20, middle)
    page.mouse.move(box["x"] + box["width"] - 12, middle, steps=20)


def test_when_the_pointer_moves_across_the_pill_and_rests(still: Page) -> None:
    across(still)

    still.clock.run_for(150)

    expect(still.get_by_role("tooltip")).to_contain_text(REASON)


def test_not_when_the_pointer_only_passes_by(still: Page) -> None:
    across(still)
    still.clock.run_for(100)
    still.mouse.move(5, 5)

    still.clock.run_for(1000)

    expect(still.get_by_role("tooltip")).to_be_hidden()
    assert (
        still.evaluate("performance.getEntriesByType('resource').filter(it => /status/.test(it.name))") == []
    )


def test_it_stays_when_the_pointer_comes_back_in_time(still: Page) -> None:
    across(still)
    still.clock.run_for(150)
    card = still.get_by_role("tooltip")
    expect(card).to_be_visible()
    still.mouse.move(5, 5)
    still.clock.run_for(100)
    across(still)

    still.clock.run_for(1000)
    expect(card).to_be_visible()

    still.mouse.move(5, 5)
    still.clock.run_for(200)
    expect(card).to_be_hidden()


def test_at_once_on_a_click(still: Page) -> None:
    status(still, NAME).click()
    still.clock.run_for(1)

    expect(still.get_by_role("tooltip")).to_contain_text(REASON)


def test_it_stays_while_its_row_is_tested_and_drawn_again(
    people: People, console: RunningConsole, held: HeldRegistry
) -> None:
    add_registry(people("olive"), console, "registry-held", namespace="team-a", **held.credential)
    page = people("olive").open(f"{TEAM_A}&q=registry-held")
    card, tested = page.get_by_role("tooltip"), row(page, "registry-held")
    held.hold()
    choose(page, "registry-held", ZH.test)
    pill = tested.locator(".pill-busy")
    pill.click()
    expect(card).to_contain_text("测试中")

    card.evaluate("it => it.addEventListener('toggle', () => { it.dataset.toggled = 'yes' })")
    page.wait_for_function("it => !it.isConnected", arg=pill.element_handle())
    held.let_go()

    expect(tested.locator(".pill-bad")).to_be_visible()
    expect(card.locator(".verdict-bad .stages")).to_be_visible()
    expect(card).not_to_have_attribute("data-toggled", "yes")


def test_on_a_tap_until_one_taps_elsewhere(people: People) -> None:
    olive = people.stranger("olive", has_touch=True)
    olive.log_in()
    page = olive.open(TEAM_A, width=400)

    status(page, NAME).tap()

    card = page.get_by_role("tooltip")
    expect(card).to_contain_text(REASON)
    page.get_by_role("heading", level=1).tap()
    expect(card).to_be_hidden()


def test_its_strips_are_as_wide_as_its_text(people: People) -> None:
    page = people("olive").open(TEAM_A)

    status(page, "harbor-team-a").click()

    strips = page.get_by_role("tooltip").locator("svg[role=img]")
    expect(strips).to_have_count(2)
    assert strips.evaluate_all("all => all.map(it => it.clientWidth - it.parentElement.clientWidth)") == [
        -28,
        -28,
    ]
