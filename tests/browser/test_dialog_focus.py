"""Where the focus goes when a dialog of administration or of a run closes, and what cannot be lost by one key."""

from datetime import datetime, timedelta

from playwright.sync_api import Page, Route, expect

from tests.peers.console_page import add_registry, dialog
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import ZH


def opened(people: People, path: str, link: str) -> Page:
    page = people("olive").open(path)
    page.locator(link).first.focus()
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_visible()
    return page


def test_after_the_question_about_input_the_focus_is_where_it_was(people: People) -> None:
    page = opened(people, "/accounts/", "a[href$='/accounts/-/add/']")
    page.keyboard.type("kate")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=ZH.discard_no)).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.locator("#id_password")).to_be_focused()


def test_a_saved_form_of_a_page_gives_the_focus_back_to_its_link(people: People) -> None:
    page = opened(people, "/accounts/", "a[href$='/sam/password/']")
    page.keyboard.type("Long-enough-1")
    page.keyboard.press("Enter")

    expect(page.get_by_text("已重置 sam 的密码")).to_be_visible()
    expect(page.locator("a[href$='/sam/password/']")).to_be_focused()


def test_the_first_field_of_the_roles_has_the_focus(people: People) -> None:
    page = opened(people, "/accounts/", "a[href$='/sam/roles/']")
    expect(page.locator("#id_namespace")).to_be_focused()


def test_of_choices_the_chosen_one_has_the_focus(people: People) -> None:
    page = people("olive").open("/registries/")
    address = "/registries/-/add/?provider=other&namespace=team-a"
    page.evaluate("url => htmx.ajax('GET', url, {target: '#dialog-body', swap: 'innerHTML'})", address)
    expect(page.locator("[name=provider][value=other]")).to_be_focused()


def test_escape_does_not_lose_a_token_that_is_shown_once(people: People) -> None:
    page = opened(people, "/tokens/", "a[href$='/tokens/-/add/']")
    page.keyboard.type("CI")
    page.keyboard.press("Enter")
    expect(page.locator("#token-text")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("#token-text")).to_be_visible()
    expect(page.get_by_role("link", name="我已复制")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("table a[href*='/revoke/']")).to_be_visible()


def test_a_poll_does_not_open_a_closed_dialog_again(
    people: People, console: RunningConsole, held: HeldRegistry
) -> None:
    add_registry(people("olive"), console, "polled", **held.credential)
    page = people("olive").open("/registries/?q=polled")
    held.hold()
    polls: list[Route] = []

    def keep(route: Route) -> None:
        polls.append(route)

    page.route("**/-/verify/*/", keep)
    page.locator("#test-all").click()
    expect(page.locator("#verify-run.htmx-request")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    with page.expect_response("**/-/verify/*/") as answer:
        polls[0].continue_()
    answer.value.finished()

    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    expect(dialog(page)).to_have_count(0)
    held.let_go()


def test_a_plain_form_of_a_page_leaves_the_focus_in_the_page(people: People) -> None:
    ends = (datetime.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    people("olive").post("/channels/-/silences/add/", namespace="*", ends_at=ends, reason="upgrade")
    page = people("olive").open("/channels/")
    page.locator("form[action*='/silences/'] button").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()
