"""`make screenshots`: the pictures of the README, in both languages, taken of the real demo in a real browser."""

import shutil
import tempfile
from itertools import product
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.peers.command import ROOT, Serving
from tests.peers.words import EN, ZH, Words

DOCS = ROOT / "docs"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
]


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Serving(Path(folder) / "demo", "demo", CONSOLE_DEMO="1", CONSOLE_CHECK_INTERVAL="6h") as console,
        sync_playwright() as playwright,
    ):
        program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for words, (name, scheme, act) in product((EN, ZH), PICTURES):
            context = browser.new_context(
                base_url=f"http://127.0.0.1:{console.port}",
                viewport={"width": 1280, "height": 800},
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            language = {"name": "django_language", "value": "en" if words is EN else "zh-hans"}
            context.add_cookies([{**language, "url": f"http://127.0.0.1:{console.port}"}])
            page = context.new_page()
            _log_in(page, words)
            act(page, words)
            page.screenshot(path=str(DOCS / (f"{name}.png" if words is EN else f"{name}.zh-CN.png")))
            context.close()
        browser.close()


def _log_in(page: Page, words: Words) -> None:
    page.goto("/login/")
    page.get_by_role("button", name="olive").click()
    page.get_by_role("button", name=words.log_in, exact=True).click()
    page.wait_for_url("**/registries/")
    page.goto("/registries/?size=100")
    expect(page.locator(".pill-busy")).to_have_count(0, timeout=60_000)
    page.goto("/registries/?size=20")


def _list(page: Page, words: Words) -> None:
    page.locator("#registries").wait_for()


def _hover(page: Page, words: Words) -> None:
    page.goto("/registries/?status=failed")
    page.get_by_role("row", name="harbor-team-a").get_by_role("button", name=words.failed).hover()
    page.get_by_role("tooltip").wait_for()


def _add(page: Page, words: Words) -> None:
    page.goto("/registries/?namespace=dev-namespace")
    page.get_by_role("link", name=words.add).click()
    dialog = page.get_by_role("dialog", name=words.add)
    row = page.locator("tr", has_text="harbor-dev").locator(".c-domain").get_attribute("title")
    dialog.get_by_label(words.domain, exact=True).fill(row or "")
    dialog.get_by_label(words.username, exact=True).fill("robot$edge+pull")
    dialog.get_by_label(words.password, exact=True).fill("not the right one")
    dialog.get_by_role("button", name=words.test).click()
    dialog.get_by_text(words.bad_credentials).wait_for()


def _details(page: Page, words: Words) -> None:
    page.goto("/registries/team-a/harbor-team-a/")


PICTURES = (
    ("list", "light", _list),
    ("add", "light", _add),
    ("details", "light", _details),
    ("dark", "dark", _hover),
)


if __name__ == "__main__":
    main()
