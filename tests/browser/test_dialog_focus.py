"""The focus and dialogs: it does not leave one, comes back to where it was, and no key alone loses what was typed."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import DETAILS, INSIDE, UNSEEN, type_into
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

    expect(page.get_by_text("已重置「sam」的密码")).to_be_visible()
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
    expect(page.locator("#token-text + .copy")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.locator("#token-text")).to_be_visible()
    expect(page.get_by_role("link", name="我已复制")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("table a[href*='/revoke/']")).to_be_visible()


LOW = {"width": 640, "height": 400}
"""A window of 1280 × 800 at twice the size."""


def test_in_a_low_window_a_dialog_begins_with_what_is_deleted(people: People) -> None:
    page = people("olive").open("/registries/team-a/harbor-team-a/", **LOW)
    page.locator("#actions-more").focus()
    page.keyboard.press("Enter")
    page.locator("#delete-link").click()
    subject, title = page.locator(".dialog-subject"), page.locator("#dialog-title")

    expect(title).to_be_focused()
    expect(subject).to_be_in_viewport(ratio=1)
    page.goto("/registries/team-a/harbor-team-a/delete/")
    expect(title).to_be_focused()
    expect(title).to_be_in_viewport(ratio=1)
    expect(subject).to_be_in_viewport(ratio=1)


def test_in_a_low_window_a_token_is_shown_with_the_words_that_it_is_shown_once(people: People) -> None:
    page = people("olive").open("/tokens/-/add/", **LOW)
    page.locator("#id_name").fill("CI")
    page.locator(".dialog-foot [type=submit]").click()

    expect(page.locator("#token-text")).to_be_visible()
    expect(page.locator("#dialog-title")).to_be_in_viewport(ratio=1)
    expect(page.locator("#dialog-body [role=status]")).to_be_in_viewport(ratio=1)


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


def test_the_focus_does_not_leave_a_dialog(people: People) -> None:
    page = people("olive").open()
    page.get_by_role("link", name=ZH.add).focus()
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_visible()

    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "() => document.activeElement === document.body "
            "|| document.querySelector('dialog[open]').contains(document.activeElement)"
        )


@pytest.mark.parametrize("keep", ["Enter", "Escape"])
def test_whoever_keeps_editing_goes_on_in_the_same_field(people: People, keep: str) -> None:
    page = people("olive").open()
    page.get_by_role("link", name=ZH.add).focus()
    page.keyboard.press("Enter")
    field = dialog(page).locator("[name=username]")
    type_into(page, field, "robot$edge+pull")

    page.keyboard.press("Escape")
    expect(page.locator("#discard-no")).to_be_focused()
    page.keyboard.press(keep)

    expect(page.locator("#discard")).to_be_hidden()
    expect(field).to_be_focused()
    expect(field).to_have_value("robot$edge+pull")


@pytest.mark.parametrize(
    ("opener", "box"), [("#copy-link", "[name=namespaces]"), ("#sync-edit", "[name=scope][value=all]")]
)
def test_chosen_namespaces_are_not_lost_by_one_key(people: People, opener: str, box: str) -> None:
    page = people("olive").open(DETAILS)
    page.locator(opener).focus()
    page.keyboard.press("Enter")
    choice = dialog(page).locator(box).first
    choice.check()

    page.keyboard.press("Escape")

    expect(page.locator("#discard-no")).to_be_focused()
    page.keyboard.press("Enter")
    expect(choice).to_be_checked()


@pytest.mark.parametrize(
    ("path", "opener", "field"),
    [(DETAILS, "#interval-link", "#id_interval"), ("/accounts/", "a[href$='/nina/roles/']", "#id_role")],
)
def test_a_choice_in_a_list_is_not_lost_by_one_key(
    people: People, path: str, opener: str, field: str
) -> None:
    page = opened(people, path, opener)
    choice = dialog(page).locator(field)
    choice.select_option(index=2)
    chosen = choice.input_value()

    page.keyboard.press("Escape")

    expect(page.locator("#discard-no")).to_be_focused()
    page.keyboard.press("Enter")
    expect(choice).to_have_value(chosen)


@pytest.mark.parametrize(
    ("path", "openers"),
    [
        (DETAILS, ("#edit-link", "#password-link", "#correct-link", "#copy-link", "#delete-link")),
        (DETAILS, ("#password-next", "#correct-next", "#interval-link", "#messages a")),
        ("/channels/", ("a[href$='/channels/-/add/']", "a[href$='/silences/add/']")),
        ("/namespaces/", ("a[href$='/team-a/interval/']", "a[href$='/team-a/delete/']")),
        ("/accounts/", ("a[href$='/nina/roles/']", "a[href$='/nina/active/']", "a[href$='/nina/delete/']")),
    ],
)
def test_each_dialog_is_walked_and_left_with_esc(people: People, path: str, openers: tuple[str, ...]) -> None:
    page = people("olive").open(path)
    for selector in openers:
        opener = page.locator(selector).first
        opener.focus()
        page.keyboard.press("Enter")
        expect(dialog(page)).to_be_visible()
        page.wait_for_function(INSIDE)
        first = page.evaluate_handle("() => document.activeElement")

        for _ in range(40):
            assert page.evaluate(UNSEEN) == "", selector
            page.keyboard.press("Tab")
            while page.evaluate("() => document.activeElement === document.body"):
                page.keyboard.press("Tab")  # out of the page's end, and in again
            assert page.evaluate(INSIDE), selector
            if page.evaluate("it => it === document.activeElement", first):
                break
        else:
            raise AssertionError(f"Tab does not come round in the dialog of {selector}")

        page.keyboard.press("Escape")
        expect(dialog(page)).to_be_hidden()
        expect(opener).to_be_focused()


def test_the_place_and_the_focus_stay_when_a_dialog_draws_the_page_anew(
    people: People, console: RunningConsole
) -> None:
    olive = people("olive")
    add_registry(olive, console, "kept-place", namespace="team-a")
    page = olive.open("/registries/team-a/kept-place/", height=400)
    page.wait_for_load_state("networkidle")
    opener = page.locator("#interval-link")
    opener.focus()
    top = page.evaluate("() => { window.scrollTo({ top: 120, behavior: 'instant' }); return window.scrollY }")
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_visible()
    page.evaluate("() => { window.old = true }")

    dialog(page).locator("button[type=submit]").press("Enter")

    page.wait_for_function("() => !window.old")
    expect(opener).to_be_focused()
    assert top > 0
    assert page.evaluate("() => window.scrollY") == pytest.approx(top, abs=80), (
        "a toast or a panel moves it a little"
    )
