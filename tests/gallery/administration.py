"""The states of accounts, namespaces and intervals, tokens, channels and silences, and mirrors."""

import re

from playwright.sync_api import Page

from tests.gallery.details import unfolded
from tests.gallery.furnishing import EMPTY, LONG_NAME, LONG_PERSON, LONGEST
from tests.gallery.scene import Scene, State, click, nothing, submit


def made_token(page: Page, scene: Scene) -> None:
    page.locator("[name=name]").fill("CI " + "n" * 50)
    page.locator("button[type=submit]").last.click()
    page.get_by_text(re.compile("rct_")).first.wait_for()


def token_list(page: Page, scene: Scene) -> None:
    """A token of one's own, and tokens of other people below it."""
    made_token(page, scene)
    page.goto("/tokens/")
    page.locator("table.accounts").first.wait_for()


def revoked(page: Page, scene: Scene) -> None:
    token_list(page, scene)
    click("a[href$='/revoke/']", "dialog[open] form")(page, scene)


def tried_channel(page: Page, scene: Scene) -> None:
    page.locator("[name=url]").fill("http://127.0.0.1:9/robot/send?key=secret")
    page.locator("[hx-post*='/try/']").click()
    page.locator("#channel-outcome .notice").wait_for()


def chosen_namespaces(page: Page, scene: Scene) -> None:
    click("a[href$='/tokens/-/add/']", "dialog[open] form")(page, scene)
    page.locator("[name=scope][value=chosen]").check()
    page.locator("#token-namespaces input").first.check()
    page.locator(".dialog-content").evaluate("it => it.scrollTo(0, 0)")


def no_namespace(page: Page, scene: Scene) -> None:
    page.locator("[name=name]").fill("CI")
    page.locator("[name=scope][value=chosen]").check()
    page.locator("button[type=submit]").last.click()
    page.locator("#error-summary").wait_for()


def last_administrator(page: Page, scene: Scene) -> None:
    click("a[href$='/olive/roles/']", "dialog[open] .grants button")(page, scene)
    page.locator("dialog[open] .grants button").click()
    page.locator("#error-summary").wait_for()


ADMINISTRATION_STATES = (
    State("accounts", "/accounts/"),
    State("account-add", "/accounts/", click("a[href$='/accounts/-/add/']", "dialog[open] form")),
    State(
        "account-errors",
        "/accounts/",
        submit(click("a[href$='/accounts/-/add/']", "dialog[open] form")),
        status=422,
    ),
    State(
        "account-roles-longest",
        "/accounts/",
        click(f"a[href$='/{LONG_PERSON}/roles/']", "dialog[open]"),
    ),
    State("account-last", "/accounts/", last_administrator, status=409),
    State("account-roles", "/accounts/", click("a[href$='/nina/roles/']", "dialog[open]")),
    State("account-password", "/accounts/", click("a[href$='/nina/password/']", "dialog[open] form")),
    State("account-deactivate", "/accounts/", click("a[href$='/nina/active/']", "dialog[open] form")),
    State("account-delete", "/accounts/", click("a[href$='/nina/delete/']", "dialog[open] form")),
    State("namespaces", "/namespaces/"),
    State("namespaces-operator", "/namespaces/", person="omar"),
    State("interval-namespace", "/namespaces/", click("a[href$='/team-a/interval/']", "dialog[open] form")),
    State("interval", "/registries/team-a/harbor-team-a/", click("#interval-link", "dialog[open] form")),
    State(
        "interval-longest",
        f"/registries/{LONGEST}/{LONG_NAME}/",
        click("#interval-link", "dialog[open] form"),
    ),
    State("interval-page", "/registries/team-a/quay-team-a/interval/"),
    State("namespace-add", "/namespaces/", click("a[href$='/namespaces/-/add/']", "dialog[open] form")),
    State(
        "namespace-errors",
        "/namespaces/",
        submit(click("a[href$='/namespaces/-/add/']", "dialog[open] form")),
        status=422,
    ),
    State("namespace-delete", "/namespaces/", click(f"a[href$='/{EMPTY}/delete/']", "dialog[open] form")),
    State("namespace-longest", "/namespaces/", click(f"a[href$='/{LONGEST}/delete/']", "dialog[open]")),
    State("namespace-full", "/namespaces/", click("a[href$='/team-b/delete/']", "dialog[open]")),
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
    State("token-list", "/tokens/-/add/", token_list),
    State("token-revoke", "/tokens/-/add/", revoked),
    State("channels", "/channels/"),
    State("channels-empty", "/channels/", person="nina"),
    State(
        "channel-services", "/channels/", click("a[href$='/channels/-/add/']", "dialog[open] .service-card")
    ),
    State("silence-add", "/channels/-/silences/add/"),
    State("silence-weekly", "/channels/-/silences/add/", click("[name=weekly]", "#div_id_last_day")),
    State(
        "silence-errors", "/channels/-/silences/add/", submit(nothing, "main button[type=submit]"), status=422
    ),
    State("channel-add", "/channels/-/add/dingtalk/"),
    State(
        "channel-errors", "/channels/-/add/webhook/", submit(nothing, "main button[type=submit]"), status=422
    ),
    State("channel-try-failed", "/channels/-/add/wecom/", tried_channel),
    State("channel-edit", "/channels/", click(".channels a[href$='/edit/']", "dialog[open] form")),
    State("channel-delete", "/channels/", click(".channels a[href$='/delete/']", "dialog[open] form")),
    State("mirrors", "/mirrors/"),
    State("rules", "/rules/"),
    State("rules-none", "/rules/", person="vic"),
    State("mirrors-files", "/mirrors/", unfolded),
    State("mirror-add", "/mirrors/", click("a[href$='/mirrors/-/add/']", "dialog[open] form")),
    State("mirror-errors", "/mirrors/-/add/", submit(nothing, "main button[type=submit]"), status=422),
    State("mirror-delete", "/mirrors/", click(".mirrors a[href$='/delete/']", "dialog[open] form")),
)
