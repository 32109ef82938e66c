"""The states of the overview and the list: filters, menus, cards of a status, tests, groups."""

from playwright.sync_api import Page, expect

from tests.gallery.dialogs import selected
from tests.gallery.furnishing import CALM, EMPTY, HELD, LONG_PERSON, LONGEST, MANY, ONE, REASONS, WAITING
from tests.gallery.scene import TEAM_A, Act, Scene, State, click, leave, menu


def card(name: str) -> Act:
    """The card of a status, as a tap opens it too."""

    def act(page: Page, scene: Scene) -> None:
        page.locator("tr", has_text=name).locator(".pill").first.click()
        page.get_by_role("tooltip").first.wait_for()

    return act


def testing_card(page: Page, scene: Scene) -> None:
    testing_one(page, scene)
    card(HELD)(page, scene)


def tested_many(page: Page, scene: Scene) -> None:
    page.locator("#test-all").click()
    page.locator("#verify-run summary").first.wait_for()
    closed = page.locator("#verify-run details:not([open])")
    while closed.count():
        closed.first.locator("summary").click()
    for lines in page.locator("#verify-run .verify-lines").all():
        expect(lines.locator("li").first).to_be_visible()


def testing_many(page: Page, scene: Scene) -> None:
    """A run of tests of which one does not end before the picture is taken."""
    scene.held.hold()
    page.locator("#test-all").click()
    page.locator("#verify-newest li").first.wait_for()


def testing_one(page: Page, scene: Scene) -> None:
    scene.held.hold()
    menu(HELD)(page, scene)
    page.locator("#row-menu [data-action=test]").click()
    page.locator("tr", has_text=HELD).locator(".pill-busy, .spinner").first.wait_for()


def selected_group(page: Page, scene: Scene) -> None:
    page.locator(".pick-group").first.click()
    page.locator("#selection-bar").wait_for()


def away(page: Page, scene: Scene) -> None:
    leave(page)
    page.locator("#q").fill("harbor")
    page.locator("#offline").wait_for()


def actions(page: Page, scene: Scene) -> None:
    """The rarer actions of a phone. Elsewhere they stand beside the others."""
    page.locator("#actions-more").click()
    page.locator("#actions-menu:popover-open").wait_for()


def of_the_bar(menu: str) -> Act:
    """A menu of the top bar that has its place."""
    button = f"[popovertarget={menu}]"
    return click(button, f"{button}[aria-expanded=true]")


def palette(page: Page, scene: Scene) -> None:
    page.keyboard.press("Control+k")
    page.locator("#palette-find").fill("a")
    page.locator("#palette-found:not(:has([href$='/overview/'])) a").nth(8).wait_for()


def palette_empty(page: Page, scene: Scene) -> None:
    page.keyboard.press("Control+k")
    page.locator("#palette-find").fill("no-such-thing")
    page.locator("#palette-found p.menu-empty").wait_for()


def keys(page: Page, scene: Scene) -> None:
    page.keyboard.press("?")
    page.locator("#keys:popover-open").wait_for()


OPEN_ACCOUNT = of_the_bar("account-menu")
OPEN_NAMESPACES = click("#namespace-button", "#namespace-options a")
LIST_STATES = (
    State("overview", "/overview/"),
    State("overview-viewer", "/overview/", person="vic"),
    State("overview-healthy", "/overview/", person=CALM),
    State("overview-longest", "/overview/", person=LONG_PERSON),
    State("overview-nobody", "/overview/", person="sam"),
    State("list", "/registries/"),
    State("list-50", "/registries/?size=50"),
    State("list-many", f"/registries/?namespace={MANY}"),
    State("list-reasons", f"/registries/?namespace={REASONS}&size=50"),
    State("list-probe-images", f"/registries/?namespace={REASONS}&q=image-"),
    State("list-longest", f"/registries/?namespace={LONGEST}"),
    State("list-one", f"/registries/?namespace={ONE}"),
    State("list-empty", f"/registries/?namespace={EMPTY}"),
    State("list-no-match", "/registries/?q=no-such-thing"),
    State("list-filtered", "/registries/?status=failed&provider=harbor&q=team&namespace=team-a"),
    State("list-viewer", "/registries/", person="vic"),
    State("list-operator", "/registries/", person="omar"),
    State("list-nobody", "/registries/", person="sam"),
    State("list-selected", "/registries/?size=10", selected),
    State("list-away", TEAM_A, away, status=502),
    State("menu-row", TEAM_A, menu("harbor-team-a")),
    State("menu-select", TEAM_A, click("#pick-more", "#pick-menu:popover-open")),
    State("menu-language", TEAM_A, of_the_bar("language-menu")),
    State("menu-theme", TEAM_A, of_the_bar("theme-menu")),
    State("menu-account", TEAM_A, OPEN_ACCOUNT),
    State("menu-account-nobody", "/registries/", OPEN_ACCOUNT, person="sam"),
    State("menu-account-longest", "/registries/", OPEN_ACCOUNT, person=LONG_PERSON),
    State("menu-namespace-longest", "/registries/", OPEN_NAMESPACES, person=LONG_PERSON),
    State("menu-namespace", TEAM_A, OPEN_NAMESPACES),
    State("menu-actions", "/registries/team-a/harbor-team-a/", actions, widest=767),
    State("palette", TEAM_A, palette),
    State("palette-empty", TEAM_A, palette_empty),
    State("keys", TEAM_A, keys),
    State("navigation", TEAM_A, click("#nav-toggle"), widest=991),
    State("card-failed", TEAM_A, card("harbor-team-a")),
    State("card-good", TEAM_A, card("registry-team-a")),
    State("card-untested", TEAM_A, card("quay-team-a")),
    State("card-unverified", f"/registries/?namespace={REASONS}&size=50", card("ok-unverified")),
    State("card-stale", "/registries/?namespace=prod-namespace", card("aliyun-prod")),
    State("card-longest", f"/registries/?namespace={LONGEST}", card("x-prod")),
    State("card-expired", "/registries/?namespace=test-namespace", card("harbor-test")),
    State("card-silenced", f"/registries/?namespace={ONE}", card("harbor-one")),
    State("card-testing", f"/registries/?namespace={WAITING}", testing_card),
)
TEST_STATES = (
    State("testing", f"/registries/?namespace={WAITING}", testing_one),
    State("testing-many", f"/registries/?namespace={WAITING}", testing_many),
    State("tested-many", "/registries/?namespace=team-a", tested_many),
)
GROUP_STATES = (
    State("list-failing", "/registries/?status=failed&size=50"),
    State("list-by-cause", "/registries/?group=cause&size=50"),
    State("list-by-host", "/registries/?group=host&status=failed", selected_group),
    State("list-by-host-later", "/registries/?group=host&page=2&size=10"),
    State("list-by-credential", "/registries/?group=credential", person="vic"),
    State("list-one-group", f"/registries/?namespace={REASONS}&group=cause&in=host:harbor.example.com"),
    State("list-by-credential-longest", f"/registries/?namespace={LONGEST}&group=credential"),
)
