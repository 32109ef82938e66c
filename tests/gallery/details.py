"""The states of the details page: its panels, copies and sync, and the test of an image."""

import re

from playwright.sync_api import Page

from tests.gallery.furnishing import CALM, HELD, LONG_NAME, LONGEST, MANY, ONE, REASONS, WAITING
from tests.gallery.scene import Act, Scene, State, leave, new_registry, token_of
from tests.peers.console_page import credential


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
        page.locator("#panel").evaluate("it => it.setAttribute('data-before', '')")
        with page.expect_response(re.compile("/verify/")):
            page.locator("#image-test .image-line button").click()
        page.locator(
            "#panel:not([hx-get], [data-before]) .image-answer, #image-error:not(:empty)"
        ).first.wait_for()

    return act


def deleted_while_open(page: Page, scene: Scene) -> None:
    deleted(page, scene)


def lost_while_open(page: Page, scene: Scene) -> None:
    """Nothing can undo this deletion."""
    deleted(page, scene, forget="1")


def deleted(page: Page, scene: Scene, **more: str) -> None:
    """By the same person in another tab. The registry is a new one for each look."""
    name = new_registry(page, scene)
    send, token = page.context.request.post, token_of(page)
    page.goto(f"/registries/team-a/{name}/?namespace=team-a&status=untested")
    uid = page.locator("#details-state").get_attribute("data-version") or ""
    form = {"confirm": name, "uid": uid.partition("/")[0], "csrfmiddlewaretoken": token, **more}
    answer = send(f"{scene.console.url}/registries/team-a/{name}/delete/", form=form)
    assert answer.ok, answer.text()
    page.locator("#gone").wait_for()


def messages(page: Page, scene: Scene) -> None:
    page.locator("#messages").scroll_into_view_if_needed()


def relatives(page: Page, scene: Scene) -> None:
    page.locator("#relatives .relatives").first.scroll_into_view_if_needed()


def authority(page: Page, scene: Scene) -> None:
    page.locator(".facts .certificate").first.scroll_into_view_if_needed()


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


DETAILS_STATES = (
    State("details-failed", "/registries/team-a/harbor-team-a/"),
    State("details-untested", "/registries/team-a/quay-team-a/"),
    State("details-good", "/registries/default/harbor-prod/"),
    State("details-own-ca", "/registries/team-b/harbor-own-ca/", authority),
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
    State("align-password", "/registries/gallery-waiting/harbor-own-ca/align/"),
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
    State("details-lost", "/registries/", lost_while_open, status=404),
    State("details-away", "/registries/team-a/harbor-team-a/", details_away, status=502),
)
