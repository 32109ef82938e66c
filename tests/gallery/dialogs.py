"""The states of the dialogs of registries and runs."""

from secrets import token_hex

from playwright.sync_api import Page, expect

from tests.gallery.furnishing import LONGEST, ONE, REASONS, RUNS
from tests.gallery.scene import TEAM_A, Act, Scene, State, click, menu, new_registry, token_of
from tests.peers.console_page import credential
from tests.peers.harbor import ADMIN, NAME, OLD, harbor


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
        form.locator(".verdict:not(.verdict-busy)").wait_for()

    return act


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
    """The toast after a Harbor created a second robot account. The registry is a new one for each look."""
    with harbor() as peer:
        name = new_registry(page, scene, domain=peer.server.address, username=NAME, password=OLD)
        page.goto(f"/registries/team-a/{name}/password/")
        page.locator("#harbor-secret summary").click()
        for field, text in zip(("username", "password"), ADMIN, strict=True):
            page.locator(f"#id_harbor_{field}").fill(text)
        page.locator("#harbor-second").click()
        page.locator(".toast-ok").wait_for()


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


def deleted_one(page: Page, scene: Scene) -> None:
    """The list with the toast of a deletion."""
    name = new_registry(page, scene)
    page.goto(f"/registries/?namespace=team-a&q={name}")
    choose(name, "delete")(page, scene)
    page.locator("#delete-name").fill(name)
    page.locator("#delete-confirm").click()
    page.locator(".toast-undo").wait_for()


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
    page.goto("/registries/?namespace=team-a&q=gone-&size=100")
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


def refused(*, large: bool = False) -> Act:
    """A form of an earlier session, or one that is too large. The toast says so, and what was typed stays."""

    def act(page: Page, scene: Scene) -> None:
        choose("harbor-team-a", "edit")(page, scene)
        form = page.locator("#edit-form")
        form.locator("[name=display_name]").fill("生产环境 Harbor（主）")
        if large:
            form.locator("[name=description]").evaluate(FILL)
        else:
            page.context.clear_cookies(name="csrftoken")
        page.locator("#edit-save").click()
        page.locator(".toast-bad").wait_for()

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


FILL = "it => { it.removeAttribute('maxlength'); it.value = 'x'.repeat(3_000_000) }"
"""More than the console reads."""
PLACES = {"copy": "copies", "delete": "runs", "rotate": "rotations"}


def also(page: Page, scene: Scene) -> None:
    """The add dialog with the further namespaces unfolded."""
    open_add(page, scene)
    page.locator("#also summary").click()
    page.locator("#also .choice input").nth(1).check()


DIALOGS = (
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
    State("edit-gone", TEAM_A, edited_when_gone, status=409),
    State(
        "edit-conflict-one",
        "/registries/?q=quay-team-a",
        meanwhile(".clash", display_name="Production Quay"),
        person="omar",
        status=409,
    ),
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
