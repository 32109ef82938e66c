"""The states of the log-in page, and of the page for one's own password."""

from itertools import count

from playwright.sync_api import Page

from registries.demo.seed import PASSWORD
from tests.gallery.scene import TEAM_A, Scene, State

LOOKS = count(1)


def wrong(page: Page, scene: Scene) -> None:
    """Another name in each look: one name would be locked after the first looks."""
    _fill(page, f"olive-{next(LOOKS)}")


def locked(page: Page, scene: Scene) -> None:
    """So often that the name is locked at this address. In later looks it is locked already."""
    lock = page.locator("#error-summary use[href$='#lock']")
    while not lock.count():
        _fill(page, "locked")


def _fill(page: Page, name: str) -> None:
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill("not the right one")
    with page.expect_navigation():
        page.locator("main button[type=submit]").click()
    page.get_by_role("alert").first.wait_for()


def wrong_old_password(page: Page, scene: Scene) -> None:
    for field in ("old_password", "new_password1", "new_password2"):
        page.locator(f"[name={field}]").fill(field)
    page.locator("form.dialog-form [type=submit]").click()
    page.locator("#error-summary").wait_for()


def ended(page: Page, scene: Scene) -> None:
    """A session that ends while its list is open."""
    page.locator("[name=username]").fill("nina")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.goto(TEAM_A)
    page.context.clear_cookies(name="sessionid")
    page.locator("#q").fill("harbor")
    page.locator("#session-body form").wait_for()


LOG_IN_STATES = (
    State("session-ended", "/login/", ended, person="", status=401),
    State("password", "/password/"),
    State("password-changed", "/password/changed/"),
    State("password-errors", "/password/", wrong_old_password, status=422),
    State("login", "/login/", person=""),
    State("login-error", "/login/", wrong, person="", status=422),
    State("login-locked", "/login/", locked, person="", status=429),
)
