"""`make screenshots`: the pictures of the README, taken of the real demo in a real browser."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.peers.command import ROOT, Serving

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
        Serving(Path(folder) / "demo", "demo", CONSOLE_DEMO="1") as console,
        sync_playwright() as playwright,
    ):
        program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for name, scheme, act in PICTURES:
            context = browser.new_context(
                base_url=f"http://127.0.0.1:{console.port}",
                viewport={"width": 1280, "height": 800},
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            page = context.new_page()
            _log_in(page)
            act(page)
            page.screenshot(path=str(DOCS / f"{name}.png"))
            context.close()
        browser.close()


def _log_in(page: Page) -> None:
    page.goto("/login/")
    page.get_by_role("button", name="olive").click()
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/registries/")


def _list(page: Page) -> None:
    page.locator("#registries").wait_for()


def _hover(page: Page) -> None:
    page.goto("/registries/?status=failed")
    page.get_by_role("row", name="harbor-team-a").get_by_role("button", name="连接失败").hover()
    page.get_by_role("tooltip").wait_for()


def _add(page: Page) -> None:
    page.goto("/registries/?namespace=dev-namespace")
    page.get_by_role("link", name="添加镜像源").click()
    dialog = page.get_by_role("dialog", name="添加镜像源")
    row = page.locator("tr", has_text="harbor-dev").locator(".c-domain").get_attribute("title")
    dialog.get_by_label("域名").fill(row or "")
    dialog.get_by_label("用户名").fill("robot$edge+pull")
    dialog.get_by_label("密码", exact=True).fill("not the right one")
    dialog.get_by_role("button", name="测试连接").click()
    dialog.get_by_text("用户名或密码错误").wait_for()


def _details(page: Page) -> None:
    page.goto("/registries/team-a/harbor-team-a/")


PICTURES = (
    ("list", "light", _list),
    ("add", "light", _add),
    ("details", "light", _details),
    ("dark", "dark", _hover),
)


if __name__ == "__main__":
    main()
