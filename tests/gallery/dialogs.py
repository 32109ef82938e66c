"""The states of the dialogs of registries and runs, in their order."""

import re
from secrets import token_hex

from playwright.sync_api import Page, expect

from tests.gallery.adding import ADD_STATES
from tests.gallery.furnishing import LONGEST, ONE, REASONS, RUNS
from tests.gallery.new_values import NEW_VALUE_STATES
from tests.gallery.scene import TEAM_A, Act, Scene, State, choose, new_registry, submit, token_of
from tests.peers.scripted import Reply, Request, basic, registry_ok, scripted, unauthorized


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
            at = f"v{token_hex(2)}"  # digits alone would look like a count
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


def wrong_number(page: Page, scene: Scene) -> None:
    delete_many(page, scene)
    page.locator("#batch-count").fill("1")
    page.locator("#batch-count").evaluate("it => it.form.requestSubmit()")
    page.locator("#batch-count-error").wait_for()


def dialog_of(address: str) -> Act:
    """A dialog over the list, by the link of a notice."""

    def act(page: Page, scene: Scene) -> None:
        page.evaluate("url => htmx.ajax('GET', url, {target: '#dialog-body', swap: 'innerHTML'})", address)
        page.locator("dialog[open] #dialog-title").wait_for()
        closed = page.locator("#verify-run details:not([open]) summary")
        while closed.count():
            closed.first.click()
        page.locator(".dialog-content").evaluate("it => it.scrollTo(0, 0)")  # each click scrolled to its line

    return act


def selected(page: Page, scene: Scene) -> None:
    page.locator("#pick-page").check()
    expect(page.locator("#selection-bar")).to_be_visible()


def delete_many(page: Page, scene: Scene) -> None:
    selected(page, scene)
    page.locator("#selection-delete").click()
    page.locator("dialog[open] form").wait_for()


def deleted_one(page: Page, scene: Scene) -> None:
    """The list with the toast of a deletion."""
    name = new_registry(page, scene)
    page.goto(f"/registries/?namespace=team-a&q={name}")
    choose(name, "delete")(page, scene)
    page.locator("#delete-name").fill(name)
    page.locator("#delete-confirm").click()
    page.locator(".toast-undo").wait_for()
    page.locator(f"tr[data-title={name}]").wait_for(state="detached")


def undone_later(page: Page, scene: Scene) -> None:
    """The journal with two deletions that can be undone, one of them a run."""
    deleted_one(page, scene)
    deleted_many(page, scene)
    page.goto("/journal/?action=delete")
    page.locator(".j-undo").first.wait_for()


def deleted_many(page: Page, scene: Scene) -> None:
    """The end of a run that can be undone."""
    name = new_registry(page, scene)
    other = new_registry(page, scene)
    page.goto("/registries/?namespace=team-a&q=spare-&size=100")
    for it in (name, other):
        page.locator(f"tr[data-title={it}] .c-pick input").check()
    page.locator("#selection-delete").click()
    page.locator("#batch-count").fill("2")
    page.locator("#batch-confirm").click()
    page.locator("#run-undo").wait_for()


def copy_to(*namespaces: str) -> Act:
    """The selection is copied into these namespaces: the preview. Without any, the choice of namespaces."""

    def act(page: Page, scene: Scene) -> None:
        selected(page, scene)
        page.locator("#selection-copy").click()
        page.locator("#copy-form").wait_for()
        if not namespaces:
            return
        for name in namespaces:
            page.locator(f"#copy-namespaces input[value='{name}']").check()
        page.locator("#copy-next").click()
        page.locator("#copy-plan").wait_for()

    return act


def edited_when_gone(page: Page, scene: Scene) -> None:
    page.goto(f"/registries/?q={new_registry(page, scene)}")
    meanwhile("#error-summary")(page, scene)


def beside_old(*then: str) -> Act:
    """The dialog for a new password after its test; by then the registry accepts these passwords."""

    def act(page: Page, scene: Scene) -> None:
        accepted = ["old-password"]

        def registry(request: Request) -> Reply:
            known = request.authorization in [basic("admin", it) for it in accepted]
            return registry_ok() if known else unauthorized("Basic")

        with scripted(registry) as server:
            name = new_registry(page, scene, domain=server.address, username="admin", password="old-password")
            page.goto(f"/registries/?namespace=team-a&q={name}")
            page.locator(".state .pill-ok").wait_for()
            accepted[:] = then
            choose(name, "password")(page, scene)
            page.locator("#id_password").fill("new-password")
            page.locator("#password-test").click()
            page.locator("#password-form .verdict-ok .stages ~ .check-warn").wait_for()

    return act


def refused(*, large: bool = False) -> Act:
    """A form of an earlier session, or one that is too large. It says so itself, and what was typed stays."""

    def act(page: Page, scene: Scene) -> None:
        choose("harbor-team-a", "edit")(page, scene)
        form = page.locator("#edit-form")
        form.locator("[name=display_name]").fill("生产环境 Harbor（主）")
        if large:
            form.locator("[name=description]").evaluate(FILL)
        else:
            page.context.clear_cookies(name="csrftoken")
        page.locator("#edit-save").click()
        form.locator("#error-summary").wait_for()
        if large:
            expect(form.locator("#id_description_error")).to_contain_text(re.compile("1,024.*3,000,000"))

    return act


def refused_page(*, large: bool = False) -> Act:
    """The same without a script: the answer is a page."""

    def act(page: Page, scene: Scene) -> None:
        form = page.locator("#edit-form")
        if large:
            form.locator("[name=description]").evaluate(FILL)
        else:
            form.locator("[name=csrfmiddlewaretoken]").evaluate("it => { it.value = 'x'.repeat(64) }")
        with page.expect_navigation():
            form.evaluate("it => it.submit()")
        page.locator("main .empty").wait_for()

    return act


FILL = "it => { it.value = 'x'.repeat(3_000_000) }"
"""More than the console reads."""
PLACES = {"copy": "copies", "delete": "runs", "rotate": "rotations"}
DIALOGS = (
    *ADD_STATES,
    State("edit", TEAM_A, choose("harbor-team-a", "edit")),
    State("edit-longest", f"/registries/?namespace={LONGEST}", choose("x-prod", "edit")),
    State(
        "edit-conflict",
        f"/registries/?namespace={ONE}",
        meanwhile(".clash", display_name="Production Harbor", description="镜像主仓库，只读账号"),
        status=409,
    ),
    State("edit-gone", TEAM_A, edited_when_gone, status=409),
    State(
        "edit-conflict-one",
        "/registries/?q=quay-team-a",
        meanwhile(".clash", display_name="Production Quay"),
        person="omar",
        status=409,
    ),
    *NEW_VALUE_STATES,
    State("password-old-works", TEAM_A, beside_old("old-password", "new-password")),
    State("password-old-refused", TEAM_A, beside_old("new-password")),
    State("copy-to", TEAM_A, choose("harbor-team-a", "copy")),
    State("copy-many", f"/registries/?namespace={REASONS}", copy_to()),
    State("copy-errors", TEAM_A, submit(choose("harbor-team-a", "copy"), "#copy-next"), status=422),
    State("copy-plan", TEAM_A, copy_to("default", "empty", LONGEST)),
    State("copy-longest", f"/registries/?namespace={LONGEST}", copy_to("empty")),
    State("delete", TEAM_A, choose("harbor-team-a", "delete")),
    State("delete-longest", f"/registries/?namespace={LONGEST}", choose("x-prod", "delete")),
    State("delete-many", f"/registries/?namespace={REASONS}", delete_many),
    State("delete-many-source", "/registries/?namespace=team-b", delete_many),
    State("delete-many-wrong", f"/registries/?namespace={REASONS}", wrong_number, status=422),
    State("run-notices", TEAM_A, person="nina"),
    *(
        State(
            f"run-{kind}-{state}-{done}",
            TEAM_A,
            dialog_of(f"/registries/-/{PLACES.get(kind, kind)}/{run}/"),
            person="nina",
        )
        for (kind, state, done), run in RUNS.items()
    ),
    State("undo-toast", TEAM_A, deleted_one),
    # A row that is tested may ask once more after its deletion: a 404.
    State("undo-journal", TEAM_A, undone_later, status=404),
    State("run-delete-undo", TEAM_A, deleted_many, status=404),
)
REFUSED = (
    State("edit-expired", TEAM_A, refused(), status=403),
    State("edit-too-large", TEAM_A, refused(large=True), status=413),
    State("expired", "/registries/team-a/harbor-team-a/edit/", refused_page(), status=403),
    State("too-large", "/registries/team-a/harbor-team-a/edit/", refused_page(large=True), status=413),
)
