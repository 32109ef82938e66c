"""Chromium, the running console, and people in front of it.

One browser a session, one console and one context per person a module. Every test fails on a violation of the
Content-Security-Policy, an error on the console or in a script, a request to another host, a status that it did
not announce; every module on a password in what the server sent, logged, stored or was asked for.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.peers.console_page import open_add
from tests.peers.held import HeldRegistry
from tests.peers.parts import require_part
from tests.peers.running_console import RunningConsole, copied_console, seeded_folder
from tests.peers.visitors import PATIENCE, REFUSED_FORM, People, Watch

PROGRAMS = ("chromium-headless-shell", "chromium")
"""The first that is there. A page of the second takes five times as long to open: it draws a window as well."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
DETAILS = "/registries/team-a/harbor-team-a/"
INSIDE = "() => document.querySelector('dialog[open]').contains(document.activeElement)"
UNSEEN = """() => {
  const it = document.activeElement;
  if (it === document.body) return "the focus is nowhere";
  if (it.matches("[type^=date]")) return "";  // the browser marks its parts
  if (!it.matches(":focus-visible")) return `not shown as focused: ${it.outerHTML.slice(0, 200)}`;
  const marked = (element) => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  };
  // The mark of a box inside a card may be drawn by the card.
  return marked(it) || marked(it.closest("label") ?? it) ? "" : `no mark of focus: ${it.outerHTML.slice(0, 200)}`;
}"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    path = require_part("chromium", found, install=f"apt-get install {PROGRAMS[0]} fonts-noto-cjk")
    # Playwright's loop runs in this thread, which Django takes for a reason to refuse database work.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=120_000)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A data folder filled with the demo, to be copied, and the base port of its registries."""
    folder = tmp_path_factory.mktemp("seeded") / "data"
    return folder, seeded_folder(folder)


@pytest.fixture(scope="module")
def console(
    chromium: Browser, seeded: tuple[Path, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningConsole]:
    """A console of this module's own. Nothing of a password may be found in what it leaves behind."""
    running = copied_console(seeded[0], tmp_path_factory.mktemp("console") / "data", seeded[1])
    yield running
    running.stop()
    assert running.leaks() == []


@pytest.fixture
def held() -> Iterator[HeldRegistry]:
    registry = HeldRegistry()
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def everybody(request: pytest.FixtureRequest, chromium: Browser, console: RunningConsole) -> Iterator[People]:
    """A module whose tests are about what moves sets MOTION."""
    motion = getattr(request.module, "MOTION", False)
    people = People(chromium, console.url, Watch(console.url), console.cookies(), motion=motion)
    yield people
    people.leave()


@pytest.fixture
def people(everybody: People) -> Iterator[People]:
    """The cast for one test, whose pages are closed and whose problems are told at its end."""
    everybody.watch.problems.clear()
    everybody.watch.expected = set(REFUSED_FORM)
    yield everybody
    everybody.tidy()
    assert everybody.watch.problems == []


@pytest.fixture
def page(people: People) -> Page:
    """The list, as olive sees it."""
    return people("olive").open()


@pytest.fixture
def form(page: Page) -> Locator:
    """The dialog that adds a registry."""
    return open_add(page)


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press Tab until the target has the focus; every stop on the way must be seen."""
    for _ in range(80):
        if target.evaluate("it => it === document.activeElement"):
            return
        page.keyboard.press(key)
        assert page.evaluate(UNSEEN) == ""
    raise AssertionError(f"Tab does not lead to {target}")


def type_into(page: Page, field: Locator, text: str) -> None:
    tab_to(page, field)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)
