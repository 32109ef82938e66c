"""The deletion of a source that a rule keeps in sync: its copies are selected as well, with one click."""

from playwright.sync_api import Page, expect

from tests.gallery.scene import token_of
from tests.peers.console_page import add_registry, credential, dialog, row
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import ZH

API = "/oapis/image.theriseunion.io/v1alpha1/namespaces/default/registry-secrets"
COPIES = ("team-a", "team-b")


def keep_in_sync(page: Page, console: RunningConsole, name: str) -> None:
    rule = page.context.request.put(
        f"{console.url}{API}/{name}/sync-rule",
        data={"namespaces": [*COPIES]},
        headers={"X-CSRFToken": token_of(page), "Referer": console.url},
    )
    assert rule.ok, rule.text()


def copies_are_listed_with_the_choice_to_delete_them(page: Page, name: str) -> None:
    page.goto(f"/registries/default/{name}/sync/off/")
    listed = page.locator("#sync-off-form .doomed").filter(has_text=COPIES[0])
    expect(listed).to_be_hidden()
    page.locator("#sync-off-form [name=copies][value=delete]").check()
    expect(listed).to_be_visible()


def test_copies_are_selected_as_well(people: People, console: RunningConsole) -> None:
    page = people("olive").open("/registries/?q=in-sync", width=1280, height=800)
    add_registry(people("olive"), console, "in-sync", **credential(console, "basic"))
    keep_in_sync(page, console, "in-sync")
    expect(page.locator("tbody tr")).to_have_count(1 + len(COPIES))
    copies_are_listed_with_the_choice_to_delete_them(page, "in-sync")
    page.goto("/registries/?q=in-sync")
    row(page, "in-sync").filter(has_text="default").get_by_role("checkbox").check()
    page.get_by_role("button", name=ZH.delete_selected).click()
    asked = dialog(page)
    expect(asked.locator("#batch-copies")).to_be_visible()
    expect(asked.locator("#batch-count")).to_have_attribute("data-expects", "1")

    asked.locator("#batch-with-copies").click()

    expect(asked.locator("#batch-count")).to_have_attribute("data-expects", "3")
    expect(asked.locator("#batch-count")).to_be_focused()
    expect(asked.locator("#batch-copies")).to_have_count(0)
    for namespace in COPIES:
        expect(asked.locator("summary").filter(has_text=namespace)).to_have_count(1)
    expect(asked.locator("#batch-confirm")).to_be_disabled()
    asked.locator("#batch-count").fill("3")
    asked.locator("#batch-confirm").click()
    expect(asked.get_by_role("heading", name=ZH.finished)).to_be_visible()
    page.goto("/registries/?q=in-sync")
    expect(page.locator("tbody tr .pill")).to_have_count(0)
