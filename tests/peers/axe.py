"""axe-core in a page: what is wrong for people who use a screen reader, a keyboard, or need contrast."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page


def complaints(page: Page) -> list[str]:
    """Rule and element of each fault, by all rules that axe usually applies."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(it => it.violations)")
    return [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]
