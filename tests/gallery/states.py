"""The states of the gallery: who looks, at which page, and what they do there first.

The acts find elements by ids and classes, not by words, since each state is looked at in both languages.
"""

import re

from playwright.sync_api import Page, expect

from tests.gallery.dialogs import DIALOGS, REFUSED, selected, submit
from tests.gallery.furnishing import (
    CALM,
    EMPTY,
    HELD,
    LONG_NAME,
    LONG_PERSON,
    LONGEST,
    MANY,
    ONE,
    REASONS,
    WAITING,
)
from tests.gallery.log_in import LOG_IN_STATES
from tests.gallery.scene import TEAM_A, Act, Scene, State, click, menu, new_registry, nothing, token_of
from tests.peers.console_page import credential


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


def tested_image(image: str, behaviour: str) -> Act:
    """The form for an image; after a test, if one is given."""

    def act(page: Page, scene: Scene) -> None:
        page.locator("#image-test summary").click()
        if not image:
            return
        host = credential(scene.console, behaviour)["domain"]
        page.locator("#id_image").fill(image.format(host=host))
        with page.expect_response(re.compile("/verify/")):
            page.locator("#image-test .image-line button").click()
        page.locator("#panel:not([hx-get]) .image-answer, #image-error:not(:empty)").first.wait_for()

    return act


def deleted_while_open(page: Page, scene: Scene) -> None:
    """By the same person in another tab. The registry is a new one for each look."""
    name = new_registry(page, scene)
    send, token = page.context.request.post, token_of(page)
    page.goto(f"/registries/team-a/{name}/?namespace=team-a&status=untested")
    uid = page.locator("#details-state").get_attribute("data-version") or ""
    form = {"confirm": name, "uid": uid.partition("/")[0], "csrfmiddlewaretoken": token}
    deleted = send(f"{scene.console.url}/registries/team-a/{name}/delete/", form=form)
    assert deleted.ok, deleted.text()
    page.locator("#gone").wait_for()


def leave(page: Page) -> None:
    """A proxy answers for the console. What the browser has already stays."""
    asked = ("xhr", "fetch")
    page.route(
        "**/*",
        lambda it: it.fulfill(status=502) if it.request.resource_type in asked else it.continue_(),
    )


def messages(page: Page, scene: Scene) -> None:
    page.locator("#messages").scroll_into_view_if_needed()


def relatives(page: Page, scene: Scene) -> None:
    page.locator("#relatives .relatives").scroll_into_view_if_needed()


def sync_panel(page: Page, scene: Scene) -> None:
    page.locator("#sync").scroll_into_view_if_needed()


def keeping(button: str, form: str) -> Act:
    """A dialog of the panel "sync across namespaces"."""

    def act(page: Page, scene: Scene) -> None:
        sync_panel(page, scene)
        page.locator(button).first.click()
        page.locator(form).wait_for()

    return act


def planning(page: Page, scene: Scene) -> None:
    keeping("#sync-edit", "#sync-form")(page, scene)
    page.locator("#sync-form input[value=all]").check()
    page.locator("#sync-next").click()
    page.locator("#sync-plan").wait_for()


def former(page: Page, scene: Scene) -> None:
    page.locator("#relink").scroll_into_view_if_needed()


def linking(page: Page, scene: Scene) -> None:
    page.locator("#relink").click()
    page.locator("#relink-form").wait_for()


def aligning(page: Page, scene: Scene) -> None:
    relatives(page, scene)
    page.locator("[id^=align-]").first.click()
    page.locator("#align-form").wait_for()


def aligning_a_gone_copy(page: Page, scene: Scene) -> None:
    relatives(page, scene)
    page.locator("#align-test-namespace-harbor-own-ca").click()
    page.locator("#align-form").wait_for()


def details_away(page: Page, scene: Scene) -> None:
    """A test that does not reach the console."""
    leave(page)
    page.locator("#details form button").click()
    page.locator(".toast-bad").first.wait_for()
    page.locator("#offline").wait_for()


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
    page.locator(".pick-group").first.check()
    page.locator("#selection-bar").wait_for()


def away(page: Page, scene: Scene) -> None:
    leave(page)
    page.locator("#q").fill("harbor")
    page.locator("#offline").wait_for()


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
    page.locator(".dialog-content").evaluate("it => it.scrollTo(0, 0)")


def no_namespace(page: Page, scene: Scene) -> None:
    page.locator("[name=name]").fill("CI")
    page.locator("[name=scope][value=chosen]").check()
    page.locator("button[type=submit]").last.click()
    page.locator("#error-summary").wait_for()


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


def last_administrator(page: Page, scene: Scene) -> None:
    click("a[href$='/olive/roles/']", "dialog[open] .grants button")(page, scene)
    page.locator("dialog[open] .grants button").click()
    page.locator("#error-summary").wait_for()


def too_many_exports(page: Page, scene: Scene) -> None:
    url = f"{scene.console.url}/journal/export/"
    while page.request.get(url).status != 429:
        pass
    page.goto(url)


def actions(page: Page, scene: Scene) -> None:
    """The rarer actions of a phone. Elsewhere they stand beside the others."""
    if page.locator("#actions-more").is_visible():
        page.locator("#actions-more").click()
        page.locator("#actions-menu:popover-open").wait_for()


def without(table: str) -> Act:
    """The page again while the database lacks a table."""

    def act(page: Page, scene: Scene) -> None:
        with scene.console.without(table):
            page.reload()
        page.locator("main .empty code").wait_for()

    return act


def palette(page: Page, scene: Scene) -> None:
    page.keyboard.press("Control+k")
    page.locator("#palette-find").fill("a")
    page.locator("#palette-found a").nth(8).wait_for()


def keys(page: Page, scene: Scene) -> None:
    page.keyboard.press("?")
    page.locator("#keys:popover-open").wait_for()


OPEN_ACCOUNT = click("[popovertarget=account-menu]", "#account-menu:popover-open")
OPEN_NAMESPACES = click("#namespace-button", "#namespace-options a")

STATES = (
    State("overview", "/overview/"),
    State("overview-viewer", "/overview/", person="vic"),
    State("overview-healthy", "/overview/", person=CALM),
    State("overview-longest", "/overview/", person=LONG_PERSON),
    State("overview-nobody", "/overview/", person="sam"),
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
    State("menu-theme", TEAM_A, click("[popovertarget=theme-menu]", "#theme-menu:popover-open")),
    State("menu-account", TEAM_A, OPEN_ACCOUNT),
    State("menu-account-nobody", "/registries/", OPEN_ACCOUNT, person="sam"),
    State("menu-account-longest", "/registries/", OPEN_ACCOUNT, person=LONG_PERSON),
    State("menu-namespace-longest", "/registries/", OPEN_NAMESPACES, person=LONG_PERSON),
    State("menu-namespace", TEAM_A, OPEN_NAMESPACES),
    State("menu-actions", "/registries/team-a/harbor-team-a/", actions, narrow=True),
    State("palette", TEAM_A, palette),
    State("keys", TEAM_A, keys),
    State("navigation", TEAM_A, click("#nav-toggle"), narrow=True),
    State("card-failed", TEAM_A, card("harbor-team-a")),
    State("card-good", TEAM_A, card("registry-team-a")),
    State("card-untested", TEAM_A, card("quay-team-a")),
    State("card-unverified", f"/registries/?namespace={REASONS}&size=50", card("ok-unverified")),
    State("card-stale", "/registries/?namespace=prod-namespace", card("aliyun-prod")),
    State("card-longest", f"/registries/?namespace={LONGEST}", card("x-prod")),
    State("card-expired", "/registries/?namespace=test-namespace", card("harbor-test")),
    State("card-silenced", f"/registries/?namespace={ONE}", card("harbor-one")),
    State("card-testing", f"/registries/?namespace={WAITING}", testing_card),
    State("details-failed", "/registries/team-a/harbor-team-a/"),
    State("details-untested", "/registries/team-a/quay-team-a/"),
    State("details-good", "/registries/default/harbor-prod/"),
    State("details-own-ca", "/registries/team-b/harbor-own-ca/"),
    State("details-copies", "/registries/team-b/harbor-own-ca/", relatives),
    State("details-copy", "/registries/gallery-waiting/harbor-own-ca/", relatives, person="olive"),
    State("sync", "/registries/team-b/harbor-own-ca/", sync_panel),
    State("sync-paused", "/registries/team-b/harbor-team-b/", sync_panel),
    State("sync-none", "/registries/default/harbor-prod/", sync_panel),
    State("sync-edit", "/registries/team-b/harbor-own-ca/", keeping("#sync-edit", "#sync-form")),
    State("sync-plan", "/registries/team-b/harbor-own-ca/", planning),
    State("sync-solve", "/registries/team-b/harbor-own-ca/", keeping("[id^=solve-]", "#solve-form")),
    State("sync-off", "/registries/team-b/harbor-own-ca/", keeping("#sync-off", "#sync-off-form")),
    State("delete-source", "/registries/team-b/harbor-own-ca/delete/"),
    State("delete-copy", f"/registries/{MANY}/harbor-own-ca/delete/"),
    State("delete-awaited", "/registries/default/harbor-own-ca/delete/"),
    State("relink-offered", "/registries/dev-namespace/dockerhub-dev/", former),
    State("relink", "/registries/dev-namespace/dockerhub-dev/", linking),
    State("align-password", "/registries/gallery-waiting/harbor-own-ca/", aligning),
    State("align-replaces", "/registries/default/harbor-own-ca/", aligning),
    State("align-gone", "/registries/team-b/harbor-own-ca/", aligning_a_gone_copy),
    State("details-untrusted", "/registries/team-b/harbor-team-b/"),
    State("details-longest", f"/registries/{LONGEST}/{LONG_NAME}/"),
    State("details-viewer", "/registries/team-a/harbor-team-a/", person="vic"),
    State("details-operator", "/registries/team-a/harbor-team-a/", person="omar"),
    State("details-filtered", f"/registries/{REASONS}/timeout/?namespace={REASONS}&status=failed"),
    State("details-silenced", f"/registries/{REASONS}/ok/", messages),
    State("details-silenced-longest", f"/registries/{LONGEST}/{LONG_NAME}/", messages),
    State("details-silenced-viewer", f"/registries/{ONE}/harbor-one/", messages, person=CALM),
    State("details-unverified", "/registries/default/dockerhub-mirror/"),
    State("details-stale", "/registries/prod-namespace/aliyun-prod/"),
    State("details-expired", "/registries/test-namespace/harbor-test/"),
    State("details-unfolded", "/registries/team-b/harbor-own-ca/", unfolded),
    State("details-unfolded-longest", f"/registries/{LONGEST}/{LONG_NAME}/", unfolded),
    State("details-testing", f"/registries/{WAITING}/{HELD}/", testing_details),
    State("details-image", "/registries/default/harbor-prod/", tested_image("", "harbor")),
    State(
        "details-image-good",
        "/registries/default/harbor-prod/",
        tested_image("{host}/demo/app:1.0", "harbor"),
    ),
    State(
        "details-image-missing",
        "/registries/default/harbor-prod/",
        tested_image("{host}/demo/app:2.0", "harbor"),
    ),
    State(
        "details-image-wrong",
        "/registries/default/harbor-prod/",
        tested_image("docker.io/library/nginx", "harbor"),
        status=422,
    ),
    State(
        "details-image-counted",
        "/registries/dev-namespace/dockerhub-dev/",
        tested_image("{host}/demo/app:1.0", "dockerhub"),
    ),
    State("details-image-platforms", f"/registries/{REASONS}/image-platforms/"),
    State("details-image-denied", f"/registries/{REASONS}/image-denied/"),
    State("details-image-storage", f"/registries/{REASONS}/image-storage/"),
    State("details-deleted", "/registries/", deleted_while_open, status=404),
    State("details-away", "/registries/team-a/harbor-team-a/", details_away, status=502),
    *DIALOGS,
    State("testing", f"/registries/?namespace={WAITING}", testing_one),
    State("testing-many", f"/registries/?namespace={WAITING}", testing_many),
    State("tested-many", "/registries/?namespace=team-a", tested_many),
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
    State("api", "/oapis/docs"),
    State("not-found", "/no-such-page/", status=404),
    State("forbidden", "/accounts/", person="vic", status=403),
    State("internal-error", "/mirrors/", without("registries_mirror"), status=500),
    State("internal-error-alone", "/mirrors/", without("django_session"), status=500),
    State("too-many-requests", "/journal/", too_many_exports, person="vic", status=429),
    State("details-gone", "/registries/team-a/no-such-registry/", status=404),
    State("list-failing", "/registries/?status=failed&size=50"),
    State("list-by-cause", "/registries/?group=cause&size=50"),
    State("list-by-host", "/registries/?group=host&status=failed", selected_group),
    State("list-by-host-later", "/registries/?group=host&page=2&size=10"),
    State("list-by-credential", "/registries/?group=credential", person="vic"),
    State("list-one-group", f"/registries/?namespace={REASONS}&group=cause&in=host:harbor.example.com"),
    State("list-by-credential-longest", f"/registries/?namespace={LONGEST}&group=credential"),
    *REFUSED,
    *LOG_IN_STATES,  # the last ones: after so many wrong passwords the console lets nobody log in for a while
)
