"""axe-core in a page: what is wrong for people who use a screen reader, a keyboard, or need contrast."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

OF_COLOURS = ("color-contrast", "link-in-text-block")
"""The rules whose result depends on the theme."""


def complaints(page: Page, rules: tuple[str, ...] = ()) -> list[str]:
    """Rule and element of each fault, by these rules of axe or by all that it usually applies."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    found = page.evaluate(
        "options => axe.run(options).then(it => it.violations)", {"resultTypes": ["violations"], **only}
    )
    return [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]
