// Restores the focus after its element was disabled, replaced or removed: to the new element, or to the row at the
// same place, or to the current page.
const list = document.getElementById("list");
const GROUPS = [".pages-numbers", ".pages-sizes"];
const ROWS = "tbody tr[data-url]";
let last = null;

function remember(element) {
  last = {
    element,
    row: [...(list?.querySelectorAll(ROWS) ?? [])].indexOf(element.closest(ROWS)),
    part: element.matches(".c-name a") ? ".c-name a" : ".more",
    group: GROUPS.find((group) => element.closest(group)),
  };
}

function near({ row, part, group }) {
  const rows = list?.querySelectorAll(ROWS) ?? [];
  return (
    (row >= 0 && rows[Math.min(row, rows.length - 1)]?.querySelector(part)) ||
    (group && list?.querySelector(`${group} [aria-current]`)) ||
    list?.querySelector(".tile[aria-current]") ||
    document.getElementById("main")
  );
}

export function keepFocus() {
  if (!last || document.activeElement !== document.body) return;
  const { element } = last;
  const same = element.isConnected ? element : element.id && document.getElementById(element.id);
  // Another request has ended while this button waits for its own.
  if (same?.disabled && same.closest(".htmx-request")) return;
  const there = same && !same.disabled && same.checkVisibility();
  (there ? same : near(last)).focus({ preventScroll: true });
}

document.addEventListener("focusin", (event) => remember(event.target));
// A click outside of controls clears the focus.
document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest?.("a, button, input, select, textarea, label, summary, [tabindex]")) last = null;
});
document.addEventListener("htmx:afterRequest", keepFocus);
document.addEventListener("htmx:afterSettle", keepFocus);
// Restore after each change of the list, before the next key. The end of the request is too late.
if (list) new MutationObserver(keepFocus).observe(list, { childList: true, subtree: true });
