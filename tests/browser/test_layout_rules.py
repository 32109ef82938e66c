"""Each rule of the gallery finds its fault, and leaves the right form alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.gallery.looking import RULES

TALL = "display: inline-block; width: 60px; height: 44px"
LINES = (
    '<svg class="icon" width="16" height="16"></svg>'
    '<span style="width: 60px; line-height: 20px">a text of several words on lines</span>'
)
MARK = (
    '<p style="display: flex; align-items: {}; font: 13px/28px sans-serif">'
    '<svg class="icon" width="16" height="16"></svg><span>failed</span></p>'
)
HEADS = "<table><thead><tr><th style='height: 60px'>名称</th><th {}>状态</th></tr></thead></table>"
STAYING = (
    "<header class='topbar' style='position: sticky; top: 0; height: 48px'></header>"
    "<table><thead><tr><th style='position: sticky; top: {}px'>名称</th></tr></thead></table>"
)
TOAST = (
    "<dialog open style='position: fixed; inset: auto 0 0 auto'><p class='dialog-foot'>"
    f"<button class='btn' style='{TALL}'>a</button></p></dialog>"
    "<div popover='manual' class='toasts' style='inset: auto 0 auto auto; {}; margin: 0'>"
    "<p class='toast-item'>saved</p></div>"
    "<script>document.querySelector('.toasts').showPopover()</script>"
)
BUTTONS = (
    "<table><tr><td><div class='row-actions' style='width: {}px; font-size: 0'>"
    + f"<button class='btn' style='{TALL}'>a</button>" * 3
    + "</div></td></tr></table>"
)
SCROLLED = (
    "<ul style='height: 40px; margin: 0; overflow-y: auto; background: {}'>"
    + "<li>a namespace</li>" * 9
    + "</ul>"
)
REASON = (
    "<p id='registries'><b class='why-reason' title='Connection refused' style='display: block; overflow: hidden; "
    "white-space: nowrap; width: {}px'>Connection refused</b></p>"
)
LINE = "<p style='font: {}px serif'>" + "a line of words that is too long to read in one go " * 4 + "</p>"
SEARCH = (
    "<input type='search' placeholder='Name or address' style='width: {}px; padding: 0; font: 16px serif'>"
)
CHOICE = "<select id='filter-provider' style='width: {}px; padding: 0; font: 16px serif'><option>All providers</select>"
GROUP = (
    "<p class='group-failing'><span title='27 failing: Timed out' style='display: block; overflow: hidden; "
    "white-space: nowrap; width: {}px; font: 16px serif'>27 failing: Timed out</span></p>"
)
CARD = (
    "<table style='position: fixed; top: 100px'><tr><td><button aria-describedby='card' style='height: 44px'>"
    "Failed</button></td></tr></table><div id='card' style='position: fixed; top: {}px; height: 200px'>Failed</div>"
)
EVENTS = (
    "<ol class='events'>"
    + "".join(
        f"<li><b>{it}</b> <span {{0}} class='event-why'>timeout</span></li>" for it in ("Tested", "Edited it")
    )
    + "</ol>"
)
COMMAND = "<pre style='width: 29ch; white-space: pre-wrap'><code>kubectl -n team-a create {}</code></pre>"
HELP = (
    "<form style='font: 13px serif'><input class='form-control'><button>Test</button><p class='form-text'>Help</p>"
    "<label class='choice' style='display: flex; gap: 8px'><input type='checkbox' style='margin: 0; width: 14px'>"
    "Name</label><p class='form-text' style='font-size: {}px; padding-left: {}px'>Help</p></form>"
)
TYPED = (
    "<style>::placeholder {{ color: gray }}</style>"
    "<input class='form-control' placeholder='robot$name' value='robot$shop'{}>"
)
FILE = "<label style='display: block; height: 60px'>选择文件<input type='file' class='{}'></label>"
DELETED = (
    "<div class='dialog-content'><h2 id='dialog-title' style='margin-top: {}px'>删除镜像源</h2>"
    "<input data-confirms='#b' style='width: 60px; height: 44px'></div>"
)
FAULTS = {
    "narrow text": '<p style="width: 9px; overflow-wrap: anywhere">harbor-prod</p>',
    "broken word": '<p style="width: 60px; overflow-wrap: anywhere">Credentials</p>',
    "sentence in columns": '<p style="display: flex"><b>!</b>anna is no <code>image-admin</code> any more.</p>',
    "see-through": '<p style="position: sticky; top: 0">Name</p>',
    "broken option": COMMAND.format("--dry-run=server"),
    "cut without a tooltip": '<p style="width: 40px; overflow: hidden; white-space: nowrap">harbor-production</p>',
    "no room for the ellipsis": '<p title="robot$pull" style="width: 12px; overflow: hidden; '
    'font-family: monospace; text-overflow: ellipsis">robot$pull</p>',
    "count without a separator": "<p>1284 registries</p>",
    "space after Chinese punctuation": "<p>最近一次检查：刚刚。 <b>2 小时后再次检查。</b></p>",
    "English punctuation in Chinese": "<p>1 个副本已同步. 无人修改过的副本会更新。</p>",
    "short last line": '<p style="width: 90px; font-size: 16px">已被他人修改。</p>',
    "scrolls sideways": '<p style="width: 3000px">a wide line</p>',
    "beyond the window": f'<p style="position: fixed; left: 1250px"><button style="{TALL}">a</button></p>',
    "odd checkbox": '<label style="display: block; height: 60px">'
    '<input type="checkbox" style="width: 200px; height: 34px">a</label>',
    "overlap": f'<button style="{TALL}">a</button><button style="{TALL}; margin-left: -30px">b</button>',
    "covers text": f'<p>harbor-production <button style="{TALL}; margin-left: -40px">a</button></p>',
    "small control": '<button style="width: 18px; height: 18px; padding: 0">x</button>',
    "invisible focus": f'<style>button:focus {{ outline: none }}</style><button style="{TALL}">a</button>',
    "name without its text": f'<button style="{TALL}" aria-label="语言">中文</button>',
    "unequal buttons": f'<button class="btn" style="{TALL}">a</button>'
    f'<button class="btn" style="{TALL}; height: 60px">b</button>',
    "crowded buttons": f'<button class="btn" style="{TALL}">a</button> <button class="btn" style="{TALL}">b</button>',
    "heading on a frame": '<h3 style="margin: 0">Failed</h3><ul style="margin: 0; border: 1px solid"><li>a</li></ul>',
    "broken role or count": '<p class="notice" style="width: 60px; font-size: 16px">完成 14 个</p>',
    "icon off its line": MARK.format("start"),
    "icon below the first line": f'<p style="display: flex; align-items: center">{LINES}</p>',
    "icon above its text": f'<p style="display: flex; flex-wrap: wrap; width: 62px">{LINES}</p>',
    "touching values": "<table cellspacing='0' cellpadding='0'><tr><td>default</td><td>docker.io</td></tr></table>",
    "half-width punctuation": "<p>失败: 1</p>",
    "head off the line": HEADS.format("style='height: 60px; vertical-align: top'"),
    "head off the bars": STAYING.format(98),
    "toast over a button": TOAST.format("bottom: 0"),
    "cut placeholder": SEARCH.format(60),
    "long line": LINE.format(12),
    "cut time": '<p title="11 days ago" class="ago" style="width: 40px; overflow: hidden; white-space: nowrap">'
    "11 days ago</p>",
    "cut choice": CHOICE.format(50),
    "words of the browser": FILE.format(""),
    "subject out of sight": DELETED.format(-90),
    "cut reason": REASON.format(40),
    "cut count": GROUP.format(40),
    "card over its row": CARD.format(120),
    "off its column": EVENTS.format(""),
    "state without its word": "<p id='registries'><b class='pill' style='font-size: 0'>Failed</b></p>",
    "lone button": BUTTONS.format(140),
    "no sign of more": SCROLLED.format("none"),
    "smudge": SCROLLED.format("radial-gradient(red, blue) local"),
    "short end of a value": '<table><tr><td><b class="mono" style="display: block; width: 90px; font: 16px monospace; '
    'overflow-wrap: anywhere">harbor.com</b></td></tr></table>',
    "colour alone": '<i style="display: block; width: 9px; height: 9px; background: var(--bad)"></i>',
}
RIGHT = {
    "narrow text": '<p style="width: 90px">harbor-prod</p>',
    "broken word": '<p style="width: 60px; overflow-wrap: anywhere"><b class="mono">registryone</b> 凭证已通过</p>',
    "sentence in columns": '<p style="display: flex"><b>!</b><span>anna is no <code>image-admin</code> now.</span></p>',
    "see-through": '<p style="position: sticky; top: 0; background: #fff">Name</p>',
    "broken option": COMMAND.format("<i style='white-space: nowrap'>--dry-run=server</i>"),
    "cut without a tooltip": '<p title="harbor-production" style="width: 40px; overflow: hidden">harbor-production</p>',
    "no room for the ellipsis": '<p title="robot$pull" style="width: 40px; overflow: hidden; '
    'font-family: monospace; text-overflow: ellipsis">robot$pull</p>',
    "count without a separator": '<p>1,284 of 2026-11-29, 2024 年 <span class="mono">14800</span></p>',
    "space after Chinese punctuation": "<p>最近一次检查：刚刚。<b>2 小时后再次检查。</b></p>",
    "English punctuation in Chinese": "<p>1 个副本已同步。harbor.example.com, docker.io</p>",
    "short last line": '<p style="width: 90px; font-size: 16px">控制台已被他人修改。</p>',
    "scrolls sideways": '<pre style="width: 90px; overflow-x: auto">a line of code that is long</pre>',
    "beyond the window": f'<p style="position: fixed; left: 1200px"><button style="{TALL}">a</button></p>',
    "odd checkbox": '<label style="display: block; height: 60px"><input type="checkbox"> a</label>',
    "overlap": f'<button style="{TALL}">a</button><button style="{TALL}">b</button>',
    "covers text": f'<p>harbor-production <button style="{TALL}">a</button></p>',
    "small control": f'<button style="{TALL}">x</button>',
    "invisible focus": f'<style>button:focus {{ outline: 2px solid }}</style><button style="{TALL}">a</button>',
    "name without its text": f'<button style="{TALL}" aria-label="语言 中文">中文</button>',
    "unequal buttons": f'<button class="btn" style="{TALL}">a</button><button class="btn" style="{TALL}">b</button>',
    "crowded buttons": '<p style="display: flex; gap: 8px">'
    f'<button class="btn" style="{TALL}">a</button> <button class="btn" style="{TALL}">b</button></p>',
    "heading on a frame": '<h3 style="margin: 0">Failed</h3><ul style="margin-top: 8px; border: 1px solid"></ul>',
    "broken role or count": '<p class="notice" style="width: 60px; font-size: 16px">'
    '完成 <b style="white-space: nowrap">14 个</b></p>',
    "icon off its line": MARK.format("center"),
    "icon below the first line": f'<p style="display: flex; align-items: start">{LINES}</p>',
    "icon above its text": f'<p style="display: flex; flex-wrap: wrap; width: 90px">{LINES}</p>',
    "touching values": "<table cellspacing='9'><tr><td>default <b>a</b></td><td>docker.io</td></tr></table>",
    "half-width punctuation": "<p>失败：1</p>",
    "head off the line": HEADS.format(""),
    "head off the bars": STAYING.format(48),
    "toast over a button": TOAST.format("top: 0"),
    "cut placeholder": SEARCH.format(160),
    "long line": LINE.format(40),
    "cut time": '<p class="ago" style="width: 200px; overflow: hidden; white-space: nowrap">11 days ago</p>',
    "cut choice": CHOICE.format(140),
    "words of the browser": FILE.format("visually-hidden"),
    "subject out of sight": DELETED.format(20),
    "cut reason": REASON.format(200),
    "cut count": GROUP.format(100),
    "card over its row": CARD.format(160),
    "off its column": EVENTS.format("style='position: absolute; left: 200px'"),
    "state without its word": "<p id='registries'><b class='pill'>Failed</b></p>",
    "lone button": BUTTONS.format(70),
    "no sign of more": SCROLLED.format("linear-gradient(red, blue) local"),
    "smudge": SCROLLED.format("linear-gradient(red, blue) local"),
    "short end of a value": '<table><tr><td><b class="mono" style="display: block; width: 90px; font: 16px monospace; '
    'overflow-wrap: anywhere">harbor.<wbr>com</b></td></tr></table>',
    "colour alone": '<i title="Failed" style="display: block; width: 9px; height: 9px; background: var(--bad)"></i>',
}
FAULTS |= {
    "help of another size": HELP.format(14, 22),
    "help off its field": HELP.format(13, 3),
    "value like a placeholder": TYPED.format(" style='color: gray'"),
}
RIGHT |= {
    "help of another size": HELP.format(13, 22),
    "help off its field": HELP.format(13, 22),
    "value like a placeholder": TYPED.format(""),
}
PAGE = "<!doctype html><html lang='zh-hans' style='--bad: #b42318'><body>{}</body></html>"


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    yield page
    page.close()


def faults(page: Page, content: str, *, phone: bool = False) -> set[str]:
    """The rules that a page breaks."""
    page.set_content(PAGE.format(content))
    return {fault.split(":")[0] for fault in page.evaluate(RULES, phone)}


@pytest.mark.parametrize("rule", FAULTS)
def test_a_rule_finds_its_fault(page: Page, rule: str) -> None:
    assert rule in faults(page, FAULTS[rule])


@pytest.mark.parametrize("rule", RIGHT)
def test_a_rule_leaves_the_right_form_alone(page: Page, rule: str) -> None:
    assert rule not in faults(page, RIGHT[rule])


def test_no_chinese_word_is_broken_in_an_explanation_in_a_table(page: Page) -> None:
    cell = (
        "<table class='channels'><tr><td><p class='form-text' style='width: 56px; font: 16px serif; {}'>"
        "连接被服务拒绝"
    )

    assert "broken word" in faults(page, cell.format(""))
    assert "broken word" not in faults(page, cell.format("width: 200px"))


def test_the_name_of_a_role_stays_in_one_line(page: Page) -> None:
    role = '<p style="width: 60px">the {} role</p>'

    assert "broken role or count" in faults(page, role.format("image-admin"))
    assert "broken role or count" not in faults(
        page, role.format("<i style='white-space: nowrap'>image-admin</i>")
    )


def test_no_button_of_the_head_of_a_page_stands_alone_in_a_last_line(page: Page) -> None:
    head = BUTTONS.replace("row-actions", "page-actions")

    assert "lone button" in faults(page, head.format(140))
    assert "lone button" not in faults(page, head.format(190))


def test_the_name_of_an_image_ends_with_more_than_one_character(page: Page) -> None:
    style = "display: block; width: 90px; font: 16px monospace; overflow-wrap: anywhere"
    name = f"<b class='image-name' style='{style}'>demo/{{}}app:1</b>"

    assert "short end of a value" in faults(page, name.format(""))
    assert faults(page, name.format("<wbr>")) == set()


def test_a_finger_needs_more_room_than_a_pointer(page: Page) -> None:
    button = '<button style="width: 30px; height: 30px">x</button>'

    assert faults(page, button) == set()
    assert faults(page, button, phone=True) == {"small control"}


def test_the_label_of_a_hidden_radio_is_a_control(page: Page) -> None:
    radio = '<input type="radio" style="opacity: 0; position: absolute">'
    label = '<label style="display: block; height: {}px">a' + radio + "</label>"

    assert faults(page, label.format(30), phone=True) == {"small control"}
    assert faults(page, label.format(44), phone=True) == set()


def test_a_menu_may_cover_the_page_below_it(page: Page) -> None:
    button = f'<button style="{TALL}">a</button>'
    menu = f'<div style="position: fixed; top: 0; left: 20px"><button style="{TALL}">b</button></div>'

    assert "overlap" not in faults(page, button + menu)


def test_what_floats_above_a_control_does_not_make_it_small(page: Page) -> None:
    button = (
        "<style>.b { position: relative; width: 60px; height: 20px; margin: 20px }"
        ".b::after { content: ''; position: absolute; inset: -12px 0 }</style><button class='b'>x</button>"
    )
    card = '<p style="position: {}; top: 10px; left: 0; width: 200px; height: 22px; margin: 0">card</p>'

    assert "small control" not in faults(page, button + card.format("fixed"), phone=True)
    assert "small control" in faults(page, button + card.format("absolute"), phone=True)


def test_a_filter_that_was_not_chosen_is_whole(page: Page) -> None:
    filters = "<p class='filter'><select style='width: 50px; font: 16px serif'>{}</select></p>"
    chosen = "<option>All</option><option selected>a-namespace-with-a-long-name</option>"

    assert "cut choice" in faults(page, filters.format("<option>All namespaces</option>"))
    assert "cut choice" not in faults(page, filters.format(chosen))


def test_on_a_phone_a_list_begins_in_the_upper_half(page: Page) -> None:
    table = "<table><tbody><tr><td>a</td></tr></tbody></table>"
    low = f'<main><p style="height: 500px"></p>{table}</main>'

    assert faults(page, low, phone=True) == {"begins too low"}
    assert faults(page, low) == set()
    assert faults(page, low.replace("<p", "<p class='notice'"), phone=True) == set(), (
        "messages may push it down"
    )
    assert faults(page, f"<main>{table}</main>", phone=True) == set()


def test_a_card_on_a_phone_begins_high_and_is_low(page: Page) -> None:
    card = "<main style='margin-top: {}px'><table id='registries'><tbody>{}<tr style='height: {}px'><td>a</td></tr>"
    group = "<tr class='group'><td>harbor.example.com</td></tr>"

    assert faults(page, card.format(330, "", 40), phone=True) == {"card too low"}
    assert faults(page, card.format(330, group, 120), phone=True) == {"card too high"}
    assert faults(page, card.format(200, "", 40), phone=True) == set()
