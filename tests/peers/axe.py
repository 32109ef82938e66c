"""axe-core in a page: what is wrong for people who use a screen reader, a keyboard, or need contrast."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

RUN = """() => {
  const full = (it, name) => (it.getAttribute(name) || "").trim() !== "";
  const own = (it) => [...it.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const free =
    /^(id|for|href|title|alt|name|value|datetime|aria-(label|labelledby|describedby|controls)|(data|hx)-.*)$/;
  const attributes = (it) =>
    [...it.attributes].map(({ name, value }) => name + "=" + (free.test(name) ? full(it, name) : value)).sort();
  const shape = (it) => [it.tagName, own(it), ...attributes(it)].join(" ");
  const above = (it) => (it ? [shape(it), ...above(it.parentElement)] : []);
  const place = (row) => [[...row.parentElement.children].indexOf(row) % 2, ...above(row.parentElement)];
  const seen = new Set();
  const exclude = [...document.querySelectorAll("tbody > tr")].filter((row) => {
    const key = [...place(row), shape(row), ...[...row.querySelectorAll("*")].map(shape)].join("\\n");
    return seen.has(key) || !seen.add(key);
  });
  const context = exclude.length ? { exclude } : document;
  return axe.run(context, { resultTypes: ["violations"] }).then((it) => it.violations);
}"""
"""Of rows that differ only by their texts and addresses, an even one and an odd one are enough. Most of axe's time is
for the contrast of each text."""


def complaints(page: Page) -> list[str]:
    """Rule and element of each fault, by all rules that axe usually applies."""
    # target-size stays off: it calls small what is scrolled under a bar. layout.js measures what a pointer hits.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return [f"{fault['id']}: {node['html'][:200]}" for fault in page.evaluate(RUN) for node in fault["nodes"]]
