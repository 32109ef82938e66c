"""The states of the audit log."""

import re

from playwright.sync_api import Page

from tests.gallery.scene import Scene, State, click


def long_run(page: Page, scene: Scene) -> None:
    """The end of an opened run with more entries than open."""
    page.locator("a[aria-expanded=false]", has_text="1,200").click()
    page.locator(".j-rest").scroll_into_view_if_needed()


def one_run(page: Page, scene: Scene) -> None:
    """The second page of one run."""
    long_run(page, scene)
    page.locator(".j-rest a").click()
    page.locator(".pages-numbers a", has_text=re.compile(r"^2$")).click()
    page.locator(".page-number[aria-current]", has_text=re.compile(r"^2$")).wait_for()


JOURNAL_STATES = (
    State("journal", "/journal/"),
    State("journal-entries", "/journal/?namespace=team-a"),
    State(
        "journal-opened", "/journal/?action=test", click("a[aria-expanded=false]", "a[aria-expanded=true]")
    ),
    State("journal-long-run", "/journal/?action=delete", long_run),
    State("journal-longest", f"/journal/?person={'w' * 60}"),
    State("journal-errors", "/journal/?since=2026-02-30&until=x&action=dance&name=harbor", status=422),
    State("journal-run", "/journal/?action=delete", one_run),
    State("journal-filtered", "/journal/?person=omar&since=2026-01-01&until=2099-12-31&outcome=failed"),
    State("journal-empty", "/journal/?person=nobody"),
    State("journal-viewer", "/journal/", person="vic"),
    State("journal-nobody", "/journal/", person="sam"),
)
