"""The states of the dialogs for a new password and for other values, and of the runs that write them."""

from playwright.sync_api import Page

from tests.gallery.furnishing import LONGEST
from tests.gallery.scene import TEAM_A, Act, Scene, State, choose, new_registry, token_of
from tests.peers.console_page import credential
from tests.peers.harbor import ADMIN, NAME, OLD, harbor


def new_password(behaviour: str) -> Act:
    """The dialog for a new password of one registry, after a test of what was typed."""

    def act(page: Page, scene: Scene) -> None:
        choose("harbor-team-a", "password")(page, scene)
        form = page.locator("#password-form")
        form.locator("#id_password").fill(credential(scene.console, behaviour)["password"])
        form.locator("#password-test").click()
        form.locator(".verdict:not(.verdict-busy)").wait_for()

    return act


def renewal(page: Page, scene: Scene) -> None:
    """The part of the dialog for a robot account of Harbor. The demo's Harbor has no API for robot accounts."""
    choose("harbor-team-a", "password")(page, scene)
    page.locator("#harbor-secret summary").click()
    page.locator("#id_harbor_username").fill("admin")
    page.locator("#id_harbor_password").fill("any-password")
    page.locator("#harbor-second").click()
    page.locator("#error-summary").wait_for()
    page.locator("#harbor-renew").scroll_into_view_if_needed()


def second_robot(page: Page, scene: Scene) -> None:
    """The dialog after a Harbor created a second robot account. The registry is a new one for each look."""
    with harbor() as peer:
        name = new_registry(page, scene, domain=peer.server.address, username=NAME, password=OLD)
        page.goto(f"/registries/team-a/{name}/password/")
        page.locator("#harbor-secret summary").click()
        for field, text in zip(("username", "password"), ADMIN, strict=True):
            page.locator(f"#id_harbor_{field}").fill(text)
        page.locator("#harbor-second").click()
        page.locator("#rotation:not([hx-get]) .dialog-lead + p").first.wait_for()


def copied(password: str = "") -> Act:
    """The dialog of a registry with two copies; with a password it is saved, and the copies are waited for."""

    def act(page: Page, scene: Scene) -> None:
        names = ("copied-1", "copied-2", "copied-3")
        for name in names:  # they stay for the next look
            given = {**credential(scene.console, "harbor"), "provider": "harbor", "namespace": "team-a"}
            form = {**given, "name": name, "csrfmiddlewaretoken": token_of(page)}
            page.context.request.post(f"{scene.console.url}/registries/-/add/", form=form)
        page.goto(f"/registries/team-a/{names[0]}/password/")
        dialog = page.locator("#password-form")
        for name in names[1:]:
            dialog.locator(".choice", has_text=name).locator("input").check()
        if not password:
            return
        dialog.locator("#id_password").fill(password)
        page.locator("#password-save").click()
        page.locator("#error-summary").wait_for()
        page.locator("#password-save").click()
        page.locator("#rotation:not([hx-get]) #rotation-retry").wait_for()

    return act


def copies_rolled_back(page: Page, scene: Scene) -> None:
    """A wrong password that was wanted anyway, and taken back."""
    copied("wrong-password")(page, scene)
    page.locator("#rotation-roll-back").click()
    page.locator("#rotation:not([hx-get]) #rotation-done").wait_for()


def corrected_untested(page: Page, scene: Scene) -> None:
    """Another provider and a custom CA, saved without a test, and asked about."""
    choose("harbor-team-a", "correct")(page, scene)
    form = page.locator("#correct-form")
    form.locator(".provider-card", has_text="Aliyun").or_(form.locator(".provider-card").nth(2)).first.click()
    form.locator("[name=password]").fill("new-password")
    page.locator("#correct-save").click()
    page.locator("#error-summary").wait_for()


def new_password_untested(page: Page, scene: Scene) -> None:
    """Saved without a test, and asked about."""
    choose("harbor-team-a", "password")(page, scene)
    page.locator("#id_password").fill("new-password")
    page.locator("#password-save").click()
    page.locator("#error-summary").wait_for()


NEW_VALUE_STATES = (
    State("password-failed", TEAM_A, new_password("harbor")),
    State("password-untested", TEAM_A, new_password_untested, status=422),
    State("password-harbor", TEAM_A, renewal, status=422),
    State("password-second-robot", TEAM_A, second_robot),
    State("password-copies", TEAM_A, copied()),
    State("password-copies-rolled-back", TEAM_A, copies_rolled_back, status=422),
    State("correct", TEAM_A, choose("harbor-team-a", "correct")),
    State("correct-untested", TEAM_A, corrected_untested, status=422),
    State("password-copies-stopped", TEAM_A, copied("wrong-password"), status=422),
    State("password-longest", f"/registries/?namespace={LONGEST}", choose("x-prod", "password")),
)
