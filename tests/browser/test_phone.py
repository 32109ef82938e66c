"""The list on a phone and a tablet: it begins high below the runs of a person, and says causes and addresses whole."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.peers.console_page import add_registry, dialog
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import BOTH, Words

FIRST = "() => document.querySelector('#registries tbody tr:not(.group)').getBoundingClientRect().top"
CUT_REASONS = """all => all.filter((it) => {
  const [box, state] = [it, it.closest(".state")].map((one) => one.getBoundingClientRect());
  const cut = it.scrollWidth > it.clientWidth || it.scrollHeight > it.clientHeight;
  return cut || box.bottom > state.bottom || box.top < state.top;
}).map((it) => it.textContent)"""
MIDDLES = "all => all.map((it) => it.getBoundingClientRect()).map((box) => box.top + box.height / 2)"
CLOUD = "registry.cn-hangzhou.aliyuncs.com"


@pytest.fixture(scope="module")
def ran(everybody: People) -> None:
    """Olive has tested one registry: a notice says so."""
    page = everybody("olive").open("/registries/?q=harbor-team-a")
    page.locator("#test-all").click()
    expect(dialog(page).get_by_role("heading", name="测试完成")).to_be_visible()


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_notices_of_runs_are_one_line_on_a_phone(people: People, words: Words) -> None:
    page = people("olive").open("/registries/", language=words.code, width=390, height=844)
    show = page.locator("#show-verify")
    line = page.locator("#notices-summary")

    expect(show).to_be_hidden()
    assert page.evaluate(FIRST) < 330
    line.press("Enter")
    expect(show).to_be_visible()
    page.evaluate("document.dispatchEvent(new CustomEvent('runs-changed'))")
    page.wait_for_function("it => !it.isConnected", arg=line.element_handle())

    expect(show).to_be_visible()
    expect(line).to_be_focused()


@pytest.mark.usefixtures("ran")
def test_notices_of_runs_are_not_folded_where_there_is_room(people: People) -> None:
    page = people("olive").open("/registries/", width=768)

    expect(page.locator("#show-verify")).to_be_visible()
    expect(page.locator("#notices-summary")).to_be_hidden()
    middles = page.locator("#run-notices .notice").first.locator(":scope > *").evaluate_all(MIDDLES)
    assert max(middles) - min(middles) <= 0.5


@pytest.mark.parametrize(("person", "group", "most"), [("olive", "host", 370), ("vic", "credential", 330)])
def test_the_first_card_of_a_group_is_high_on_a_phone(
    people: People, person: str, group: str, most: int
) -> None:
    page = people(person).open(f"/registries/?group={group}", width=390, height=844)

    expect(page.locator("tr.group").first).to_be_visible()
    assert page.evaluate(FIRST) < most


def test_the_chosen_namespace_is_in_sight_in_the_selector(people: People) -> None:
    page = people("olive").open("/registries/?namespace=test-namespace", width=390, height=420)
    page.locator("#namespace-button").click()

    expect(page.locator("#namespace-options [aria-current]")).to_be_in_viewport(ratio=1)


TITLES = """all => all.map((it) => it.getBoundingClientRect())
  .map((box) => [Math.round(box.top), box.left, box.right])"""


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize("width", [360, 390])
def test_a_phone_says_how_the_list_is_sorted_and_sorts_it_by_every_order(
    people: People, words: Words, width: int
) -> None:
    page = people("olive").open("/registries/?status=failed", language=words.code, width=width, height=844)
    titles = page.locator("#pick-more, #registries .sort").filter(visible=True)
    broke = page.locator("#sort-broke")

    expect(titles).to_have_count(6)
    places = titles.evaluate_all(TITLES)
    assert {top for top, _, _ in places} == {places[0][0]}, "one line"
    assert all(one[2] <= next_[1] for one, next_ in pairwise(places))
    assert places[-1][2] <= width
    expect(broke).to_have_attribute("data-order", "ascending")
    broke.click()
    expect(broke).to_have_attribute("data-order", "descending")


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_the_overview_says_causes_whole_on_a_phone(people: People, words: Words) -> None:
    page = people("olive").open("/overview/", language=words.code, width=390, height=844)
    reasons = page.locator(".line-reason")

    expect(reasons).not_to_have_count(0)
    reasons.first.evaluate(
        "it => { it.textContent = 'The registry answers, and why it fails takes some words' }"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    line = page.locator(".line").first
    lines = reasons.first.evaluate("it => it.getClientRects().length")
    assert lines == 2, "text flows, and its place follows it"
    assert line.locator(".line-where").evaluate("it => it.getBoundingClientRect().right") <= 390 - 13


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize("width", [390, 768, 1024])
def test_the_reason_of_a_failure_is_whole(people: People, words: Words, width: int) -> None:
    page = people("olive").open("/registries/?status=failed&size=50", language=words.code, width=width)
    reasons = page.locator("#registries .why-reason")

    expect(reasons).not_to_have_count(0)
    assert reasons.evaluate_all(CUT_REASONS) == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_cause_of_a_group_is_not_said_again_below(people: People, width: int) -> None:
    page = people("olive").open("/registries/?group=cause&status=failed", width=width, height=844)
    reason = page.locator("#registries .pill-bad ~ .why-reason").first

    expect(reason).to_be_visible()
    page.locator("#registries tr.group").evaluate_all(
        "all => all.map((it) => it.className = 'group by-cause')"
    )
    expect(reason).to_be_hidden()


def test_the_address_of_a_cloud_is_whole_on_a_phone(people: People, console: RunningConsole) -> None:
    values = {"domain": CLOUD, "username": "robot$edge+pull", "namespace": "team-a"}
    add_registry(people("olive"), console, "cloud-pull", **values)
    page = people("olive").open("/registries/?q=cloud-pull", width=390, height=844)
    head = page.locator("td.c-domain .head")

    assert head.evaluate("it => it.scrollWidth <= it.clientWidth")
    assert page.locator("#registries tbody tr").evaluate("it => it.offsetHeight") <= 96
    expect(page.locator("td.c-namespace")).to_have_text("team-a")
    expect(page.get_by_role("button", name=f"复制 {CLOUD}")).to_be_visible()
