"""A state of the gallery, and what the acts of several states do."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex

from playwright.sync_api import Page

from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.console_page import credential
from tests.peers.held import HeldRegistry
from tests.peers.running_console import RunningConsole

TEAM_A = "/registries/?namespace=team-a"


@dataclass(frozen=True)
class Scene:
    """What an act needs beside the page."""

    console: RunningConsole
    held: HeldRegistry
    cluster: Cluster | None = None
    """Only for the states that need one."""
    cable: Cable | None = None
    """Between the console and the cluster."""


Act = Callable[[Page, Scene], None]


def nothing(page: Page, scene: Scene) -> None:
    pass


@dataclass(frozen=True)
class State:
    """One state. `person` is empty for a visitor without a log-in; `widest`: the widest window that has it, in pixels.

    `status` is the status of the page, and of what the act does, where it is an error.
    """

    name: str
    path: str
    act: Act = nothing
    person: str = "olive"
    widest: int = 10_000
    status: int = 200


def click(selector: str, then: str = "") -> Act:
    """Clicks the first match, then waits for another selector."""

    def act(page: Page, scene: Scene) -> None:
        page.locator(selector).first.click()
        if then:
            page.locator(then).first.wait_for()

    return act


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


def token_of(page: Page) -> str:
    return next(it["value"] for it in page.context.cookies() if it["name"] == "csrftoken")  # type: ignore[typeddict-item]


def new_registry(page: Page, scene: Scene, **values: str) -> str:
    """Adds a registry of the namespace team-a for one look, and returns its name. However many there are, they stand
    behind those that other states open."""
    name = f"spare-{token_hex(4)}"
    given = {**credential(scene.console, "harbor"), **values}
    given |= {"provider": "harbor", "name": name, "namespace": "team-a"}
    form = {**given, "csrfmiddlewaretoken": token_of(page)}
    added = page.context.request.post(f"{scene.console.url}/registries/-/add/", form=form)
    assert added.ok, added.text()
    return name


def leave(page: Page) -> None:
    """A proxy answers for the console. What the browser has already stays."""
    asked = ("xhr", "fetch")
    page.route(
        "**/*",
        lambda it: it.fulfill(status=502) if it.request.resource_type in asked else it.continue_(),
    )
