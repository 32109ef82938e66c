"""What everyday tasks cost, counted in the browser: each click, and each field that was typed in or chosen."""

from playwright.sync_api import Page, expect

from tests.peers.console_page import credential, dialog, fill, names, row
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import ZH

COUNT = """
  window.steps = new Set();
  const count = (event) => {
    const it = event.target.closest("input, select, textarea, button, a, label, summary") ?? event.target;
    const field = (it.control ?? it).matches("input:not([type=checkbox], [type=radio]), select, textarea");
    window.steps.add(field ? it.control ?? it : event);
  };
  addEventListener("pointerdown", count, true);
  addEventListener("input", (event) => event.target.matches("[type=checkbox], [type=radio]") || count(event), true);
"""
"""Collects steps: every press of the pointer, and a field once however long it is edited."""

OPENED = """
  window.opened = 0;
  const show = HTMLDialogElement.prototype.showModal;
  HTMLDialogElement.prototype.showModal = function () { window.opened += 1; show.call(this); };
"""
"""Counts the dialogs that open."""


def steps(page: Page) -> int:
    taken: int = page.evaluate("() => { const n = window.steps.size; window.steps.clear(); return n; }")
    return taken


def test_take_few_steps(people: People, console: RunningConsole) -> None:
    page = people("olive").open("/registries/?size=10", width=1280, height=800)
    page.context.add_init_script(COUNT)
    page.reload()

    broken = page.locator("tbody tr").filter(has_text=ZH.failed).first
    expect(broken.locator(".why-reason")).to_be_in_viewport(ratio=1)
    assert steps(page) == 0, "the cause of the first broken registry"

    tested = names(page)[0]
    row(page, tested).hover()
    row(page, tested).get_by_role("button", name=ZH.test).click()
    expect(page.locator(".toast-text")).to_be_visible()
    assert steps(page) == 1, "test a row"

    page.get_by_role("link", name=ZH.add).click()
    form = dialog(page)
    values = credential(console, "harbor")
    fill(form, **values, display_name="生产", description="主仓库")
    form.get_by_role("button", name=ZH.test).click()
    expect(form.locator(".verdict-ok")).to_be_visible()
    form.get_by_role("button", name=ZH.ok, exact=True).click()
    expect(page.get_by_text("已添加「生产」")).to_be_visible()
    assert 3 < steps(page) <= 9, "add a tested Harbor"

    page.goto("/registries/?size=10&q=a")
    page.locator("#tile-failed").click()
    page.wait_for_url("**status=failed**")
    shared, shown = page.url, names(page)
    steps(page)
    assert names(people("olive").open(shared)) == shown
    assert steps(page) == 0, "share a filtered view"

    page.goto("/registries/?size=10")
    total = page.locator("#tile-failed .tile-count").inner_text()
    assert int(total) > 10, "more than a page"
    page.locator("#pick-more").click()
    page.locator("[data-pick=failed]").click()
    page.get_by_role("button", name=ZH.delete_selected).click()
    dialog(page).get_by_role("textbox").fill(total)
    dialog(page).get_by_role("button", name=f"确定删除 {total} 个").click()
    expect(dialog(page).get_by_role("heading", name=ZH.finished)).to_be_visible()
    expect(page.locator("#tile-failed .tile-count")).to_have_text("0")
    assert steps(page) <= 5, "delete the failing ones"
    undo(page, total)


def undo(page: Page, total: str) -> None:
    """One press after the deletion of the failing ones."""
    page.locator("#run-undo").click()

    expect(dialog(page)).to_contain_text(f"已恢复 {total} / {total}")
    expect(page.locator("#tile-failed .tile-count")).to_have_text(total)
    assert steps(page) == 1, "undo that"


def test_one_credential_into_five_namespaces_takes_one_dialog(
    people: People, console: RunningConsole
) -> None:
    page = people("olive").open("/registries/?size=10&q=one-for-five", width=1280, height=800)
    page.context.add_init_script(OPENED)
    page.reload()
    page.get_by_role("link", name=ZH.add).click()
    form = dialog(page)
    fill(form, **credential(console, "harbor"), name="one-for-five")
    form.locator("#also summary").click()
    places = ("dev-namespace", "test-namespace", "prod-namespace", "team-a", "team-b")
    main = form.locator("#id_namespace").input_value()
    for place in [place for place in places if place != main][:4]:
        form.locator(f"#also input[value={place}]").check()
    form.get_by_role("button", name=ZH.test).click()
    expect(form.locator(".verdict-ok")).to_be_visible()
    form.get_by_role("button", name=ZH.ok, exact=True).click()
    expect(dialog(page).get_by_role("heading", name="复制完成")).to_be_visible()
    expect(dialog(page).get_by_text("已创建 4 / 4")).to_be_visible()
    dialog(page).get_by_text("关闭", exact=True).last.click()
    expect(page.locator("tbody tr")).to_have_count(5)
    assert page.evaluate("window.opened") == 1, "one credential into five namespaces: one dialog"
    expect(page.locator("tbody .pill-ok")).to_have_count(5)
