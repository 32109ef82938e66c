"""The states of the gallery: who looks, at which page, and what they do there first.

The acts find elements by ids and classes, not by words, since each state is looked at in both languages.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex

from playwright.sync_api import Page, expect

from tests.gallery.furnishing import EMPTY, HELD, LONG_NAME, LONGEST, MANY, ONE, REASONS, WAITING
from tests.peers.console_page import credential
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole


@dataclass(frozen=True)
class Scene:
    """What an act needs beside the page."""

    console: RunningConsole
    held: HeldRegistry


Act = Callable[[Page, Scene], None]


def nothing(page: Page, scene: Scene) -> None:
    pass


@dataclass(frozen=True)
class State:
    """One state. `person` is empty for a visitor without a log-in; `narrow` says that it exists on narrow windows only.

    `status` is the status of the page, and of what the act does, where it is an error.
    """

    name: str
    path: str
    act: Act = nothing
    person: str = "olive"
    narrow: bool = False
    status: int = 200


def click(selector: str, then: str = "") -> Act:
    """Clicks the first match, then waits for another selector."""

    def act(page: Page, scene: Scene) -> None:
        page.locator(selector).first.click()
        if then:
            page.locator(then).first.wait_for()

    return act


def card(name: str) -> Act:
    """The card of a status, as a tap opens it too."""

    def act(page: Page, scene: Scene) -> None:
        page.locator("tr", has_text=name).locator(".pill").first.click()
        page.get_by_role("tooltip").first.wait_for()

    return act


def testing_card(page: Page, scene: Scene) -> None:
    testing_one(page, scene)
    card(HELD)(page, scene)


def testing_details(page: Page, scene: Scene) -> None:
    scene.held.hold()
    page.locator("#details form button").click()
    page.locator("#panel .verdict-busy").wait_for()


def unfolded(page: Page, scene: Scene) -> None:
    for summary in page.locator(".folded summary").all():
        summary.click()


def token_of(page: Page) -> str:
    return next(it["value"] for it in page.context.cookies() if it["name"] == "csrftoken")  # type: ignore[typeddict-item]


def meanwhile(then: str, **theirs: str) -> Act:
    """Edits a registry while the same person saves or deletes it in another tab, and waits for what that shows."""

    def act(page: Page, scene: Scene) -> None:
        page.locator("tr .more").first.click()
        page.locator("#row-menu [data-action=edit]").click()
        form = page.locator("#edit-form")
        form.wait_for()
        path = form.get_attribute("action") or ""
        hidden = {
            it.get_attribute("name") or "": it.input_value() for it in form.locator("[type=hidden]").all()
        }
        sent = {**hidden, "csrfmiddlewaretoken": token_of(page)}
        if theirs:
            at = token_hex(2)
            sent |= {name: f"{text} {at}" for name, text in theirs.items()}
        else:
            path, sent = path.replace("/edit/", "/delete/"), {**sent, "confirm": path.split("/")[-3]}
        saved = page.context.request.post(scene.console.url + path, form=sent)
        assert saved.ok, saved.text()
        form.locator("[name=display_name]").fill("生产环境 Harbor（主）")
        if "description" in theirs:
            form.locator("[name=description]").fill("Main registry of production.\nPulls only.")
        page.locator("#edit-save").click()
        page.locator(then).first.wait_for()

    return act


def deleted_while_open(page: Page, scene: Scene) -> None:
    """By the same person in another tab. The registry is a new one for each look."""
    send = page.context.request.post
    token = token_of(page)
    name = f"gone-{token_hex(4)}"
    given = {**credential(scene.console, "harbor"), "provider": "harbor", "name": name, "namespace": "team-a"}
    added = send(f"{scene.console.url}/registries/-/add/", form={**given, "csrfmiddlewaretoken": token})
    assert added.ok, added.text()
    page.goto(f"/registries/team-a/{name}/?namespace=team-a&status=untested")
    uid = page.locator("#details-state").get_attribute("data-version") or ""
    form = {"confirm": name, "uid": uid.partition("/")[0], "csrfmiddlewaretoken": token}
    deleted = send(f"{scene.console.url}/registries/team-a/{name}/delete/", form=form)
    assert deleted.ok, deleted.text()
    page.locator("#gone").wait_for()


def details_away(page: Page, scene: Scene) -> None:
    """A test that does not reach the console."""
    page.route("**/*", lambda route: route.fulfill(status=502))
    page.locator("#details form button").click()
    page.locator(".toast-bad").first.wait_for()


def menu(name: str) -> Act:
    def act(page: Page, scene: Scene) -> None:
        page.locator("tr", has_text=name).locator(".more").first.click()
        page.get_by_role("menu").filter(visible=True).wait_for()

    return act


def choose(name: str, action: str) -> Act:
    """Opens the dialog of one registry from its menu."""

    def act(page: Page, scene: Scene) -> None:
        menu(name)(page, scene)
        page.locator(f"#row-menu [data-action={action}]").click()
        page.locator("dialog[open] form").first.wait_for()

    return act


def submit(act: Act, button: str = "dialog[open] button[type=submit]") -> Act:
    """Sends the form of a dialog as it is, and waits for its errors."""

    def both(page: Page, scene: Scene) -> None:
        act(page, scene)
        page.locator(button).last.click()
        page.locator("#error-summary, [aria-invalid=true]").first.wait_for()

    return both


open_add = click("#add-button", "dialog[open] form")


def typed(behaviour: str) -> Act:
    """The add dialog after a test of a demo registry's values."""

    def act(page: Page, scene: Scene) -> None:
        open_add(page, scene)
        form = page.locator("dialog[open]")
        for field, value in credential(scene.console, behaviour).items():
            form.locator(f"[name={field}]").fill(value)
        form.locator("#add-test").click()
        form.locator(".verdict").wait_for()

    return act


def discard(page: Page, scene: Scene) -> None:
    open_add(page, scene)
    page.locator("dialog[open] [name=domain]").fill("harbor.example.com")
    page.keyboard.press("Escape")
    page.locator("dialog[open]").last.wait_for()


def selected(page: Page, scene: Scene) -> None:
    page.locator("#pick-page").check()
    expect(page.locator("#selection-bar")).to_be_visible()


def delete_many(page: Page, scene: Scene) -> None:
    selected(page, scene)
    page.locator("#selection-delete").click()
    page.locator("dialog[open] form").wait_for()


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


def away(page: Page, scene: Scene) -> None:
    page.route("**/*", lambda route: route.fulfill(status=502))
    page.locator("#q").fill("harbor")
    page.locator("#offline").wait_for()


def wrong_log_in(page: Page, scene: Scene) -> None:
    page.locator("[name=username]").fill("olive")
    page.locator("[name=password]").fill("not the right one")
    page.locator("button[type=submit]").last.click()
    page.get_by_role("alert").first.wait_for()


def made_token(page: Page, scene: Scene) -> None:
    page.locator("[name=name]").fill("CI " + "n" * 50)
    page.locator("button[type=submit]").last.click()
    page.get_by_text(re.compile("rct_")).first.wait_for()


def tried_channel(page: Page, scene: Scene) -> None:
    page.locator("[name=url]").fill("http://127.0.0.1:9/robot/send?key=secret")
    page.locator("[hx-post*='/try/']").click()
    page.locator("#channel-outcome .notice").wait_for()


def chosen_namespaces(page: Page, scene: Scene) -> None:
    click("a[href$='/tokens/-/add/']", "dialog[open] form")(page, scene)
    page.locator("[name=scope][value=chosen]").check()
    page.locator("#token-namespaces input").first.check()


def no_namespace(page: Page, scene: Scene) -> None:
    page.locator("[name=name]").fill("CI")
    page.locator("[name=scope][value=chosen]").check()
    page.locator("button[type=submit]").last.click()
    page.locator("#error-summary").wait_for()


TEAM_A = "/registries/?namespace=team-a"

STATES = (
    State("login", "/login/", person=""),
    State("list", "/registries/"),
    State("list-50", "/registries/?size=50"),
    State("list-many", f"/registries/?namespace={MANY}"),
    State("list-reasons", f"/registries/?namespace={REASONS}&size=50"),
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
    State("menu-language", TEAM_A, click("[popovertarget=language-menu]", "#language-menu:popover-open")),
    State("menu-account", TEAM_A, click("[popovertarget=account-menu]", "#account-menu:popover-open")),
    State("menu-namespace", TEAM_A, click("#namespace-button", "#namespace-options a")),
    State("navigation", TEAM_A, click("#nav-toggle"), narrow=True),
    State("card-failed", TEAM_A, card("harbor-team-a")),
    State("card-good", TEAM_A, card("registry-team-a")),
    State("card-untested", TEAM_A, card("quay-team-a")),
    State("card-unverified", f"/registries/?namespace={REASONS}&size=50", card("ok-unverified")),
    State("card-stale", "/registries/?namespace=prod-namespace", card("aliyun-prod")),
    State("card-longest", f"/registries/?namespace={LONGEST}", card("x-prod")),
    State("card-expired", "/registries/?namespace=test-namespace", card("harbor-test")),
    State("card-testing", f"/registries/?namespace={WAITING}", testing_card),
    State("details-failed", "/registries/team-a/harbor-team-a/"),
    State("details-untested", "/registries/team-a/quay-team-a/"),
    State("details-good", "/registries/default/harbor-prod/"),
    State("details-own-ca", "/registries/team-b/harbor-own-ca/"),
    State("details-untrusted", "/registries/team-b/harbor-team-b/"),
    State("details-longest", f"/registries/{LONGEST}/{LONG_NAME}/"),
    State("details-viewer", "/registries/team-a/harbor-team-a/", person="vic"),
    State("details-operator", "/registries/team-a/harbor-team-a/", person="omar"),
    State("details-filtered", f"/registries/{REASONS}/timeout/?namespace={REASONS}&status=failed"),
    State("details-unverified", "/registries/default/dockerhub-mirror/"),
    State("details-stale", "/registries/prod-namespace/aliyun-prod/"),
    State("details-expired", "/registries/test-namespace/harbor-test/"),
    State("details-unfolded", "/registries/team-b/harbor-own-ca/", unfolded),
    State("details-unfolded-longest", f"/registries/{LONGEST}/{LONG_NAME}/", unfolded),
    State("details-testing", f"/registries/{WAITING}/{HELD}/", testing_details),
    State("details-deleted", "/registries/", deleted_while_open, status=404),
    State("details-away", "/registries/team-a/harbor-team-a/", details_away, status=502),
    State("add", TEAM_A, open_add),
    State("add-errors", TEAM_A, submit(open_add), status=422),
    State("add-failed", TEAM_A, typed("wrong-password")),
    State("add-untrusted", TEAM_A, typed("self-signed")),
    State("add-tested", TEAM_A, typed("harbor")),
    State("add-discard", TEAM_A, discard),
    State("add-page", "/registries/-/add/"),
    State("edit", TEAM_A, choose("harbor-team-a", "edit")),
    State("edit-longest", f"/registries/?namespace={LONGEST}", choose("x-prod", "edit")),
    State(
        "edit-conflict",
        f"/registries/?namespace={ONE}",
        meanwhile(".clash", display_name="Production Harbor", description="镜像主仓库，只读账号"),
        status=409,
    ),
    State(
        "edit-conflict-one",
        "/registries/?q=quay-team-a",
        meanwhile(".clash", display_name="Production Quay"),
        person="omar",
        status=409,
    ),
    State("delete", TEAM_A, choose("harbor-team-a", "delete")),
    State("delete-longest", f"/registries/?namespace={LONGEST}", choose("x-prod", "delete")),
    State("delete-many", f"/registries/?namespace={REASONS}", delete_many),
    State("testing", f"/registries/?namespace={WAITING}", testing_one),
    State("testing-many", f"/registries/?namespace={WAITING}", testing_many),
    State("tested-many", "/registries/?namespace=team-a", tested_many),
    State("journal", "/journal/"),
    State("journal-empty", "/journal/?person=nobody"),
    State("accounts", "/accounts/"),
    State("account-add", "/accounts/", click("a[href$='/accounts/-/add/']", "dialog[open] form")),
    State("account-roles", "/accounts/", click("a[href$='/nina/roles/']", "dialog[open]")),
    State("account-password", "/accounts/", click("a[href$='/nina/password/']", "dialog[open] form")),
    State("account-delete", "/accounts/", click("a[href$='/nina/delete/']", "dialog[open] form")),
    State("namespaces", "/namespaces/"),
    State("namespaces-viewer", "/namespaces/", person="vic", status=403),
    State("namespace-add", "/namespaces/", click("a[href$='/namespaces/-/add/']", "dialog[open] form")),
    State("namespace-delete", "/namespaces/", click("a[href$='/team-b/delete/']", "dialog[open]")),
    State("tokens", "/tokens/"),
    State("token-add", "/tokens/", click("a[href$='/tokens/-/add/']", "dialog[open] form")),
    State(
        "token-errors",
        "/tokens/",
        submit(click("a[href$='/tokens/-/add/']", "dialog[open] form")),
        status=422,
    ),
    State("token-namespaces", "/tokens/", chosen_namespaces),
    State("token-no-namespace", "/tokens/-/add/", no_namespace, status=422),
    State("token-made", "/tokens/-/add/", made_token),
    State("channels-empty", "/channels/", person="nina"),
    State("channels", "/channels/"),
    State(
        "channel-services", "/channels/", click("a[href$='/channels/-/add/']", "dialog[open] .service-card")
    ),
    State("channel-add", "/channels/-/add/dingtalk/"),
    State(
        "channel-errors", "/channels/-/add/webhook/", submit(nothing, "main button[type=submit]"), status=422
    ),
    State("channel-try-failed", "/channels/-/add/wecom/", tried_channel),
    State("channel-edit", "/channels/", click(".channels a[href$='/edit/']", "dialog[open] form")),
    State("channel-delete", "/channels/", click(".channels a[href$='/delete/']", "dialog[open] form")),
    State("password", "/password/"),
    State("api", "/oapis/docs"),
    State("not-found", "/no-such-page/", status=404),
    State("forbidden", "/accounts/", person="vic", status=403),
    State("details-gone", "/registries/team-a/no-such-registry/", status=404),
    # The last one: after so many wrong passwords the console lets nobody log in for a while.
    State("login-error", "/login/", wrong_log_in, person="", status=422),
)
