"""From 360 px to 4K nothing sticks out, in both languages; and nothing moves for people who asked for that."""

import pytest
from playwright.sync_api import Page, expect

from tests.peers.console_page import add_registry, choose, credential, dialog, fill, open_add, row, status
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import BOTH, ZH, Words

WIDTHS = (360, 768, 1024, 1440, 3840)
LONG = "harbor-" + "x" * 240 + "-prod"
STICKS_OUT = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return "";
  const all = [...document.querySelectorAll("body *")];
  const wide = all.filter((it) => it.getBoundingClientRect().right > root.clientWidth);
  return `${root.scrollWidth} px: ` + wide.map((it) => `${it.tagName}.${it.className}`).slice(0, 5).join(", ");
}"""
DIALOG_STICKS_OUT = """it => it.scrollWidth > it.clientWidth || it.getBoundingClientRect().right > innerWidth
  || it.getBoundingClientRect().bottom > innerHeight"""
JUST_BELOW_THE_BAR = """id => {
  const top = document.getElementById(id).getBoundingClientRect().top;
  const bar = document.querySelector(".topbar").getBoundingClientRect().bottom;
  return bar <= top && top < bar + 40;
}"""
FREE_BESIDE_A_CUT_NAME = """(rows) => rows
  .filter((row) => [...row.querySelectorAll(".c-name :is(.display-name, .head)")]
    .some((it) => it.scrollWidth > it.clientWidth + 1))
  .map((row) => row.querySelector(".c-namespace").getBoundingClientRect().left -
    row.querySelector(".c-name .mono").getBoundingClientRect().right)"""
CUT = "all => all.filter(it => it.scrollWidth > it.clientWidth).map(it => it.textContent.trim())"
STICKS_OUT_OF_ITS_CELL = """all => all
  .filter((it) => it.getBoundingClientRect().right > it.closest("td").getBoundingClientRect().right)
  .map((it) => it.textContent)"""
FREE_BESIDE_A_CUT_COLUMN = """(rows) => {
  const cut = rows.some((row) => [...row.querySelectorAll(".c-name :is(.display-name, .head)")]
    .some((it) => it.scrollWidth > it.clientWidth + 1));
  const free = Math.min(...rows.map((row) => {
    const ends = [...row.querySelectorAll(".state > * > *")].map((it) => it.getBoundingClientRect().right);
    return row.querySelector(".c-status").getBoundingClientRect().right - Math.max(...ends);
  }));
  return cut ? free : 0;
}"""
COVERS = """it => {
  const text = document.createRange();
  text.setStartAfter(it.parentElement.querySelector(".head"));
  text.setEndBefore(it);
  const { left, top } = it.getBoundingClientRect();
  const beside = [...text.getClientRects()].filter((part) => part.bottom > top);
  return beside.every((part) => part.right <= left) ? "" : it.parentElement.textContent;
}"""
OUT_OF_LINE = """() => [...document.querySelectorAll("#registries thead th")].filter((head) => {
  const cell = document.querySelector(`#registries tbody tr > .${head.classList[0]}`);
  const [top, under] = [head, cell].map((it) => it.getBoundingClientRect());
  return Math.abs(top.left - under.left) > 1;
}).map((head) => head.className)"""
UNEVEN = """() => {
  const tops = [...document.querySelectorAll("th.c-status .sort")].map((it) => {
    const text = document.createRange();
    text.selectNodeContents(it);
    return Math.round(text.getBoundingClientRect().top);
  });
  const inOneLine = getComputedStyle(document.querySelector("th.c-status")).display === "flex";
  return inOneLine && new Set(tops).size > 1 ? tops : [];
}"""
MOVES = """() => {
  const slow = (text) => text.split(",").some((part) => parseFloat(part) * (part.includes("ms") ? 1 : 1000) > 1);
  const found = [];
  for (const it of document.querySelectorAll("*")) {
    for (const part of [null, "::before", "::after"]) {
      const style = getComputedStyle(it, part);
      const animated = style.animationName !== "none" && slow(style.animationDuration);
      if (animated || slow(style.transitionDuration)) found.push(`${it.tagName}.${it.className}${part ?? ""}`);
    }
  }
  return found.slice(0, 5);
}"""


@pytest.fixture(scope="module")
def long_one(everybody: People, console: RunningConsole) -> str:
    """A registry whose every value is as long as it may be."""
    label = "x" * 60
    long = {
        "domain": f"{label}.{label}.{label}.example.com",
        "username": "u" * 200,
        "display_name": "长" * 60,
    }
    add_registry(everybody("olive"), console, LONG, namespace="default", **long, description="d" * 400)
    return LONG


def sticking_out(page: Page) -> dict[int, str]:
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate(STICKS_OUT)
        if wide:
            found[width] = wide
    return found


@pytest.mark.usefixtures("long_one")
@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize(
    "path",
    [
        "/registries/?size=50",
        "/registries/?status=failed&provider=harbor&q=team&namespace=team-a",
        "/registries/?q=no-such-thing",
        f"/registries/default/{LONG}/",
        "/registries/team-a/harbor-team-a/",
        "/journal/",
        "/accounts/",
        "/namespaces/",
        "/password/",
        "/oapis/docs",
        "/no-such-page/",
    ],
)
def test_no_page_scrolls_sideways(people: People, path: str, words: Words) -> None:
    people.watch.expected.add(404)
    page = people("olive").open(path, language=words.code)

    assert sticking_out(page) == {}


def test_a_link_within_a_page_leads_to_what_is_not_under_the_bar(people: People) -> None:
    page = people("olive").open("/oapis/docs", language="en", width=360, height=640)
    page.emulate_media(reduced_motion="reduce")  # at once, not passing by

    page.get_by_role("link", name="POST Test a registry").click()

    page.wait_for_function(JUST_BELOW_THE_BAR, arg="op-verify-title")


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_the_login_page_does_not_scroll_sideways(people: People, words: Words) -> None:
    page = people.stranger().open("/login/", language=words.code)

    assert sticking_out(page) == {}


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize("width", [360, 3840])
def test_a_dialog_fits_into_the_window(
    people: People, console: RunningConsole, words: Words, width: int
) -> None:
    page = people("olive").open("/registries/?namespace=team-a", language=words.code, width=width, height=640)
    form = open_add(page, words)
    fill(form, words, **credential(console, "wrong-password"))
    form.get_by_role("button", name=words.test).click()
    expect(form.get_by_text(words.bad_credentials)).to_be_visible()

    assert not form.evaluate(DIALOG_STICKS_OUT)
    assert page.evaluate(STICKS_OUT) == ""
    expect(form.get_by_role("button", name=words.ok, exact=True)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("item", [ZH.edit, ZH.delete])
def test_a_dialog_about_long_values_fits_too(people: People, long_one: str, item: str) -> None:
    page = people("olive").open(f"/registries/?q={long_one}", width=360, height=640)

    choose(page, long_one, item)

    expect(dialog(page)).to_be_visible()
    assert not dialog(page).evaluate(DIALOG_STICKS_OUT)


def test_a_batch_of_long_values_fits_too(people: People, long_one: str) -> None:
    page = people("olive").open(f"/registries/?q={long_one}", width=360, height=640)
    row(page, long_one).get_by_role("checkbox").check()

    page.get_by_role("button", name=ZH.delete_selected).click()

    expect(dialog(page)).to_be_visible()
    assert not dialog(page).evaluate(DIALOG_STICKS_OUT)


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_the_counts_are_legible(people: People, words: Words) -> None:
    page = people("olive").open(language=words.code)
    for width in (320, 360, 768, 900, 992, 1280):
        page.set_viewport_size({"width": width, "height": 900})

        labels = page.locator(".tile-label")
        expect(labels).not_to_have_count(0)
        assert labels.evaluate_all(CUT) == [], width


@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_the_overview_fits_on_one_screen(people: People, words: Words) -> None:
    page = people("olive").open("/overview/", language=words.code, width=1280, height=800)
    expect(page.locator("#broken, #failing, #recovered, #checklist, #shares")).to_have_count(5)

    assert page.evaluate("document.documentElement.scrollHeight") <= 800


@pytest.mark.usefixtures("long_one")
@pytest.mark.parametrize("words", BOTH.values(), ids=BOTH)
def test_values_keep_their_ends(people: People, words: Words) -> None:
    page = people("olive").open("/registries/?size=50", language=words.code)
    for width in (360, 768, 1024, 1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})

        for cells in ("td.c-name .mono", "td.c-namespace", "td.c-domain", "td.c-username", "td.c-provider"):
            expect(page.locator(cells)).not_to_have_count(0)
            assert page.locator(cells).evaluate_all(CUT) == [], (width, cells)
        ago = page.locator("td.c-status .ago")
        expect(ago).not_to_have_count(0)
        assert ago.evaluate_all(STICKS_OUT_OF_ITS_CELL) == [], width
        for copy in page.locator("td.c-domain .copy").all()[:3]:
            copy.hover()
            assert copy.evaluate(COVERS) == "", width


def test_a_name_on_a_phone_is_cut_where_the_namespace_begins(people: People) -> None:
    page = people("olive").open("/registries/?size=50", width=390, height=844)

    free = page.locator("#registries tbody tr").evaluate_all(FREE_BESIDE_A_CUT_NAME)

    assert free
    assert max(free) <= 24
    assert min(free) >= 2


def test_a_name_is_not_cut_beside_free_room(people: People) -> None:
    page = people("olive").open("/registries/?status=success&size=50", width=830)

    assert page.locator("#registries tbody tr").evaluate_all(FREE_BESIDE_A_CUT_COLUMN) < 24


@pytest.mark.parametrize("width", [768, 775])
def test_a_list_beside_a_classic_scroll_bar_is_whole(people: People, width: int) -> None:
    page = people("olive").open("/registries/?size=50", width=width)
    page.locator("html").evaluate("it => { it.style.paddingRight = '17px' }")
    page.locator("html").evaluate("it => { it.style.boxSizing = 'border-box' }")

    assert page.evaluate(STICKS_OUT) == ""
    assert page.evaluate(OUT_OF_LINE) == []
    expect(page.locator("tbody tr").first).to_have_css("display", "grid")


@pytest.mark.usefixtures("long_one")
@pytest.mark.parametrize("person", ["olive", "vic"])
def test_the_head_of_a_column_stands_over_it(people: People, person: str) -> None:
    page = people(person).open("/registries/")
    for width in (768, 1024, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})

        assert page.evaluate(OUT_OF_LINE) == [], width
        assert page.evaluate(UNEVEN) == [], width
        head = page.locator("#registries thead tr").bounding_box()
        assert head
        assert head["height"] < 60, "one line, or two"


def test_the_whole_of_a_value_is_in_its_tooltip(people: People, long_one: str) -> None:
    page = people("olive").open(f"/registries/?q={long_one}")

    assert page.locator("td.c-name").get_attribute("title") == f"{'长' * 60} · {long_one}"
    assert page.locator("td.c-namespace").get_attribute("title") == "default"
    assert page.locator("td.c-username").get_attribute("title") == "u" * 200
    expect(page.get_by_role("link", name=f"{'长' * 60} {long_one}", exact=True)).to_be_visible()
    for part in page.locator("td.c-status").locator(".pill, .why-reason, .ago").all():
        text = part.inner_text()
        assert text
        assert text in str(page.locator("td.c-status").get_attribute("title"))


def test_a_row_on_a_phone_has_what_a_row_has(people: People) -> None:
    page = people("olive").open("/registries/?namespace=team-a", width=360)
    card = row(page, "harbor-team-a")
    for text in (
        "A 组 Harbor",
        "harbor-team-a",
        "team-a",
        "harbor.localhost",
        "robot$team-a+deploy",
        "Harbor",
    ):
        expect(card.get_by_text(text).first).to_be_visible()
    expect(status(page, "harbor-team-a")).to_be_visible()
    expect(card.get_by_role("checkbox")).to_be_visible()

    choose(page, "harbor-team-a", ZH.edit)

    expect(dialog(page)).to_be_visible()


def test_nothing_moves_for_people_who_asked_for_that(
    people: People, console: RunningConsole, held: HeldRegistry
) -> None:
    held.hold()
    add_registry(people("olive"), console, "registry-held", namespace="team-b", **held.credential)
    page = people("olive").open("/registries/?namespace=team-b")
    page.emulate_media(reduced_motion="reduce")
    row(page, "registry-down").get_by_role("checkbox").check()
    expect(row(page, "registry-held")).to_contain_text("测试中…")
    assert page.evaluate(MOVES) == []
    # What lasts for a thousandth of a millisecond runs until the next frame; what turns would do so for ever.
    page.wait_for_function("() => document.getAnimations().every(it => it.playState !== 'running')")
    expect(row(page, "registry-held")).to_contain_text("测试中…")

    choose(page, "registry-down", ZH.edit)
    expect(dialog(page)).to_be_visible()
    assert page.evaluate(MOVES) == []
