"""The states of the dialog that adds a registry."""

from secrets import token_hex

from playwright.sync_api import Page

from tests.gallery.scene import TEAM_A, Act, Scene, State, click, submit
from tests.peers.console_page import credential

open_add = click("#add-button", "dialog[open] form")


def typed(behaviour: str) -> Act:
    """The add dialog after a test of a demo registry's values."""

    def act(page: Page, scene: Scene) -> None:
        open_add(page, scene)
        form = page.locator("dialog[open]")
        for field, value in credential(scene.console, behaviour).items():
            form.locator(f"[name={field}]").fill(value)
        form.locator("#add-test").click()
        form.locator(".verdict:not(.verdict-busy)").wait_for()

    return act


def typed_name(page: Page, scene: Scene) -> None:
    """The rules for names: one is broken, and the field has the focus."""
    open_add(page, scene)
    page.locator("#id_name").fill("Harbor_Prod")
    page.locator("#name-rules .broken").first.wait_for()


def of_provider(provider: str) -> Act:
    def act(page: Page, scene: Scene) -> None:
        open_add(page, scene)
        page.locator(f".provider-card:has([value={provider}])").click()
        page.locator("[name=username]").fill("root")
        page.locator("#administrator").wait_for()

    return act


def trusted(page: Page, scene: Scene) -> None:
    """After a test: the CA that the registry showed is trusted."""
    typed("self-signed")(page, scene)
    page.locator("#trust-ca").click()
    page.locator("#check-ca .certificate").wait_for()
    page.locator(".verdict:not(.verdict-busy)").wait_for()


def trusted_blindly(page: Page, scene: Scene) -> None:
    open_add(page, scene)
    page.locator("[name=tls][value=skip]").check()


def saved(page: Page, scene: Scene) -> None:
    """The form for another registry. The name stands behind those that other states open."""
    open_add(page, scene)
    form = page.locator("dialog[open]")
    for field, value in {**credential(scene.console, "harbor"), "name": f"spare-{token_hex(4)}"}.items():
        form.locator(f"[name={field}]").fill(value)
    form.locator("[name=another]").check()
    form.locator("#add-save").click()
    page.locator("#just-saved").wait_for()


def discard(page: Page, scene: Scene) -> None:
    open_add(page, scene)
    page.locator("dialog[open] [name=domain]").fill("harbor.example.com")
    page.keyboard.press("Escape")
    page.locator("dialog[open]").last.wait_for()


def also(page: Page, scene: Scene) -> None:
    """The add dialog with the further namespaces unfolded."""
    open_add(page, scene)
    page.locator("#also summary").click()
    page.locator("#also .choice input").nth(1).check()


ADD_STATES = (
    State("add", TEAM_A, open_add),
    State("add-errors", TEAM_A, submit(open_add), status=422),
    State("add-also", TEAM_A, also),
    State("add-failed", TEAM_A, typed("wrong-password")),
    State("add-untrusted", TEAM_A, typed("self-signed")),
    State("add-tested", TEAM_A, typed("harbor")),
    State("add-trusted", TEAM_A, trusted),
    State("add-skip", TEAM_A, trusted_blindly),
    State("add-rules", TEAM_A, typed_name),
    State("add-dockerhub", TEAM_A, of_provider("dockerhub")),
    State("add-aliyun", TEAM_A, of_provider("aliyun")),
    State("add-another", "/registries/-/add/?provider=other&namespace=team-a&another=yes"),
    State("add-another-saved", TEAM_A, saved),
    State("add-discard", TEAM_A, discard),
    State("add-page", "/registries/-/add/"),
)
